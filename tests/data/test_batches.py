from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rerail.data.batches import Example, Stream, collate


def examples(count: int) -> list[dict[str, object]]:
    return [{"id": str(number), "mel": torch.zeros(10 + number * 7 % count, 2)} for number in range(count)]


def ids(batch: Sequence[Example]) -> list[str]:
    return [example["id"] for example in batch]


def stream(count: int = 20, batch_size: int = 4, seed: int = 0, pool: int = 4) -> Stream:
    return Stream(examples(count), batch_size, seed, ids, pool=pool)


def test_a_batch_is_padded_behind_true_lengths() -> None:
    short = {"id": "a", "text": torch.tensor([3, 4]), "mel": torch.ones(2, 5)}
    long = {"id": "b", "text": torch.tensor([5, 6, 7]), "mel": torch.ones(3, 5)}
    batch = collate([short, long], silence=-11.5)
    assert batch["id"] == ["a", "b"]
    assert batch["text"].tolist() == [[3, 4, 0], [5, 6, 7]]
    assert batch["text"].dtype == torch.int64
    assert batch["text_length"].tolist() == [2, 3]
    assert batch["mel"].shape == (2, 3, 5)
    assert batch["mel"].dtype == torch.float32
    assert batch["mel"][0, 2].tolist() == [-11.5] * 5
    assert batch["mel_length"].tolist() == [2, 3]


def test_an_epoch_shows_every_clip_once() -> None:
    batches = iter(stream())
    for _ in range(3):
        assert sorted(one for batch in islice(batches, 5) for one in batch) == sorted(ids(examples(20)))


@pytest.mark.parametrize("count", [14, 22], ids=["one pool", "two pools"])
def test_clips_that_fill_no_batch_take_turns_whatever_their_length(count: int) -> None:
    epochs, full = 300, count // 4
    batches = list(islice(stream(count), full * epochs))
    assert {len(batch) for batch in batches} == {4}
    seen = Counter(one for batch in batches for one in batch)
    share = epochs * full * 4 / count
    assert len(seen) == count
    assert 0.85 * share < min(seen.values()) <= max(seen.values()) < epochs


def test_clips_of_like_length_share_a_batch() -> None:
    lengths = {str(example["id"]): len(example["mel"]) for example in examples(64)}  # type: ignore[arg-type]

    def padding(pool: int) -> int:
        batches = islice(stream(64, 8, pool=pool), 80)
        return sum(max(lengths[one] for one in batch) * 8 - sum(lengths[one] for one in batch) for batch in batches)

    assert padding(pool=4) < 0.5 * padding(pool=1)


def test_each_epoch_and_each_seed_has_its_own_order() -> None:
    first = list(islice(stream(), 10))
    assert first[:5] != first[5:]
    assert first == list(islice(stream(), 10))
    assert first != list(islice(stream(seed=1), 10))


def test_the_global_generator_neither_matters_nor_moves() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = list(islice(stream(), 12))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert first == list(islice(stream(), 12))


@settings(max_examples=40)
@given(st.integers(0, 60), st.integers(4, 40), st.integers(1, 4), st.integers(0, 2**70))
def test_a_restored_position_goes_on_with_exactly_the_next_batch(stop: int, count: int, size: int, seed: int) -> None:
    straight = list(islice(stream(count, size, seed), stop + 20))
    stopped = stream(count, size, seed)
    assert list(islice(stopped, stop)) == straight[:stop]
    resumed = stream(count, size, seed)
    resumed.load_state_dict(stopped.state_dict())
    assert list(islice(resumed, 20)) == straight[stop:]


def test_a_position_may_be_taken_with_the_batch_in_hand_and_set_while_iterating() -> None:
    running = stream()
    batches = iter(running)
    next(batches)
    state = running.state_dict()
    assert state == {"epoch": 0, "index": 1, "seed": 0, "batch_size": 4, "pool": 4}
    following = [next(batches) for _ in range(7)]
    running.load_state_dict(state)
    assert [next(batches) for _ in range(7)] == following


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"epoch": 0, "index": 0, "seed": 7}, "this position is of seed 7, the run has 0; give the same seed"),
        (
            {"epoch": 0, "index": 5, "seed": 0, "batch_size": 4},
            "this position is batch 5, an epoch has 5; give the same data",
        ),
    ],
)
def test_a_position_of_another_order_is_refused(state: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stream().load_state_dict(state)


@pytest.mark.parametrize("size", [0, 21])
def test_a_batch_that_cannot_be_filled_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=rf"batch_size: {size} cannot be filled from 20 clips; give 1 to 20"):
        stream(batch_size=size)


def test_a_batch_that_cannot_be_put_together_is_not_passed_over() -> None:
    fails = [True]

    def collate_later(examples: Sequence[Mapping[str, object]]) -> list[object]:
        if fails.pop() if fails else False:
            raise ValueError("not yet")
        return [one["id"] for one in examples]

    whole = next(iter(Stream(examples(8), 4, 0, lambda rows: [one["id"] for one in rows])))
    broken = Stream(examples(8), 4, 0, collate_later)
    with pytest.raises(ValueError, match="not yet"):
        next(iter(broken))
    assert next(iter(broken)) == whole


def test_a_position_of_other_pools_is_refused() -> None:
    with pytest.raises(ValueError, match="pools of 8, the run has 4; give the same pool"):
        stream(16).load_state_dict(stream(16, pool=8).state_dict())


def test_a_position_of_batches_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="batches of 8, the run has 4; give the same size"):
        stream(16, 4).load_state_dict(stream(16, 8).state_dict())


def test_a_tail_of_silence_counts_as_the_last_frames() -> None:
    short = {"id": "a", "text": torch.tensor([3, 4]), "mel": torch.ones(3, 5)}
    long = {"id": "b", "text": torch.tensor([5, 6, 7]), "mel": torch.ones(5, 5)}
    batch = collate([short, long], silence=-11.5, tail=2)
    assert batch["mel_length"].tolist() == [5, 7]
    assert batch["tail"].tolist() == [2, 2]
    assert torch.equal(batch["mel"][0, :3], short["mel"])
    assert (batch["mel"][0, 3:] == -11.5).all()
    assert (batch["mel"][1, 5:] == -11.5).all()
