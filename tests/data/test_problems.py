from __future__ import annotations

from rerail.data.problems import listed


def test_a_few_problems_are_all_listed() -> None:
    assert listed("corpus", ["one", "two"]) == "corpus: 2 problem(s)\n  one\n  two"


def test_many_problems_are_cut_and_counted() -> None:
    lines = listed("corpus", [str(number) for number in range(25)]).splitlines()
    assert lines[0] == "corpus: 25 problem(s)"
    assert lines[-2:] == ["  19", "  and 5 more"]
