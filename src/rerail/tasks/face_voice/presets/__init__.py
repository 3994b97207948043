"""Presets: what to start from. What is typed stands above them."""

from __future__ import annotations

from pathlib import Path

from rerail.fit.presets import Presets

DEFAULT = "usual"
PRESETS = Presets(Path(__file__).parent, "--preset")
