"""Settings of a Tacotron2 by name."""

from __future__ import annotations

from pathlib import Path

from rerail.fit.presets import Presets

ULTRA_SAFE = "ultra-safe"
PRESETS = Presets(Path(__file__).parent, "--preset")
