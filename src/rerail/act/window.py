"""The batches since the last healthy snapshot, kept so that a rewound window can be trained again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from rerail.act import rows
from rerail.act.state import size

_REASONS = {
    "input.raised": "the step raises an error with it, and none without it",
    "input.unfit": "like rows that were proved to do harm",
    "input.far": "far beyond all others",
    "nonfinite.input": "not finite",
}


def reason(codes: Iterable[str]) -> str:
    """Return why a row is left out, by what was found."""
    return "; ".join(_REASONS[code] for code in sorted(set(codes)) if code in _REASONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A batch (its micro-batches) and where the loader stood after it."""

    batches: Sequence[Any]
    position: Mapping[str, Any] | None = None
    dropped: tuple[str, ...] = ()  # ids of rows that were left out on suspicion; the next try says whether rightly
    reason: str = ""
    versions: tuple[int, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        """Note how often each tensor was written to."""
        object.__setattr__(self, "versions", self._versions())

    @property
    def intact(self) -> bool:
        """Say whether no tensor was written to since, as a loader does that fills the same ones again."""
        return self.versions == self._versions()

    def holds_what(self, other: Entry | None) -> bool:
        """Say whether every tensor holds the very numbers that it holds in another entry."""
        mine = [one for batch in self.batches for one in rows.tensors(batch)]
        theirs = [] if other is None else [one for batch in other.batches for one in rows.tensors(batch)]
        return len(mine) == len(theirs) and all(map(_equal, mine, theirs))

    def _versions(self) -> tuple[int, ...]:
        given = [one for batch in self.batches for one in rows.tensors(batch)]
        return tuple(0 if one.is_inference() else one._version for one in given)  # noqa: SLF001 (autograd's own count)

    def without(self, bad: set[int]) -> Entry:
        """Leave out rows, counted on through the micro-batches, and micro-batches that have none left."""
        return self.only([row for row in range(sum(map(rows.count, self.batches))) if row not in bad])

    def only(self, rows_: Sequence[int]) -> Entry:
        """Take these rows alone, in this order within each micro-batch; a row named twice is there twice."""
        kept, first = [], 0
        for batch in self.batches:
            length = rows.count(batch)
            if not length:  # it cannot be taken apart
                kept.append(batch)
                continue
            good = [row - first for row in rows_ if first <= row < first + length]
            first += length
            if good:
                kept.append(batch if good == list(range(length)) else rows.select(batch, good))
        return replace(self, batches=kept)

    def without_ids(self, ids: set[str]) -> Entry:
        """Leave out the rows whose sample ids are among `ids`."""
        bad = {row for row, one in enumerate(self.ids()) if one and one in ids} if ids else set()
        return self.without(bad) if bad else self

    def ids(self) -> list[str]:
        """Return the sample id of every row, empty where a batch names none."""
        return [
            one for batch in self.batches if (count := rows.count(batch)) for one in rows.ids(batch) or [""] * count
        ]


class Window:
    """Entries with the step that each led to, oldest first, up to `capacity` bytes."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._entries: deque[tuple[int, int, Entry]] = deque()
        self._bytes = 0

    def add(self, step: int, entry: Entry) -> None:
        """Keep the entry that led to `step`; forget the oldest ones where the bytes run out."""
        weight = size(rows.tensors(list(entry.batches)))
        self._entries.append((step, weight, entry))
        self._bytes += weight
        while self._bytes > self.capacity:
            self._drop()

    def since(self, step: int) -> list[Entry]:
        """Return the entries that led past `step`, oldest first; nothing where one of them is no longer kept."""
        kept = [(one, entry) for one, _, entry in self._entries if one > step]
        return [entry for _, entry in kept] if kept and kept[0][0] == step + 1 else []

    @property
    def newest(self) -> Entry | None:
        """The last batch that was committed."""
        return self._entries[-1][2] if self._entries else None

    def forget(self, step: int) -> None:
        """Forget all that led up to `step`, which a healthy snapshot now holds."""
        while self._entries and self._entries[0][0] <= step:
            self._drop()

    def take(self, after: int = -1) -> list[Entry]:
        """Hand over the entries that led past step `after`, oldest first; those before stay, for a deeper rewind."""
        taken: deque[Entry] = deque()
        while self._entries and self._entries[-1][0] > after:
            _, weight, entry = self._entries.pop()
            self._bytes -= weight
            taken.appendleft(entry)
        return list(taken)

    def _drop(self) -> None:
        self._bytes -= self._entries.popleft()[1]


def _equal(one: Tensor, other: Tensor) -> bool:
    if not (rows.plain(one) and rows.plain(other)):
        return False
    return one.shape == other.shape and one.dtype == other.dtype and torch.equal(one, other)
