from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerail.tell import fields


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.23456, "1.23"),
        (0.0451234, "0.0451"),
        (1234.5, "1230"),
        (1234, "1234"),
        (61.0, "61"),
        (0.1, "0.1"),
        (0, "0"),
        (-0.0, "0"),
        (-2.5, "-2.5"),
        (0.001, "0.001"),
        (0.00001234, "1.23e-5"),
        (3.4e38, "3.4e38"),
        (999_999.0, "1e6"),
        (1e-10, "1e-10"),
        ("nan", "nan"),
        ("-inf", "-inf"),
        (math.inf, "inf"),
        ("float32", "float32"),
        (None, "None"),
    ],
)
def test_figures_have_three_significant_digits(value: object, shown: str) -> None:
    assert fields.figure(value) == shown


@given(st.floats(-1e300, 1e300))
def test_a_figure_is_within_half_a_percent_of_its_number(value: float) -> None:
    assert float(fields.figure(value)) == pytest.approx(value, rel=0.0051)


@given(st.text())
def test_plain_text_is_one_printable_line(text: str) -> None:
    shown = fields.plain(text)
    assert not any(unicodedata.category(symbol) in {"Cc", "Cs", "Zl", "Zp"} for symbol in shown)
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")


def test_controls_stay_visible() -> None:
    assert fields.plain("a\nb\x1b[31m\u202e\ud800") == r"a\nb\x1b[31m\u202e\ud800"
    assert fields.plain("Привет 你好 \U0001f642") == "Привет 你好 \U0001f642"


def test_long_text_is_cut() -> None:
    assert fields.plain("x" * 1000, limit=10) == "x" * 10 + "…"
    assert fields.plain("x" * 10, limit=10) == "x" * 10


def test_numbers_are_told_from_words() -> None:
    values = {"values": {"a": 1, "b": "inf", "c": "word", "d": None}}
    assert fields.numbers(values, "values") == {"a": 1.0, "b": math.inf}
    assert fields.whole({"n": "nan"}, "n") == 0
    assert fields.mapping({"m": 3}, "m") == {}
    assert fields.sequence({"s": "text"}, "s") == ()


@pytest.mark.parametrize(("amount", "text"), [(1, "1 batch"), (2, "2 batches"), (0, "0 batches")])
def test_counts(amount: int, text: str) -> None:
    assert fields.count(amount, "batch") == text


def test_long_lists_are_counted() -> None:
    assert fields.listed(["a", "b"]) == "a, b"
    assert fields.listed(range(10), shown=3) == "0, 1, 2 and 7 more"


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([], ""),
        ([3], "3"),
        ([0, 1], "0, 1"),
        ([11, 0, 1, 2, 4, 5, 6, 2], "0-2, 4-6, 11"),
        (["nan", None, "x", 7.0], "7"),
        (range(0, 40, 2), "0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22 and 8 more"),
    ],
)
def test_row_numbers_are_joined_to_spans(rows: list[object], text: str) -> None:
    assert fields.spans(rows) == text


@pytest.mark.parametrize(
    ("line", "text"), [("", ""), ("all is well", "All is well."), ("Done.", "Done."), ("loss/a rose", "loss/a rose.")]
)
def test_sentences_begin_large_unless_with_a_signal_and_end_in_a_stop(line: str, text: str) -> None:
    assert fields.sentence(line) == text


def test_what_an_output_cannot_write_is_escaped() -> None:
    assert fields.writable("a\u043f", "ascii") == r"a\u043f"
    assert fields.writable("a\u043f", "utf-8") == "a\u043f"
