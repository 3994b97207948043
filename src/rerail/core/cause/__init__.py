"""From trials to a cause: which replay to try next, or what the pattern has proved. Pure."""

from __future__ import annotations

from rerail.core.cause.cause import Cause, Kind
from rerail.core.cause.choose import choose
from rerail.core.cause.investigate import next_trial
from rerail.core.cause.suspicion import Suspicion

__all__ = ["Cause", "Kind", "Suspicion", "choose", "next_trial"]
