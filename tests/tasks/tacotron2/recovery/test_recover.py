"""Real wreckage: a run that was trained for real, spoilt as runs are, and put back."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import wreckage
from rerail import past
from rerail.data import demo, ljspeech
from rerail.fit import Fork, Result, train
from rerail.tasks.tacotron2.recovery import ladder, trying
from rerail.tasks.tacotron2.recovery.asked import Asked
from rerail.tasks.tacotron2.recovery.recover import Recovery, decide, prepared
from rerail.tell import journal

TRIAL, MARGIN = 6, 0.05
WHOLE = {wreck.name: wreck for wreck in wreckage.WRECKS}


def asked(run: Path, **more: Any) -> Asked:
    return Asked(run=str(run), trial=TRIAL, **more)


def look(run: Path, **more: Any) -> tuple[Recovery, str]:
    said: list[str] = []
    return decide(asked(run, **more), said.append), "\n".join(said)


def trained_on(recovery: Recovery, run: Path, **more: Any) -> tuple[Result, list[dict[str, Any]]]:
    restart = prepared(recovery, asked(run, **more))
    given = {"resume": restart.start, "describe": restart.describe, "notes": restart.notes}
    result = train(restart.task, restart.fit, run=restart.run, **given)  # type: ignore[arg-type]
    return result, list(journal.read(restart.run))


def held_out_error(run: Path, step: int) -> float:
    return next(metrics["mel"] for at, metrics in past.measured(run)[0] if at == step)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# What it resumes with: the step, whether salvaged, the settings' name; and to which step it trains on (0: not at all).
EXPECTED = {
    "NaN weights": (40, False, ladder.OWN, 0),
    "exploded first moments": (40, False, ladder.OWN, 0),
    "attention overwritten": (40, False, ladder.OWN, 0),
    "last three bad, each in its way": (30, False, ladder.OWN, 50),
    "NaN in all: salvage": (60, True, ladder.FRESH, 66),
    "postnet x100 in all: salvage": (60, True, ladder.FRESH, 66),
    "bit flipped in all: salvage": (60, True, ladder.FRESH, 0),
    "NaN learning rate in all": (60, False, ladder.FRESH, 0),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_wreck_is_named_and_the_mildest_settings_that_pass_bring_it_back(run: Path, name: str) -> None:
    """All wrecks are in `bench/wrecks.py`."""
    step, salvaged, settings, to = EXPECTED[name]
    error = held_out_error(run, 60)
    WHOLE[name].make(run)
    before = contents(run)
    recovery, said = look(run, steps=to)
    assert recovery.causes[0] == WHOLE[name].cause
    assert f"wrong: {WHOLE[name].cause}" in said
    assert recovery.chosen is not None
    chosen = recovery.chosen.candidate
    assert (chosen.source.looked.step, chosen.source.salvage, chosen.rung.name) == (step, salvaged, settings)
    assert sum(line.startswith("  step  ") for line in said.splitlines()) == len(recovery.judged) == 5
    assert all(str(change) in said for change in recovery.changes)
    assert contents(run) == before
    assert not recovery.out.exists()
    if to:
        check_training(recovery, run, to, error)


def check_training(recovery: Recovery, run: Path, to: int, error: float) -> None:
    result, records = trained_on(recovery, run, steps=to)
    assert (result.reason, result.steps) == ("finished", to)
    assert result.metrics["mel"] <= error * (1 + MARGIN)
    (note,) = [one["data"] for one in records if one.get("text") == "recovered"]
    assert note["cause"] == list(recovery.causes)
    assert note["from"].startswith(str(run / "checkpoints"))
    assert {one["setting"] for one in note["settings"]} == {one.setting for one in recovery.changes}
    assert not [one for one in records if one["kind"] == "verdict" and one["move"] != "COMMIT"]


def test_what_was_replaced_is_said_and_nothing_else_is(run: Path) -> None:
    WHOLE["NaN in all: salvage"].make(run)
    recovery, said = look(run)
    assert recovery.chosen is not None
    assert "embedding.weight: 3 of 32 rows spoilt -> as in a fresh model" in said
    assert recovery.severity == "severe"
    assert all(math.isfinite(one.before["mel"]) for one in recovery.tried)
    wrecked, mended = past.load(wreckage.checkpoints(run)[-1])["model"], recovery.chosen.state["model"]
    same = [name for name, one in mended.items() if torch.equal(one, wrecked[name])]
    assert set(mended) - set(same) == {"embedding.weight"}
    assert torch.equal(mended["embedding.weight"][:3], wrecked["embedding.weight"][:3])


def test_without_anything_to_read_there_is_nothing_to_recover(run: Path) -> None:
    for path in wreckage.checkpoints(run):
        wreckage.cut_short(path)
    with pytest.raises(ValueError, match="no checkpoint can be read; begin anew"):
        look(run)


def test_settings_that_the_state_does_not_bear_are_found_out_by_trial(run: Path) -> None:
    wreckage.rate_asked(run, times=10.0)
    recovery, said = look(run, steps=100)
    assert recovery.causes == ("the run's own settings, which its newest sound state does not bear",)
    assert recovery.chosen is not None
    assert recovery.chosen.candidate.rung.name == ladder.SLOWER
    assert "own settings from step 60: failed after" in said
    assert "learning rate: its schedule -> its schedule x0.1, for 12 steps, then back to its own over 24" in said


def test_the_ultra_safe_preset_is_the_last_resort(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = trying.fork

    def hard(task: Any, parts: Any, fit: Any, checkpoint: Path, steps: int) -> Fork:
        return real(task, parts, fit, checkpoint, steps) if fit.batch_size == 2 else Fork(steps=0, trouble="too much")

    monkeypatch.setattr(trying, "fork", hard)
    recovery, said = look(run, steps=62)
    assert recovery.chosen is not None
    assert recovery.chosen.candidate.rung.name == ladder.ULTRA
    assert said.count("too much") == len(recovery.tried) - 1 == 9
    _, records = trained_on(recovery, run, steps=62)
    knobs = [one["knobs"] for one in records if one["kind"] == "verdict"]
    assert all(one["lr_most"] <= 1e-6 and one["clip_norm"] == 0.01 for one in knobs)
    assert all(one["weights"]["attention"] >= 2.5 for one in knobs)
    assert yaml.safe_load((recovery.out / "config.yaml").read_text())["batch_size"] == 2
    monkeypatch.setattr(trying, "fork", lambda *_: Fork(steps=0, trouble="too much"))
    recovery, said = look(run)
    assert recovery.chosen is None
    assert "nothing passed: no setting cures this" in said


def test_one_checkpoint_is_looked_at_with_those_before_it(run: Path) -> None:
    WHOLE["NaN weights"].make(run)
    recovery = decide(Asked(checkpoint=str(run / "checkpoints/step-00000050"), trial=TRIAL), str)
    assert [one.step for one in recovery.judged] == [10, 30, 40, 50]
    assert recovery.chosen is not None
    assert recovery.chosen.candidate.source.looked.step == 40


def test_other_data_must_have_the_runs_symbols(run: Path, tmp_path: Path) -> None:
    clips = ljspeech.read(demo.folder())
    (tmp_path / "wavs").symlink_to(demo.folder() / "wavs")
    ljspeech.write(tmp_path / "metadata.csv", [replace(one, text=f"{one.text} %") for one in clips])
    with pytest.raises(ValueError, match="the texts have other symbols than the run: new \\['%'\\]"):
        look(run, data=str(tmp_path / "metadata.csv"))


def test_a_notification_is_left_where_it_is_asked_for(run: Path) -> None:
    WHOLE["file cut short"].make(run)
    recovery, _ = look(run, steps=51)
    _, records = trained_on(recovery, run, steps=51, notify=True)
    (note,) = [one["data"] for one in records if one.get("text") == "notify"]
    assert note["level"] == "critical"
    assert "run: a damaged checkpoint file. Goes on in " in note["message"]
    assert recovery.out == run.with_name("run-recovered")
    again, _ = look(run, steps=52)
    assert again.out == run.with_name("run-recovered-2")  # never over another run
    log = (recovery.out / "run.log").read_text()
    assert "Recovered from " in log
    assert "To be told at once: " in log
