from __future__ import annotations

from rerail.core.outcome import AFTER, Watch
from rerail.core.reading import Reading


def readings(first: int, count: int, loss: float) -> list[Reading]:
    return [Reading(tick=tick, values={"loss/total": loss, "grad/norm": 1.0}) for tick in range(first, first + count)]


def test_an_outcome_compares_both_sides_once() -> None:
    watch = Watch()
    for reading in readings(1, 12, 2.0):
        watch, due = watch.committed(reading)
        assert not due
    watch = watch.intervened(13)
    outcomes = []
    for reading in readings(14, 2 * AFTER, 2.3):
        watch, due = watch.committed(reading)
        outcomes += due
    (outcome,) = outcomes
    assert (outcome.of, outcome.before["loss/total"], outcome.now["loss/total"]) == (13, 2.0, 2.3)
    assert outcome.recovered


def test_a_loss_that_stays_high_is_not_recovered() -> None:
    watch = Watch()
    for reading in readings(1, 12, 2.0):
        watch, _ = watch.committed(reading)
    watch = watch.intervened(13)
    for reading in readings(14, AFTER, 2.5):
        watch, due = watch.committed(reading)
    assert due[0].recovered is False


def test_a_component_that_set_in_between_is_no_damage() -> None:
    watch = Watch()
    for tick in range(12):
        watch, _ = watch.committed(Reading(tick=tick, values={"loss/mel": 1.0, "loss/total": 1.0}))
    watch = watch.intervened(13)
    for tick in range(14, 14 + AFTER):
        watch, due = watch.committed(Reading(tick=tick, values={"loss/mel": 1.0, "loss/new": 9.0, "loss/total": 10.0}))
    assert due[0].recovered is True


def test_nothing_before_is_nothing_to_recover_to() -> None:
    watch = Watch().intervened(1)
    for reading in readings(2, AFTER, 1.0):
        watch, due = watch.committed(reading)
    assert due[0].before == {}
    assert due[0].recovered is None


def test_the_speed_is_compared_and_decides_nothing() -> None:
    watch = Watch()
    for tick in range(12):
        watch, _ = watch.committed(Reading(tick=tick, values={"loss/total": 1.0, "time/step": 0.1}))
    watch = watch.intervened(13)
    for tick in range(14, 14 + AFTER):
        watch, due = watch.committed(Reading(tick=tick, values={"loss/total": 1.0, "time/step": 0.7}))
    assert (due[0].before["time/step"], due[0].now["time/step"], due[0].recovered) == (0.1, 0.7, True)
