"""The mildest remedy that a trial has shown to work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rerail.core.cause.cause import Cause, Kind
from rerail.core.cause.suspicion import Suspicion
from rerail.core.knobs import NEUTRAL, Knobs, Precision
from rerail.core.remedy import GO_ON, HALTED, NEWEST, OLDEST, Move, Remedy
from rerail.core.trial import SOUND, STEP_OF_OLD, Age, Swap, Trial, Which

HOLD, RAMP = 20, 20  # ticks that a smaller step is held, and ramped back over
FP32_HOLD = CAP_HOLD = 1000
LIGHTER_HOLD = 100_000  # ticks: a wrong weight does not mend itself
PATIENCE = 2  # batches that are skipped before code that fails with every batch stops the run: no replay holds a clock
WHOLE = 20  # whole batches that are skipped, or tried again, without a step forward, before the run is stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A remedy, and the replay that must be healthy before it is adopted; None where it changes nothing of the run."""

    remedy: Remedy
    proof: Swap | None


def choose(case: Suspicion, cause: Cause, trials: Sequence[Trial], spent: int = 0) -> Remedy | Swap:
    """Return the mildest remedy that a trial has shown to work, or the replay that must be tried first. Pure.

    `spent` remedies of this root cause were used up lately without progress; milder ones are not tried again.
    """
    shown = {trial.changed: trial.healthy for trial in (*cause.trials, *trials)}
    for candidate in list(candidates(case, cause))[spent:]:
        if candidate.proof is None or shown.get(candidate.proof):
            return candidate.remedy
        if candidate.proof not in shown:
            return candidate.proof
    return HALTED


def candidates(case: Suspicion, cause: Cause) -> Iterator[Candidate]:
    """Yield what could help against this cause, from mild to drastic."""
    yield from _go_on(case, cause) if cause.goes_on else _CANDIDATES[cause.kind](case, cause)
    yield Candidate(remedy=HALTED, proof=None)


def _code(case: Suspicion, cause: Cause) -> Iterator[Candidate]:
    everywhere = any(trial.changed == Swap(batch=Which.OTHER) and not trial.healthy for trial in cause.trials)
    if everywhere and not case.finite:
        yield Candidate(remedy=Remedy(move=Move.SKIP, again=True), proof=Swap(other_seed=True))
        yield from _widened(Precision.DOUBLE)
        yield from PATIENCE * [Candidate(remedy=Remedy(move=Move.SKIP), proof=None)]
    else:
        yield from _lighter(case, cause)
        yield from _rows(case, cause)


def _lighter(case: Suspicion, cause: Cause) -> Iterator[Candidate]:
    # A component that counts many times what it did, in every batch: felt as before, the run goes on as it was. How
    # many times is measured on older weights, since the present ones may have been thrown far by it.
    older = [
        one for one in cause.trials if one.changed == Swap(weights=Age.OLDER, optimizer=Age.OLDER) and one.readings
    ]
    name = f"loss/{cause.component}"
    usual = case.band.usual.get(name, 0.0)
    now = older[0].readings[-1].values.get(name, 0.0) if older else 0.0
    if not case.finite or cause.rows or not 0 < usual < now:
        return
    scaled = ((cause.component, usual / now),)
    remedy = Remedy(move=Move.SKIP, again=True, knobs=Knobs(weights=dict(scaled)), hold=LIGHTER_HOLD)
    yield Candidate(remedy=remedy, proof=Swap(scaled=scaled))
    if case.window:
        back = replace(remedy, move=Move.REWIND, again=False)
        yield Candidate(remedy=back, proof=Swap(window=True, scaled=scaled))


def _rows(case: Suspicion, cause: Cause) -> Iterator[Candidate]:
    left = tuple(row for row in range(case.rows) if row not in cause.rows)
    if cause.rows and left:
        # Toxic rows are sound, on other weights; a formula that fails in every batch would empty the data.
        bad = cause.kind is Kind.DATA or (cause.kind is Kind.CODE and not cause.repeated)
        yield Candidate(remedy=Remedy(move=Move.SKIP, rows=cause.rows, quarantine=bad), proof=Swap(rows=left))
    if not cause.rows:  # another try draws other random numbers
        yield Candidate(remedy=Remedy(move=Move.SKIP, again=True), proof=Swap(other_seed=True))
    for _turn in range(WHOLE) if case.other else ():
        bad = cause.kind is Kind.DATA and len(cause.rows) == case.rows
        rows = cause.rows if bad else ()
        yield Candidate(remedy=Remedy(move=Move.SKIP, rows=rows, quarantine=bad), proof=Swap(batch=Which.OTHER))


