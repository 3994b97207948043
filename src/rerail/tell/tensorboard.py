"""A run in TensorBoard: every reading as scalars, every event as text, at its optimizer step. An extra."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from rerail.core.extras import need
from rerail.tell import words
from rerail.tell.latest import Latest

if TYPE_CHECKING:
    from types import TracebackType

    from rerail.tell.fields import Record

EXTRA = "tensorboard"


@final
class TensorBoard:
    """A listener that writes to a folder for `tensorboard --logdir`; used as a context manager, which closes the file.

    Raises:
        ModuleNotFoundError: naming the command that installs TensorBoard.
    """

    def __init__(self, folder: Path) -> None:
        need("tensorboard", extra=EXTRA)
        self._writer: Any = need("torch.utils.tensorboard", extra=EXTRA).SummaryWriter(str(folder))
        self._latest = Latest()

    def __enter__(self) -> TensorBoard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def __call__(self, record: Record) -> None:
        """Take one journal record."""
        self._latest.update(record)
        step = self._latest.step or 0
        if record.get("kind") == "reading":
            for name, value in self._latest.values.items():
                self._writer.add_scalar(name, value, step)
        elif (sentence := words.say(record)) is not None:
            self._writer.add_text("events", sentence.replace("<", "&lt;"), step)
