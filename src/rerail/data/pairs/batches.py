"""Pairs to batches, in which an identity is no rival of its own: an endless order for training, once through else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor

from rerail.data.endless import Endless, generator_of
from rerail.data.pairs import augment as change
from rerail.data.pairs.caches import FULL, Examined
from rerail.data.pairs.crop import crop

Batch: TypeAlias = dict[str, Any]
WHITE = 255  # of a channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """Features by the keys of pictures and of recordings, to stand in batches in their place; empty: they stand there.

    They are given as they are, neither cut nor changed.
    """

    pictures: Mapping[str, Tensor] = field(default_factory=dict)
    sounds: Mapping[str, Tensor] = field(default_factory=dict)


RAW = Instead()


def raw_picture(picture: Tensor) -> Tensor:
    """Return a picture (3, side, side), in [0, 1], of one that is uint8."""
    return picture.float() / WHITE


def raw_sound(sound: Tensor, samples: int, generator: torch.Generator | None = None) -> Tensor:
    """Return a cut (samples,), in [-1, 1], of a recording (n,), int16: the middle, or anywhere by a generator."""
    return crop(sound, samples, generator).float() / FULL


class PairStream:
    """Endless batches in an order, with crops and changes, that seed, epoch and place in it decide.

    Batches are of `batch_size` pairs and cuts of `samples`: `image` (batch, 3, side, side) float32 in [0, 1], `audio`
    (batch, samples) float32 in [-1, 1], int64 numbers (batch,) of each `identity`, `picture` and `sound`, and the
    lists `id`, `language`, `speaker`.
    An identity has one pair in a batch at most where there are `batch_size` identities; where there are fewer,
    each has about as many as the others. Every pair is in an epoch at most once; those over are others each time.
    """

    def __init__(
        self,
        kept: Sequence[Examined],
        *,
        batch_size: int,
        samples: int,
        seed: int,
        augment: bool,
        instead: Instead = RAW,
    ) -> None:
        if not 1 <= batch_size <= len(kept):
            told = f"batch_size: {batch_size} cannot be filled from {len(kept)} pairs"
            raise ValueError(f"{told}; give 1 to {len(kept)}")
        self.kept, self.batch_size, self.seed, self.augment = kept, batch_size, seed, augment
        self._rows = _Rows(kept, samples, instead)
        self._order = Endless(self._batches, {"seed": seed, "batch_size": batch_size})

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches from the present position on, for ever."""
        return self._order.through(self._made)

    def __len__(self) -> int:
        """Return how many batches an epoch has."""
        return len(self._order)

    @property
    def examples(self) -> Sequence[Examined]:
        """The pairs that batches are made of."""
        return self.kept

    def heaviest(self, rows: int) -> Batch:
        """Return a batch of so many pairs, some of them several times where there are fewer; all weigh the same."""
        return self._rows.batch([place % len(self.kept) for place in range(rows)])

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
        return self._rows.batch(places, generator_of(self.seed, *where), augment=self.augment)

    def _batches(self, epoch: int) -> list[list[int]]:
        return dealt(self._rows.identities, self.batch_size, generator_of(self.seed, epoch))


class HeldOut:
    """Every pair once, in order, the middle of each recording, unchanged; the last batch may be smaller.

    Batches are made as they are asked for, anew each time, so that one is in memory at once.
    """

    def __init__(self, kept: Sequence[Examined], *, batch_size: int, samples: int, instead: Instead = RAW) -> None:
        self.batch_size, self._rows = batch_size, _Rows(kept, samples, instead)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches, from the first one."""
        places = range(len(self._rows.kept))
        return (self._rows.batch(places[at : at + self.batch_size]) for at in places[:: self.batch_size])


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


class _Rows:
    """Pairs as rows of batches; equal pictures, recordings and identities have equal numbers."""

    def __init__(self, kept: Sequence[Examined], samples: int, instead: Instead) -> None:
        self.kept, self.samples, self.instead = kept, samples, instead
        names = numbered(kept)
        self.identities = [names[one.pair.identity] for one in kept]
        self.pictures = _numbers([one.picture_key for one in kept])
        self.sounds = _numbers([one.sound_key for one in kept])

    def batch(self, places: Sequence[int], generator: torch.Generator | None = None, *, augment: bool = False) -> Batch:
        """Make a batch; a generator cuts recordings anywhere and, where it is to `augment`, changes what is raw."""
        pairs = [self.kept[place] for place in places]
        waves = [self._sound(one, generator, augment=augment) for one in pairs]
        images = [self._picture(one, generator if augment else None) for one in pairs]
        return {
            "id": [one.pair.id for one in pairs],
            "image": torch.stack(images),
            "audio": torch.stack(waves),
            "identity": torch.tensor([self.identities[place] for place in places]),
            "picture": torch.tensor([self.pictures[place] for place in places]),
            "sound": torch.tensor([self.sounds[place] for place in places]),
            "language": [one.pair.language for one in pairs],
            "speaker": [one.pair.speaker for one in pairs],
        }

    def _sound(self, one: Examined, generator: torch.Generator | None, *, augment: bool) -> Tensor:
        if (features := self.instead.sounds.get(one.sound_key)) is not None:
            return features
        wave = raw_sound(one.sound, self.samples, generator)
        return change.sound(wave, generator) if augment and generator is not None else wave

    def _picture(self, one: Examined, generator: torch.Generator | None) -> Tensor:
        if (features := self.instead.pictures.get(one.picture_key)) is not None:
            return features
        return raw_picture(one.picture if generator is None else change.picture(one.picture, generator))


def _numbers(keys: Sequence[str]) -> list[int]:
    known = {key: number for number, key in enumerate(sorted(set(keys)))}
    return [known[key] for key in keys]
