from __future__ import annotations

import random
import time

import pytest

from rerail.data.alike import groups


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Good day.", "good, day", "Good night."], [[0, 1], [2]]),
        (
            [
                "Please enter your password followed by the pound key.",
                "Hold on.",
                "Now please enter your password followed by the pound key.",
            ],
            [[0, 2], [1]],
        ),
        (["one of the men", "one of the women who came late"], [[0], [1]]),
        (["", "?!"], [[0, 1]]),
    ],
    ids=["same letters", "nearly", "a common turn", "no letters"],
)
def test_texts_that_are_alike_stand_together(texts: list[str], expected: list[list[int]]) -> None:
    assert groups(texts) == expected


def test_likeness_leads_on() -> None:
    words = [f"word{number}" for number in range(14)]
    texts = [" ".join(words[start : start + 10]) for start in (0, 2, 4)]
    assert groups(texts) == [[0, 1, 2]]


def test_a_corpus_of_the_size_of_ljspeech_is_grouped_without_waiting() -> None:
    draw = random.Random(0)
    vocabulary = ["the", "of", "and", *(f"w{number}" for number in range(3000))]
    weights = [300, 200, 200, *([1] * 3000)]
    texts = [" ".join(draw.choices(vocabulary, weights, k=17)) for _ in range(13100)]
    began = time.process_time()
    found = groups([*texts, texts[7].upper()])
    assert [7, 13100] in found
    assert len(found) == 13100
    assert time.process_time() - began < 20
