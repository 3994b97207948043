"""The seam for every detector: configuration is the object, memory is passed in and handed back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from rerail.core.finding import Finding
    from rerail.core.reading import Reading

S = TypeVar("S")


class Detector(Protocol[S]):
    """A pure belief about readings.

    Memory is a frozen dataclass of numbers, strings, tuples and mappings, so that a checkpoint can hold it.
    """

    def init(self) -> S:
        """Return the memory of a detector that has seen nothing."""
        ...

    def update(self, memory: S, reading: Reading) -> tuple[S, tuple[Finding, ...]]:
        """Judge one reading; return the new memory and what was found."""
        ...
