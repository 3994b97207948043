"""The guard: the one place where the rooms meet.

A tick is one attempt at an optimizer step: run it, read it, judge it, write the verdict down, act on it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rerail.act import rows
from rerail.act.buffers import Buffers
from rerail.act.commit import clip, commit, discard, fresh, groups, has_gradients, keep_cuts
from rerail.act.disk import Disk, claim
from rerail.act.quarantine import Quarantine
from rerail.act.snapshots import Snapshot, Snapshots
from rerail.act.state import Parts, Plain, Stateful, capture
from rerail.act.window import Entry, Window, reason
from rerail.core import plain
from rerail.core.artifact import Picture, Sound
from rerail.core.cause import Cause
from rerail.core.cause.standing import standing
from rerail.core.knobs import NEUTRAL
from rerail.core.outcome import Watch
from rerail.core.plans import default_plan
from rerail.core.reading import Reading
from rerail.core.remedy import Move, Remedy
from rerail.core.told import speak_for_themselves
from rerail.core.verdict import Plan, Verdict, advance, live_through, recall, remember, settle, spent, start
from rerail.known import Known
from rerail.process import identity
from rerail.prove.attempt import Attempt, LossFunction, Recipe, attempt, refuse_unknown, switched_off
from rerail.prove.inquest import Proof
from rerail.prove.prover import Kept, Prover
from rerail.prove.replay import Bench
from rerail.seam import Derailed, Keep, Positioned, Step
from rerail.sense.checkup import Checkup
from rerail.sense.environment import environment
from rerail.sense.inputs import accused, largest
from rerail.sense.losses import Losses
from rerail.sense.sensors import Sensors
from rerail.sense.updates import update_ratio, weights_of
from rerail.sense.watchdog import Watchdog
from rerail.tell import causes
from rerail.tell.journal import Listener, read
from rerail.tell.logbook import Logbook

__all__ = [
    "Derailed",
    "Guard",
    "Keep",
    "Listener",
    "LossFunction",
    "Losses",
    "Picture",
    "Plan",
    "Positioned",
    "Sound",
    "Stateful",
    "Step",
    "claim",
    "fresh",
]

TINY = 1e-30  # a gradient of zero is not clipped


class Guard:
    """Keeps one training run on the rails.

    Give `losses` (batch -> named scalar losses) and call `step(batch)`, or keep your own loop and call
    `commit(loss=...)` in place of `optimizer.step()`. The scheduler, if given, is stepped by the guard after each
    commit. `state` names what else must be rewound (an EMA, a stateful criterion), and `after_commit` is where it is
    updated, so that snapshots and replays have it right. `data` is the loader, which is never rewound, but whose
    position goes into checkpoints. `run` is the run's folder; None keeps nothing on disk.
    """

    def __init__(  # noqa: PLR0913 (the public seam: one keyword a thing that a run may bring)
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer | Sequence[torch.optim.Optimizer],
        losses: LossFunction | None = None,
        *,
        weights: Mapping[str, float] | None = None,
        scheduler: Stateful | None = None,
        scaler: torch.amp.GradScaler | None = None,
        precision: torch.dtype | None = None,
        clip_norm: float = float("inf"),
        plan: Plan | None = None,
        keep: Keep | None = None,
        run: str | Path | None = None,
        resume: bool | str | Path = False,
        data: Positioned | None = None,
        state: Sequence[Stateful] = (),
        after_commit: Callable[[], None] | None = None,
        listeners: Sequence[Listener] = (),
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.optimizers = [optimizer] if isinstance(optimizer, torch.optim.Optimizer) else list(optimizer)
        if any(isinstance(one, torch.optim.LBFGS) for one in self.optimizers):
            raise ValueError("LBFGS runs the loss itself, many times a step, so no step can be judged; use another")
        if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            raise ValueError(
                "ReduceLROnPlateau steps on a metric: name it in state=[...], and call its step() yourself"
            )
        self.model, self.scheduler, self.scaler, self.data = model, scheduler, scaler, data
        self.clip_norm, self.plan, self.keep = clip_norm, plan or default_plan(), keep or Keep()
        self._host = Known(self.optimizers, scaler)
        self.recipe = losses and Recipe(
            losses=losses,
            weights=dict(weights or {}),
            device=next(model.parameters()).device.type,
            precision=precision,
            scaler=scaler,
            beat=self._host.pulse.beat,
        )
        self.run, self.after_commit = None if run is None else Path(run), after_commit
        self.steps = 0
        self._memory, self._watch = start(self.plan), Watch()
        self._closed = self._known = False
        self._cause: Cause | None = None
        self._knobs = NEUTRAL  # those that the present step ran under, before anything is answered
        others = [one for one in (scheduler, *state) if one is not None]
        self._parts = Parts(model=model, optimizers=self.optimizers, others=others, scaler=scaler)
        claim(self.run, resume=resume is not False)
        self._disk = Disk(self.run, self._parts)
        self._quarantine = Quarantine(self.run / "quarantine.jsonl" if self.run is not None else None)
        resumed = self._resume(resume)
        self._snapshots = Snapshots(self._parts, self.keep.probation, self.keep.memory_bytes)
        if self._snapshots.take(tick=self.tick, step=self.steps, position=self._position(), healthy=True) is None:
            raise ValueError("the model is not finite before the first step; load a healthy checkpoint")
        self._logbook = Logbook(self.run, listeners)
        about = {"config": config or {}, "environment": environment(), "process": identity()}
        self._logbook.begin(self.tick, step=self.steps, resumed=resumed, about=about)
        self._sensors = Sensors(model, self._parts.held.named, self.keep.sensors_every)
        self._checkup = Checkup(model, self.optimizers, losses, lambda error: self.note("checkup failed", error=error))
        self._suspicious = False  # something was found at the last tick
        self._stood: set[str] = set()  # findings whose cause was named
        self._buffers = Buffers(model)
        self._inbox: deque[Entry] = deque()
        self._window = Window(self.keep.memory_bytes)
        self._prover = Prover(self.bench(), self.keep.proof_replays)
        self._saved_step = self.steps
        self._watchdog = Watchdog(self._host.pulse, self.keep.hang, self.note, on=self._logbook.heard)
        self._deepest = max((rung.depth for ladder in self.plan.ladders.values() for rung in ladder.rungs), default=0)

    # -- the seam -----------------------------------------------------------------------------------------------------

    @property
    def tick(self) -> int:
        """The number of attempts so far, over all resumes. It only rises."""
        return self._memory.tick

    def step(self, *batches: Any) -> Step:  # noqa: ANN401 (a batch is whatever the user's loader gives)
        """Train on one batch, or on several micro-batches whose gradients add up to one update.

        Where the run is rewound, the batches since the snapshot, as far as they are kept, are trained again before this
        returns.

        Raises:
            Derailed: when no remedy is left.
        """
        if self.recipe is None:
            raise ValueError("step() needs losses, and this Guard got none; give losses=..., or call commit(loss=...)")
        if not batches:
            raise ValueError("step() needs a batch, got none; give one batch, or several micro-batches")
        self._inbox.append(Entry(batches=batches, position=self._position()))
        self._host.called()
        try:
            while self._inbox:
                step = self._attempt(self._inbox[0])
                self._host.attempted()
        finally:
            self._host.returning()
        return step

    def commit(self, *, loss: Tensor | None = None, losses: Mapping[str, Tensor] | None = None) -> Step:
        """Judge the gradients that stand in the model and step the optimizers, or skip, or rewind.

        `loss` is the total, `losses` its unweighted components. Without the batch nothing can be trained again.

        Raises:
            Derailed: when no remedy is left.
        """
        named = {"loss/total": loss} if loss is not None else {}
        named |= {f"loss/{name}": value for name, value in (losses or {}).items()}
        scalars = {name: value.detach() for name, value in named.items()}
        return self._judge(Attempt(scalars=scalars, signals={}), None, {})

    def observe(self, values: Mapping[str, float]) -> None:
        """Add numbers (`eval/...`) to the next reading, or to a last one of their own when the run ends first."""
        self._host.observe(values)

    def idle(self, seconds: float) -> None:
        """Leave so many seconds out of the time of the next step: the run was asked to wait, and is heard of."""
        self._host.idle(seconds)

    def show(self, name: str, thing: Picture | Sound) -> None:
        """Keep a picture or a sound for the report."""
        self._logbook.show(self.tick, self.steps, name, thing)

    def note(self, text: str, **data: object) -> None:
        """Write a note into the journal."""
        self._logbook.note(self.tick, text, data)

    def save(self) -> Path | None:
        """Save the present state as a checkpoint (`unproved`: no healthy steps have followed yet)."""
        now = Snapshot(tick=self.tick, step=self.steps, state=capture(self._parts), position=self._position())
        return self._save(now)

    def close(self, reason: str = "finished") -> None:
        """End the journal and the listeners; without a reason where a note says already why. Once is enough."""
        if self._closed:
            return
        self._closed = True
        self._watchdog.stop()
        if (observed := self._host.take_observed()) and reason:
            reading = Reading(tick=self.tick + 1, values={"step": float(self.steps), **observed})
            self._advance(reading)
        self._logbook.close(self.tick, reason=reason, step=self.steps)
        self._disk.leave()

    # -- a tick -------------------------------------------------------------------------------------------------------

    def _attempt(self, entry: Entry) -> Step:
        assert self.recipe is not None
        entry = self._inbox[0] = entry.without_ids(self._quarantine.ids)
        if not entry.batches:
            self._inbox.popleft()
            return Step(tick=self.tick, number=self.steps, verdict=Verdict(tick=self.tick, move=Move.SKIP))
        if (known := self._prover.unfit(self.tick + 1, entry)) and (step := self._uncomputed(entry, known)):
            return step
        self._parts.held.zero_gradients()
        self._prover.attempting()
        try:
            self._knobs = self._memory.knobs()
            with self._checkup.watched(on=self._thorough()) as seen:
                made = attempt(self.recipe, entry.batches, self._knobs)
            if not self._known:
                refuse_unknown(self.recipe.weights, made.scalars)
            self._known = True
            return self._judge(made, entry, seen)
        except Derailed:
            raise
        except BaseException as error:  # the user's code failed, or was interrupted: leave no trace of this batch
            self._buffers.restore()
            if isinstance(error, Exception) and (step := self._without_raising(entry, error)):
                return step
            if self._inbox and self._inbox[0] is entry:
                self._inbox.popleft()
            raise

    def _without_raising(self, entry: Entry, error: Exception) -> Step | None:
        # A label out of range, say: where other batches run, and this one does without some rows, these are left out.
        raising = self._prover.raising(entry, self._knobs, error)
        return self._uncomputed(entry, {f"input/raised/{row}": 1.0 for row in raising}) if raising else None

    def _uncomputed(self, entry: Entry, known: Mapping[str, float]) -> Step | None:
        """Judge a batch by what is known of its rows, before anything is computed; None where it may be trained on."""
        reading = Reading(tick=self.tick + 1, values={"step": float(self.steps), **known})
        verdict = self._advance(reading)
        self._name_what_stands(verdict)
        if verdict.move is Move.COMMIT:
            return None
        self._act(verdict, reading, entry, computed=False)
        return Step(tick=verdict.tick, number=self.steps, verdict=verdict)

    def _judge(self, made: Attempt, entry: Entry | None, seen: Mapping[str, Tensor]) -> Step:
        reading = self._read(made, entry, seen)
        verdict = self._advance(reading)
        if entry is not None and self.plan.asks(verdict) and not speak_for_themselves(verdict.findings):
            verdict = self._prove(reading, verdict, entry)
        self._suspicious = bool(verdict.findings)
        if verdict.proved is None:
            self._name_what_stands(verdict)
        self._act(verdict, reading, entry)
        self._buffers.save()
        losses = {name.removeprefix("loss/"): value for name, value in reading.under("loss").items()}
        return Step(tick=verdict.tick, number=self.steps, verdict=verdict, losses=losses, signals=made.signals)

    def _advance(self, reading: Reading) -> Verdict:
        self._memory, verdict = advance(self.plan, self._memory, reading)
        self._logbook.judged(reading, verdict)  # written down before anything is done
        return verdict

    def _name_what_stands(self, verdict: Verdict) -> None:
        half = self.scaler is not None or (self.recipe is not None and self.recipe.precision is not None)
        named = ((found.code, cause) for found in verdict.findings if (cause := standing(found, half=half)))
        for code, cause in named:
            if code not in self._stood:
                self._stood.add(code)
                self._logbook.proved(verdict.tick, cause, None, ())
            self._cause = cause if code in verdict.halting else self._cause

    def _prove(self, reading: Reading, verdict: Verdict, entry: Entry) -> Verdict:
        self._cause = None
        try:
            proof = self._proof(reading, verdict, entry)
        except Exception as error:  # noqa: BLE001 (a night's run must not die of ours: told, and the ladder answers)
            self.note("proof failed", error=f"{type(error).__name__}: {error}")
            return verdict
        if proof is None:
            return verdict
        self._logbook.proved(verdict.tick, proof.cause, proof.remedy, proof.trials)
        self._cause = proof.cause
        if proof.remedy is None:
            return verdict
        self._memory, settled = settle(self._memory, verdict, proof.cause.root, proof.remedy, self.steps)
        return settled

    def _proof(self, reading: Reading, verdict: Verdict, entry: Entry) -> Proof | None:
        with self._buffers.before():
            return self._prover.prove(
                entry,
                reading,
                replace(verdict, findings=tuple(one for one in verdict.findings if self.plan.answers(one))),
                Kept(snapshots=self._snapshots, window=self._window),
                knobs=self._knobs,
                clip_norm=self.clip_norm,
                spent=lambda cause: spent(self._memory, verdict.tick, cause.root, self.steps),
            )

    def _read(self, made: Attempt, entry: Entry | None, seen: Mapping[str, Tensor]) -> Reading:
        about = (entry.ids(), partial(entry.holds_what, self._window.newest)) if entry is not None else (None, None)
        known = self._host.read(self.steps, *about)
        if self.scaler is not None:
            for optimizer in filter(has_gradients, self.optimizers):
                self.scaler.unscale_(optimizer)
        known |= {f"off/{name}": 1.0 for name in switched_off(self.recipe, self._knobs)}
        known |= self._knobs.signals()
        inputs = [rows.by_row(batch) for batch in entry.batches] if entry else []
        reading = self._sensors.read(self.tick + 1, {**made.scalars, **largest(inputs)}, known, inputs)
        if not self._thorough():
            return reading
        clipped = min(1.0, min(self.clip_norm, self._knobs.clip_norm) / max(reading.values["grad/norm"], TINY))
        checked = self._checkup.read(seen, made.signals, inputs, clipped)
        return replace(reading, values={**reading.values, **checked})

    def _thorough(self) -> bool:
        return self._suspicious or self._sensors.due(self.tick + 1)

    def _act(self, verdict: Verdict, reading: Reading, entry: Entry | None, *, computed: bool = True) -> None:
        self._host.overflowed(again=any(found.code == "scale.overflow" for found in verdict.findings))
        before = self.steps
        promoted = self._snapshots.observe(healthy=verdict.healthy)
        if verdict.move is Move.COMMIT:
            self._commit(verdict, reading)
            if entry is not None and verdict.healthy:
                self._prover.committed(reading, entry)
            self._done(entry)
            self._promote(promoted)
            self._watch, due = self._watch.committed(reading)
            self._logbook.came_of_it(self.tick, due)
            return
        if computed:
            discard(self.scaler, overflow=any(found.code == "scale.overflow" for found in verdict.findings))
        self._buffers.restore()
        did: dict[str, Any] = {"ids": entry.ids() if entry else [], "computed": computed}
        if verdict.move is Move.SKIP:
            did |= self._skip(verdict, entry)
        elif verdict.move is Move.REWIND:
            did |= self._rewind(verdict, entry)
        did |= {"move": verdict.move.name, "step_before": before, "step_after": self.steps}
        self._watch = self._watch.intervened(verdict.tick)
        self._logbook.acted(verdict.tick, did)
        if verdict.move is Move.HALT:
            if self.run is not None and (kept := self._prover.keep_evidence(self.run, verdict.tick)):
                self.note(kept[0], **kept[1])
            raise Derailed(verdict, self._cause)

    def _commit(self, verdict: Verdict, reading: Reading) -> None:
        limit = min(self.clip_norm, verdict.knobs.clip_norm)
        if (norm := reading.values["grad/norm"]) > limit:
            clip(self._parts.held.gradients(), norm, limit)
        before = weights_of(self.model) if self._sensors.due(verdict.tick) or self._suspicious else None
        commit(self.optimizers, verdict.knobs, self.scaler)
        if before is not None:
            self._host.observe(update_ratio(self.model, before))
        if self.scheduler is not None:
            self.scheduler.step()  # type: ignore[attr-defined]
        self.steps += 1
        if self.after_commit is not None:
            self.after_commit()

    def _skip(self, verdict: Verdict, entry: Entry | None) -> dict[str, Any]:
        if entry is None:
            return {}
        if verdict.proved is not None:
            return self._leave_out(verdict.proved, entry)
        bad = accused(verdict.findings, [rows.by_row(batch) for batch in entry.batches])
        if not bad:
            self._inbox.popleft()
            return {}
        suspects = tuple(one for row, one in enumerate(entry.ids()) if one and row in bad)
        why = reason(found.code for found in verdict.findings)
        self._inbox[0] = replace(entry.without(bad), dropped=suspects, reason=why)  # the rest is tried again at once
        return {"dropped": list(suspects), "rows": sorted(bad)}

    def _leave_out(self, remedy: Remedy, entry: Entry) -> dict[str, Any]:
        if remedy.again:
            return {"retried": True}
        ids = entry.ids()
        suspects = [ids[row] for row in remedy.rows if row < len(ids) and ids[row]]
        reason = causes.cause(plain.dump(self._cause)) if self._cause else ""
        rest = entry.without(set(remedy.rows)) if remedy.rows else replace(entry, batches=())
        if not rest.batches:
            self._inbox.popleft()
            self._quarantined(suspects if remedy.quarantine else [], reason)
        else:
            self._inbox[0] = replace(rest, dropped=tuple(suspects) if remedy.quarantine else (), reason=reason)
        return {"dropped": suspects, "rows": sorted(remedy.rows)}

    def _rewind(self, verdict: Verdict, entry: Entry | None) -> dict[str, Any]:
        rates = [group["lr"] for group in groups(self.optimizers)]
        target = self._snapshots.rewind(verdict.depth)
        if self.scheduler is None:
            keep_cuts(self.optimizers, rates)
        if verdict.proved is not None and verdict.proved.reset:
            fresh(self.optimizers)
        self._prover.rewound(target.step)
        undone, self.steps = self.steps - target.step, target.step
        kept = self._window.take(after=target.step) if entry is not None else []
        again = [one for one in kept if one.intact]
        self._inbox.extendleft(reversed(again))
        self._saved_step = min(self._saved_step, target.step)
        self._disk.abandon(after=target.step)
        return {"again": len(again), "lost": undone - len(again)}

    # -- after a commit -----------------------------------------------------------------------------------------------

    def _done(self, entry: Entry | None) -> None:
        if entry is not None:
            self._inbox.popleft()
            self._host.committed()
            self._window.add(self.steps, entry)
            self._quarantined(entry.dropped, entry.reason)  # without these rows the step was sound
        if self.steps % self.keep.snapshot_every == 0:
            position = entry.position if entry else self._position()
            taken = self._snapshots.take(tick=self.tick, step=self.steps, position=position)
            self._logbook.snapshot(self.tick, "taken" if taken else "refused: not sound", self.steps)

    def _quarantined(self, ids: Sequence[str], reason: str) -> None:
        if new := self._quarantine.add(ids, tick=self.tick, reason=reason):
            self.note("quarantined", ids=new, **self._quarantine.trouble)

    def _promote(self, promoted: list[Snapshot]) -> None:
        for snapshot in promoted:
            self._logbook.snapshot(self.tick, "promoted", snapshot.step)
            self._window.forget(self._snapshots.newest_healthy(self._deepest).step)
            if snapshot.step - self._saved_step >= self.keep.checkpoint_every:
                try:
                    self._save(snapshot)
                    self._saved_step = snapshot.step  # one saved by hand, before it is proved, puts off no healthy one
                except OSError as error:  # a full disk ends no run
                    self.note("checkpoint not saved", step=snapshot.step, error=str(error))

    def bench(self) -> Bench | None:
        """Return where this run's steps are replayed; None without `losses`."""
        if self.recipe is None:
            return None
        return Bench(
            recipe=self.recipe,
            parts=self._parts,
            plain=Plain(self.model.modules()),
            sensors=Sensors(self.model, self._parts.held.named, self.keep.sensors_every),
            scheduler=self.scheduler,
            after_commit=self.after_commit,
        )

    # -- the run on disk ----------------------------------------------------------------------------------------------

    def _resume(self, resume: bool | str | Path) -> dict[str, Any]:  # noqa: FBT001 (True: the newest; a path: that one)
        begun = self._disk.begun
        found = self._disk.resume(resume)
        if found is not None:
            self.steps = found.step
            if self.data is not None and found.position is not None:
                self.data.load_state_dict(dict(found.position))
            self._memory = remember(self.plan, found.memory)
        if begun and self.run is not None:  # weights may be lost, the life that was lived is not
            self._memory = live_through(self.plan, self._memory, read(self.run))
        if found is None:
            return {"from": "the beginning, since no checkpoint was written"} if begun else {}
        return {"from": found.source, "damaged": found.damaged}

    def _save(self, snapshot: Snapshot) -> Path | None:
        path = self._disk.save(snapshot, tick=self.tick, memory=recall(self.plan, self._memory))
        if path is not None:
            self._logbook.snapshot(self.tick, "saved", snapshot.step, path=f"checkpoints/{path.name}")
        return path

    def _position(self) -> Mapping[str, Any] | None:
        return None if self.data is None else self.data.state_dict()
