"""A run in Weights & Biases. An extra; the library reads its own environment (`WANDB_API_KEY`, `WANDB_MODE`, ...)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, final

from rerail.core.extras import need
from rerail.tell import fields, journal
from rerail.tell.shown import Shown

if TYPE_CHECKING:
    from pathlib import Path

    from rerail.tell.fields import Record

EXTRA = "wandb"
_PATIENCE = 60.0  # seconds that the end of a process waits for uploads; `wandb sync` sends the rest


@final
class WeightsAndBiases:
    """A listener that logs to a project, each record as a row of its own; a resumed run goes on in the same place.

    Raises:
        ModuleNotFoundError: naming the command that installs wandb.
    """

    def __init__(self, project: str, *, run: Path) -> None:
        self._library: Any = need("wandb", extra=EXTRA)
        self._project, self._run = project, run
        self._shown = Shown(run)
        self._there: Any = None
        self._code = 1  # of a run that never came to its end

    def __call__(self, record: Record) -> None:
        """Take one journal record."""
        self._shown.update(record)
        if self._there is None:
            self._there = self._begun(fields.mapping(fields.mapping(record, "data"), "config"))
        row: dict[str, Any] = dict(self._shown.curves(record))
        if event := self._shown.event(record):
            row["event"] = event
        name, caption = fields.text(record, "name"), fields.text(record, "caption")
        if picture := self._shown.file(record, "image/png"):
            row[name] = self._library.Image(str(picture), caption=caption)
        if sound := self._shown.file(record, "audio/wav"):
            row[name] = self._library.Audio(str(sound), caption=caption)
        if row:
            self._there.log({"tick": self._shown.tick, **row})
        if record.get("text") == "end":
            self._end(fields.text(fields.mapping(record, "data"), "reason"))

    def close(self) -> None:
        """Upload the rest and end."""
        if self._there is not None:
            self._there.finish(exit_code=self._code)
            self._there = None

    def _begun(self, config: Record) -> Any:  # noqa: ANN401 (a run of wandb)
        own = f"{self._run.name}-{int(1000 * next(journal.read(self._run))['time']):x}"  # the same after a resume
        begun = self._library.init(
            project=self._project,
            name=fields.plain(self._run.name),
            id=re.sub(r"[^\w-]", "_", own, flags=re.ASCII),
            resume="allow",
            dir=str(self._run),
            config=dict(config),
            settings=self._settings(),
        )
        begun.define_metric("*", step_metric="tick")
        return begun

    def _settings(self) -> Any:  # noqa: ANN401
        kind: Any = self._library.Settings
        patience = {"finish_timeout": _PATIENCE} if "finish_timeout" in kind.model_fields else {}  # newer ones have it
        return kind(console="off", silent=True, reinit="create_new", **patience)

    def _end(self, reason: str) -> None:
        self._there.summary["reason"] = reason
        self._code = 1 if reason == "halted" else 0
