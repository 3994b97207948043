"""The doctor: what is wrong with a run, looked for before it trains, on its own model and one batch."""

from __future__ import annotations

from rerail.doctor.check import Check
from rerail.doctor.examine import examine

__all__ = ["Check", "examine"]
