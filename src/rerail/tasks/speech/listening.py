"""What machines make of the sound: what a recogniser writes down, what people would think of it, whose voice it is.

They hear three sounds of each clip: the recording, its own spectrogram through the vocoder (`copied`), and what the
model says by itself (`free`). The first shows what the listener itself gets wrong, the second what the vocoder costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from statistics import fmean
from typing import Any

from torch import Tensor

from rerail.audio import files
from rerail.audio.asr import Ear
from rerail.audio.mos import Opinion
from rerail.audio.trim import trim
from rerail.audio.vocoder import Vocoder
from rerail.audio.voiceprint import Recognised
from rerail.data.clip import Clip
from rerail.tasks.speech.evaluate import free_running, unpadded
from rerail.tasks.speech.trained import Trained
from rerail.text.letters import character_error_rate, letters

CER, MOS, VOICE = "cer", "mos", "voice"
SOUNDS = ("recorded", "copied", "free")

Batch = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Who listens, and what speaks the spectrograms. `language` is that of the clips that name none."""

    vocoder: Vocoder
    ear: Ear | None = None
    opinion: Opinion | None = None
    speaker: Recognised | None = None
    language: str = ""

    @property
    def empty(self) -> bool:
        """Whether nobody listens."""
        return self.ear is None and self.opinion is None and self.speaker is None

    def of(self, clip: Clip) -> str:
        """Return the language of a clip, empty where it is not known."""
        return clip.language or self.language


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One clip as it was heard: words, opinions and speaker vectors by sound (`recorded`, `copied`, `free`)."""

    clip: Clip
    words: Mapping[str, str]
    opinions: Mapping[str, float]
    voices: Mapping[str, Tensor]


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
            made = (trim(files.read(one.path, rate)), panel.vocoder(mel), panel.vocoder(said))
            yield _heard(one, dict(zip(SOUNDS, made, strict=True)), rate, panel)


def told(heard: Sequence[Heard], panel: Panel, among: Sequence[Heard] | None = None) -> dict[str, float]:
    """Return the rates and means over these clips: `cer/free`, `mos/recorded`, ...

    `voice/free/own` is the mean cosine between the speaker vectors of what is said and of recordings of its speaker,
    `voice/free/others` that to recordings of other speakers, both `among` other clips than the one that is said.
    `cer/other` counts what was said against another text of its language: what a reader of nothing gets.
    `cer/nearer` is the share of clips that are nearer to their own text, of those that are not as near to both, and
    `cer/nearer/chance` how often a reader of nothing would do as well (two-sided sign test).
    """
    among = heard if among is None else among
    scores: dict[str, float] = {}
    for sound in SOUNDS if heard else ():
        if panel.ear:
            scores[f"{CER}/{sound}"] = _rate([(one.clip, one.clip, one.words[sound]) for one in heard], panel)
        if panel.opinion:
            scores[f"{MOS}/{sound}"] = fmean(one.opinions[sound] for one in heard)
        if panel.speaker:
            scores |= {f"{VOICE}/{sound}/{whose}": value for whose, value in _voices(heard, sound, among).items()}
    if panel.ear and (pairs := list(_mismatched(heard, among, panel))):
        scores |= {f"{CER}/other": _rate(pairs, panel), **_nearer(pairs, panel)}
    return scores


def _nearer(pairs: Sequence[tuple[Clip, Clip, str]], panel: Panel) -> dict[str, float]:
    own = [_rate([(one, one, words)], panel) for one, _, words in pairs]
    other = [_rate([pair], panel) for pair in pairs]
    won = [a < b for a, b in zip(own, other, strict=True) if a != b]
    if not won:
        return {}
    n, best = len(won), max(sum(won), len(won) - sum(won))
    chance = min(1.0, 2 * sum(comb(n, k) for k in range(best, n + 1)) / 2**n)
    return {f"{CER}/nearer": sum(won) / n, f"{CER}/nearer/chance": chance}


def _rate(said: Iterable[tuple[Clip, Clip, str]], panel: Panel) -> float:
    """The error rate of (clip, clip of the text, words heard)."""
    pairs = ((of.text, words, panel.of(one)) for one, of, words in said)
    true, heard = zip(*((letters(a, language=c), letters(b, language=c)) for a, b, c in pairs), strict=True)
    return character_error_rate(true, heard)


def _mismatched(heard: Sequence[Heard], among: Sequence[Heard], panel: Panel) -> Iterator[tuple[Clip, Clip, str]]:
    for one in heard:
        same = [other.clip for other in among if panel.of(other.clip) == panel.of(one.clip)]
        at = next(place for place, clip in enumerate(same) if clip.id == one.clip.id)
        others = (clip for clip in (*same[at + 1 :], *same[:at]) if letters(clip.text) != letters(one.clip.text))
        if (other := next(others, None)) is not None:
            yield one.clip, other, one.words["free"]


def _voices(heard: Sequence[Heard], sound: str, among: Sequence[Heard]) -> dict[str, float]:
    likeness: dict[bool, list[float]] = {True: [], False: []}
    for one in heard:
        for other in among:
            if other.clip.id != one.clip.id:
                alike = float(one.voices[sound] @ other.voices["recorded"])
                likeness[other.clip.speaker == one.clip.speaker].append(alike)
    named = {"own": likeness[True], "others": likeness[False]}
    return {name: fmean(values) for name, values in named.items() if values}


def _heard(clip: Clip, sounds: Mapping[str, Tensor], rate: int, panel: Panel) -> Heard:
    ear, opinion = panel.ear, panel.opinion
    words = {} if ear is None else {name: ear(sound, rate, panel.of(clip)) for name, sound in sounds.items()}
    opinions = {} if opinion is None else {name: opinion(sound, rate) for name, sound in sounds.items()}
    voices = {} if panel.speaker is None else {name: panel.speaker(sound, rate) for name, sound in sounds.items()}
    return Heard(clip=clip, words=words, opinions=opinions, voices=voices)
