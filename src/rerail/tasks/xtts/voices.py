"""Whose voice a clip is to be spoken in, and in which language."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from rerail.audio.mel import MelSpec
from rerail.data.batches import collate
from rerail.data.clip import Clip
from rerail.tasks.speech.asks import Spectrograms

LONGEST = 6.0  # seconds of a recording that a voice is taken from


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages that a model knows, in order; part of the run's state, since its embedding goes by their places."""

    table: tuple[str, ...]

    @classmethod
    def of(cls, languages: Iterable[str]) -> Languages:
        """Make the table of all these codes; empty ones are a language that is not named."""
        return cls(tuple(sorted(set(languages))))

    def __len__(self) -> int:
        return len(self.table)

    def number(self, language: str) -> int:
        """Return a language's place.

        Raises:
            ValueError: for one that the model does not know.
        """
        if language not in self.table:
            known = ", ".join(one or "(not named)" for one in self.table)
            raise ValueError(f"language: the model knows {known}, got {language!r}; give one of these by --language")
        return self.table.index(language)

    def state_dict(self) -> dict[str, Any]:
        """Return the codes."""
        return {"languages": list(self.table)}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """Compare with saved ones.

        Raises:
            ValueError: where the corpora have other languages than the run began with.
        """
        if (saved := state_dict["languages"]) != list(self.table):
            raise ValueError(f"the data are in {list(self.table)}, the run began with {saved}; give the same data")


@dataclass(frozen=True, slots=True)
class Voices:
    """A network that asks for a language and a voice: `language` (batch,), `reference` and `reference_length`."""

    languages: Languages
    spec: MelSpec

    def of_clips(
        self, clips: Sequence[Clip], voices: Sequence[Clip], spectrograms: Spectrograms
    ) -> list[Mapping[str, Any]]:
        """Return the language of each clip, and another recording of its speaker."""
        heard = spectrograms(references(clips, voices))
        numbers = [self.languages.number(clip.language) for clip in clips]
        return [{"language": one, "reference": self._cut(mel)} for one, mel in zip(numbers, heard, strict=True)]

    def of_sentence(self, language: str, voice: Tensor | None) -> Mapping[str, Any]:
        """Return the language, which may be left out where the network knows one alone, and the voice.

        Raises:
            ValueError: for a language that it does not know, or where there is no voice.
        """
        if voice is None:
            raise ValueError("--voice: this network speaks in the voice of a recording; give one, of some seconds")
        known = self.languages.table
        number = self.languages.number(language or (known[0] if len(known) == 1 else ""))
        return {"language": number, "reference": self._cut(voice)}

    def batch(self, examples: Sequence[Mapping[str, Any]], silence: float) -> dict[str, Any]:
        """Pad examples to a batch."""
        heard: list[Tensor] = [one["reference"] for one in examples]
        return {
            **collate(examples, silence),
            "language": torch.tensor([one["language"] for one in examples]),
            "reference": pad_sequence(heard, batch_first=True, padding_value=silence),
            "reference_length": torch.tensor([len(one) for one in heard]),
        }

    def _cut(self, mel: Tensor) -> Tensor:
        return mel[: round(self.spec.frames(LONGEST))]


def references(clips: Sequence[Clip], voices: Sequence[Clip]) -> list[Clip]:
    """Return for each clip another of its speaker, of `voices` if there is one, else itself.

    Which one is decided by the ids alone: the next in the order of their hashes. The same words in another recording
    are as good as any: only the voice is taken from it.
    """
    by_speaker = defaultdict[str, list[tuple[bytes, Clip]]](list)
    for place, one in sorted(((_hash(one), one) for one in voices), key=itemgetter(0)):
        by_speaker[one.speaker].append((place, one))
    return [_next(clip, by_speaker[clip.speaker]) for clip in clips]


def _next(clip: Clip, of_speaker: Sequence[tuple[bytes, Clip]]) -> Clip:
    """The first that comes after the clip, going round."""
    at = bisect_right(of_speaker, _hash(clip), key=itemgetter(0))
    following = (of_speaker[(at + more) % len(of_speaker)][1] for more in range(min(2, len(of_speaker))))
    return next((one for one in following if one.id != clip.id), clip)


def _hash(clip: Clip) -> bytes:
    return hashlib.sha256(clip.id.encode()).digest()
