"""A run in MLflow. An extra; the library reads its own environment (`MLFLOW_TRACKING_URI`, ...)."""

from __future__ import annotations

import re
import time
from itertools import islice
from typing import TYPE_CHECKING, Any, final

from rerail.core.extras import need
from rerail.tell import fields, journal
from rerail.tell.shown import Shown

if TYPE_CHECKING:
    from pathlib import Path

    from rerail.tell.fields import Record

EXTRA = "mlflow"
_STATES = {"finished": "FINISHED", "stopped": "KILLED"}
_TAG = "rerail.run"
_SECONDS = 1.0  # between two requests with numbers
_METRICS, _PARAMETERS = 1000, 100  # the most of a request (MLflow's REST API, runs/log-batch)
_KEY, _LONGEST = 250, 499  # the longest name and value of a parameter, without an ellipsis


@final
class MLflow:
    """A listener that logs to an experiment; a resumed run goes on in the same place.

    Raises:
        ModuleNotFoundError: naming the command that installs mlflow-skinny.
    """

    def __init__(self, experiment: str, *, run: Path) -> None:
        self._client: Any = need("mlflow", extra=EXTRA).MlflowClient()
        self._entities: Any = need("mlflow.entities", extra=EXTRA)
        self._experiment, self._run = experiment, run
        self._shown = Shown(run)
        self._id, self._state = "", "FAILED"
        self._waiting: list[Any] = []
        self._sent = 0.0

    def __call__(self, record: Record) -> None:
        """Take one journal record."""
        self._shown.update(record)
        if not self._id:
            self._id = self._begun(fields.mapping(fields.mapping(record, "data"), "config"))
        at = int(1000 * (fields.number(record.get("time")) or 0)), self._shown.tick
        self._waiting += [self._entities.Metric(key(name), y, *at) for name, y in self._shown.curves(record).items()]
        if said := self._shown.events(record):
            self._client.log_text(self._id, "\n".join(said) + "\n", f"events/{self._shown.tick:08d}.txt")
        for folder, media in (("pictures", "image/png"), ("sounds", "audio/wav")):
            if file := self._shown.file(record, media):
                self._client.log_artifact(self._id, str(file), folder)
        if record.get("text") == "end":
            self._state = _STATES.get(fields.text(fields.mapping(record, "data"), "reason"), "FAILED")
        if said or len(self._waiting) >= _METRICS or time.monotonic() - self._sent > _SECONDS:
            self._send()

    def close(self) -> None:
        """Send the rest and end."""
        if self._id:
            self._send()
            self._client.set_terminated(self._id, status=self._state)
            self._id = ""

    def _send(self) -> None:
        while self._waiting:
            self._client.log_batch(self._id, metrics=self._waiting[:_METRICS])
            del self._waiting[:_METRICS]
        self._sent = time.monotonic()

    def _begun(self, config: Record) -> str:
        found = self._client.get_experiment_by_name(self._experiment)
        place = found.experiment_id if found else self._client.create_experiment(self._experiment)
        own = f"{self._run.resolve()} {next(journal.read(self._run))['time']}"  # the same after a resume
        if before := self._client.search_runs([place], f"tags.`{_TAG}` = '{key(own)}'"):
            self._client.update_run(before[0].info.run_id, status="RUNNING")
            return str(before[0].info.run_id)
        begun = self._client.create_run(place, run_name=fields.plain(self._run.name), tags={_TAG: key(own)})
        named = {key(".".join(path)): fields.plain(value, _LONGEST) for path, value in fields.leaves(config)}
        given = (self._entities.Param(name, value) for name, value in named.items())
        while some := list(islice(given, _PARAMETERS)):
            self._client.log_batch(begun.info.run_id, params=some)
        return str(begun.info.run_id)


def key(name: str) -> str:
    """Return a name as MLflow allows it: letters, digits, `_-. :/`, and a path without empty parts."""
    allowed = re.sub(r"[^\w.\- :/]", "_", name)
    return "/".join(part for part in allowed.split("/") if part.strip("."))[:_KEY].rstrip("/") or "_"
