"""Whether rows and targets belong together, by what moving a column does: losses of a made-up model, no tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rerail.core.band import Band
from rerail.core.cause import Cause, Kind, Suspicion, next_trial
from rerail.core.finding import Finding
from rerail.core.reading import Reading
from rerail.core.trial import Age, Swap, Trial, Which

GUESS, LEARNT = 2.3, 0.1  # losses of a model that knows its rows, with others' targets and with their own
BAND = Band(highest={"loss/ce": 0.5, "grad/norm": 50.0}, usual={"loss/ce": LEARNT, "grad/norm": 1.0})
Loss = Callable[[Swap], float]


def suspicion(ticks: float, **more: Any) -> Suspicion:
    found = Finding(code="loss.spike", signal="loss/ce", evidence={"loss/ce": GUESS, "ticks": ticks})
    given: dict[str, Any] = {"columns": ("x", "y"), "alike": True, "rows": 16, "window": 4, "step": 8, **more}
    return Suspicion(
        reading=Reading(tick=9, values={"loss/ce": GUESS, "loss/total": GUESS, "grad/norm": 2.0}),
        findings=(found,),
        band=BAND,
        components=("ce",),
        **given,
    )


def prove(case: Suspicion, loss: Loss) -> Cause:
    trials: list[Trial] = []
    while not isinstance(wanted := next_trial(case, trials), Cause):
        reading = Reading(tick=9, values={"loss/ce": loss(wanted), "loss/total": loss(wanted), "grad/norm": 1.0})
        trials.append(Trial(changed=wanted, readings=(reading,), healthy=BAND.holds(reading)))
    return wanted


def out_of_step(swap: Swap) -> float:
    if swap.batch is Which.OTHER:
        return GUESS if swap.rolled else LEARNT
    return LEARNT if swap.rolled == (("y", -1),) else GUESS


def shuffled(swap: Swap) -> float:
    return LEARNT if swap.batch is Which.OTHER and not swap.rolled else GUESS


def forgotten(swap: Swap) -> float:
    """Some updates on wrong targets later: only the older weights know a healthy batch."""
    return GUESS if swap.weights is Age.NOW else shuffled(swap)


def harder(swap: Swap) -> float:
    """A batch that is harder, and whose targets are its own: with others' it is far worse."""
    return 5.0 if swap.rolled else LEARNT if swap.batch is Which.OTHER else GUESS


@pytest.mark.parametrize(
    ("loss", "kind", "why"),
    [
        (out_of_step, Kind.CODE, "each row has the y of the previous row"),
        (shuffled, Kind.DATA, "rows have another row's y"),
        (forgotten, Kind.DATA, "rows have another row's y"),
        (harder, Kind.LEVEL, "this one is only harder"),
    ],
)
def test_targets_are_moved_to_see_whose_they_are(loss: Loss, kind: Kind, why: str) -> None:
    cause = prove(suspicion(3.0), loss)
    assert cause.kind is kind
    assert any(why in one for one in cause.why)
    assert not cause.certain


@pytest.mark.parametrize("loss", [out_of_step, shuffled])
def test_what_is_proved_twice_over_six_batches_ends_the_run(loss: Loss) -> None:
    first = prove(suspicion(3.0), loss)
    assert prove(suspicion(6.0, named=first.root), loss).certain
    assert not prove(suspicion(6.0), loss).certain
    assert not prove(suspicion(3.0, named=first.root), loss).certain


@pytest.mark.parametrize("more", [{"alike": False}, {"columns": ("x",)}, {"rows": 2}])
def test_a_batch_of_another_domain_is_not_accused(more: dict[str, Any]) -> None:
    assert prove(suspicion(6.0, **more), shuffled).kind is Kind.LEVEL


def test_where_no_batch_is_healthy_nothing_can_be_told() -> None:
    """The loss counts six times what it did, and its rows are noise: moving a column does nothing anywhere."""
    assert prove(suspicion(6.0), lambda _: GUESS).kind is Kind.LEVEL
