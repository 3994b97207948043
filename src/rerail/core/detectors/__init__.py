"""One belief a file. The table `DEFAULT` lists those that every run starts with."""

from __future__ import annotations

from rerail.core.detectors.explosion import Explosion
from rerail.core.detectors.idle import Idle
from rerail.core.detectors.nonfinite import NonFinite
from rerail.core.detectors.spike import Spike

__all__ = ["DEFAULT", "Explosion", "Idle", "NonFinite", "Spike"]

DEFAULT = (NonFinite(), Spike(), Explosion(), Idle())
