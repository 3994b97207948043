"""The cells of the bench: a workload with one fault of known severity, put in at a known step, and its clean twin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from faultbench.case import Run

PHASES: Mapping[str, float] = {"start": 0.0, "early": 0.25, "middle": 0.5, "late": 0.75}  # share of the run's steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A training run with nothing wrong in it. `build(seed)` gives the same run, bit for bit, for the same seed."""

    name: str  # kebab-case, unique
    title: str
    steps: int  # batches in it
    build: Callable[[int], Run]
    kept_back: bool = False  # no threshold is chosen on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way in which a run goes wrong.

    `truth` is the kind that a person would name, one of `rerail.core.cause.cause.Kind` or "architecture". `curable`
    says whether leaving out rows, going back, or another setting saves the run: neither wrong code nor wrong labels
    nor a wrong architecture are mended so. `lost(severity)` is how many whole batches nobody could learn from: the best
    that a repair can come to is a clean run without them. `inject(run, severity, begin, seed)` takes a clean run, which it may change,
    and gives the faulty one; its steps before `begin` are bitwise those of the clean run.
    """

    name: str  # kebab-case, unique
    family: str
    title: str  # one plain sentence: what goes wrong
    truth: str
    curable: bool
    severities: Mapping[str, float]  # name -> the number that `inject` takes; from mild to severe
    inject: Callable[[Run, float, int, int], Run]
    fits: Callable[[str], bool]  # over names of workloads
    phases: tuple[str, ...] = ("early", "late")
    kept_back: bool = False
    lost: Callable[[float], int] = lambda _: 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A fault in a workload: how severe, in which phase, and by which seed."""

    workload: Workload
    fault: Fault
    severity: str
    phase: str
    seed: int

    @property
    def name(self) -> str:
        """Give the cell's own name."""
        return f"{self.workload.name}/{self.fault.name}/{self.severity}/{self.phase}/{self.seed}"

    @property
    def group(self) -> str:
        """Give the name without the seed."""
        return self.name.rpartition("/")[0]

    @property
    def begin(self) -> int:
        """Give the index of the first batch whose training step meets the fault."""
        return int(PHASES[self.phase] * self.workload.steps)

    @property
    def kept_back(self) -> bool:
        """Say whether no threshold may be chosen on this cell."""
        return self.workload.kept_back or self.fault.kept_back

    @property
    def lost(self) -> int:
        """Count the whole batches that nobody could learn from."""
        return self.fault.lost(self.fault.severities[self.severity])

    def clean(self) -> Run:
        """Build the run without the fault."""
        return self.workload.build(self.seed)

    def best(self, seed: int) -> Run:
        """Build the clean run of a seed without the batches that are lost."""
        run = self.workload.build(seed)
        return replace(run, batches=[*run.batches[: self.begin], *run.batches[self.begin + self.lost :]])

    def build(self) -> Run:
        """Build the run with the fault in it."""
        return self.fault.inject(self.clean(), self.fault.severities[self.severity], self.begin, self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A healthy run that must be left alone."""

    name: str
    build: Callable[[int], Run]
    kept_back: bool = False  # no threshold is chosen on it


def cells(
    workloads: Sequence[Workload],
    faults: Sequence[Fault],
    *,
    seeds: Iterable[int] = (0,),
    phases: Sequence[str] = tuple(PHASES),
    kept_back: bool | None = None,
) -> Iterator[Cell]:
    """Enumerate the cells; `kept_back` takes only those that are, or only those that are not."""
    every = (
        Cell(workload=workload, fault=fault, severity=severity, phase=phase, seed=seed)
        for workload in workloads
        for fault in faults
        if fault.fits(workload.name)
        for severity in fault.severities
        for phase in fault.phases
        if phase in phases
        for seed in seeds
    )
    return (cell for cell in every if kept_back is None or cell.kept_back == kept_back)
