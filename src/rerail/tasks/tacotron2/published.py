"""Checkpoints that others have published: NVIDIA's Tacotron2, a `*.pt` file with a `state_dict` of the reference names.

Such a file holds no symbol table. The published one is a row of characters, and a text's numbers are their places in
it; a user gives it as `symbols`, as a string or as a file. For the English models it begins with `_-!'(),.:;? ` (the
padding is `_`), then A to Z and a to z; the phonemes after that are symbols of several letters, and are not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from rerail.audio.parts import content
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.model import Tacotron2
from rerail.tasks.tacotron2.settings import Tacotron2Config

# How their spectrograms were taken (their hparams.py); everything else of the mel is as ours by default
CONFIG = Tacotron2Config(size="reference", reduction=1, sample_rate=22050, f_max=8000.0)


@dataclass(frozen=True, slots=True)
class Characters:
    """A published table: each character's number is its place. There is no symbol for the end of a text."""

    table: str

    def __len__(self) -> int:
        return len(self.table)

    def encode(self, text: str) -> list[int]:
        """Return the numbers of a text's characters.

        Raises:
            ValueError: naming every character that the table lacks.
        """
        if unknown := sorted(set(text) - set(self.table)):
            raise ValueError(f"text {text!r}: unknown symbols {', '.join(map(repr, unknown))}; reword it")
        return [self.table.index(one) for one in text]


def read_model(path: Path) -> tuple[Tacotron2, int]:
    """Build the reference network with a published file's weights; return it with its step, 0 where none is told.

    Raises:
        ValueError: for a file of another kind, or of a model with other names or shapes.
    """
    held = content(path, "state_dict")
    state: dict[str, Tensor] = held["state_dict"]
    if "embedding.weight" not in state:
        raise ValueError(
            f"{path}: its state_dict has no embedding.weight; give one with the names of NVIDIA's Tacotron2"
        )
    spec = CONFIG.spec()
    model = Tacotron2(SIZES[CONFIG.size], len(state["embedding.weight"]), spec.bands, CONFIG.reduction)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        lines = "\n  ".join(str(error).strip().splitlines()[:6])
        raise ValueError(f"{path} is no Tacotron2 of the published size ({lines}); give another file") from error
    return model, int(held.get("iteration", 0))


def read_symbols(given: str, rows: int) -> Characters:
    """Read a table, a string or the name of a file that holds one; the model has `rows` symbols.

    Raises:
        ValueError: where it holds a character twice, or more than the model has symbols.
    """
    is_file = len(given) < 256 and Path(given).is_file()  # noqa: PLR2004 (longer is no file's name)
    table = Path(given).read_text(encoding="utf-8-sig").rstrip("\r\n") if is_file else given
    if twice := sorted({one for one in table if table.count(one) > 1}):
        raise ValueError(f"--symbols: {', '.join(map(repr, twice))} stands there twice; give each character once")
    if len(table) > rows:
        raise ValueError(f"--symbols: {len(table)} characters, and the model has {rows} symbols; was it another table?")
    return Characters(table)
