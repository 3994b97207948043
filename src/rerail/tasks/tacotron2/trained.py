"""A trained Tacotron2, to speak with and to measure: from a run, one of its checkpoints, or a published file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import torch

from rerail.data import ljspeech
from rerail.fit import FitConfig, NotFinite, Saved, newest_saved, saved_settings
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.model import Tacotron2
from rerail.tasks.tacotron2.published import CONFIG, read_model, read_symbols
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.text.normalise import normalise
from rerail.text.symbols import Symbols

UNPROVED = "unproved"
FILES = (".pt", ".pth")
ONLY_TRAINED_WITH = "recogniser."  # the part of the model that nobody needs who only speaks


class Table(Protocol):
    """What turns a text into numbers."""

    def __len__(self) -> int: ...

    def encode(self, text: str) -> list[int]:
        """Return the numbers; ValueError for a character that the model does not know."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model in evaluation mode; `symbols` None for a published file whose table was not given.

    `source` is the checkpoint, `health` what its run knew of it, `passed` the complaints about newer checkpoints,
    `held_out` the ids of the clips that were set aside, where it keeps them.
    """

    model: Tacotron2
    symbols: Table | None
    config: Tacotron2Config
    step: int
    source: Path
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
        if not (normal := normalise(text, language=language, stress=self.config.stress)):
            raise ValueError(f"{text!r} has nothing to say; write a sentence")
        return self.symbols.encode(normal)

    def language(self, given: str = "") -> str:
        """Return the language to spell numbers in: the one given, that of the run, or the one that its data names.

        Empty where nobody knows, or the data are not here any more: then numbers have to be written out.
        """
        if given or self.config.language or not self.config.data:
            return given or self.config.language
        try:
            named = {clip.language for clip in ljspeech.read(Path(self.config.data))}
        except ValueError:
            return ""
        return named.pop() if len(named) == 1 else ""


def load(place: Path, symbols: str = "") -> Trained:
    """Load a model from a run's folder (its newest sound checkpoint), a `step-*` folder, or a published `*.pt` file.

    `symbols` is the table of a published file, see `published.py`.

    Raises:
        ValueError: where there is no model, or its weights are not finite.
    """
    if place.suffix in FILES and not place.is_dir():
        return _published(place, symbols)
    if symbols:
        raise ValueError(f"--symbols: {place} has a table of its own; leave it out")
    if not place.exists():
        raise ValueError(
            f"{place}: there is no such run; give a run's folder, a step-* folder, or a published *.pt file"
        )
    try:
        saved = newest_saved(place)
    except NotFinite as error:
        raise ValueError(f"{error}; run: rerail recover tacotron2 --checkpoint {place}") from error
    config, kept = _config(saved_settings(place)), _kept(saved)
    return Trained(
        model=_model(config, saved, kept),
        symbols=Symbols(tuple(kept["symbols"])),
        config=config,
        step=saved.step,
        source=saved.path,
        health=saved.health,
        passed=saved.passed,
        held_out=tuple(kept.get("held_out", ())),
    )


def _published(path: Path, symbols: str) -> Trained:
    if not path.is_file():
        raise ValueError(f"{path}: no such file; give a published checkpoint, or a run's folder")
    model, step = read_model(path)
    if bad := [name for name, value in model.state_dict().items() if not torch.isfinite(value).all()]:
        raise ValueError(f"{path}: {len(bad)} of its weights are not finite, {bad[0]} for one; get the file anew")
    table = read_symbols(symbols, model.embedding.num_embeddings) if symbols else None
    return Trained(model=model.eval(), symbols=table, config=CONFIG, step=step, source=path)


def _config(settings: Mapping[str, Any]) -> Tacotron2Config:
    own, loop = ({one.name for one in fields(kind)} for kind in (Tacotron2Config, FitConfig))
    if unknown := sorted(settings.keys() - own - loop):
        raise ValueError(f"config.yaml: this rerail knows no {', '.join(unknown)}; use the version that wrote it")
    return Tacotron2Config(**{name: value for name, value in settings.items() if name in own})


def _kept(saved: Saved) -> dict[str, Any]:
    """Return the symbols and the reduction factor, which the run keeps among its other state."""
    kept = {name: value for one in saved.state["others"] for name, value in one.items()}
    if missing := [name for name in ("symbols", "reduction") if name not in kept]:
        raise ValueError(f"{saved.path} keeps no {' and no '.join(missing)}; give a checkpoint of a Tacotron2")
    return kept


def _model(config: Tacotron2Config, saved: Saved, kept: Mapping[str, Any]) -> Tacotron2:
    weights = {name: one for name, one in saved.state["model"].items() if not name.startswith(ONLY_TRAINED_WITH)}
    model = Tacotron2(SIZES[config.size], len(kept["symbols"]), config.spec().bands, config.reduction, config.attention)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        lines = "\n  ".join(str(error).strip().splitlines()[:6])
        raise ValueError(f"{saved.path} is of another model than config.yaml says ({lines}); restore it") from error
    model.frames.pace(kept["reduction"])
    return model.eval()
