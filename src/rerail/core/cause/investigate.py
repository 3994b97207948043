"""The order in which replays are tried, and what each pattern of cures and transplants proves.

Written as straight lines: a replay is asked for by `yield`, and its trial comes back. `next_trial` runs the lines up to
the first replay that is not there yet, so the whole decision follows from the trials alone.

| kind | again | other batch | older weights | what must fail, put into a healthy step |
|---|---|---|---|---|
| transient | healthy | | | nothing |
| data | fails | healthy | fails | the rows, beside a healthy batch on older weights |
| toxic | fails | healthy | healthy | the rows on these weights only |
| precision | fails | | | nothing in single precision |
| data (wrong labels) | fails | healthy | | a healthy batch whose columns are moved; this one is no worse so |
| code | fails | either | fails, or over an edge that the weights came to | the operation at its edge |
| weights | fails | fails | healthy, and the window trained again too | these weights under any batch |
| optimizer | fails | fails | healthy, the window with a fresh one too | this optimizer on older weights |
| level | fails | fails | fails | nothing: every number is finite, and no change of the step takes it away |
| step size | fails | fails | healthy, the window fails again, a smaller step does not | this step on older weights |
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from rerail.core.band import finite
from rerail.core.cause.cause import Cause, Kind
from rerail.core.cause.failure import Failure
from rerail.core.cause.lasting import changed_setting, cut_off
from rerail.core.cause.pairing import LASTING, Apart, mispaired
from rerail.core.cause.suspicion import HOT, Suspicion
from rerail.core.cause.toxic import toxic_rows
from rerail.core.knobs import Precision
from rerail.core.operations import edge
from rerail.core.reading import Reading
from rerail.core.trial import SOUND, STEP_OF_OLD, Age, Operation, Swap, Trial, Which

FARTHER = 5.0  # an update this many times as large, on the same weights and batch, is the optimizer's doing
CONFIRMED = 2  # times that the unchanged step must fail once more, after the pattern
CARRIED = 1.001  # times a gradient's norm, beyond what kernels that add in another order make of it
SMALLER = 0.1  # the share of the step size that a divergence is tried with

HALF = ("float16", "bfloat16")
DOUBLE = Swap(precision=Precision.DOUBLE)
DRAWN = Swap(other_seed=True)
A_DRAW = "healthy with other random numbers: a draw brings a formula to its edge"

Inquiry = Generator[Swap, Trial, Cause]


def next_trial(suspicion: Suspicion, trials: Sequence[Trial]) -> Swap | Cause:
    """Return the replay to try next, or the cause once the trials prove one. Pure."""
    inquiry = _investigate(suspicion)
    try:
        wanted = next(inquiry)
        for trial in trials:
            assert trial.changed == wanted, "trials come in the order in which they were asked for"
            wanted = inquiry.send(trial)
    except StopIteration as ended:
        cause: Cause = ended.value
        return replace(cause, trials=tuple(trials), exact=all(one.exact is not False for one in trials))
    return wanted


def unknown(trials: Sequence[Trial], why: str) -> Cause:
    """Return the cause of a failure whose trials fit no pattern, or were cut short."""
    exact = all(one.exact is not False for one in trials)
    return Cause(kind=Kind.UNKNOWN, why=(why, *_ruled_out(trials)), trials=tuple(trials), exact=exact)


def _investigate(case: Suspicion) -> Inquiry:
    again = yield Swap()
    if case.found("gradient.stopped"):
        older = yield Swap(weights=Age.OLDER, optimizer=Age.OLDER)
        if older.readings and older.readings[-1].values.get("grad/norm", 0.0) > 0 and case.step:
            why = "no gradient reaches any weight, and on older weights one does: these were changed, or have died"
            return Failure(case=case).cause(Kind.WEIGHTS, why, step=case.step)
        why = "no gradient reaches any weight, and the loss is not 0: it is cut off, or does not depend on them"
        return replace(Failure(case=case).cause(Kind.CODE, why), certain=True)
    if case.found("optimizer.setting.lasting") and case.settings and case.window:
        return (yield from changed_setting(Failure(case=case)))
    if not again.healthy and case.found("gradient.lost"):
        return (yield from cut_off(Failure(case=case), again))
    return (yield from _once_only(case) if again.healthy else _standing(case, again))


def _standing(case: Suspicion, again: Trial) -> Inquiry:
    # A pattern is read off replays that each ran once, so it stands only where the unchanged step still fails after.
    cause = yield from _pattern(case, again)
    if cause.repeated:
        return cause
    for number in range(1, 1 + CONFIRMED):
        last = yield Swap(again=number)
        if last.healthy:
            return _now_and_then(case)
        if _carried(again, last):
            why = "the same step on the same state gives the same loss and another gradient: gradients are carried over"
            return replace(Failure(case=case).cause(Kind.CODE, why), certain=True)
    if cause.kind is Kind.CODE and not cause.rows and not case.finite and (yield DOUBLE).healthy:
        why = "in double precision this step is healthy: the edge is one of range or rounding"
        return replace(cause, why=(*cause.why, why))
    return cause


def _carried(one: Trial, other: Trial) -> bool:
    if not one.readings or not other.readings:
        return False
    first, second = one.readings[-1], other.readings[-1]
    same = all(second.values.get(name) == value for name, value in first.under("loss").items())
    norms = sorted((first.values.get("grad/norm", 0.0), second.values.get("grad/norm", 0.0)))
    return same and finite(first) and finite(second) and norms[1] > CARRIED * norms[0]


def _pattern(case: Suspicion, again: Trial) -> Inquiry:
    made = yield from _made(case, again)
    if isinstance(made, Cause):
        return made
    if (yield from _settings_did_it(case)):
        return made.changed("trained again with what was before, the window is healthy")
    if case.swollen or (made.made and made.made.origin == "parameter"):
        return (yield from _state(made))
    if not case.other:
        return (yield from _first_batch(made))
    other = yield Swap(batch=Which.OTHER)
    return (yield from _batch(made) if other.healthy else _state(made))


def _settings_did_it(case: Suspicion) -> Generator[Swap, Trial, bool]:
    # Both ways: with what is set now the window, or a step of old, fails or goes far; with what was set then, neither.
    if not case.settings:
        return False
    fails = case.window and not (yield Swap(window=True, held=case.pressed)).healthy
    if fails and (yield Swap(window=True, held=case.held)).healthy:
        return True
    if not case.other:
        return False
    now = yield replace(STEP_OF_OLD, held=case.pressed)
    then = yield replace(STEP_OF_OLD, held=case.held)
    return then.healthy and (not now.healthy or _moved(now) > FARTHER * _moved(then))


def _made(case: Suspicion, again: Trial) -> Generator[Swap, Trial, Failure | Cause]:
    # What the trace and the formats say: a cause where that is all, else the failure with what is known of it.
    traced = yield Swap(traced=True)
    if traced.healthy and case.compiled:
        return Failure(case=case).cause(Kind.COMPILER, "compiled it fails again, in eager mode it is healthy")
    failure = Failure(
        case=case,
        made=traced.operation,
        component=(yield from _component(case, again)),
        drawn=traced.readings[-1].values.get("random/operations") if traced.readings else None,
    )
    if (same := _as_before(failure)) and (yield Swap(rows=same.healthy)).healthy:
        return same.cause
    if case.half or (traced.operation and traced.operation.dtype in HALF):
        wide = yield Swap(precision=Precision.WIDE)
        if wide.healthy and not (yield from _thrown(case, wide)):
            return failure.cause(Kind.PRECISION, "the same step in single precision is healthy")
    return failure


def _thrown(case: Suspicion, wide: Trial) -> Generator[Swap, Trial, bool]:
    # In single precision the numbers are finite, but are they usual? A step too large ends in an overflow as well.
    if case.band.holds(wide.readings[-1]) or not case.window:
        return False
    older = yield Swap(weights=Age.OLDER, optimizer=Age.OLDER)
    return older.healthy or not (yield Swap(weights=Age.OLDER, optimizer=Age.OLDER, precision=Precision.WIDE)).healthy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A cause as it was lately, and the rows that should be healthy then."""

    cause: Cause
    healthy: tuple[int, ...]


