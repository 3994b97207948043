"""What a proof needs of a live run, collected as it goes: cheap until a step fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

from rerail.act import rows, state
from rerail.act.commit import settings
from rerail.act.snapshots import Snapshots
from rerail.act.window import Entry, Window
from rerail.core.band import Band
from rerail.core.cause import Cause, Kind, Suspicion
from rerail.core.knobs import Knobs
from rerail.core.reading import Reading
from rerail.core.settings import material
from rerail.core.verdict import EPISODE, Verdict
from rerail.prove.evidence import write
from rerail.prove.inquest import Proof, prove, rows_that_fail
from rerail.prove.replay import Bench, Scene
from rerail.sense.alike import alike
from rerail.sense.content import Content, content

LOOKS = 4  # counts of what draws random numbers
RECENT = 24  # healthy readings that the band is drawn from


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The states and batches that the live run keeps."""

    snapshots: Snapshots
    window: Window


class Prover:
    """Remembers the last healthy steps of one run, and proves why a step failed.

    `most` is how many replays a proof may take; 0 proves nothing.
    """

    def __init__(self, bench: Bench | None, most: int) -> None:
        self.bench, self.most = bench, most
        self._recent: deque[tuple[Reading, Entry]] = deque(maxlen=RECENT)
        self._own = bench.parts.generators() if bench is not None else []  # looked for once: it takes a walk
        self._drawn: Mapping[str, Any] = {}
        self._plain = bench.plain if bench is not None else state.Plain(())
        self._attributes: list[Any] = []
        self._drawing: deque[tuple[int, float]] = deque(maxlen=LOOKS)
        self._far = False  # rows far from all others too
        self._named = (-EPISODE - 1, "")  # the last cause, and its tick
        self._emptied = 0  # batches in a row without a row that is fit
        self._alert = 0  # until this tick every batch is looked at before it is trusted
        self._rows: tuple[int, Cause] | None = None  # the last cause in single rows, and its tick
        self._last: tuple[Scene, Cause] | None = None

    def attempting(self) -> None:
        """Note what the random generators hold before a step."""
        if self.bench is not None and self.most:
            self._drawn = state.capture_random(self._own)
            self._attributes = self._plain.capture()

    def unfit(self, tick: int, entry: Entry) -> dict[str, float]:
        """Return `input/unfit/ROW` for rows like those that did harm a while ago, before they are computed.

        A constant recording is no number that is none, and two of three pass before a loss has left its trend. Where no
        row is fit, `input/emptied` or `input/rescaled` counts the batches in a row of which this is true: they hold
        nothing, or all of it is on another scale.
        """
        if tick > self._alert:
            return {}
        seen = _content(entry, [one for _, one in self._recent if one.intact])
        bad = {**seen.unfit, **(seen.far if self._far else {})}
        if not bad:
            self._emptied = 0
            return {}
        self._alert = tick + EPISODE
        self._emptied = self._emptied + 1 if len(bad) == len(entry.ids()) else 0
        why = "rescaled" if len(seen.far) == len(bad) else "emptied"
        in_a_row = {f"input/{why}": float(self._emptied)} if self._emptied else {}
        return {f"input/unfit/{row}": 1.0 for row in bad} | in_a_row

    def raising(self, entry: Entry, knobs: Knobs, error: Exception) -> tuple[int, ...]:
        """Return the rows without which the user's code raises no such error; none where every batch raises one.

        Memory that runs out is the size of the batch, and no row's fault.
        """
        if isinstance(error, MemoryError | torch.OutOfMemoryError):
            return ()
        other = next((one for _, one in reversed(self._recent) if one.intact), None)
        if self.bench is None or not self.most or other is None:
            return ()
        start = {**state.capture(self.bench.parts), "random": self._drawn}
        with self.bench.borrowed():

            def healthy(batches: Sequence[Any]) -> bool:
                assert self.bench is not None
                return self.bench.runs(batches, start, self._attributes, knobs)

            if not healthy(other.batches) or healthy(entry.batches):
                return ()
            return rows_that_fail(entry, healthy, self.most)

    def committed(self, reading: Reading, entry: Entry) -> None:
        """Note a healthy step."""
        if (drawn := reading.values.get("random/operations")) is not None:
            self._drawing.append((reading.tick, drawn))
        self._recent.append((reading, entry))

    def rewound(self, step: int) -> None:
        """Forget the steps that were undone."""
        kept = [one for one in self._recent if one[0].values.get("step", 0.0) < step]
        self._recent = deque(kept, maxlen=RECENT)

    def prove(
        self,
        entry: Entry,
        reading: Reading,
        verdict: Verdict,
        kept: Kept,
        *,
        knobs: Knobs,
        clip_norm: float,
        spent: Callable[[Cause], int],
    ) -> Proof | None:
        """Replay the failing step, which left buffers as they were before it; None where proofs are off."""
        self._last = None
        if self.bench is None or not self.most:
            return None
        since = [one.evidence.get("ticks", 1.0) for one in verdict.findings if one.code != "gradient.lost"]
        late = int(max(since, default=1.0)) - 1  # the numbers of ticks whose gradient is only cut short are sound
        trusted = list(self._recent)[: len(self._recent) - late] if late else list(self._recent)
        band = Band.of([one for one, _ in trusted], verdict.findings)
        other = next((one for seen, one in reversed(trusted) if one.intact and band.holds(seen)), None)
        older, oldest, newest = kept.snapshots.newest_healthy(), kept.snapshots.oldest_healthy(), kept.snapshots.newest
        before, recent = kept.window.since(older.step), kept.window.since(newest.step)
        step = int(reading.values.get("step", 0.0))
        whole = _whole(before, step - older.step)
        scene = Scene(
            entry=entry,
            now={**state.capture(self.bench.parts), "random": self._drawn},
            attributes=self._attributes,
            older=older.state,
            oldest=oldest.state,
            window=before if whole else (),
            newest=newest.state,
            recent=recent if _whole(recent, step - newest.step) else (),
            other=other,
            live=reading,
            knobs=knobs,
            band=band,
            clip_norm=clip_norm,
        )
        case = self._case(scene, trusted, verdict, whole=whole)
        proof = prove(self.bench, scene, case, most=self.most, spent=spent)
        self._last = scene, proof.cause
        self._named = verdict.tick, proof.cause.root
        if proof.cause.kind in (Kind.DATA, Kind.TOXIC) and case.finite and case.stand_out(proof.cause.rows):
            self._alert = verdict.tick + EPISODE
            self._far = self._far or any(row in case.far for row in proof.cause.rows)
        if proof.cause.rows and proof.cause.kind in (Kind.DATA, Kind.CODE):
            self._rows = verdict.tick, proof.cause if proof.cause.repeated else replace(proof.cause, step=step)
        return proof

    def keep_evidence(self, run: Path, tick: int) -> tuple[str, dict[str, str]] | None:
        """Write what the last proof stood on into the run's folder; return what to tell of it, None without a proof."""
        if self._last is None or self.bench is None:
            return None
        scene, cause = self._last
        folder = run / "evidence" / f"tick-{tick}"
        try:
            write(folder, scene, cause, self.bench.recipe)
        except (OSError, RuntimeError, TypeError, AttributeError) as error:  # a full disk, a batch that cannot be saved
            return "evidence not saved", {"error": str(error)}
        return "evidence kept", {"path": f"evidence/{folder.name}"}

    def _drew(self, tick: int) -> float | None:
        """Return how many operations drew random numbers when that was last looked at, up to `tick`."""
        return next((count for at, count in reversed(self._drawing) if at <= tick), None)

    def _case(self, scene: Scene, trusted: list[tuple[Reading, Entry]], verdict: Verdict, *, whole: bool) -> Suspicion:
        assert self.bench is not None
        values = scene.live.values
        intact = [one for _, one in trusted if one.intact]
        stands_out = _content(scene.entry, intact)
        parts = [name.removeprefix("loss/") for name in scene.live.under("loss") if name != "loss/total"]
        return Suspicion(
            reading=scene.live,
            findings=verdict.findings,
            band=scene.band,
            rows=sum(map(rows.count, scene.entry.batches)),
            ids=tuple(scene.entry.ids()),
            unfit=stands_out.unfit,
            far=stands_out.far,
            components=tuple(parts),
            other=scene.other is not None,
            window=len(scene.window) + 1 if whole and scene.window else 0,
            recent=len(scene.recent) + 1 if scene.recent else 0,
            half=self.bench.recipe.precision is not None,
            compiled=any(map(_compiled, self.bench.parts.model.modules())),
            hotter=_hotter(values, [one.values for one, _ in trusted]),
            rate=_usual_rate([one.values for one, _ in trusted]),
            step=int(values.get("step", 0.0)),
            swollen=state.swollen(scene.now, scene.older),
            settings=_changed([scene.older, scene.oldest], scene.now),
            before=self._rows[1] if self._rows and verdict.tick - self._rows[0] <= EPISODE else None,
            columns=tuple(rows.columns(scene.entry.batches[0])),
            alike=_alike(scene.entry, intact),
            several=len(self.bench.parts.optimizers) > 1,
            named=self._named[1] if verdict.tick - self._named[0] <= EPISODE else "",
            drawn=self._drew(trusted[-1][0].tick if trusted else verdict.tick),
        )


