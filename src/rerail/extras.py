"""Optional libraries, as rooms that see no core load them."""

from __future__ import annotations

from rerail.core.extras import need

__all__ = ["need"]
