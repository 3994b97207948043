"""Sentences to sound, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import torch
from torch import Tensor

from rerail.alignment import diagonality
from rerail.audio import files
from rerail.audio.vocoder import Vocoder
from rerail.fit import Picture
from rerail.tasks.speech.output import Batch
from rerail.tasks.speech.shown import LOUDEST, SECONDS_A_SYMBOL
from rerail.tasks.speech.trained import Trained


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How to speak. `most_seconds` 0 allows a quarter of a second a symbol.

    `of` is the spectrogram (frames, bands) of a recording whose voice is to be spoken in, for networks that ask for it.
    """

    vocoder: Vocoder
    language: str = ""
    threshold: float = 0.5
    most_seconds: float = 0.0
    seed: int = 0
    of: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A spoken sentence: `samples` (samples,) in [-1, 1], `alignment` (steps, symbols).

    `stopped`: the gate ended it; `finished`: it ended by itself, by the gate or since all was read.
    """

    text: str
    samples: Tensor
    seconds: float
    stopped: bool
    finished: bool
    diagonality: float
    alignment: Tensor

    def picture(self) -> Picture:
        """Return the alignment as a picture."""
        return Picture(values=self.alignment.T.tolist(), x="decoder step", y="symbol", caption=self.text)

    def told(self) -> str:
        """Say in a line how it went."""
        by_itself = "ended as all was read, not by its gate" if self.finished else "cut off: the gate did not say stop"
        ending = "stopped by its gate" if self.stopped else by_itself
        return f"{self.seconds:.2f} s, {ending}, diagonality {self.diagonality:.2f}"


def speak(trained: Trained, sentences: Sequence[str], voice: Voice) -> Iterator[Spoken]:
    """Speak each sentence; all are looked at before the first is spoken.

    The same seed gives the same sound, whatever else is spoken beside it.

    Raises:
        ValueError: where a sentence has unknown symbols, or a spectrogram comes out that is no sound.
    """
    asked = [trained.sentence(one, voice.language, voice.of) for one in sentences]
    return (_spoken(trained, text, batch, voice) for text, batch in zip(sentences, asked, strict=True))


def sentences(given: Sequence[str], file: str = "") -> tuple[str, ...]:
    """Return the sentences given and those of a file, a line each; empty lines are none.

    Raises:
        ValueError: where there are none, or the file cannot be read.
    """
    lines = _lines(Path(file)) if file else []
    if not (found := tuple(one for one in (*given, *lines) if one.strip())):
        raise ValueError('no sentence is given; write one in quotes after the run ("A sentence."), or give --file')
    return found


def written(folder: Path, spoken: Spoken, sample_rate: int) -> Path:
    """Write the sound to the first of `speech-1.wav`, `speech-2.wav`, ... that is free in the folder; return its path.

    Raises:
        ValueError: where the folder is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out: {folder} is a file, and a folder is needed; choose another")
    paths = (folder / f"speech-{number}.wav" for number in count(1))
    path = next(path for path in paths if not path.exists())
    files.write(path, spoken.samples, sample_rate)
    return path


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise ValueError(f"--file: {path}: no such file; give a text file with a sentence a line")
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"--file: {path}: not UTF-8 at byte {error.start}; save it with that encoding") from None


def _spoken(trained: Trained, text: str, asked: Batch, voice: Voice) -> Spoken:
    spec = trained.config.spec()
    length = asked["text_length"]
    frames = max(1, int(spec.frames(voice.most_seconds or int(length) * SECONDS_A_SYMBOL)))
    generator = torch.Generator().manual_seed(voice.seed)
    output = trained.model.free(asked, frames, voice.threshold, generator)
    samples = voice.vocoder(output.mel_post[0])
    stopped = bool(torch.sigmoid(output.gate_logits[0, -1]) > voice.threshold)
    return Spoken(
        text=text,
        samples=samples / samples.abs().max().clamp(min=1e-3) * LOUDEST,
        seconds=len(samples) / spec.sample_rate,
        stopped=stopped,
        finished=stopped or int(output.mel_length) < frames,
        diagonality=float(diagonality(output.alignment, length, output.steps)),
        alignment=output.alignment[0],
    )
