from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import small_pairs
from rerail.data.pairs.batches import Batch, HeldOut, PairStream, dealt, numbered, raw_picture

KEPT = [
    small_pairs.pair(f"p{who}", f"s{who}-{n}", f"i{who}", 10 * who + n) for who in range(8) for n in range(1 + who % 4)
]


def stream(size: int = 4, *, augment: bool = True, seed: int = 0) -> PairStream:
    return PairStream(KEPT, batch_size=size, samples=30, seed=seed, augment=augment)


def same(one: Batch, other: Batch) -> bool:
    equal = [torch.equal(one[key], other[key]) for key in ("image", "audio", "identity")]
    return all(equal) and all(one[key] == other[key] for key in ("id", "language", "speaker"))


def test_a_batch_has_everything_in_its_range() -> None:
    batch = next(iter(stream()))
    assert (batch["image"].shape, batch["image"].dtype) == ((4, 3, 8, 8), torch.float32)
    assert (batch["audio"].shape, batch["audio"].dtype) == ((4, 30), torch.float32)
    assert 0 <= batch["image"].min() < 0.5 < batch["image"].max() <= 1
    assert 0 < batch["audio"].abs().max() <= 1
    assert batch["identity"].dtype == torch.int64
    numbers = numbered(KEPT)
    assert [numbers[name.partition("/")[0]] for name in batch["id"]] == batch["identity"].tolist()
    assert batch["language"] == ["en"] * 4
    assert batch["speaker"] == ["ana"] * 4


@settings(max_examples=60)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 8), st.integers(0, 20))
def test_no_identity_is_its_own_rival_where_there_are_enough(counts: list[int], size: int, seed: int) -> None:
    identities = [who for who, count in enumerate(counts) for _ in range(count)]
    batches = dealt(identities, min(size, len(identities)), torch.Generator().manual_seed(seed))
    assert all(len(batch) == min(size, len(identities)) for batch in batches)
    places = [place for batch in batches for place in batch]
    assert len(set(places)) == len(places)
    if len(counts) >= size:
        assert all(len({identities[place] for place in batch}) == size for batch in batches)
        most = max(t for t in range(1, len(identities) + 1) if sum(min(one, t) for one in counts) >= t * size)
        assert len(batches) == most
    else:
        assert len(batches) == len(identities) // min(size, len(identities))
        often = [Counter(identities[place] for place in batch) for batch in batches]
        fair = {who: count / len(batches) for who, count in enumerate(counts)}
        assert all(batch[who] <= fair[who] + 1 for batch in often for who in fair)


def test_every_pair_has_its_turn_over_the_epochs() -> None:
    running = stream()
    turns = Counter(name for batch in islice(running, 60 * len(running)) for name in batch["id"])
    assert set(turns) == {one.pair.id for one in KEPT}
    assert max(turns.values()) <= 60


@pytest.mark.parametrize("stop", [0, 1, 7])
def test_a_resumed_stream_gives_the_same_batches_bit_by_bit(stop: int) -> None:
    straight = list(islice(stream(), stop + 8))
    stopped = stream()
    list(islice(stopped, stop))
    resumed = stream()
    resumed.load_state_dict(stopped.state_dict())
    torch.manual_seed(9)
    assert all(same(one, other) for one, other in zip(islice(resumed, 8), straight[stop:], strict=True))


def test_epochs_and_seeds_differ_and_so_do_the_cuts_of_one_recording() -> None:
    batches = list(islice(stream(), 3 * len(stream())))
    assert not any(same(one, other) for one, other in pairwise(batches))
    assert not same(batches[0], next(iter(stream(seed=1))))
    plain = next(iter(stream(augment=False)))
    pictures = {one.pair.id: one.picture for one in KEPT}
    for name, image in zip(plain["id"], plain["image"], strict=True):
        assert torch.equal((image * 255).round().to(torch.uint8), pictures[name])


def test_a_position_of_another_order_is_refused() -> None:
    with pytest.raises(ValueError, match="seed 1, the run has 0; give the same seed"):
        stream().load_state_dict(stream(seed=1).state_dict())
    with pytest.raises(ValueError, match="batches of 5, the run has 4; give the same size"):
        stream().load_state_dict(stream(5).state_dict())


@pytest.mark.parametrize("size", [0, len(KEPT) + 1])
def test_a_batch_that_cannot_be_filled_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=rf"batch_size: {size} cannot be filled from {len(KEPT)} pairs"):
        stream(size)


def test_what_is_held_out_comes_once_in_order_and_unchanged() -> None:
    held_out = HeldOut(KEPT, batch_size=6, samples=30)
    batches = list(held_out)
    assert [name for batch in batches for name in batch["id"]] == [one.pair.id for one in KEPT]
    assert len(batches[-1]["id"]) == len(KEPT) % 6
    assert torch.equal(batches[0]["audio"][0], KEPT[0].sound[5:35].float() / 2**15)
    assert all(same(one, other) for one, other in zip(batches, held_out, strict=True))  # as often as is asked for


def test_of_what_is_held_out_one_batch_is_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[int]()

    def seen(picture: Tensor) -> Tensor:
        made.append(1)
        return raw_picture(picture)

    monkeypatch.setattr("rerail.data.pairs.batches.raw_picture", seen)
    batches = iter(HeldOut(KEPT, batch_size=6, samples=30))
    assert len(made) == 0
    next(batches)
    assert len(made) == 6


def test_a_heavy_batch_may_have_more_rows_than_there_are_pairs() -> None:
    assert stream().heaviest(50)["image"].shape == (50, 3, 8, 8)