def _as_before(failure: Failure) -> _Known | None:
    case, made, known = failure.case, failure.made, failure.case.before
    if known is None or made is None or known.operation is None or _place(made) != _place(known.operation):
        return None
    rows = tuple(case.unfit) if known.kind is Kind.DATA else made.rows
    if not 0 < len(rows) < case.rows:
        return None
    why = (
        f"as after step {known.step}: the same operation at the same line, and healthy without the rows that it spoils"
    )
    cause = replace(failure.cause(known.kind, why, rows=tuple(sorted(rows)), step=known.step), repeated=True)
    spoilt = set(rows)
    return _Known(cause=cause, healthy=tuple(row for row in range(case.rows) if row not in spoilt))


def _place(made: Operation) -> tuple[str, str, str]:
    return made.origin, made.name, made.line


def _once_only(case: Suspicion) -> Inquiry:
    second = yield Swap(again=1)
    if not second.healthy:
        return _now_and_then(case)
    failure = Failure(case=case, component=_failing(case, case.reading))
    return failure.cause(
        Kind.TRANSIENT, "replayed twice, with nothing changed, the step is healthy: hardware, or something outside it"
    )


def _now_and_then(case: Suspicion) -> Cause:
    failure = Failure(case=case, component=_failing(case, case.reading))
    why = "the same replay fails at times and is healthy at others: it hangs on something that no replay holds"
    held = "a random generator or a counter of its own, say; name what carries it in state=[...]"
    return failure.cause(Kind.TRANSIENT, why, held)