def _changed(before: Sequence[Mapping[str, Any]], now: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Return the optimizer's settings that are materially others than in the newest of the states that shows any."""
    present = settings(_groups(now))
    for state_before in before:
        then = settings(_groups(state_before))
        both = {name: (then[name], value) for name, value in present.items() if name in then}
        if changed := {name: pair for name, pair in both.items() if material(name, *pair)}:
            return changed
    return {}


def _groups(captured: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [group for optimizer in captured["optimizers"] for group in optimizer["param_groups"]]


def _whole(entries: Sequence[Entry], steps: int) -> bool:
    """Say whether these batches are those of all `steps`, as they were."""
    return len(entries) == steps and all(one.intact for one in entries)


def _compiled(module: nn.Module) -> bool:
    in_place = getattr(module, "_compiled_call_impl", None) is not None
    return in_place or isinstance(module, torch._dynamo.OptimizedModule)  # noqa: SLF001 (it has no public name)


def _content(entry: Entry, kept: list[Entry]) -> Content:
    before = [rows.by_row(batch) for one in kept for batch in one.batches]
    unfit: dict[int, str] = {}
    far: dict[int, str] = {}
    first = 0
    for batch in entry.batches:
        count = rows.count(batch)
        here = content(rows.by_row(batch), before, rows.ids(batch))
        unfit |= {first + row: reason for row, reason in here.unfit.items()}
        far |= {first + row: reason for row, reason in here.far.items()}
        first += count
    return Content(unfit=unfit, far=far)


def _alike(entry: Entry, kept: list[Entry]) -> bool:
    before = [rows.by_row(batch) for one in kept for batch in one.batches]
    return all(alike(rows.by_row(batch), before) for batch in entry.batches)


def _usual_rate(before: list[Mapping[str, float]]) -> float:
    rates = [one["lr"] for one in before if "lr" in one]
    return median(rates) if rates else 0.0


def _hotter(now: Mapping[str, float], before: list[Mapping[str, float]]) -> float:
    """How many times its usual value the learning rate is, or was in the last steps."""
    usual = _usual_rate(before)
    last = [one["lr"] for one in before[-3:] if "lr" in one]
    return max([now.get("lr", 0.0), *last]) / usual if usual else 1.0
