"""What is trained and measured on: clips apart, their symbols, their spectrograms, as examples for batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rerail.audio.mel import MelSpec
from rerail.data import ljspeech
from rerail.data.alike import letters
from rerail.data.check import check
from rerail.data.clip import Clip
from rerail.data.features import Features
from rerail.data.problems import listed
from rerail.data.progress import Named, Progress
from rerail.data.split import split
from rerail.text.normalise import normalise
from rerail.text.phonemes import phonemes
from rerail.text.symbols import Symbols


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusConfig:
    """The data, and how they are read; every trainer of speech has these settings beside its own."""

    data: str = field(
        default="",
        metadata={
            "help": "folder in LJSpeech layout (metadata.csv, wavs/), or several, with commas between",
            "also": "train-data",
        },
    )
    cache: str = field(default=".cache/features", metadata={"help": "folder for computed spectrograms"})
    validation: str = field(
        default="",
        metadata={
            "help": "list of clips to measure on, or several, beside data (default: some of data are set aside)",
            "fixed": True,
            "also": "val-data",
        },
    )
    held_out: int = field(default=12, metadata={"help": "clips to measure on", "least": 1, "fixed": True})
    longest: float = field(
        default=0.0,
        metadata={"help": "longest clip to train on, seconds; 0 takes all", "least": 0, "fixed": True},
    )
    language: str = field(
        default="",
        metadata={"help": "language to spell numbers in, e.g. en (default: what the data names)", "fixed": True},
    )
    stress: bool = field(
        default=False,
        metadata={"help": "keep `+` before stressed vowels as a symbol, where the data has it", "fixed": True},
    )
    phonemes: bool = field(
        default=False,
        metadata={"help": "read sounds (IPA, by eSpeak NG) in place of letters", "fixed": True},
    )
    sample_rate: int = field(
        default=16000,
        metadata={"help": "sampling rate of the recordings, Hz", "least": 8000, "most": 192000, "fixed": True},
    )
    f_max: float = field(
        default=8000.0, metadata={"help": "upper edge of the highest mel band, Hz", "above": 0, "fixed": True}
    )

    def symbols_of(self, text: str, language: str) -> str:
        """Return the characters of a text that symbols are taken from; empty where it has nothing to say.

        Raises:
            ValueError: for a number or a language that cannot be spelled or spoken.
        """
        normal = normalise(text, language=language, stress=self.stress)
        return phonemes(normal, language) if normal and self.phonemes else normal

    def spec(self) -> MelSpec:
        """Return how spectrograms are taken."""
        return MelSpec(sample_rate=self.sample_rate, f_max=self.f_max)


@dataclass(frozen=True)  # without slots: what was read is kept
class Corpus:
    """The clips of one run. Nothing is read before it is asked for, and nothing is read twice."""

    config: CorpusConfig

    @cached_property
    def clips(self) -> list[Clip]:
        """All clips of `data`."""
        if not self.config.data:
            raise ValueError("no data given; give a folder in LJSpeech layout by --data (or data: in the config)")
        return self._named(read(self.config.data))

    @cached_property
    def validation(self) -> list[Clip]:
        """The clips of `validation`, none where some of the corpus are set aside."""
        return self._named(read(self.config.validation)) if self.config.validation else []

    @cached_property
    def symbols(self) -> Symbols:
        """The symbols of the corpus."""
        return Symbols.of([self.text(clip) for clip in (*self.clips, *self.validation)])

    def apart(self) -> tuple[list[Clip], list[Clip]]:
        """Return the clips to train on and those to measure on.

        No text is in both. Of several corpora the clips to measure on are drawn from all.
        """
        if not self.config.validation:
            return split(self.clips, self.config.held_out)
        both = [one for one in self.validation if self._is_in_data(one)]
        if both and "," not in self.config.validation:
            raise ValueError(
                f"validation: {len(both)} clips or their texts are in data too, {both[0].id} for one; "
                "give two lists apart"
            )
        ids = {one.id for one in both}  # texts that one corpus has to train on, and another to measure on
        rest = [one for one in self.validation if one.id not in ids]
        if "," in self.config.validation:
            rest = sorted(rest, key=lambda one: hashlib.sha256(one.id.encode()).digest())  # some of each corpus
        return self.clips, rest[: self.config.held_out]

    def checked(self, sentences: Iterable[str] = ()) -> tuple[list[Clip], list[Clip]]:
        """Refuse what can be refused before any spectrogram is computed; return the clips as `apart` does."""
        if self.config.language:
            normalise("1", language=self.config.language)  # one that cannot be spelled
        for sentence in sentences:
            self.spoken(sentence)
        return self.apart()

    def odd(self, progress: Named) -> list[str]:
        """Look through all recordings; return which are silent, clipped, too long, or do not fit their text."""
        clips = {one.path: one for one in (*self.clips, *self.validation)}
        return check(list(clips.values()), self.config.spec(), partial(progress, "checking"))[0]

    def kept(self, training: Sequence[Clip], aside: Sequence[Clip]) -> Kept:
        """Return what of these clips belongs to the run's state."""
        return Kept(symbols=self.symbols, held_out=[one.id for one in aside], trained=[one.id for one in training])

    def examples(self, clips: Sequence[Clip]) -> list[dict[str, Any]]:
        """Return `id`, `text` (symbols,) and `mel` (frames, bands) of each clip."""
        mels = self.spectrograms(clips)
        texts = [torch.tensor(self.symbols.encode(self.text(clip))) for clip in clips]
        return [{"id": clip.id, "text": text, "mel": mel} for clip, text, mel in zip(clips, texts, mels, strict=True)]

    def spectrograms(self, clips: Sequence[Clip], progress: Progress | None = None) -> list[Tensor]:
        """Return the clips' spectrograms; each recording is read once, since its place in the cache is a hash of it.

        `progress` is told (done, of how many).
        """
        known = self._known
        if missing := [clip for clip in clips if clip.path not in known]:
            features = Features(folder=Path(self.config.cache), spec=self.config.spec())
            known |= zip((clip.path for clip in missing), features.prepare(missing, progress), strict=True)
        return [known[clip.path] for clip in clips]

    def short(self, examples: list[dict[str, Any]], batch_size: int) -> list[dict[str, Any]]:
        """Return the examples that are at most `longest`.

        Raises:
            ValueError: where that leaves too few for a batch.
        """
        spec, longest = self.config.spec(), self.config.longest or math.inf
        short = [one for one in examples if len(one["mel"]) * spec.hop <= longest * spec.sample_rate]
        if len(short) < batch_size <= len(examples):
            raise ValueError(
                f"longest: {len(short)} of {len(examples)} clips are at most {longest} s long, too few for a batch of "
                f"{batch_size}; raise it, or lower batch_size"
            )
        return short

    def text(self, clip: Clip) -> str:
        """Return the text of a clip as its symbols are taken from it."""
        return self.config.symbols_of(clip.text, self.config.language or clip.language)

    def spoken(self, sentence: str, language: str = "") -> list[int]:
        """Return the symbols of a sentence to speak, in the language of the data where none is given.

        Raises:
            ValueError: where it has nothing to say, or symbols that the corpus lacks.
        """
        named = {clip.language for clip in self.clips}
        language = language or self.config.language or (named.pop() if len(named) == 1 else "")
        if not (text := self.config.symbols_of(sentence, language)):
            raise ValueError(f"--speak: {sentence!r} has nothing to say; write a sentence")
        return self.symbols.encode(text)

    def _named(self, clips: Sequence[Clip]) -> list[Clip]:
        """Fill in the language of clips that name none."""
        return [replace(clip, language=clip.language or self.config.language) for clip in clips]

    def _is_in_data(self, clip: Clip) -> bool:
        return clip.path.resolve() in self._paths or (clip.language, letters(clip.text)) in self._texts

    @cached_property
    def _paths(self) -> set[Path]:
        return {clip.path.resolve() for clip in self.clips}

    @cached_property
    def _texts(self) -> set[tuple[str, str]]:
        return {(clip.language, letters(clip.text)) for clip in self.clips}

    @cached_property
    def _known(self) -> dict[Path, Tensor]:
        """The spectrograms of recordings that were asked for."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What of the corpus belongs to the run's state: without its symbols a checkpoint could not be spoken with.

    `held_out` names the clips that it is measured on, and `trained` those that it is not.
    """

    symbols: Symbols
    held_out: Sequence[str] = ()
    trained: Sequence[str] = ()

    def state_dict(self) -> dict[str, Any]:
        """Return the symbols and the clips set aside."""
        return {"symbols": list(self.symbols.table), "held_out": list(self.held_out)}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """Compare with what was saved.

        Raises:
            ValueError: where the corpus has other symbols than the run began with, or what was set aside then would be
                trained on now.
        """
        saved, here = state_dict["symbols"], list(self.symbols.table)
        if saved != here:
            more, gone = sorted(set(here) - set(saved)), sorted(set(saved) - set(here))
            raise ValueError(f"the texts have other symbols than the run: new {more}, gone {gone}; give the same data")
        if leaked := sorted(set(state_dict.get("held_out", ())) & set(self.trained)):
            raise ValueError(
                f"{len(leaked)} clips that the run has set aside would be trained on, {leaked[0]} for one; "
                "give the data that it began with"
            )


