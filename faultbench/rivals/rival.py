"""What a rival is, and what is known after it has trained a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from faultbench.case import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a rival did with a run.

    `detections` are the indices of the batches at which it raised an alarm or intervened; a rival that starts over
    counts from 0 again. `wasted` counts steps skipped and steps undone. `stopped` says that it ended the run before
    its last batch. `error` is the exception that it broke with, "" where it did not. `named` are the causes that it
    named, with the step; `told` what its alarms were called; `acted` how often it did something to the run, None where
    each alarm of a tool that is not passive did.
    """

    detections: tuple[int, ...] = ()
    wasted: int = 0
    stopped: bool = False
    error: str = ""
    named: tuple[tuple[int, str], ...] = ()
    told: tuple[tuple[int, str], ...] = ()
    acted: int | None = None


class Rival(Protocol):
    """One tool or rule. `needs` is the pip requirement, "" where there is none; a passive one only watches."""

    @property
    def name(self) -> str:
        """Return the name for tables."""
        ...

    @property
    def needs(self) -> str:
        """Return the pip requirement."""
        ...

    @property
    def passive(self) -> bool:
        """Say that it never changes the training."""
        ...

    def play(self, run: Run) -> Played:
        """Train the run over all its batches, in its own way, and leave `run.model` in its final state."""
        ...


def played(rival: Rival, run: Run) -> Played:
    """Let a rival train a run; an exception that ends its training is its result, not the bench's end."""
    try:
        return rival.play(run)
    except Exception as error:  # noqa: BLE001 (whatever a tool raises is what its user would see)
        return Played(stopped=True, error=f"{type(error).__name__}: {error}")
