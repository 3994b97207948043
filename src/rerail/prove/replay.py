"""Run a step or a window again with one thing changed, and leave no trace of it in the live run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from rerail.act import rows, state
from rerail.act.commit import clip, commit, fresh
from rerail.act.window import Entry
from rerail.core.band import Band, finite
from rerail.core.knobs import Knobs
from rerail.core.reading import Reading
from rerail.core.trial import Age, Operation, Swap, Trial, Which
from rerail.prove.attempt import Recipe, attempt
from rerail.prove.trace import quietly_traced
from rerail.sense.losses import Losses
from rerail.sense.ran import cut, ran
from rerail.sense.sensors import Sensors
from rerail.sense.updates import update_ratio, weights_of

OTHER_SEED = 20_261_121


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A failing step with all that a replay of it needs.

    `now` is the state before the step, random generators included, and `attributes` the plain ones of its modules;
    `older` and `oldest` are healthy snapshots, `window` the batches since the newest of them, the failing one excluded;
    `newest` and `recent` are the same of the newest snapshot of all; `other` is the last healthy batch. `live` is the
    reading of the live step, `knobs` those in force.
    """

    entry: Entry
    now: Mapping[str, Any]
    attributes: list[Any]
    older: Mapping[str, Any]
    oldest: Mapping[str, Any]
    window: Sequence[Entry]
    newest: Mapping[str, Any]
    recent: Sequence[Entry]
    other: Entry | None
    live: Reading
    knobs: Knobs
    band: Band
    clip_norm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where replays run: the run's own model and optimizers, borrowed and put back."""

    recipe: Recipe
    parts: state.Parts
    plain: state.Plain
    sensors: Sensors
    scheduler: Any
    after_commit: Callable[[], None] | None

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Put everything that a replay touches back at the end: state, gradients, generators, modes."""
        saved, attributes = state.capture(self.parts), self.plain.capture()
        held = self.trained()
        gradients = [one.grad for one in held]
        modes = {module: module.training for module in self.parts.model.modules()}
        try:
            yield
        finally:
            state.restore(self.parts, saved)
            self.plain.restore(attributes)
            for parameter, gradient in zip(held, gradients, strict=True):
                parameter.grad = gradient
            for module, mode in modes.items():
                module.training = mode

    def run(self, scene: Scene, swap: Swap) -> Trial:
        """Replay; what the user's code raises becomes the trial's error."""
        start = (scene.newest if swap.recent else scene.older) if swap.window else scene.now
        state.restore(self.parts, {**start, **_of(scene, swap)})
        self.plain.restore(scene.attributes)
        if swap.other_seed:
            torch.manual_seed(OTHER_SEED)
        if Age.FRESH is swap.optimizer:
            fresh(self.parts.optimizers)
        try:
            return self._window(scene, swap) if swap.window else self._step(scene, swap)
        except Exception as error:  # noqa: BLE001 (whatever the user's code raises: it is told, in the trial)
            return Trial(changed=swap, readings=(), healthy=False, error=f"{type(error).__name__}: {error}")

    def runs(self, batches: Sequence[Any], start: Mapping[str, Any], attributes: list[Any], knobs: Knobs) -> bool:
        """Say whether a step from `start` raises no error, whatever its numbers."""
        state.restore(self.parts, start)
        self.plain.restore(attributes)
        self.parts.held.zero_gradients()
        try:
            attempt(self.recipe, batches, knobs)
        except Exception:  # noqa: BLE001 (whatever the user's code raises is what is asked for)
            return False
        return True

    def _step(self, scene: Scene, swap: Swap) -> Trial:
        batches = _batches(scene, swap)
        knobs = _knobs(scene, swap)
        reading, operation = self._read(scene, swap, batches, knobs)
        readings, cost = [reading], 2 if swap.traced and scene.other is not None else 1
        if swap.commit and scene.band.holds(reading):
            moved = self.commit(reading, min(scene.clip_norm, knobs.clip_norm), knobs)
            after, _ = self._read(scene, swap, batches, knobs)
            readings, cost = [reading, replace(after, values={**after.values, **moved})], 2
        return Trial(
            changed=swap,
            readings=tuple(readings),
            healthy=all(map(_band(scene, swap).holds, readings)),
            cost=cost,
            operation=operation,
            exact=_same(reading, scene.live) if swap.unchanged else None,
        )

    def _window(self, scene: Scene, swap: Swap) -> Trial:
        readings: list[Reading] = []
        knobs = _knobs(scene, swap)
        before = scene.recent if swap.recent else scene.window
        for entry in (*before, scene.entry):
            reading, _ = self._read(scene, swap, entry.batches, knobs)
            readings.append(reading)
            if not finite(reading) or entry is scene.entry:
                break
            self.commit(reading, min(scene.clip_norm, knobs.clip_norm), knobs)
        whole = len(readings) == len(before) + 1
        return Trial(
            changed=swap,
            readings=tuple(readings),
            healthy=whole and scene.band.holds(readings[-1]),
            cost=len(readings),
        )

    def _read(self, scene: Scene, swap: Swap, batches: Sequence[Any], knobs: Knobs) -> tuple[Reading, Operation | None]:
        self.parts.held.zero_gradients()
        scale = float(self.recipe.scaler.get_scale()) if self.recipe.scaler is not None else 1.0
        recipe = _recipe(self.recipe, swap, scale)
        operation, known = None, dict[str, float]()
        if swap.traced:
            usual = self._usual(scene, recipe, knobs)
            with quietly_traced(self.parts.model, batches, usual) as tracer:
                made = attempt(recipe, batches, knobs, on_part=tracer.part)
            operation = tracer.culprit([*made.scalars.values(), *self._dense()])
            known = {"random/operations": float(tracer.draws)}
        else:
            with self._taking_part(scene) as taken:
                made = attempt(recipe, batches, knobs)
            known = cut(self.parts.model, taken)
        known |= {f"knob/loss/{name}": factor for name, factor in knobs.weights.items()}
        gradients = self.gradients()
        if scale != 1.0 and gradients:
            torch._foreach_mul_(gradients, 1.0 / scale)
        return self.sensors.read(scene.live.tick, made.scalars, known), operation

    def _taking_part(self, scene: Scene) -> AbstractContextManager[set[str]]:
        return ran(self.parts.model) if "grad/lost" in scene.band.highest else nullcontext(set())

    def _usual(self, scene: Scene, recipe: Recipe, knobs: Knobs) -> frozenset[tuple[str, str]]:
        # Infinities that a healthy batch lives with (masks, mostly) are no culprits; the state is put back after it.
        if scene.other is None:
            return frozenset()
        with quietly_traced(self.parts.model, scene.other.batches) as tracer:
            made = attempt(recipe, scene.other.batches, knobs, on_part=tracer.part)
        healthy = state.finite([*made.scalars.values(), *self._dense()])
        self.parts.held.zero_gradients()
        state.restore(self.parts, scene.now)
        return frozenset(tracer.made) if healthy else frozenset()

    def commit(self, reading: Reading, limit: float, knobs: Knobs) -> dict[str, float]:
        """Commit the gradients that stand in the model, as the run does; return how far the weights moved.

        `reading` has their norm, which is clipped to `limit`.
        """
        if (norm := reading.values["grad/norm"]) > limit:
            clip(self.gradients(), norm, limit)
        before = weights_of(self.parts.model)
        commit(self.parts.optimizers, knobs)
        moved = update_ratio(self.parts.model, before)
        if self.scheduler is not None:
            self.scheduler.step()
        if self.after_commit is not None:
            self.after_commit()
        return moved

    def trained(self) -> list[nn.Parameter]:
        """Return the model's parameters, and those that only an optimizer holds."""
        return [*self.parts.model.parameters(), *self.parts.loose()]

    def gradients(self) -> list[Tensor]:
        """Return the gradients that stand."""
        return self.parts.held.gradients()

    def _dense(self) -> list[Tensor]:
        return [one.coalesce().values() if one.is_sparse else one for one in self.gradients()]


