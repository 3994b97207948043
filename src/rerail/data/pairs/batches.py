"""Pairs to batches, in which an identity is no rival of its own: an endless order for training, once through else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from rerail.data.endless import Endless, generator_of
from rerail.data.pairs import augment as change
from rerail.data.pairs.caches import FULL, Examined
from rerail.data.pairs.crop import crop

Batch: TypeAlias = dict[str, Any]


class PairStream:
    """Endless batches in an order, with crops and changes, that seed, epoch and place in it decide.

    Batches are of `batch_size` pairs and cuts of `samples`: `image` (batch, 3, side, side) float32 in [0, 1], `audio`
    (batch, samples) float32 in [-1, 1], `identity` (batch,) int64, and the lists `id`, `language`, `speaker`.
    An identity has one pair in a batch at most where there are `batch_size` identities; where there are fewer,
    each has about as many as the others. Every pair is in an epoch at most once; those over are others each time.
    """

    def __init__(self, kept: Sequence[Examined], *, batch_size: int, samples: int, seed: int, augment: bool) -> None:
        if not 1 <= batch_size <= len(kept):
            told = f"batch_size: {batch_size} cannot be filled from {len(kept)} pairs"
            raise ValueError(f"{told}; give 1 to {len(kept)}")
        self.kept, self.batch_size, self.samples, self.seed, self.augment = kept, batch_size, samples, seed, augment
        self._numbers = numbered(kept)
        self._order = Endless(self._batches, {"seed": seed, "batch_size": batch_size})

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches from the present position on, for ever."""
        return self._order.through(self._made)

    def __len__(self) -> int:
        """Return how many batches an epoch has."""
        return len(self._order)

    def heaviest(self, rows: int) -> Batch:
        """Return a batch of so many pairs, some of them several times where there are fewer; all weigh the same."""
        pairs = [self.kept[place % len(self.kept)] for place in range(rows)]
        return _batch(pairs, self._numbers, self.samples, None, augment=False)

    def state_dict(self) -> dict[str, int]:
        """Return the position of the next batch."""
        return self._order.state_dict()

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go to a position.

        Raises:
            ValueError: for a position of another order.
        """
        self._order.load_state_dict(state)

    def _made(self, places: Sequence[int], where: tuple[int, int]) -> Batch:
        pairs = [self.kept[place] for place in places]
        generator = generator_of(self.seed, *where)
        return _batch(pairs, self._numbers, self.samples, generator, augment=self.augment)

    def _batches(self, epoch: int) -> list[list[int]]:
        return dealt(
            [self._numbers[one.pair.identity] for one in self.kept], self.batch_size, generator_of(self.seed, epoch)
        )


def held_out(kept: Sequence[Examined], *, batch_size: int, samples: int) -> list[Batch]:
    """Return every pair once, in order, the middle of each recording, unchanged; the last batch may be smaller."""
    numbers = numbered(kept)
    starts = range(0, len(kept), batch_size)
    return [_batch(kept[at : at + batch_size], numbers, samples, None, augment=False) for at in starts]


def numbered(kept: Sequence[Examined]) -> dict[str, int]:
    """Return a number for each identity, in the order of their names."""
    return {name: number for number, name in enumerate(sorted({one.pair.identity for one in kept}))}


def dealt(identities: Sequence[int], size: int, generator: torch.Generator) -> list[list[int]]:
    """Deal places out to as many batches of `size` as can be, none with an identity twice if there are enough.

    The places of each identity go to one batch after another, as in McNaughton's wrap-around rule (1959).
    """
    members = dict[int, list[int]]()
    for place in _shuffled(len(identities), generator):
        members.setdefault(identities[place], []).append(place)
    everyone = sorted(members)  # then shuffled: whoever has many pairs stands first in `members` more often
    count = _how_many([len(one) for one in members.values()], size)
    order = [members[everyone[number]] for number in _shuffled(len(everyone), generator)]
    row = [place for own in order for place in own[: count or len(own)]]
    count = count or len(row) // size
    return [row[first : count * size : count] for first in _shuffled(count, generator)]


def _how_many(counts: Sequence[int], size: int) -> int:
    """Return the most batches that can be filled without an identity twice; 0 where there are too few identities."""
    low, high = 0, sum(counts) // size
    while low < high:
        middle = (low + high + 1) // 2
        enough = sum(min(one, middle) for one in counts) >= middle * size
        low, high = (middle, high) if enough else (low, middle - 1)
    return low


def _shuffled(count: int, generator: torch.Generator) -> list[int]:
    order: list[int] = torch.randperm(count, generator=generator).tolist()
    return order


def _batch(
    pairs: Sequence[Examined],
    numbers: Mapping[str, int],
    samples: int,
    generator: torch.Generator | None,
    *,
    augment: bool,
) -> Batch:
    waves = [crop(one.sound, samples, generator).float() / FULL for one in pairs]
    images: list[Tensor] = [one.picture for one in pairs]
    if augment and generator is not None:
        waves = [change.sound(one, generator) for one in waves]
        images = [change.picture(one, generator) for one in images]
    return {
        "id": [one.pair.id for one in pairs],
        "image": torch.stack(images).float() / 255,
        "audio": torch.stack(waves),
        "identity": torch.tensor([numbers[one.pair.identity] for one in pairs]),
        "language": [one.pair.language for one in pairs],
        "speaker": [one.pair.speaker for one in pairs],
    }
