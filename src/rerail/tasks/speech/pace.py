"""The reduction factor over training: many mel frames a decoder step at first, fewer later.

Many frames a step make a short way for the attention, so that it aligns soon; few give the better sound (Wang et al.
2017, arXiv:1703.10135, section 3.3, and the gradual training that public trainers do).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rerail.tasks.speech.frames import Frames


@dataclass(frozen=True, slots=True)
class Pace:
    """`falls` are pairs of a training step and the frames a decoder step from there on."""

    first: int
    falls: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, first: int, falls: str) -> Pace:
        """Read falls such as `1000:2,3000:1`.

        Raises:
            ValueError: where they are not of this form, or do not fall.
        """
        if not falls:
            return cls(first)
        if not re.fullmatch(r"\d+:\d+(,\d+:\d+)*", falls):
            raise ValueError(f"reduction_falls: {falls!r} is not step:frames,...; write e.g. 1000:2,3000:1")
        pairs = [(int(step), int(frames)) for step, frames in (one.split(":") for one in falls.split(","))]
        steps, frames = zip(*pairs, strict=True)
        if list(steps) != sorted(set(steps)) or [first, *frames] != sorted({first, *frames}, reverse=True):
            raise ValueError(f"reduction_falls: {falls!r} does not fall from {first}; steps must rise and frames fall")
        if frames[-1] < 1:
            raise ValueError(f"reduction_falls: {falls!r} ends at no frame a step; end at 1 or more")
        return cls(first, tuple(pairs))

    def at(self, step: int) -> int:
        """Frames a decoder step after `step` training steps."""
        return next((frames for start, frames in reversed(self.falls) if step >= start), self.first)


@dataclass(frozen=True, slots=True)
class Paced:
    """The present reduction factor as a part of the run's state: it is no weight, and needed to speak."""

    frames: Frames

    def state_dict(self) -> dict[str, Any]:
        """Return the factor."""
        return {"reduction": self.frames.reduction}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """Set it."""
        self.frames.pace(state_dict["reduction"])
