"""What machines make of the sound: a recogniser writes down what it hears, an estimator says what people would think.

They hear three sounds of each clip: the recording, its own spectrogram through the vocoder (`copied`), and what the
model says by itself (`free`). The first shows what the listener itself gets wrong, the second what the vocoder costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from torch import Tensor

from rerail.audio import files
from rerail.audio.asr import Ear
from rerail.audio.mos import Opinion
from rerail.audio.trim import trim
from rerail.audio.vocoder import Vocoder
from rerail.data.clip import Clip
from rerail.tasks.speech.evaluate import free_running, unpadded
from rerail.tasks.speech.trained import Trained
from rerail.text.letters import character_error_rate, letters

CER, MOS = "cer", "mos"

Batch = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Who listens, and what speaks the spectrograms. `language` is that of the clips that name none."""

    vocoder: Vocoder
    ear: Ear | None = None
    opinion: Opinion | None = None
    language: str = ""

    @property
    def empty(self) -> bool:
        """Whether nobody listens."""
        return self.ear is None and self.opinion is None

    def of(self, clip: Clip) -> str:
        """Return the language of a clip, empty where it is not known."""
        return clip.language or self.language


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One clip as it was heard: words and opinions by sound (`recorded`, `copied`, `free`)."""

    clip: Clip
    words: Mapping[str, str]
    opinions: Mapping[str, float]


def listen(
    trained: Trained, clips: Sequence[Clip], batches: Sequence[Batch], panel: Panel, *, threshold: float, seed: int
) -> Iterator[Heard]:
    """Have the panel listen to every clip of the batches.

    Raises:
        ValueError: where the model's spectrogram is no sound.
    """
    rate, clip = trained.config.sample_rate, iter(clips)
    for batch in batches:
        output = free_running(trained.model, batch, threshold, seed)
        spoken, true = unpadded(output.mel_post, output.mel_length), unpadded(batch["mel"], batch["mel_length"])
        for said, mel in zip(spoken, true, strict=True):
            one = next(clip)
            sounds = {
                "recorded": trim(files.read(one.path, rate)),
                "copied": panel.vocoder(mel),
                "free": panel.vocoder(said),
            }
            yield _heard(one, sounds, rate, panel)


def told(heard: Sequence[Heard], panel: Panel) -> dict[str, float]:
    """Return the rates and mean opinions over these clips: `cer/free`, `mos/recorded`, ..."""
    sounds = heard[0].words.keys() | heard[0].opinions.keys() if heard else ()
    scores: dict[str, float] = {}
    for sound in sounds:
        if panel.ear:
            pairs = [(one.clip.text, one.words[sound], panel.of(one.clip)) for one in heard]
            true, said = zip(*((letters(a, language=c), letters(b, language=c)) for a, b, c in pairs), strict=True)
            scores[f"{CER}/{sound}"] = character_error_rate(true, said)
        if panel.opinion:
            scores[f"{MOS}/{sound}"] = fmean(one.opinions[sound] for one in heard)
    return scores


def _heard(clip: Clip, sounds: Mapping[str, Tensor], rate: int, panel: Panel) -> Heard:
    ear, opinion = panel.ear, panel.opinion
    words = {} if ear is None else {name: ear(sound, rate, panel.of(clip)) for name, sound in sounds.items()}
    opinions = {} if opinion is None else {name: opinion(sound, rate) for name, sound in sounds.items()}
    return Heard(clip=clip, words=words, opinions=opinions)
