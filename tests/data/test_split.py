from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerail.data.clip import Clip
from rerail.data.split import sides, split


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


def alike_clips() -> list[Clip]:
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefgh", k=5)) for _ in range(200)]
    texts = [" ".join(draw.choices(words, k=8)) for _ in range(100)]
    return clips(*texts, *(f"{text}, {words[0]}" for text in texts[:20]), *(text.upper() for text in texts[:20]))


def test_three_sides_share_no_text_nor_one_nearly_the_same() -> None:
    parts = sides(alike_clips(), validation=10, test=10, seed=0)
    heads = [{clip.text.casefold()[:25] for clip in side} for side in (parts.train, parts.validation, parts.test)]
    assert not heads[0] & heads[1]
    assert not heads[0] & heads[2]
    assert not heads[1] & heads[2]
    assert len(parts.train) + len(parts.validation) + len(parts.test) == 140
    assert 10 <= len(parts.test) <= 12
    assert 8 <= len(parts.validation) <= 12


def test_the_seed_alone_decides_the_sides() -> None:
    some = alike_clips()
    first = {clip.id for clip in sides(some, validation=10, test=10, seed=0).test}
    assert first == {clip.id for clip in sides(some[::-1], validation=10, test=10, seed=0).test}
    assert first != {clip.id for clip in sides(some, validation=10, test=10, seed=1).test}


@given(st.lists(st.text("abcé. ", min_size=1, max_size=12), min_size=1, max_size=30), st.integers(0, 9))
def test_every_side_speaks_in_symbols_of_training(texts: list[str], seed: int) -> None:
    parts = sides(clips(*texts), validation=2, test=2, seed=seed)
    trained = {one for clip in parts.train for one in clip.text}
    assert parts.train
    assert {one for clip in (*parts.validation, *parts.test) for one in clip.text} <= trained
    assert len(parts.train) + len(parts.validation) + len(parts.test) == len(texts)


def test_a_text_that_many_clips_share_is_trained_on() -> None:
    some = [*sentences(20), *clips(*["all of us say the same"] * 30)]
    parts = sides([Clip(id=f"{n}", path=c.path, text=c.text) for n, c in enumerate(some)], validation=2, test=2, seed=0)
    assert sum("same" in clip.text for clip in parts.train) == 30
    assert (len(parts.validation), len(parts.test)) == (2, 2)
