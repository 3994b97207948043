"""The fresh faults: whole families that were written when every threshold stood, and are kept for the final count."""

from __future__ import annotations

from faultbench.cell import Fault

from . import gradients, hardware, loader, resume, schedule, wiring

FRESH_FAULTS: tuple[Fault, ...] = (
    *schedule.FAULTS,
    *resume.FAULTS,
    *loader.FAULTS,
    *wiring.FAULTS,
    *gradients.FAULTS,
    *hardware.FAULTS,
)
