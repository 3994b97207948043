"""Weights that adapt: the pure decisions, for the loop above the guard."""

from __future__ import annotations

from rerail.core.adapt import pays, proposal
from rerail.core.detectors.adapted import LEVELS, TRIED
from rerail.core.detectors.adapted import STEP as LEVEL

__all__ = ["LEVEL", "LEVELS", "TRIED", "pays", "proposal"]
