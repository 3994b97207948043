# ruff: noqa: RUF001 - texts of several scripts are the point here

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerail.text.normalise import normalise
from rerail.text.symbols import END, PADDING, Symbols

SCRIPTS = {
    "latin": "Größe? Ça va, l'été!",
    "cyrillic": "Съешь ещё этих мягких французских булок.",
    "persian": "می\u200cخواهم کتاب بخوانم؟",
    "greek": "Καλημέρα σας",
    "devanagari": "नमस्ते दुनिया",
    "chinese": "你好世界。",
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_a_table_from_any_script_reads_its_texts_back(text: str) -> None:
    normal = normalise(text)
    symbols = Symbols.of([normal])
    numbers = symbols.encode(normal)
    assert symbols.decode(numbers) == normal
    assert numbers[-1] == len(symbols) - 1
    assert 0 not in numbers


def test_the_table_begins_with_padding_and_ends_with_the_end() -> None:
    assert Symbols.of(["ba", "cab"]).table == (PADDING, "a", "b", "c", END)


def test_the_order_of_the_texts_does_not_matter() -> None:
    assert Symbols.of(SCRIPTS.values()) == Symbols.of(reversed(SCRIPTS.values()))


def test_unknown_symbols_are_all_named_with_their_code_points() -> None:
    with pytest.raises(ValueError, match="unknown symbols") as error:
        Symbols.of(["abc"]).encode("aé\u200cb")
    message = str(error.value)
    assert "U+00E9 LATIN SMALL LETTER E WITH ACUTE" in message
    assert "U+200C ZERO WIDTH NON-JOINER" in message
    assert "known: 'abc'; reword it" in message


def test_a_large_table_does_not_flood_the_error() -> None:
    with pytest.raises(ValueError, match="and more") as error:
        Symbols.of([chr(code) for code in range(0x4E00, 0x5E00)]).encode("a")
    assert len(str(error.value)) < 300


def test_padding_is_not_read_out() -> None:
    symbols = Symbols.of(["ab"])
    assert symbols.decode([*symbols.encode("ba"), 0, 0]) == "ba"


@pytest.mark.parametrize("number", [-1, 4, 99])
def test_numbers_of_another_table_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match=rf"numbers \[{number}\] are not in 0 to 3; was it another table"):
        Symbols.of(["ab"]).decode([1, number])


@pytest.mark.parametrize("table", [(), ("a", "b"), (PADDING, "a"), (PADDING, "a", "a", END)])
def test_a_table_of_another_form_is_refused(table: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"use Symbols\.of"):
        Symbols(table)


@given(st.lists(st.text(), min_size=1))
def test_every_text_of_the_table_comes_back(texts: list[str]) -> None:
    symbols = Symbols.of(texts)
    assert [symbols.decode(symbols.encode(text)) for text in texts] == texts
