"""What is known of a failing step before anything is replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rerail.core.band import Band, finite
from rerail.core.cause.cause import Cause
from rerail.core.finding import Finding
from rerail.core.reading import Reading

HOT = 3.0  # a learning rate this many times its usual value is a suspect by itself
PATIENCE = 9  # ticks in a row after which what has only left its trend is answered: three pass in healthy runs
EXPLODED = 100.0  # times the usual gradient


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A failing step.

    `rows` is the length of its batch and `ids` their sample ids; `unfit` are the rows whose content could not have been
    meant, `far` those far from all others, each with the reason. `other` says whether a healthy batch is kept, `window`
    how many batches led from the newest healthy snapshot to here (this one included, 0 where they are not all kept),
    `recent` the same from the newest snapshot of all, `half` whether the run computes in half precision, `compiled`
    whether a part of the model is compiled, `hotter` how many times its usual value `rate` the learning rate is, `step`
    how many steps were committed. `before` is a cause in single rows that was proved lately: what comes in every batch
    need not be proved at length each time. `settings` are the numbers of the optimizer that are others than in the
    newest healthy snapshot: then, and now. `swollen` says that a weight is far larger than any was there. `columns` are
    the parts of the batch that belong together row by row, and `alike` says whether each looks like it did before.
    `drawn` is how many operations of a healthy step drew random numbers, None where it was not looked at; `several`
    says that the run has more than one optimizer, which may take turns; `named` is the root of the last cause, where it
    was named lately.
    """

    reading: Reading
    findings: Sequence[Finding]
    band: Band
    rows: int
    ids: tuple[str, ...] = ()
    unfit: Mapping[int, str] = field(default_factory=dict)
    far: Mapping[int, str] = field(default_factory=dict)
    components: tuple[str, ...] = ()
    other: bool = True
    window: int = 0
    recent: int = 0
    half: bool = False
    compiled: bool = False
    hotter: float = 1.0
    rate: float = 0.0
    step: int = 0
    before: Cause | None = None
    settings: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    swollen: bool = False
    columns: tuple[str, ...] = ()
    alike: bool = False
    drawn: float | None = None
    several: bool = False
    named: str = ""

    @property
    def held(self) -> tuple[tuple[str, float], ...]:
        """Return the changed settings with the values that they had."""
        return tuple(sorted((name, then) for name, (then, _) in self.settings.items()))

    @property
    def pressed(self) -> tuple[tuple[str, float], ...]:
        """Return the changed settings with the values that they have now."""
        return tuple(sorted((name, now) for name, (_, now) in self.settings.items()))

    def stand_out(self, rows: Sequence[int]) -> bool:
        """Say whether these rows, at least one, are all unlike others by their content."""
        return bool(rows) and all(row in self.unfit or row in self.far for row in rows)

    @property
    def lasted(self) -> int:
        """Return for how many ticks in a row what was found has held."""
        return int(max((found.evidence.get("ticks", 1.0) for found in self.findings), default=1.0))

    def found(self, code: str) -> bool:
        """Say whether this was found."""
        return any(one.code == code for one in self.findings)

    @property
    def mild(self) -> bool:
        """Say whether a loss or the gradient has only left its trend: finite, and far from exploding."""
        return self.finite and all(map(_mild, self.findings))

    @property
    def patient(self) -> bool:
        """Say whether it may pass by itself: mild, not for long yet, and no rate that was raised."""
        return self.mild and self.lasted < PATIENCE and self.hotter < HOT

    @property
    def finite(self) -> bool:
        """Say whether every number of the failing step is finite, only higher than it should be."""
        return finite(self.reading)


def _mild(found: Finding) -> bool:
    if found.code == "gradient.explosion":
        return found.evidence[found.signal] < EXPLODED * found.evidence["usual"]
    return found.code == "loss.spike"
