"""Try candidates one after another, each on a fork of the run, until one passes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from rerail.fit import FitConfig, Fork, fork, past, prepare
from rerail.tasks.tacotron2.recovery import told
from rerail.tasks.tacotron2.recovery.decide import Metrics, Source, failure
from rerail.tasks.tacotron2.recovery.examine import Bench, Say, measure
from rerail.tasks.tacotron2.recovery.ladder import Candidate
from rerail.tasks.tacotron2.recovery.states import Start, start, under
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A candidate's trial: the state that it began with (empty where it failed), metrics around it, why it failed."""

    candidate: Candidate
    state: Mapping[str, Any]
    replaced: tuple[past.Replaced, ...]
    config: Tacotron2Config
    fit: FitConfig
    before: Metrics
    after: Metrics
    steps: int
    failed: str


class Trials:
    """Tries candidates on a run's bench. `most` is by what share the held-out error may rise."""

    def __init__(self, bench: Bench, config: Tacotron2Config, saved: Iterable[past.Checkpoint], *, most: float) -> None:
        self.bench, self.config, self.most = bench, config, most
        self._saved = {one.path.name: one for one in saved}
        self._starts: dict[str, tuple[Start, Metrics]] = {}

    def readable(self, sources: Iterable[Source]) -> tuple[Source, ...]:
        """Return the sources to begin with: all that are sound as they are, or else the first that can be salvaged.

        Raises:
            ValueError: where nothing can be read.
        """
        given = list(sources)
        salvaged = (one for one in given if one.salvage and self._load(one) is not None)
        found = [one for one in given if not one.salvage] or list(islice(salvaged, 1))
        if not found:
            raise ValueError("no checkpoint can be read; begin anew with the run's settings: --config RUN/config.yaml")
        return tuple(found)

    def first_that_passes(self, candidates: Iterable[Candidate], steps: int, say: Say) -> tuple[Tried, ...]:
        """Return the trials in their order; the last one passed, unless none did."""
        tried: list[Tried] = []
        for candidate in candidates:
            tried.append(self._try(candidate, steps))
            say(told.trial(candidate, tried[-1].steps, tried[-1].failed, tried[-1].before, tried[-1].after))
            if not tried[-1].failed:
                break
        return tuple(tried)

    def _load(self, source: Source) -> tuple[Start, Metrics] | None:
        name = source.looked.name
        if name not in self._starts:
            begun = start(self.bench, self._saved[name], source.looked, salvage=source.salvage)
            if begun is None:
                return None
            metrics = measure(self.bench, begun.state) if source.salvage else source.looked.metrics
            self._starts[name] = begun, metrics
        return self._starts[name]

    def _try(self, candidate: Candidate, steps: int) -> Tried:
        loaded = self._load(candidate.source)
        assert loaded is not None
        begun, before = loaded
        config, fit = changed(self.config, self.bench.fit, candidate.rung.stays)
        state = under(candidate, begun, self.bench, fit)
        forked = self._fork(Tacotron2Task(config, fit), fit, state, steps, rebuilt=bool(candidate.rung.stays))
        failed = failure(before, forked.metrics, forked.trouble, self.most)
        return Tried(
            candidate=candidate,
            state={} if failed else state,
            replaced=begun.replaced,
            config=config,
            fit=fit,
            before=before,
            after=forked.metrics,
            steps=forked.steps,
            failed=failed,
        )

    def _fork(
        self, task: Tacotron2Task, fit: FitConfig, state: Mapping[str, Any], steps: int, *, rebuilt: bool
    ) -> Fork:
        parts = prepare(task, fit) if rebuilt else self.bench.parts
        with tempfile.TemporaryDirectory() as folder:
            return fork(task, parts, fit, past.write(Path(folder), state), steps)


def changed(config: Tacotron2Config, fit: FitConfig, stays: Mapping[str, Any]) -> tuple[Tacotron2Config, FitConfig]:
    """Return both records with the settings of a rung that stay."""
    own = {name: value for name, value in stays.items() if name in Tacotron2Config.__slots__}
    of_loop = {name: value for name, value in stays.items() if name in FitConfig.__slots__}
    return replace(config, **own), replace(fit, **of_loop)
