from __future__ import annotations

import math
from pathlib import Path

from rerail.tell.compare import Comparison
from rerail.tell.compare.tables import Table, tables
from written_runs import compared, falling, run


def named(told: Comparison) -> dict[str, Table]:
    return {one.title: one for one in tables(told)}


def seeds(folder: Path, *lrs: float, each: int = 3, **more: float) -> list[Path]:
    return [
        run(folder / f"{lr}-{seed}", falling(lr * (1 + seed / 10), **more), lr=lr, seed=seed, batch_size=2)
        for lr in lrs
        for seed in range(each)
    ]


def test_two_groups_stand_beside_their_difference(tmp_path: Path) -> None:
    told = named(compared(seeds(tmp_path, 1.0, 2.0)))
    assert [*told] == [
        "Runs",
        "What differs",
        "At equal steps (39 steps)",
        "At equal time (40 s)",
        "What it took to reach a value",
        "Differences in steps to reach it",
        "Where the runs part",
    ]
    table = told["At equal steps (39 steps)"]
    assert table.headings == ("signal", "A", "B", "B - A", "p", "says")
    ((signal, first, second, difference, p, says),) = table.rows
    assert (signal, p, says) == ("loss/mel", "0.1", "nothing: p is 0.1 or more")
    end = (math.exp(-3.8) + math.exp(-3.9)) / 2  # a window of two steps
    assert (first.partition(" ")[0], second.partition(" ")[0]) == (f"{1.1 * end:.4f}", f"{2.2 * end:.4f}")
    assert difference.startswith(f"{1.1 * end:.4f} (")
    assert "With so few seeds no test can give p < 0.05" in table.remark
    assert "with 4 a group it can" in table.remark


def test_four_seeds_a_group_can_show_something(tmp_path: Path) -> None:
    table = named(compared(seeds(tmp_path, 1.0, 2.0, each=4)))["At equal steps (39 steps)"]
    assert table.rows[0][-1] == "B is higher"
    assert "1 test (permutation), not corrected" in table.remark


def test_of_three_groups_the_differences_have_a_table_of_their_own(tmp_path: Path) -> None:
    told = named(compared(seeds(tmp_path, 1.0, 2.0, 3.0, each=2)))
    assert told["At equal steps (39 steps)"].headings == ("signal", "A", "B", "C")
    table = told["Differences at equal steps (39 steps)"]
    assert [row[1] for row in table.rows] == ["B - A", "C - A", "C - B"]
    assert "interval" in table.about


def test_single_runs_have_no_test(tmp_path: Path) -> None:
    table = named(compared(seeds(tmp_path, 1.0, 2.0, each=1)))["At equal steps (39 steps)"]
    assert [(row[-2], row[-1]) for row in table.rows] == [("-", "no test")]
    assert table.remark == ""


def test_one_group_has_no_difference(tmp_path: Path) -> None:
    told = named(compared(seeds(tmp_path, 1.0)))
    assert told["At equal steps (39 steps)"].headings == ("signal", "A")
    assert told["What differs"].rows == [("setting", "seed", "0, 1, 2")]
    assert not any("ifferences" in title for title in told)


def test_nothing_differs_between_copies(tmp_path: Path) -> None:
    made = [run(tmp_path / name, falling(1.0), lr=1, seed=0) for name in "ab"]
    told = named(compared(made))
    assert told["What differs"].about == "Nothing."
    assert told["Where the runs part"].rows == [("b", "a", "both 0", "never, in 40 ticks", "never, in 40 ticks")]
    assert told["Runs"].rows[1][1] == "A (repeat)"


def test_refusals_with_one_reason_share_a_line(tmp_path: Path) -> None:
    made = [run(tmp_path / str(n), falling(1.0, loss__mel_post=1.0, loss__stop=1.0), huber=n) for n in (0.0, 0.6)]
    told = named(compared(made))
    ((signals, between, why, do),) = told["Not compared"].rows
    assert (signals, between) == ("loss/mel, loss/mel_post", "A, B")
    assert why == "huber is 0 and 0.6: the error function differs"
    assert do == "give them the same setting"
    rows = {row[0]: row for row in told["At equal steps (39 steps)"].rows}
    assert rows["loss/mel"][3:] == ("-", "-", f"not compared: {why}")
    assert rows["loss/stop"][3] == "0"


def test_who_never_came_there_is_named_and_the_others_have_no_mean(tmp_path: Path) -> None:
    made = [run(tmp_path / f"r{n}", falling(1.0, rate=rate), lr=1, seed=n) for n, rate in enumerate((0.1, 0.1, 0.001))]
    table = named(compared(made, reach={"loss/mel": 0.5}))["What it took to reach a value"]
    assert table.rows == [("loss/mel", "<= 0.5", "A", "2 of 3 (never: r2)", "-", "-", "-")]


def test_names_are_one_printable_line(tmp_path: Path) -> None:
    signal, value = "loss/\x1b[31m<b>x\n\u202e", "\x1b]0;x\x07\n| a |"
    made = [run(tmp_path / f"r{n}", falling(1.0, signal=signal), **{"na\nme": value if n else "plain"}) for n in (0, 1)]
    text = "".join(
        str(cell) for one in tables(compared(made)) for row in (*one.rows, (one.about, one.remark)) for cell in row
    )
    assert "<b>x" in text
    assert not any(symbol in text for symbol in "\x1b\n\x07\u202e")