def _component(case: Suspicion, again: Trial) -> Generator[Swap, Trial, str]:
    """Return the component that fails alone: read off the losses, or found by leaving one out at a time."""
    reading = again.readings[-1] if again.readings else case.reading
    if len(case.components) == 1 or not all(_inside(case, reading, one) for one in case.components):
        return _failing(case, reading)
    for one in case.components:
        off = yield Swap(without=one)
        if off.healthy:
            return one
    return ""


def _failing(case: Suspicion, reading: Reading) -> str:
    """Return the one component that is out of its band; none where what several share failed before any of them."""
    if len(case.components) == 1:
        return case.components[0]
    gone = [one for one in case.components if not math.isfinite(reading.values.get(f"loss/{one}", 0.0))]
    bad = gone or [one for one in case.components if not _inside(case, reading, one)]
    return bad[0] if len(bad) == 1 else ""


def _inside(case: Suspicion, reading: Reading, component: str) -> bool:
    name = f"loss/{component}"
    value = reading.values.get(name, 0.0)
    return math.isfinite(value) and value <= case.band.highest.get(name, math.inf)


def _first_batch(failure: Failure) -> Inquiry:
    rows = yield from _rows(failure)
    if rows and len(rows) < failure.case.rows:
        return _data_or_code(failure, rows, "without these rows the first step is healthy")
    return failure.cause(Kind.CODE, "the very first step fails, with every part of its batch")


def _rows(failure: Failure) -> Generator[Swap, Trial, tuple[int, ...]]:
    made, case = failure.made, failure.case
    named = tuple(case.unfit) or tuple(case.far) or (made.rows if made else ())
    return (yield from toxic_rows(failure.case.rows, named, sure=bool(case.unfit or case.far)))


def _batch(failure: Failure) -> Inquiry:
    # This batch fails where another is healthy: is it the rows by themselves, or these rows on these weights?
    if (higher := (yield from _only_higher(failure))) is not None:
        return higher
    if failure.made and failure.made.origin == "batch" and not failure.made.rows:
        return failure.cause(Kind.DATA, "a number of the batch that belongs to no row is not finite")
    if (yield DRAWN).healthy:
        return failure.cause(Kind.CODE, A_DRAW)
    rows = yield from _rows(failure)
    if failure.made and failure.made.origin == "batch":
        yield from _beside(rows, Age.OLDER) if rows else _alone(Age.OLDER)
        return _data_or_code(failure, rows, "the rows hold numbers that are not finite")
    for age in (Age.OLDER, Age.OLDEST):
        there = yield from _beside(rows, age) if rows else _alone(age)
        if there.healthy:
            why = "these rows fail on the present weights, and are healthy on older ones"
            return failure.cause(Kind.TOXIC, why, rows=rows)
    return _data_or_code(failure, rows, "these rows fail beside a healthy batch and on older weights too")


