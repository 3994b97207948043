"""A trained network, to speak with and to measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from rerail.fit import FitConfig, NotFinite, Saved, newest_saved, saved_settings
from rerail.tasks.speech.asks import Asks, OneVoice
from rerail.tasks.speech.corpus import CorpusConfig, read
from rerail.tasks.speech.output import Batch, Speaker

UNPROVED = "unproved"
ONLY_TRAINED_WITH = "recogniser."  # the part of a model that nobody needs who only speaks
C = TypeVar("C", bound=CorpusConfig)
M = TypeVar("M", bound=nn.Module)


class Table(Protocol):
    """What turns a text into numbers."""

    def __len__(self) -> int: ...

    def encode(self, text: str) -> list[int]:
        """Return the numbers; ValueError for a character that the model does not know."""
        ...


class Model(Speaker, Protocol):
    """A network that speaks, as torch has it."""

    def state_dict(self) -> dict[str, Tensor]:
        """Return its weights."""
        ...

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield its weights."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model in evaluation mode; `symbols` None for a published file whose table was not given.

    `source` is the checkpoint, `health` what its run knew of it, `passed` the complaints about newer checkpoints,
    `held_out` the ids of the clips that were set aside, where it keeps them.
    """

    model: Model
    symbols: Table | None
    config: CorpusConfig
    step: int
    source: Path
    asks: Asks = field(default_factory=OneVoice)
    health: str = ""
    passed: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()

    def told(self) -> str:
        """Say in lines what was loaded, and what was passed over."""
        health = {"": "", UNPROVED: ", unproved (saved last: too few steps followed it)"}.get(
            self.health, f", {self.health}"
        )
        weights = sum(one.numel() for one in self.model.parameters())
        about = f"{self.source}: step {self.step}{health}, {weights / 1e6:.1f} M parameters"
        return "\n".join([about, *(f"passed over: {one}" for one in self.passed)])

    def numbers(self, text: str, language: str) -> list[int]:
        """Return the symbols of a sentence, its numbers spelled in `language`.

        Raises:
            ValueError: where it has nothing to say, or symbols that the model does not know.
        """
        if self.symbols is None:
            raise ValueError(f"{self.source} holds no symbol table; give the published one by --symbols")
        if not (normal := self.config.symbols_of(text, language)):
            raise ValueError(f"{text!r} has nothing to say; write a sentence")
        return self.symbols.encode(normal)

    def language(self, given: str = "") -> str:
        """Return the language to spell numbers in: the one given, that of the run, or the one that its data names.

        Empty where nobody knows, or the data are not here any more: then numbers have to be written out.
        """
        if given or self.config.language or not self.config.data:
            return given or self.config.language
        try:
            named = {clip.language for clip in read(self.config.data)}
        except ValueError:
            return ""
        return named.pop() if len(named) == 1 else ""

    def sentence(self, text: str, language: str, voice: Tensor | None = None) -> Batch:
        """Return a batch of one row that asks for a sentence; voice: (frames, bands), of a recording.

        Raises:
            ValueError: as `numbers` does, and where the network asks for something that is missing.
        """
        numbers = torch.tensor(self.numbers(text, language))
        row = {"id": text, "text": numbers, "mel": torch.zeros(1, self.config.spec().bands)}
        return self.asks.batch([{**row, **self.asks.of_sentence(language, voice)}], self.config.spec().silence)


def found(place: Path, cure: str) -> tuple[Saved, Mapping[str, Any]]:
    """Read the newest sound checkpoint of a run, or the one that `place` is, and the run's settings.

    `cure` is what a person is told to do where the weights are not finite.

    Raises:
        ValueError: where there is none, or its weights are not finite.
    """
    if not place.exists():
        raise ValueError(
            f"{place}: there is no such run; give a run's folder, a step-* folder, or a published *.pt file"
        )
    try:
        return newest_saved(place), saved_settings(place)
    except NotFinite as error:
        raise ValueError(f"{error}; {cure}") from error


def config_of(kind: type[C], settings: Mapping[str, Any]) -> C:
    """Return the settings of a trainer from those of its run.

    Raises:
        ValueError: for a setting that this version does not know.
    """
    own, loop = ({one.name for one in fields(one)} for one in (kind, FitConfig))
    if unknown := sorted(settings.keys() - own - loop):
        raise ValueError(f"config.yaml: this rerail knows no {', '.join(unknown)}; use the version that wrote it")
    return kind(**{name: value for name, value in settings.items() if name in own})


def kept(saved: Saved, names: Sequence[str], what: str) -> dict[str, Any]:
    """Return what a run keeps among its other state, all of `names` at least.

    Raises:
        ValueError: where one is missing; the checkpoint is not of `what`.
    """
    others = {name: value for one in saved.state["others"] for name, value in one.items()}
    if missing := [name for name in names if name not in others]:
        raise ValueError(f"{saved.path} keeps no {' and no '.join(missing)}; give a checkpoint of {what}")
    return others


def filled(model: M, saved: Saved, others: Mapping[str, Any]) -> M:
    """Load the weights that a run speaks with, the averaged ones where it has them; return the model to speak with.

    Raises:
        ValueError: where they are of another model.
    """
    weights = {**saved.state["model"], **others.get("average", {})}
    try:
        model.load_state_dict({name: one for name, one in weights.items() if not name.startswith(ONLY_TRAINED_WITH)})
    except RuntimeError as error:
        lines = "\n  ".join(str(error).strip().splitlines()[:6])
        raise ValueError(f"{saved.path} is of another model than config.yaml says ({lines}); restore it") from error
    return model.eval()
