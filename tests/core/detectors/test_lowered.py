from __future__ import annotations

from rerail.core.detectors import Lowered
from rerail.core.detectors.lowered import LoweredMemory
from rerail.core.reading import Reading


def cuts(steps: list[int]) -> list[int]:
    detector, memory = Lowered(signal="eval/mel", patience=2), LoweredMemory()
    found = []
    for tick, step in enumerate(steps, 1):
        reading = Reading(tick=tick, values={"step": float(step), "eval/mel": 1.0})
        memory, told = detector.update(memory, reading)
        found += [step for _ in told]
    return found


def test_what_is_measured_again_after_a_kill_counts_once() -> None:
    assert cuts([10, 20, 30, 40, 50]) == [30, 50]
    assert cuts([10, 20, 20, 30, 20, 30, 40, 50]) == [30, 50]