def read(places: str) -> list[Clip]:
    """Read the clips of a corpus, or of several with commas between, whose names then stand before their clips' ids.

    A speaker without a name, or with a number for one, is another in each corpus; a name is one person in all of them.

    Raises:
        ValueError: for a corpus with something wrong, or two of one name.
    """
    paths = [Path(one.strip()) for one in places.split(",") if one.strip()]
    if len(paths) == 1:
        return ljspeech.read(paths[0])
    names = [(one.parent if one.suffix == ".csv" else one).resolve().name for one in paths]
    if twice := sorted({one for one in names if names.count(one) > 1}):
        raise ValueError(f"two corpora are called {twice[0]}, so their clips cannot be told apart; rename a folder")
    corpora = zip(names, map(ljspeech.read, paths), strict=True)
    return [_of(clip, name) for name, clips in corpora for clip in clips]


def _of(clip: Clip, corpus: str) -> Clip:
    nameless = not clip.speaker or clip.speaker.isdecimal()  # a number is another person in another corpus
    return replace(clip, id=f"{corpus}/{clip.id}", speaker=f"{corpus}/{clip.speaker}" if nameless else clip.speaker)


def refuse_nonfinite(examples: Sequence[dict[str, Any]]) -> None:
    """Refuse held-out examples whose `mel` is not finite.

    Raises:
        ValueError: naming them.
    """
    counts = {one["id"]: int((~torch.isfinite(one["mel"])).sum()) for one in examples}
    if bad := [f"{name}: {count} spectrogram values are not finite" for name, count in counts.items() if count]:
        raise ValueError(listed("held-out clips, which nothing could be measured on; restore or remove them", bad))
