"""What was wrong, and the trials that prove it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rerail.core.trial import Operation, Trial


class Kind(str, Enum):
    """What a failure can come from."""

    DATA = "data"
    TOXIC = "toxic"
    WEIGHTS = "weights"
    OPTIMIZER = "optimizer"
    STEP_SIZE = "step size"
    PRECISION = "precision"
    CODE = "code"
    COMPILER = "compiler"
    LEVEL = "level"
    ARCHITECTURE = "architecture"
    TRANSIENT = "transient"
    UNKNOWN = "unknown"


BY_ROWS = frozenset({Kind.DATA, Kind.TOXIC, Kind.CODE})  # what leaving rows out cures, however often it comes
_COMES_AGAIN = frozenset({*BY_ROWS, Kind.TRANSIENT, Kind.LEVEL})


def comes_again(root: str) -> bool:
    """Say whether a repeat of the cause called `root` after steps forward is a new one.

    A bad row in the next batch says nothing about the last one. A step size that was too large two steps ago still is.
    """
    return Kind(root.split(":")[1]) in _COMES_AGAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A named cause with its proof.

    `component` is the loss that goes bad alone, empty where several do; `rows` are the toxic rows of the batch and
    `samples` their ids; `step` is the committed step after which weights or optimizer were bad, -1 where none were;
    `why` are the plain sentences of the pattern, and of what was ruled out; `repeated` says that it was named after one
    that was proved lately, at the same operation and line; `certain` that no setting can cure it; `goes_on` that the
    run is told of it and goes on, since it may be meant.
    """

    kind: Kind
    component: str = ""
    operation: Operation | None = None
    rows: tuple[int, ...] = ()
    samples: tuple[str, ...] = ()
    step: int = -1
    why: tuple[str, ...] = ()
    trials: tuple[Trial, ...] = ()
    exact: bool = True
    repeated: bool = False
    certain: bool = False
    goes_on: bool = False

    @property
    def root(self) -> str:
        """Return the name under which repeats of this cause are counted."""
        made = self.operation.name if self.operation else ""
        return f"proved:{self.kind.value}:{self.component}:{made}"
