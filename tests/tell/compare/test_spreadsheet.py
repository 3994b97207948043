from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import pytest

from rerail.tell.compare import Comparison, spreadsheet
from written_runs import compared, falling, run


def rows(told: Comparison, **only: str) -> list[dict[str, str]]:
    found = list(csv.DictReader(io.StringIO(spreadsheet.text(told))))
    return [one for one in found if all(one[name] == value for name, value in only.items())]


def made(folder: Path) -> Comparison:
    return compared(
        [
            run(folder / f"{lr}-{seed}", falling(lr * (1 + seed)), lr=lr, seed=seed, batch_size=lr)
            for lr in (1, 2)
            for seed in (0, 1)
        ]
    )


def test_every_number_has_a_line(tmp_path: Path) -> None:
    told = made(tmp_path)
    level = rows(told, what="level", axis="steps", group="A")
    assert [(one["run"], float(one["at"])) for one in level] == [("1-0", 39), ("1-1", 39), ("", 39)]
    values = [float(one["value"]) for one in level]
    assert values[2] == pytest.approx(sum(values[:2]) / 2)
    assert float(level[2]["low"]) < values[2] < float(level[2]["high"])
    (difference,) = rows(told, what="difference", axis="samples")
    assert (difference["group"], difference["note"]) == ("B - A", "permutation")
    assert float(difference["p"]) >= 1 / 3
    reach = rows(told, what="reach", axis="time", group="B")
    assert [one["run"] for one in reach] == ["2-0", "2-1", ""]
    assert all(float(one["value"]) > 0 for one in reach)


def test_what_is_missing_or_refused_has_a_reason_and_no_value(tmp_path: Path) -> None:
    folders = [run(tmp_path / str(n), falling(1.0, **({"eval__a": 1.0} if n else {})), huber=n) for n in (0, 1)]
    told = compared(folders)
    (missing,) = rows(told, what="level", axis="steps", signal="eval/a", run="0")
    assert (missing["value"], missing["note"]) == ("", "not read")
    (refused,) = rows(told, what="refused", signal="loss/mel")
    assert refused["note"].startswith("huber is 0 and 1: the error function differs; give them the same")
    (difference,) = rows(told, what="difference", axis="steps", signal="loss/mel")
    assert (difference["value"], difference["p"]) == ("", "")


def test_numbers_that_are_not_finite_are_written_as_such(tmp_path: Path) -> None:
    folders = [run(tmp_path / str(n), lambda _: {"loss/a": math.nan, "eval/a": 1.0}, lr=n) for n in (0, 1)]
    assert rows(compared(folders), what="level", axis="steps", signal="loss/a", run="0")[0]["value"] == "nan"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1", "\r=1"])
def test_no_name_is_a_formula(tmp_path: Path, name: str) -> None:
    folders = [run(tmp_path / f"{name.strip()}{n}", falling(1.0, signal="loss/a"), lr=n) for n in (0, 1)]
    text = spreadsheet.text(compared(folders))
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    named = [cell for cell in cells if cell.lstrip("' ").startswith(("=", "@SUM", "+1", "-10", "-11"))]
    assert named
    assert all(cell.startswith("'") for cell in named)


def test_control_characters_are_visible_and_break_no_line(tmp_path: Path) -> None:
    folders = [run(tmp_path / str(n), falling(1.0, signal='loss/\x1b[31m\n"a", b'), lr=n) for n in (0, 1)]
    text = spreadsheet.text(compared(folders))
    assert "\x1b" not in text
    assert {len(row) for row in csv.reader(io.StringIO(text))} == {len(spreadsheet.COLUMNS)}
