from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerail.data.clip import Clip
from rerail.data.split import split


def clips(*texts: str) -> list[Clip]:
    return [Clip(id=str(number), path=Path(f"{number}.wav"), text=text) for number, text in enumerate(texts)]


def sentences(count: int) -> list[Clip]:
    draw = random.Random(0)
    return clips(*("".join(draw.choices("abcdefgh ,", k=40)) for _ in range(count)))


def _plain(clip: Clip) -> str:
    return clip.text.lower().replace(",", "").replace(" ", "")


def test_the_order_of_the_clips_does_not_matter() -> None:
    some = sentences(40)
    training, held_out = split(some, 8)
    assert (len(training), len(held_out)) == (32, 8)
    assert {clip.id for clip in split(some[::-1], 8)[1]} == {clip.id for clip in held_out}


def test_one_text_said_twice_stays_on_one_side() -> None:
    once = [clip.text for clip in sentences(10)]
    training, held_out = split(clips(*once, *(text.upper() + "," for text in once)), 4)
    assert (len(training), len(held_out)) == (16, 4)
    assert not {_plain(clip) for clip in training} & {_plain(clip) for clip in held_out}


def test_a_text_with_the_only_z_is_trained_on_whatever_the_draw() -> None:
    for seed in range(20):
        some = [*sentences(10), *clips(f"zebra {seed} \u061f")]
        assert some[-1] in split(some, 5)[0]


@given(st.lists(st.text("abcé.\u200c", min_size=1, max_size=6), max_size=30))
def test_held_out_symbols_are_always_trained(texts: list[str]) -> None:
    everything = "abcé.\u200c"
    training, held_out = split(clips(*texts, everything, everything[::-1]), 1)
    assert len(held_out) >= 1
    assert len(training) + len(held_out) == len(texts) + 2
    assert {one for clip in held_out for one in clip.text} <= {one for clip in training for one in clip.text}


@pytest.mark.parametrize("count", [4, 99])
def test_too_many_held_out_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=rf"{count} of 4 clips cannot be held out; lower held_out or add clips"):
        split(clips("ab", "ba", "abc", "cab"), count)


@pytest.mark.timeout(20)
def test_a_corpus_of_the_size_of_ljspeech_is_split_without_waiting() -> None:
    assert len(split(sentences(13100), 100)[1]) == 100
