from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console as Screen

from rerail.tell.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Make = Callable[..., dict[str, Any]]

KNOBS = {"lr_scale": 0.1, "clip_norm": "inf", "precision": "as_run", "weights": {}}
NAME = "[red]bold[/red] :smile: \x1b[31m\nnext"
SHOWN = r"[red]bold[/red] :smile: \x1b[31m\nnext"


def shown(records: Iterable[dict[str, Any]], *, terminal: bool, encoding: str = "utf-8", **given: Any) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    screen = Screen(file=file, force_terminal=terminal, width=160, color_system="standard" if terminal else None)
    with Console(screen=screen, **given) as console:
        for each in records:
            console(each)
    return raw.getvalue().decode(encoding)


def readings(make: Make, ticks: int) -> list[dict[str, Any]]:
    values = {"loss/total": 1.5, f"loss/{NAME}": 0.912, "lr": 1e-3, "time/step": 0.25}
    return [make("reading", tick, values=values | {"step": tick}) for tick in range(1, ticks + 1)]


def test_without_a_terminal_there_are_plain_lines_only(make: Make) -> None:
    events = [make("note", 45, text=NAME), make("snapshot", 45, event="taken", step=45, bytes=1)]
    text = shown([*readings(make, 45), *events], terminal=False, total=400, every=20)
    assert "\x1b" not in text
    lines = text.splitlines()
    assert [line.split(":")[0] for line in lines] == ["step 1/400", "step 21/400", "step 41/400", "tick 45, step 45"]
    assert lines[0].endswith(f"loss/total 1.5, loss/{SHOWN} 0.912, learning rate 0.001, 0.25 s/step")
    assert lines[-1].endswith(SHOWN)


def test_on_a_terminal_there_is_a_bar_with_figures_and_knobs(make: Make) -> None:
    records = readings(make, 100)
    records[99:99] = [make("verdict", 99, move="COMMIT", knobs=KNOBS, findings=[])]
    text = shown(records, terminal=True, total=400)
    assert "100/400" in text
    assert "━" in text
    assert f"loss/{SHOWN} 0.912" in text
    assert "in force: learning rate x0.1" in text


def test_the_last_held_out_metrics_stay_in_sight(make: Make) -> None:
    measured = make("reading", 1, values={"step": 1, "eval/mel": 0.625})
    text = shown([measured, *readings(make, 9)[1:]], terminal=True, total=10)
    assert text.rindex("eval/mel 0.625") > text.rindex("loss/total")


def test_events_stand_above_the_bar_with_markup_as_text(make: Make) -> None:
    saw = {"code": "nonfinite.loss", "signal": f"loss/{NAME}", "evidence": {}}
    text = shown([make("verdict", 3, move="SKIP", knobs=KNOBS, findings=[saw])], terminal=True, total=10)
    assert f"loss/{SHOWN} is not finite. Decision: skip the update." in text
    assert text.index("not finite") < text.rindex("/10")


def test_an_output_without_unicode_gets_escapes_instead_of_a_crash(make: Make) -> None:
    text = shown([make("note", 1, text="потеря")], terminal=False, encoding="ascii")
    assert r"\u043f" in text


@pytest.mark.parametrize("terminal", [True, False])
def test_a_whole_run_can_be_shown(realistic_run: Path, terminal: bool) -> None:  # noqa: FBT001
    lines = (realistic_run / "journal.jsonl").read_text().splitlines()
    text = shown(map(json.loads, lines), terminal=terminal, total=400)
    assert "loss/energy is not finite (inf)" in text
    assert "Run finished, at step 400." in text


def test_a_run_of_unknown_length_and_one_without_readings(make: Make) -> None:
    assert "step 1: " in shown(readings(make, 1), terminal=False)
    assert "nothing" not in shown([], terminal=True)


def test_a_silly_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0"):
        Console(every=0)
