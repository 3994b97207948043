"""What a network asks for beside a text: nothing, or a language and a voice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor

from rerail.data.batches import collate
from rerail.data.clip import Clip

Spectrograms = Callable[[Sequence[Clip]], list[Tensor]]


class Asks(Protocol):
    """Adds what a network asks for to its examples, and makes them a batch."""

    def of_clips(
        self, clips: Sequence[Clip], voices: Sequence[Clip], spectrograms: Spectrograms
    ) -> list[Mapping[str, Any]]:
        """Return it for each clip; `voices` are recordings that a speaker may be heard in."""
        ...

    def of_sentence(self, language: str, voice: Tensor | None) -> Mapping[str, Any]:
        """Return it for a sentence to speak; voice: (frames, bands), of a recording.

        Raises:
            ValueError: where something is missing, or is not known.
        """
        ...

    def batch(self, examples: Sequence[Mapping[str, Any]], silence: float) -> dict[str, Any]:
        """Pad examples to a batch."""
        ...


class OneVoice:
    """A network of one voice, which asks for nothing."""

    def of_clips(self, clips: Sequence[Clip], _: Sequence[Clip], __: Spectrograms) -> list[Mapping[str, Any]]:
        """Return nothing for each clip."""
        return [{} for _ in clips]

    def of_sentence(self, _: str, voice: Tensor | None) -> Mapping[str, Any]:
        """Return nothing.

        Raises:
            ValueError: where a voice is given.
        """
        if voice is not None:
            raise ValueError("--voice: this network has one voice, that of its data; leave it out")
        return {}

    def batch(self, examples: Sequence[Mapping[str, Any]], silence: float) -> dict[str, Any]:
        """Pad examples to a batch."""
        return collate(examples, silence)
