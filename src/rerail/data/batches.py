"""Examples to padded batches, and an endless, resumable order of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from rerail.data.endless import Endless, generator_of

Example = Mapping[str, Any]


def collate(examples: Sequence[Example], silence: float, tail: int = 0) -> dict[str, Any]:
    """Pad examples of `id`, `text` `(symbols,)` and `mel` `(frames, bands)` to one batch.

    Gives `id` (list), `text` (batch, symbols) int64 padded with 0, `text_length` (batch,), `mel` (batch, frames,
    bands) float32 padded with `silence`, `mel_length` (batch,) in frames, and `tail` (batch,): so many frames of
    silence were put after each clip, and count as its last ones.
    """
    texts: list[Tensor] = [example["text"] for example in examples]
    mels: list[Tensor] = [pad(example["mel"], (0, 0, 0, tail), value=silence) for example in examples]
    return {
        "id": [example["id"] for example in examples],
        "text": pad_sequence(texts, batch_first=True),
        "text_length": torch.tensor([len(text) for text in texts]),
        "mel": pad_sequence(mels, batch_first=True, padding_value=silence),
        "mel_length": torch.tensor([len(mel) for mel in mels]),
        "tail": torch.full((len(mels),), tail),
    }


def _frames(example: Example) -> int:
    return len(example["mel"])


class Stream:
    """Endless batches, in a new order each epoch that only the seed and the epoch decide.

    Clips of like length share a batch: each `pool` batches' worth of the shuffled clips is sorted by length, and the
    batches are shuffled again. That costs randomness: on 620 sentences in batches of 16, `pool` 4 pads 16 % in place of
    39 %, a clip shares a batch with half as many others, and batches differ 3.8 times as much in length as by chance;
    `pool` 16 pads 5.5 %, with a quarter of the others (`bench/bucketing.py`). A `pool` of 1 sorts nothing.

    The few clips that fill no batch at the end of an epoch are left out of it, whichever
    the shuffle put last; so every clip has the same share of the batches.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        batch_size: int,
        seed: int,
        collate: Callable[[Sequence[Example]], Any],
        length: Callable[[Example], int] = _frames,
        pool: int = 4,
    ) -> None:
        if not 1 <= batch_size <= len(examples):
            raise ValueError(
                f"batch_size: {batch_size} cannot be filled from {len(examples)} clips; give 1 to {len(examples)}"
            )
        self.examples, self.batch_size, self.seed, self.collate, self.pool = examples, batch_size, seed, collate, pool
        self._lengths = [length(example) for example in examples]
        self._order = Endless(self._batches, {"seed": seed, "batch_size": batch_size, "pool": pool})

    def __iter__(self) -> Iterator[Any]:
        """Yield batches from the present position on, for ever."""
        return self._order.through(lambda places, _: self.collate([self.examples[one] for one in places]))

    def heaviest(self, rows: int) -> Any:  # noqa: ANN401 (whatever `collate` makes)
        """Return a batch of the longest examples, some of them several times where there are fewer than `rows`."""
        longest = sorted(range(len(self.examples)), key=self._lengths.__getitem__, reverse=True)[:rows]
        return self.collate([self.examples[longest[place % len(longest)]] for place in range(rows)])

    def state_dict(self) -> dict[str, int]:
        """Return the position of the next batch."""
        return self._order.state_dict()

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go to a position.

        Raises:
            ValueError: for a position of another order.
        """
        self._order.load_state_dict(state)

    def _batches(self, epoch: int) -> list[list[int]]:
        generator = generator_of(self.seed, epoch)
        shuffled: list[int] = torch.randperm(len(self.examples), generator=generator).tolist()
        size = self.batch_size
        full = shuffled[: len(shuffled) // size * size]  # before sorting: else it were always the shortest clips
        batches: list[list[int]] = []
        for start in range(0, len(full), size * self.pool):
            near = sorted(full[start : start + size * self.pool], key=self._lengths.__getitem__)
            batches += [near[first : first + size] for first in range(0, len(near), size)]
        return [batches[one] for one in torch.randperm(len(batches), generator=generator).tolist()]