def _only_higher(failure: Failure) -> Generator[Swap, Trial, Cause | None]:
    # A finite loss of rows like all others: do targets and rows belong together, or is this batch only harder?
    case = failure.case
    if not case.finite or case.unfit or case.far:
        return None
    if apart := (yield from mispaired(case)):
        return _wrong_targets(failure, apart)
    why = "finite, and other batches are healthy on these weights: this one is only harder"
    return failure.level(why) if case.mild else None


def _wrong_targets(failure: Failure, apart: Apart) -> Cause:
    kind = Kind.CODE if apart.by else Kind.DATA
    cause = failure.cause(kind, apart.why)
    return replace(cause, certain=failure.case.lasted >= LASTING and failure.case.named == cause.root)


def _beside(rows: Sequence[int], age: Age) -> Generator[Swap, Trial, Trial]:
    """Put the rows beside a healthy batch on older weights; twice over where a BatchNorm refuses them alone."""
    there = yield Swap(batch=Which.BOTH, rows=tuple(rows), weights=age, optimizer=age)
    if there.error:
        there = yield Swap(batch=Which.BOTH, rows=tuple(sorted((*rows, *rows))), weights=age, optimizer=age)
    return there


def _alone(age: Age) -> Generator[Swap, Trial, Trial]:
    return (yield Swap(weights=age, optimizer=age))


def _data_or_code(failure: Failure, rows: Sequence[int], pattern: str) -> Cause:
    # Both fail with any weights. Rows that could not have been meant are data; ordinary ones show a formula's edge.
    made, case = failure.made, failure.case
    reasons = sorted({named[row] for named in (case.far, case.unfit) for row in rows if row in named})
    known = edge(made) if made else None
    not_made = made is None or made.origin != "operation"
    if not rows:
        kind = Kind.DATA if not_made or (known and known.data) else Kind.CODE
        return failure.cause(kind, "this batch fails with any weights; which of its rows it is cannot be told")
    if case.finite and not case.stand_out(rows):
        return failure.cause(Kind.TOXIC, "finite, and too high with these rows, which are like all others", rows=rows)
    if not_made or (known and known.data) or (rows and all(row in case.unfit for row in rows)):
        return failure.cause(Kind.DATA, pattern, *reasons, rows=rows)
    if len(rows) == case.rows:
        return failure.cause(Kind.CODE, "every row of this batch fails, whichever weights it meets")
    why = "the rows could have been meant, and a formula is at its edge with them"
    return failure.cause(Kind.CODE, pattern, *reasons, why, rows=rows)


def _state(failure: Failure) -> Inquiry:
    # A batch that was healthy a step ago fails now: the state, unless older weights fail as well.
    case = failure.case
    older = yield Swap(weights=Age.OLDER, optimizer=Age.OLDER)
    if not older.healthy:
        came_in = failure.made is not None and failure.made.origin != "operation"
        if came_in and case.other and (yield SOUND).healthy:
            why = "another batch fails on these weights and not on older ones: weights and batch are both bad"
            return failure.cause(Kind.WEIGHTS, why, step=case.step)
        if not (yield Swap(weights=Age.OLDEST, optimizer=Age.OLDEST)).healthy:
            return (yield from _everywhere(failure))
    if not case.window:
        return failure.cause(Kind.WEIGHTS, "any batch fails on these weights and none on older ones", step=case.step)
    return (yield from _course(failure))


