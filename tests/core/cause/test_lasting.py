"""Causes of what has lasted: a gradient cut short, a changed setting; made-up trials, without tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from rerail.core.band import Band
from rerail.core.cause import Cause, Kind, Suspicion, choose, next_trial
from rerail.core.finding import Finding
from rerail.core.knobs import Precision
from rerail.core.reading import Reading
from rerail.core.remedy import GO_ON, Move, Remedy
from rerail.core.trial import Age, Swap, Trial, Which

World = Callable[[Swap], bool]


def lost(ticks: float = 15.0, *, cut: float = 4.0) -> tuple[Suspicion, float]:
    evidence = {"grad/lost": 4.0, "usual": 0.0, "ticks": ticks}
    found = Finding(code="gradient.lost", signal="grad/lost", evidence=evidence)
    reading = Reading(tick=90, values={"loss/mse": 0.1, "grad/norm": 1.0, "grad/lost": 4.0})
    band = Band.of((), (found,))
    return Suspicion(reading=reading, findings=(found,), band=band, rows=8, components=("mse",), window=9, step=89), cut


def prove(case: Suspicion, world: World, cut: float) -> Cause:
    trials: list[Trial] = []
    while not isinstance(wanted := next_trial(case, trials), Cause):
        count = 0.0 if world(wanted) else 4.0
        reading = Reading(tick=90, values={**case.reading.values, "grad/lost": count, "path/cut": min(cut, count)})
        trials.append(Trial(changed=wanted, readings=(reading,), healthy=case.band.holds(reading)))
    return wanted


@pytest.mark.parametrize(
    ("world", "cut", "kind", "remedy"),
    [
        (lambda _: False, 4.0, Kind.CODE, GO_ON),
        (lambda swap: swap.precision is Precision.WIDE, 4.0, Kind.PRECISION, None),
        (lambda swap: swap.weights is Age.OLDER, 4.0, Kind.WEIGHTS, GO_ON),
        (lambda swap: swap.batch is Which.OTHER, 4.0, Kind.LEVEL, GO_ON),
        (lambda _: False, 0.0, Kind.LEVEL, GO_ON),  # another stage: these modules are not run any more
    ],
)
def test_a_gradient_cut_short(world: World, cut: float, kind: Kind, remedy: Remedy | None) -> None:
    case, cut = lost(cut=cut)
    cause = prove(case, world, cut)
    assert cause.kind is kind
    assert not cause.certain
    if remedy is not None:
        assert choose(case, cause, cause.trials) == remedy


def test_a_branch_that_stays_cut_off_ends_the_run() -> None:
    case, cut = lost(45.0)
    assert prove(case, lambda _: False, cut).certain


def setting(then: list[float], now: list[float]) -> Cause:
    evidence = {"setting/eps/0": 100.0, "before": 1e-8}
    found = Finding(code="optimizer.setting.lasting", signal="setting/eps/0", evidence=evidence)
    case = Suspicion(
        reading=Reading(tick=90, values={"loss/mse": now[-1], "loss/total": now[-1], "grad/norm": 1.0}),
        findings=(found,),
        band=Band(highest={"loss/mse": 9.0}),
        rows=8,
        components=("mse",),
        window=len(then),
        settings={"eps/0": (1e-8, 100.0)},
        step=89,
    )
    trials: list[Trial] = []
    while not isinstance(wanted := next_trial(case, trials), Cause):
        losses = {case.held: then, case.pressed: now}.get(wanted.held, now)
        readings = [Reading(tick=90, values={"loss/mse": one, "loss/total": one, "grad/norm": 1.0}) for one in losses]
        trials.append(Trial(changed=wanted, readings=tuple(readings), healthy=case.band.holds(readings[-1])))
    answer: Any = choose(case, wanted, wanted.trials)
    while isinstance(answer, Swap):
        trials.append(Trial(changed=answer, readings=wanted.trials[-1].readings, healthy=True))
        answer = choose(case, wanted, trials)
    assert isinstance(answer, Remedy)
    assert (answer.move, dict(answer.knobs.settings)) in [(Move.COMMIT, {}), (Move.REWIND, {"eps/0": 1e-8})]
    assert (answer.move is Move.COMMIT) == wanted.goes_on
    return wanted


FALLING = [1.0 - 0.02 * n + 0.05 * math.sin(9 * n) for n in range(14)]


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        ([one + 0.3 for one in FALLING], Kind.OPTIMIZER),
        ([one + 0.01 for one in FALLING], Kind.LEVEL),  # by a hundredth: too little to matter
        ([one + 0.4 * (-1) ** n for n, one in enumerate(FALLING)], Kind.LEVEL),  # now more, now less
        ([one - 0.3 for one in FALLING], Kind.LEVEL),  # it does good
    ],
)
def test_a_setting_is_held_where_the_same_batches_end_clearly_higher_for_it(now: list[float], kind: Kind) -> None:
    assert setting(FALLING, now).kind is kind


def test_a_window_too_short_to_compare_proves_nothing() -> None:
    assert setting(FALLING[:6], [one + 0.3 for one in FALLING[:6]]).kind is Kind.LEVEL
