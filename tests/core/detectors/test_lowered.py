from __future__ import annotations

from rerail.core.detectors import Lowered
from rerail.core.detectors.lowered import LoweredMemory
from rerail.core.reading import Reading


def cuts(steps: list[int], uncounted: int = -1) -> list[int]:
    detector, memory = Lowered(signal="eval/mel", patience=2), LoweredMemory()
    found = []
    for tick, step in enumerate(steps, 1):
        look = {"look/uncounted": 1.0} if step == uncounted else {}
        reading = Reading(tick=tick, values={"step": float(step), "eval/mel": 1.0, **look})
        memory, told = detector.update(memory, reading)
        found += [step for _ in told]
    return found


def test_what_is_measured_again_after_a_kill_counts_once() -> None:
    assert cuts([10, 20, 30, 40, 50]) == [30, 50]
    assert cuts([10, 20, 20, 30, 20, 30, 40, 50]) == [30, 50]


def test_a_look_off_the_grid_is_no_evaluation_without_a_gain() -> None:
    assert cuts([10, 20, 25, 30, 40, 50], uncounted=25) == [30, 50]
