"""Optimization levels: what to start from. A flag that is typed stands above them, and the guard may leave them."""

from __future__ import annotations

from pathlib import Path

from rerail.fit.presets import Presets

DEFAULT = "enhanced"
LEVELS = Presets(Path(__file__).parent, "--optimization-level")
FAST = "fast-convergence"
ABOVE = Presets(Path(__file__).parent / "above", "--apply-fast-convergence")  # what stands above a level
