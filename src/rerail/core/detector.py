"""The seam for every detector: configuration is the object, memory is passed in and handed back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from rerail.core.finding import Finding
    from rerail.core.reading import Reading

S = TypeVar("S")
T_contra = TypeVar("T_contra", contravariant=True)


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


@runtime_checkable
class Wary(Protocol[T_contra]):
    """A detector that waits for more before it finds something, and says so: no state is trusted meanwhile."""

    def wary(self, memory: T_contra, /) -> bool:
        """Say whether the last readings are under suspicion."""
        ...
