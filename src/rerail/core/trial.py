"""What a replay changes, and what it gave."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

from rerail.core.knobs import NEUTRAL, Precision
from rerail.core.reading import Reading


class Age(IntEnum):
    """From when a part of the state is taken: before the failing step, the newest healthy snapshot, the oldest kept."""

    NOW = 0
    OLDER = 1
    OLDEST = 2
    FRESH = 3  # as it was made: an optimizer without memory


class Which(IntEnum):
    """The batch of a replay: the failing one, the last healthy one, or that one with the failing one's rows beside."""

    THIS = 0
    OTHER = 1
    BOTH = 2


BY_HALF = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """One replay of the failing step, and what is changed in it. The default changes nothing.

    `rows` of the failing batch take part, all where it is empty. `without` names a loss component that is off, `scaled`
    one whose weight is multiplied; `held` are settings of the optimizer, with the values that they keep. `rolled` names
    a column of the batch that is moved on by so many rows (`BY_HALF`: by half of them), so that each row has what
    another had. `commit` applies the
    update and runs the same batch once more; `window` starts from the newest healthy snapshot instead and trains every
    batch since again, the failing one last; `recent` from the newest snapshot of all, healthy or not yet known to be.
    `again` tells equal replays apart.
    """

    batch: Which = Which.THIS
    rows: tuple[int, ...] = ()
    weights: Age = Age.NOW
    optimizer: Age = Age.NOW
    precision: Precision = Precision.AS_RUN
    lr_scale: float = NEUTRAL.lr_scale
    lr_most: float = NEUTRAL.lr_most
    clip_norm: float = NEUTRAL.clip_norm
    held: tuple[tuple[str, float], ...] = ()
    without: str = ""
    scaled: tuple[tuple[str, float], ...] = ()
    rolled: tuple[tuple[str, int], ...] = ()
    other_seed: bool = False
    commit: bool = False
    window: bool = False
    recent: bool = False
    traced: bool = False
    again: int = 0

    @property
    def unchanged(self) -> bool:
        """Say whether this is the failing step once more, with nothing changed."""
        return self == Swap(again=self.again)

    def changes(self) -> dict[str, object]:
        """Return the fields that are not the default, by name."""
        return {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}


STEP_OF_OLD = Swap(batch=Which.OTHER, weights=Age.OLDEST, optimizer=Age.OLDEST, commit=True)
SOUND = Swap(batch=Which.OTHER, weights=Age.OLDER, optimizer=Age.OLDER)  # a healthy step, as far as one is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The first operation that made a non-finite number out of finite ones and whose result reached loss or gradient.

    `name` as torch's dispatcher has it; `node` the autograd node where it ran in the backward pass; `module` the path
    of the module, `line` the user's source line as `file:number: code`. `low` and `high` bound its finite inputs,
    `dtype` is the format of its output; `rows` are the rows of the batch it spoilt, where its output has rows. `origin`
    is `operation`, or `batch` or `parameter` where the number came in that way and no operation made it.
    """

    name: str = ""
    node: str = ""
    module: str = ""
    line: str = ""
    low: float = 0.0
    high: float = 0.0
    dtype: str = ""
    rows: tuple[int, ...] = ()
    origin: str = "operation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A replay and its readings, oldest first. `error` is what the user's code raised; then there may be none.

    `cost` counts forward and backward passes; `exact` says whether an unchanged replay gave the live step's numbers.
    """

    changed: Swap
    readings: tuple[Reading, ...]
    healthy: bool
    cost: int = 1
    operation: Operation | None = None
    exact: bool | None = None
    error: str = ""
