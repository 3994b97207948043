"""States in memory, at growing ages. A snapshot is taken, and promoted once the steps that follow it were healthy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rerail.act import state
from rerail.core.remedy import NEWEST
from rerail.core.retention import thin


@dataclass(slots=True, kw_only=True, eq=False)  # each is itself; comparing tensors means nothing here
class Snapshot:
    """The run after `step` committed steps. `position` is where the loader stood; `calm` counts healthy ticks since."""

    tick: int
    step: int
    state: Mapping[str, Any]
    position: Mapping[str, Any] | None = None
    healthy: bool = False
    calm: int = 0
    bytes: int = 0


class Snapshots:
    """The snapshots of one run, oldest first.

    `probation` healthy ticks in a row promote a snapshot; `capacity` bytes hold all of them together, of which the
    newest healthy one and the newest of all are kept whatever they weigh.
    """

    def __init__(self, parts: state.Parts, probation: int, capacity: int) -> None:
        self.parts, self.probation, self.capacity = parts, probation, capacity
        self.masks = parts.masks()
        self.kept: list[Snapshot] = []

    def take(
        self, *, tick: int, step: int, position: Mapping[str, Any] | None = None, healthy: bool = False
    ) -> Snapshot | None:
        """Copy the run's state. None where it is not finite, or a weight has swollen: no poisoned state is kept."""
        captured = state.capture(self.parts)
        if not state.sound(captured, self.masks) or (self.kept and state.swollen(captured, self.kept[-1].state)):
            return None
        snapshot = Snapshot(tick=tick, step=step, state=captured, position=position, healthy=healthy)
        snapshot.bytes = state.size(captured)
        self.kept.append(snapshot)
        self._thin()
        return snapshot

    def observe(self, *, healthy: bool | None) -> list[Snapshot]:
        """Count one tick for every snapshot on probation; return those that it promoted.

        None says nothing about the weights (a bad row was dropped, the loss scale overflowed) and counts neither way.
        """
        if healthy is None:
            return []
        promoted = []
        for snapshot in self.kept:
            if snapshot.healthy:
                continue
            snapshot.calm = snapshot.calm + 1 if healthy else 0
            if snapshot.calm >= self.probation:
                snapshot.healthy = True
                promoted.append(snapshot)
        return promoted

    def newest_healthy(self, depth: int = 0) -> Snapshot:
        """Return the healthy snapshot `depth` places before the newest one, or the oldest there is."""
        healthy = [snapshot for snapshot in self.kept if snapshot.healthy]
        assert healthy, "the first snapshot of a run counts as healthy, and the last healthy one is never dropped"
        return healthy[max(0, len(healthy) - 1 - depth)]

    def oldest_healthy(self) -> Snapshot:
        """Return the oldest healthy snapshot that is kept."""
        return next(snapshot for snapshot in self.kept if snapshot.healthy)

    def rewind(self, depth: int = 0) -> Snapshot:
        """Restore a healthy snapshot (`depth` of `NEWEST`: the newest of all), and forget those after it."""
        target = self.newest if depth == NEWEST else self.newest_healthy(depth)
        state.restore(self.parts, target.state)
        self.kept = [one for one in self.kept if one is target or (one.healthy and one.tick <= target.tick)]
        return target

    @property
    def newest(self) -> Snapshot:
        """The newest snapshot, on probation or not."""
        return self.kept[-1]

    def _thin(self) -> None:
        newest = self.kept[-1]
        healthy = [snapshot for snapshot in self.kept if snapshot.healthy]
        ages = thin([newest.step - snapshot.step for snapshot in healthy])
        kept = [snapshot for snapshot in self.kept if not snapshot.healthy or newest.step - snapshot.step in ages]
        last_healthy = healthy[-1] if healthy else newest
        for snapshot in list(kept):
            if sum(one.bytes for one in kept) > self.capacity and snapshot not in (newest, last_healthy):
                kept.remove(snapshot)
        self.kept = kept
