"""A trained network, to speak with and to measure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from rerail.tasks import checkpoint
from rerail.tasks.speech.asks import Asks, OneVoice
from rerail.tasks.speech.corpus import CorpusConfig, read
from rerail.tasks.speech.output import Batch, Speaker


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
        return checkpoint.told(self.source, self.step, self.health, self.passed, self.model.parameters())

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
