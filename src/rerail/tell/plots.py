"""A run's curves as one picture: for messages."""

from __future__ import annotations

from collections.abc import Sequence

from rerail.tell.story import Story


def plot(run: Story, signals: Sequence[str] = ()) -> bytes:
    """Draw unweighted losses and held-out metrics over steps, interventions marked; a PNG. No `signals`: all of them."""
    raise NotImplementedError