def _everywhere(failure: Failure) -> Inquiry:
    # It fails on any weights: a loss that has changed, targets that do not belong to their rows, a draw, or the code.
    case = failure.case
    if case.mild:
        if apart := (yield from mispaired(case, Age.OLDER)):
            return _wrong_targets(failure, apart)
        if case.found("loss.spike"):  # where the loss counts more, its gradient does
            return failure.level("finite throughout, and as high on older weights: the loss itself has changed")
    if (yield DRAWN).healthy:
        return failure.cause(Kind.CODE, A_DRAW)
    cause = failure.cause(Kind.CODE, "every batch fails, on older weights too")
    return replace(cause, certain=case.found("loss.sign"), goes_on=case.patient)


def _course(failure: Failure) -> Inquiry:
    # Training from the last healthy snapshot again: does it come to the same end?
    case = failure.case
    course = yield Swap(window=True)
    if course.healthy:
        put = yield Swap(weights=Age.OLDER, optimizer=Age.NOW, batch=Which.OTHER, commit=True)
        kept = yield Swap(weights=Age.OLDER, optimizer=Age.OLDER, batch=Which.OTHER, commit=True)
        spoils = kept.healthy and (not put.healthy or _moved(put) > FARTHER * _moved(kept))
        if spoils and case.hotter >= HOT:
            cool = replace(put.changed, lr_most=case.rate)
            if (yield cool).healthy:
                why = f"the learning rate is {case.hotter:.3g} times its usual value, and with that value it is healthy"
                return failure.cause(Kind.STEP_SIZE, why, step=case.step)
        if spoils:
            why = "put on older weights, this optimizer spoils them or throws them far; the older optimizer does not"
            return failure.cause(Kind.OPTIMIZER, why, step=case.step)
        why = "trained again, the same batches give healthy weights: these were changed from outside the step"
        return failure.cause(Kind.WEIGHTS, why, "any batch fails on these weights, none on older ones", step=case.step)
    fresh = yield Swap(window=True, optimizer=Age.FRESH)
    if fresh.healthy and case.hotter < HOT:
        put = yield Swap(weights=Age.OLDEST, optimizer=Age.OLDER, batch=Which.OTHER, commit=True)
        new = yield Swap(weights=Age.OLDEST, optimizer=Age.FRESH, batch=Which.OTHER, commit=True)
        if not put.healthy or _moved(put) > FARTHER * _moved(new):
            why = "an optimizer without memory stays healthy, and this one throws older weights far"
            return failure.cause(Kind.OPTIMIZER, why, step=case.step)
    return (yield from _size(failure, course))


def _size(failure: Failure, course: Trial) -> Inquiry:
    # The course ends badly by itself: does a smaller step end well, and was the step too large, or only an edge near?
    case = failure.case
    scale = min(SMALLER, 1 / case.hotter)
    smaller = yield Swap(window=True, lr_scale=scale)
    if not smaller.healthy and case.mild and case.hotter < HOT:
        why = "finite throughout, and training comes to this level again, with a tenth of the step size too"
        return failure.level(why)
    if not smaller.healthy and case.finite:
        return failure.cause(Kind.UNKNOWN, f"the window fails again, with {scale:.2g} of the step size too")
    if not smaller.healthy:
        return failure.cause(Kind.CODE, "training comes to the same end again, with a tenth of the step size too")
    if case.patient:
        return failure.level("finite, and at the rate that the run has always had: it may pass by itself")
    if case.hotter >= HOT or _grew(case, course):
        why = f"the window fails again, and with {scale:.2g} of the step size it does not"
        return failure.cause(Kind.STEP_SIZE, why, step=case.step)
    why = "training comes to this edge again with every number before it healthy; a smaller step only comes there later"
    return failure.cause(Kind.CODE, why)


def _moved(trial: Trial) -> float:
    return trial.readings[-1].values.get("update/ratio", 0.0) if trial.readings else 0.0


def _grew(case: Suspicion, course: Trial) -> bool:
    """Say whether losses or gradients left their band, still finite, before the end."""
    last = course.readings[-1:] if finite(course.readings[-1]) else ()
    return any(not case.band.holds(one) for one in (*course.readings[:-1], *last))


def _ruled_out(trials: Sequence[Trial]) -> tuple[str, ...]:
    return tuple(
        f"not cured by: {', '.join(trial.changed.changes()) or 'trying again'}" for trial in trials if not trial.healthy
    )