def _again(_: Suspicion, cause: Cause) -> Iterator[Candidate]:
    healthy = next(trial.changed for trial in cause.trials if trial.healthy and trial.changed.unchanged)
    yield from WHOLE * [Candidate(remedy=Remedy(move=Move.SKIP, again=True), proof=healthy)]


def _precision(_: Suspicion, __: Cause) -> Iterator[Candidate]:
    yield from _widened(Precision.FP32, Precision.WIDE)


def _widened(*formats: Precision) -> Iterator[Candidate]:
    for wide in formats:
        remedy = Remedy(move=Move.SKIP, again=True, knobs=Knobs(precision=wide), hold=FP32_HOLD)
        yield Candidate(remedy=remedy, proof=Swap(precision=wide))


def _back(case: Suspicion, cause: Cause) -> Iterator[Candidate]:
    yield from _rewound(case)
    yield from _slower(case, cause)
    if case.window and any(trial.healthy and trial.changed == SOUND for trial in cause.trials):
        yield Candidate(remedy=Remedy(move=Move.REWIND), proof=SOUND)  # the batch is bad too, and comes next


def _rewound(case: Suspicion) -> Iterator[Candidate]:
    if 0 < case.recent < case.window:  # what a replay shows to be sound need not wait for its probation
        yield Candidate(remedy=Remedy(move=Move.REWIND, depth=NEWEST), proof=Swap(window=True, recent=True))
    if case.window:
        yield Candidate(remedy=Remedy(move=Move.REWIND), proof=Swap(window=True))


def _optimizer(case: Suspicion, cause: Cause) -> Iterator[Candidate]:
    yield from _as_it_was(case)
    yield from _rewound(case)
    if case.window:
        reset = Remedy(move=Move.REWIND, reset=True)
        yield Candidate(remedy=reset, proof=Swap(window=True, optimizer=Age.FRESH))
    yield from _slower(case, cause)


def _as_it_was(case: Suspicion) -> Iterator[Candidate]:
    if case.window and case.held:
        remedy = Remedy(move=Move.REWIND, knobs=Knobs(settings=dict(case.held)), hold=CAP_HOLD)
        if 0 < case.recent < case.window:
            newest = Swap(window=True, recent=True, held=case.held)
            yield Candidate(remedy=replace(remedy, depth=NEWEST), proof=newest)
        yield Candidate(remedy=remedy, proof=Swap(window=True, held=case.held))
        yield Candidate(remedy=replace(remedy, depth=OLDEST), proof=replace(STEP_OF_OLD, held=case.held))


def _step_size(case: Suspicion, cause: Cause) -> Iterator[Candidate]:
    yield from _as_it_was(case)
    yield from _slower(case, cause)


def _slower(case: Suspicion, _: Cause) -> Iterator[Candidate]:
    if case.window and case.hotter > 1 and case.rate > 0:  # no more than was usual; it is felt only while more is asked
        cap = Remedy(move=Move.REWIND, knobs=Knobs(lr_most=case.rate), hold=CAP_HOLD, ramp=RAMP)
        yield Candidate(remedy=cap, proof=Swap(window=True, lr_most=case.rate))
    if case.window and (usual := case.band.usual.get("grad/norm")):
        yield Candidate(remedy=_dose(Knobs(clip_norm=usual)), proof=Swap(window=True, clip_norm=usual))
    for scale in (0.5, 0.1, 0.01) if case.window else ():
        yield Candidate(remedy=_dose(Knobs(lr_scale=scale)), proof=Swap(window=True, lr_scale=scale))
    if not case.window:
        yield Candidate(remedy=Remedy(move=Move.REWIND), proof=Swap(weights=Age.OLDER, optimizer=Age.OLDER))


def _go_on(_: Suspicion, __: Cause) -> Iterator[Candidate]:
    yield Candidate(remedy=GO_ON, proof=None)


def _nothing(_: Suspicion, __: Cause) -> Iterator[Candidate]:
    yield from ()


def _dose(knobs: Knobs) -> Remedy:
    assert knobs != NEUTRAL
    return Remedy(move=Move.REWIND, knobs=knobs, hold=HOLD, ramp=RAMP)


_CANDIDATES = {
    Kind.DATA: _rows,
    Kind.TOXIC: _rows,
    Kind.CODE: _code,
    Kind.TRANSIENT: _again,
    Kind.PRECISION: _precision,
    Kind.WEIGHTS: _back,
    Kind.OPTIMIZER: _optimizer,
    Kind.STEP_SIZE: _step_size,
    Kind.COMPILER: _nothing,
    Kind.LEVEL: _nothing,
    Kind.ARCHITECTURE: _nothing,
    Kind.UNKNOWN: _nothing,
}