def _band(scene: Scene, swap: Swap) -> Band:
    # Where numbers stopped being finite, one step is cured when they are again: old weights have old, higher losses,
    # and a rare row a high one. Whether training goes well is asked of windows, and of what follows a commit.
    return Band() if not finite(scene.live) and not swap.commit else scene.band


def _of(scene: Scene, swap: Swap) -> dict[str, Any]:
    """The parts of the state that a swap takes from another time."""
    ages = {Age.NOW: scene.now, Age.OLDER: scene.older, Age.OLDEST: scene.oldest}
    taken: dict[str, Any] = {}
    if swap.weights is not Age.NOW:
        one = ages[swap.weights]
        taken |= {name: one[name] for name in ("model", "buffers", "loose")}
    if swap.optimizer in (Age.OLDER, Age.OLDEST):
        taken["optimizers"] = ages[swap.optimizer]["optimizers"]
    return taken


def _batches(scene: Scene, swap: Swap) -> Sequence[Any]:
    own = scene.entry.only(swap.rows).batches if swap.rows else scene.entry.batches
    other = scene.other.batches if scene.other is not None else ()
    taken = {Which.THIS: own, Which.OTHER: other, Which.BOTH: [*other, *own]}[swap.batch]
    for column, places in swap.rolled:
        taken = [rows.roll(one, column, places or rows.count(one) // 2) for one in taken]
    return taken


def _knobs(scene: Scene, swap: Swap) -> Knobs:
    changed = Knobs(
        lr_scale=swap.lr_scale,
        lr_most=swap.lr_most,
        clip_norm=swap.clip_norm,
        precision=swap.precision,
        weights=dict(swap.scaled),
        settings=dict(swap.held),
    )
    return scene.knobs.meet(changed)


@dataclass(frozen=True, slots=True)
class FixedScale:
    """A loss scale that stays as it is."""

    factor: float

    def scale(self, loss: Tensor) -> Tensor:
        """Scale, as a GradScaler does."""
        return loss * self.factor


def _recipe(recipe: Recipe, swap: Swap, scale: float) -> Recipe:
    fixed: Any = None if recipe.scaler is None else FixedScale(scale)
    losses = recipe.losses
    if swap.without:

        def without(batch: Any) -> Losses:  # noqa: ANN401
            whole = Losses.of(losses(batch))
            kept = {name: value for name, value in whole.items() if name != swap.without}
            return Losses(whole.signals, **kept)

        return replace(recipe, losses=without, scaler=fixed)
    return replace(recipe, scaler=fixed)


def _same(one: Reading, other: Reading) -> bool:
    told = [name for name in one.values if name.startswith(("loss/", "grad/"))]
    return all(str(one.values[name]) == str(other.values.get(name)) for name in told)
