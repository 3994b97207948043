"""Beside a run, in a process of its own: tells people of it, hears what they ask, and sees it die."""

from __future__ import annotations

from rerail.supervise.watch import spawn, watch

__all__ = ["spawn", "watch"]
