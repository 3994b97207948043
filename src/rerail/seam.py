"""What the guard takes and what it gives: how much it keeps, a step's result, a loader's position, the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from torch import Tensor

from rerail.core import plain
from rerail.core.cause import Cause
from rerail.core.hang import Hang
from rerail.core.reading import UNCOUNTED
from rerail.core.verdict import Verdict
from rerail.tell import causes, phrases

__all__ = ["UNCOUNTED", "Derailed", "Keep", "Positioned", "Step"]


class Derailed(RuntimeError):  # noqa: N818 (the word for what happened)
    """The run cannot go on: no setting cures the proved cause, or every rung of a ladder is spent.

    `verdict` has the findings, `cause` the proof where there is one.
    """

    def __init__(self, verdict: Verdict, cause: Cause | None = None) -> None:
        self.verdict, self.cause = verdict, cause
        seen = "; ".join(phrases.finding(plain.dump(found)) for found in verdict.findings)
        told = "" if cause is None else f"; cause: {causes.cause(plain.dump(cause))}"
        why = "after every remedy of the plan was tried" if verdict.proved is None else "since no setting cures this"
        super().__init__(f"stopped at tick {verdict.tick}, {why}: {seen}{told}")


class Positioned(Protocol):
    """A loader that can tell where it stands."""

    def state_dict(self) -> dict[str, Any]:
        """Return the position after the batch given out last."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:  # noqa: ANN401 (loaders return what they like)
        """Go to a position."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What the guard keeps of a run, in committed steps and bytes.

    A snapshot every `snapshot_every` steps, promoted after `probation` healthy ticks; promoted ones go to disk every
    `checkpoint_every` steps; `memory_bytes` hold all snapshots, and as much again the batches for replay. A proof may
    take `proof_replays` replays, and more only to tell several bad rows of a batch; 0 leaves all to the plan's ladders.
    Where nothing is heard of the training thread for `hang_seconds` and 20 usual steps (six times `hang_seconds` before
    anything is usual), the journal tells where it stands; 0 or inf switch that off.
    """

    snapshot_every: int = 25
    probation: int = 10
    checkpoint_every: int = 500
    memory_bytes: int = 2 * 2**30
    sensors_every: int = 50
    proof_replays: int = 20
    hang_seconds: float = 300.0

    @property
    def hang(self) -> Hang:
        """When a silence is a hang."""
        return Hang(least=self.hang_seconds)

    def __post_init__(self) -> None:
        """Refuse what cannot be kept."""
        for one in fields(self):
            least = 0 if one.name in ("proof_replays", "hang_seconds") else 1
            if not getattr(self, one.name) >= least:
                raise ValueError(f"Keep.{one.name}: {getattr(self, one.name)} is too small; give at least {least}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What became of one batch. `number` counts committed steps; `losses` are unweighted, on the host."""

    tick: int
    number: int
    verdict: Verdict
    losses: Mapping[str, float] = field(default_factory=dict)
    signals: Mapping[str, Tensor] = field(default_factory=dict)
