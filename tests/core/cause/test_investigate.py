"""The patterns of cures and transplants, one a kind, without any tensor."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from rerail.core.band import Band
from rerail.core.cause import Cause, Kind, Suspicion, choose, next_trial
from rerail.core.knobs import Precision
from rerail.core.reading import Reading
from rerail.core.remedy import HALTED, Move, Remedy
from rerail.core.trial import Age, Operation, Swap, Trial, Which

World = Callable[[Swap], bool]  # whether a replay is healthy

BAD = Reading(tick=9, values={"loss/mel": math.nan, "loss/gate": 1.0, "grad/norm": math.nan, "step": 8.0})
GOOD = Reading(tick=9, values={"loss/mel": 1.0, "loss/gate": 1.0, "grad/norm": 1.0})
BAND = Band(highest={"loss/mel": 2.0, "loss/gate": 2.0, "grad/norm": 10.0}, usual={"grad/norm": 1.0})


def suspicion(**more: Any) -> Suspicion:
    given: dict[str, Any] = {
        "reading": BAD,
        "findings": (),
        "band": BAND,
        "rows": 8,
        "ids": tuple("abcdefgh"),
        "components": ("mel", "gate"),
        "window": 4,
        "step": 8,
        **more,
    }
    return Suspicion(**given)


def prove(case: Suspicion, world: World, made: Operation | None = None) -> Cause:
    trials: list[Trial] = []
    while not isinstance(wanted := next_trial(case, trials), Cause):
        healthy = world(wanted)
        trials.append(
            Trial(
                changed=wanted,
                readings=(GOOD if healthy else BAD,),
                healthy=healthy,
                operation=made if wanted.traced else None,
            )
        )
        assert len(trials) <= 20 + 2 * math.log2(8)
    return wanted


def rows_fail(*bad: int, old: bool) -> World:
    """These rows fail, on older weights too where `old`."""

    def world(swap: Swap) -> bool:
        if swap.batch is Which.OTHER:
            return True
        if swap.weights is not Age.NOW:
            return not old
        return not (set(swap.rows or range(8)) & set(bad))

    return world


def state_fails(swap: Swap) -> bool:
    return swap.weights is not Age.NOW


EXP = Operation(name="exp", line="model.py:3: x.exp()", rows=(3,))
CASES: list[tuple[Kind, World, Operation | None, dict[str, Any]]] = [
    (Kind.TRANSIENT, lambda _: True, None, {}),
    (
        Kind.DATA,
        rows_fail(3, old=True),
        Operation(origin="batch", rows=(3,)),
        {"unfit": {3: "8 numbers are not finite"}},
    ),
    (Kind.CODE, rows_fail(3, old=True), EXP, {}),
    (Kind.TOXIC, rows_fail(3, old=False), EXP, {}),
    (Kind.PRECISION, lambda swap: swap.precision is not Precision.AS_RUN, EXP, {"half": True}),
    (Kind.CODE, lambda _: False, EXP, {}),
    (Kind.WEIGHTS, lambda swap: state_fails(swap) or swap.window, None, {}),
    (
        Kind.OPTIMIZER,
        lambda swap: swap.window or (state_fails(swap) and not (swap.commit and swap.optimizer is Age.NOW)),
        None,
        {},
    ),
    (
        Kind.STEP_SIZE,
        lambda swap: swap.lr_scale < 1 if swap.window else state_fails(swap),
        None,
        {"hotter": 20.0},
    ),
    (Kind.CODE, lambda swap: swap.lr_scale < 1 if swap.window else state_fails(swap), EXP, {}),
    (Kind.COMPILER, lambda swap: swap.traced, None, {"compiled": True}),
]


@pytest.mark.parametrize(
    ("kind", "world", "made", "more"), CASES, ids=[f"{n}-{one[0].value}" for n, one in enumerate(CASES)]
)
def test_each_pattern_names_its_kind(kind: Kind, world: World, made: Operation | None, more: dict[str, Any]) -> None:
    cause = prove(suspicion(**more), world, made)
    assert cause.kind is kind
    assert cause.trials
    assert cause.why
    if 3 in cause.rows:
        assert cause.samples == ("d",)
    if kind in (Kind.DATA, Kind.TOXIC):
        assert cause.rows == (3,)


def test_the_component_that_fails_alone_is_named_and_none_where_all_do() -> None:
    assert prove(suspicion(), rows_fail(3, old=True), EXP).component == "mel"
    both = Reading(tick=9, values={"loss/mel": math.nan, "loss/gate": math.nan, "grad/norm": math.nan})
    case = suspicion(reading=both)
    trials = [Trial(changed=Swap(), readings=(both,), healthy=False)]
    wanted = next_trial(case, trials)
    assert wanted == Swap(traced=True)
    assert not isinstance(wanted, Cause)
    trials.append(Trial(changed=wanted, readings=(both,), healthy=False))
    assert next_trial(case, trials) == Swap(batch=Which.OTHER)  # no component is left out: what they share failed


def test_a_failure_in_the_gradient_alone_is_found_by_leaving_components_out() -> None:
    finite = Reading(tick=9, values={"loss/mel": 1.0, "loss/gate": 1.0, "grad/norm": math.nan})
    case, trials = suspicion(reading=finite), list[Trial]()
    for expected in (Swap(), Swap(traced=True), Swap(without="mel"), Swap(without="gate")):
        assert next_trial(case, trials) == expected
        trials.append(Trial(changed=expected, readings=(finite,), healthy=expected.without == "gate"))
    cause = prove(case, lambda swap: swap.without == "gate" or swap.batch is Which.OTHER)
    assert cause.component == "" or cause.kind is not Kind.UNKNOWN


def remedy(case: Suspicion, cause: Cause, world: World, spent: int = 0) -> tuple[Remedy, list[Swap]]:
    trials: list[Trial] = []
    while isinstance(wanted := choose(case, cause, trials, spent), Swap):
        trials.append(Trial(changed=wanted, readings=(), healthy=world(wanted)))
    return wanted, [one.changed for one in trials]


def test_the_mildest_remedy_that_works_is_chosen() -> None:
    case, cause = suspicion(), Cause(kind=Kind.STEP_SIZE)
    tamed, tried = remedy(case, cause, lambda swap: swap.lr_scale <= 0.1)
    assert tamed.knobs.lr_scale == 0.1
    assert tamed.move is Move.REWIND
    assert [swap.lr_scale for swap in tried] == [1.0, 0.5, 0.1]  # first the clip, then smaller and smaller steps
    assert remedy(case, cause, lambda _: True)[0].knobs.clip_norm == 1.0


def test_bad_rows_are_left_out_and_only_they_are_quarantined() -> None:
    case = suspicion()
    for kind, kept_out in ((Kind.DATA, True), (Kind.CODE, True), (Kind.TOXIC, False)):
        chosen, _ = remedy(case, Cause(kind=kind, rows=(3,)), rows_fail(3, old=True))
        assert (chosen.rows, chosen.quarantine, chosen.move) == ((3,), kept_out, Move.SKIP)


def test_nothing_is_adopted_unproved() -> None:
    for kind in (Kind.STEP_SIZE, Kind.WEIGHTS, Kind.OPTIMIZER, Kind.PRECISION, Kind.DATA, Kind.CODE):
        assert remedy(suspicion(), Cause(kind=kind, rows=(3,)), lambda _: False)[0] == HALTED


def test_a_spent_remedy_is_not_tried_again() -> None:
    case, cause = suspicion(), Cause(kind=Kind.STEP_SIZE)
    scales = [remedy(case, cause, lambda _: True, spent)[0].knobs.lr_scale for spent in range(5)]
    assert scales == [1.0, 0.5, 0.1, 0.01, 1.0]
    assert remedy(case, cause, lambda _: True, 4)[0] == HALTED
