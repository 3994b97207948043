"""The order in which replays are tried, and what each pattern of cures and transplants proves.

Written as straight lines: a replay is asked for by `yield`, and its trial comes back. `next_trial` runs the lines up to
the first replay that is not there yet, so the whole decision follows from the trials alone.

| kind | again | other batch | older weights | what must fail, put into a healthy step |
|---|---|---|---|---|
| transient | healthy | | | nothing |
| data | fails | healthy | fails | the rows, beside a healthy batch on older weights |
| toxic | fails | healthy | healthy | the rows on these weights only |
| precision | fails | | | nothing in single precision |
| data (wrong labels) | fails | healthy | | healthy batches, their columns moved against each other; this one is no worse so |
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
from statistics import fmean, stdev

from rerail.core.band import finite
from rerail.core.cause.cause import Cause, Kind
from rerail.core.cause.pairing import LASTING, Apart, mispaired
from rerail.core.cause.suspicion import Suspicion
from rerail.core.cause.toxic import toxic_rows
from rerail.core.knobs import Precision
from rerail.core.operations import edge
from rerail.core.reading import Reading
from rerail.core.settings import LENGTHENS
from rerail.core.trial import SOUND, STEP_OF_OLD, Age, Operation, Swap, Trial, Which

HOT = 3.0  # a learning rate this many times its usual value is a suspect by itself
FARTHER = 5.0  # an update this many times as large, on the same weights and batch, is the optimizer's doing
CUT = 45  # ticks after which a branch that is cut off ends the run: its weights stand still, or decay
PAIRS, WORSE, CLEAR = 10, 0.05, 4.0  # batches, share of the loss, standard errors: a changed setting does harm
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


_OF_NO_COMPONENT = frozenset({Kind.OPTIMIZER, Kind.STEP_SIZE})  # the update is wrong, whichever loss shows it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """The failure as replayed: its trace, and the component that fails alone."""

    case: Suspicion
    made: Operation | None = None
    component: str = ""
    drawn: float | None = None  # how many operations of the replay drew random numbers

    def level(self, why: str) -> Cause:
        """Return the cause of a loss that is higher and goes on: by a draw that sets in, or only so."""
        if self.drawn is None or self.case.drawn is None or self.drawn == self.case.drawn:
            return replace(self.cause(Kind.LEVEL, why), goes_on=True)
        draws = f"{self.drawn:.0f} operations of the step draw random numbers, where {self.case.drawn:.0f} did"
        why = f"{draws}: dropout or noise was switched on or off"
        return replace(self.cause(Kind.CODE, why), goes_on=True)

    def cause(self, kind: Kind, *why: str, rows: Sequence[int] = (), step: int = -1) -> Cause:
        ids = self.case.ids
        component = "" if kind in _OF_NO_COMPONENT else self.component
        samples = tuple(ids[row] for row in rows if row < len(ids) and ids[row])
        return Cause(
            kind=kind,
            component=component,
            operation=self.made,
            rows=tuple(rows),
            samples=samples,
            step=step,
            why=why,
        )


def _investigate(case: Suspicion) -> Inquiry:
    again = yield Swap()
    if case.found("gradient.stopped"):
        older = yield Swap(weights=Age.OLDER, optimizer=Age.OLDER)
        if older.readings and older.readings[-1].values.get("grad/norm", 0.0) > 0 and case.step:
            why = "no gradient reaches any weight, and on older weights one does: these were changed, or have died"
            return _Failure(case=case).cause(Kind.WEIGHTS, why, step=case.step)
        why = "no gradient reaches any weight, and the loss is not 0: it is cut off, or does not depend on them"
        return replace(_Failure(case=case).cause(Kind.CODE, why), certain=True)
    if case.found("optimizer.setting.lasting") and case.settings and case.window:
        return (yield from _lasting(_Failure(case=case)))
    if not again.healthy and case.found("gradient.lost"):
        return (yield from _lost(_Failure(case=case), again))
    return (yield from _once_only(case) if again.healthy else _standing(case, again))


def _lasting(failure: _Failure) -> Inquiry:
    # The same batches, from before the change: with what is set now, and with what was. Compared batch by batch.
    case = failure.case
    then, now = (yield Swap(window=True, held=case.held)), (yield Swap(window=True, held=case.pressed))
    worse = [
        after.values.get("loss/total", math.nan) - before.values.get("loss/total", math.nan)
        for before, after in zip(then.readings[-PAIRS:], now.readings[-PAIRS:], strict=False)
    ]
    usual = fmean(one.values.get("loss/total", math.nan) for one in then.readings[-PAIRS:])
    told = [f"{name} went from {was:.4g} to {value:.4g}" for name, (was, value) in sorted(case.settings.items())]
    clear = len(worse) == PAIRS and fmean(worse) > max(WORSE * abs(usual), CLEAR * stdev(worse) / math.sqrt(PAIRS))
    if not then.healthy or not clear:
        return failure.level(f"{'; '.join(told)}; on the same batches the loss is no worse for it")
    why = f"{'; '.join(told)}; on the same batches the loss ends {fmean(worse) / abs(usual):.0%} higher than without"
    larger = all(name.startswith(LENGTHENS) for name in case.settings)
    return failure.cause(Kind.STEP_SIZE if larger else Kind.OPTIMIZER, why, step=case.step)


def _lost(failure: _Failure, again: Trial) -> Inquiry:
    # What the code cuts off is cut off on any weights. A part of the model that is not run any more is another stage.
    case = failure.case
    if not any(one.values.get("path/cut", 0.0) for one in again.readings):
        return failure.level("the modules of these parameters are not run any more, or without gradients")
    if (yield Swap(precision=Precision.WIDE)).healthy:
        return failure.cause(Kind.PRECISION, "in single precision the gradient reaches these parameters again")
    if (yield Swap(weights=Age.OLDER, optimizer=Age.OLDER)).healthy:
        why = "on older weights the gradient reaches these parameters: on the present ones units are dead, or at a limit"
        return replace(failure.cause(Kind.WEIGHTS, why, step=case.step), goes_on=True)
    if not case.other or (yield Swap(batch=Which.OTHER)).healthy:
        return failure.level("with another batch the gradient reaches these parameters")
    lost = failure.case.reading.values["grad/lost"]
    why = f"{lost:.0f} parameter tensors that had a gradient have none, with any batch, on older weights too: cut off"
    return replace(failure.cause(Kind.CODE, why), certain=case.lasted >= CUT, goes_on=True)


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
            return replace(_Failure(case=case).cause(Kind.CODE, why), certain=True)
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
        return _changed_settings(made)
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


def _made(case: Suspicion, again: Trial) -> Generator[Swap, Trial, _Failure | Cause]:
    # What the trace and the formats say: a cause where that is all, else the failure with what is known of it.
    traced = yield Swap(traced=True)
    if traced.healthy and case.compiled:
        return _Failure(case=case).cause(Kind.COMPILER, "compiled it fails again, in eager mode it is healthy")
    failure = _Failure(
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


def _as_before(failure: _Failure) -> _Known | None:
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
    failure = _Failure(case=case, component=_failing(case, case.reading))
    return failure.cause(
        Kind.TRANSIENT, "replayed twice, with nothing changed, the step is healthy: hardware, or something outside it"
    )


def _now_and_then(case: Suspicion) -> Cause:
    failure = _Failure(case=case, component=_failing(case, case.reading))
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


def _first_batch(failure: _Failure) -> Inquiry:
    rows = yield from _rows(failure)
    if rows and len(rows) < failure.case.rows:
        return _data_or_code(failure, rows, "without these rows the first step is healthy")
    return failure.cause(Kind.CODE, "the very first step fails, with every part of its batch")


def _rows(failure: _Failure) -> Generator[Swap, Trial, tuple[int, ...]]:
    made, case = failure.made, failure.case
    named = tuple(case.unfit) or tuple(case.far) or (made.rows if made else ())
    return (yield from toxic_rows(failure.case.rows, named, sure=bool(case.unfit or case.far)))


def _batch(failure: _Failure) -> Inquiry:
    # This batch fails where another is healthy: is it the rows by themselves, or these rows on these weights?
    case = failure.case
    if case.finite and not case.unfit and not case.far and (apart := (yield from mispaired(case))):
        return _wrong_targets(failure, apart)
    if case.mild and not case.unfit and not case.far:
        return failure.level("finite, and other batches are healthy on these weights: this one is only harder")
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


def _wrong_targets(failure: _Failure, apart: Apart) -> Cause:
    kind = Kind.CODE if apart.by else Kind.DATA
    return replace(failure.cause(kind, apart.why), certain=failure.case.lasted >= LASTING)


def _beside(rows: Sequence[int], age: Age) -> Generator[Swap, Trial, Trial]:
    """Put the rows beside a healthy batch on older weights; twice over where a BatchNorm refuses them alone."""
    there = yield Swap(batch=Which.BOTH, rows=tuple(rows), weights=age, optimizer=age)
    if there.error:
        there = yield Swap(batch=Which.BOTH, rows=tuple(sorted((*rows, *rows))), weights=age, optimizer=age)
    return there


def _alone(age: Age) -> Generator[Swap, Trial, Trial]:
    return (yield Swap(weights=age, optimizer=age))


def _data_or_code(failure: _Failure, rows: Sequence[int], pattern: str) -> Cause:
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


def _state(failure: _Failure) -> Inquiry:
    # A batch that was healthy a step ago fails now: the state, unless older weights fail as well.
    case = failure.case
    older = yield Swap(weights=Age.OLDER, optimizer=Age.OLDER)
    if not older.healthy:
        came_in = failure.made is not None and failure.made.origin != "operation"
        if came_in and case.other and (yield SOUND).healthy:
            why = "another batch fails on these weights and not on older ones: weights and batch are both bad"
            return failure.cause(Kind.WEIGHTS, why, step=case.step)
        oldest = yield Swap(weights=Age.OLDEST, optimizer=Age.OLDEST)
        if not oldest.healthy and case.mild:
            if apart := (yield from mispaired(case, Age.OLDER)):
                return _wrong_targets(failure, apart)
            return failure.level("finite throughout, and as high on older weights: the loss itself has changed")
        if not oldest.healthy and (yield DRAWN).healthy:
            return failure.cause(Kind.CODE, A_DRAW)
        if not oldest.healthy:
            flipped = case.found("loss.sign")
            cause = failure.cause(Kind.CODE, "every batch fails, on older weights too")
            return replace(cause, certain=flipped)
    if not case.window:
        return failure.cause(Kind.WEIGHTS, "any batch fails on these weights and none on older ones", step=case.step)
    return (yield from _course(failure))


def _course(failure: _Failure) -> Inquiry:
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


def _changed_settings(failure: _Failure) -> Cause:
    case = failure.case
    told = [f"{name} went from {then:.4g} to {now:.4g}" for name, (then, now) in sorted(case.settings.items())]
    why = f"{'; '.join(told)}; trained again with what was before, the window is healthy"
    larger = all(name.startswith(LENGTHENS) for name in case.settings)
    return failure.cause(Kind.STEP_SIZE if larger else Kind.OPTIMIZER, why, step=case.step)


def _size(failure: _Failure, course: Trial) -> Inquiry:
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
