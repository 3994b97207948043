"""Tacotron2 on the embedded demo corpus: sound, and in the ways in which such trainings fail.

Apart from the demo itself it is the tiny network with five frames a decoder step, in batches of 8: Adam with a rate of
4e-3, a short warm-up and a cosine, guided attention. Two cores train some ten steps of it a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from faultbench.trainings.training import Training
from rerail.data import demo
from rerail.fit import FitConfig, Parts
from rerail.fit.begin import PRECISIONS, prepare
from rerail.fit.task import Task
from rerail.tasks.tacotron2 import demo as faulty
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task


def healthy(seed: int, scratch: Path) -> Training:
    """Train until the alignment stands."""
    return _sound(seed, scratch, steps=600)


def three_faults(seed: int, scratch: Path) -> Training:
    """Train as the demo does, with its three faults; after the first, met in the first epoch, all is NaN."""
    task, fit = faulty.demo_task(scratch / "data", seed=seed)
    return _training(task, fit, batches=40)


def hot(seed: int, scratch: Path) -> Training:
    """Train with the demo's second fault alone, which this smaller network bears: steps 60 to 65 are 20 times too large."""
    made = _sound(seed, scratch, steps=160)
    schedule: Any = made.scheduler
    right = schedule.lr_lambdas[0]
    schedule.lr_lambdas = [lambda step: right(step) * (faulty.HOT if step in faulty.HOT_STEPS else 1.0)]
    return made


def half(seed: int, scratch: Path) -> Training:
    """Train with the demo's third fault alone: from step 130 on a loss overflows in half precision."""
    made = _sound(seed, scratch, steps=160)
    losses, schedule = made.losses, made.scheduler
    with_energy = faulty._with_energy  # noqa: SLF001 (the demo's own fault, alone)
    return replace(made, losses=lambda batch: with_energy(losses, schedule, batch), precision=PRECISIONS["fp16"])


def rate(seed: int, scratch: Path) -> Training:
    """Train with a rate of 0.3 from the end of the warm-up on, 75 times too high."""
    return _sound(seed, scratch, steps=200, rate=0.3)


def unread(seed: int, scratch: Path) -> Training:
    """Train on texts that were shuffled among the clips, without guided attention: no alignment forms."""
    made = _sound(seed, scratch, steps=600, weight_attention=0.0)
    return replace(made, batches=map(_of_the_next_row, made.batches))


def _of_the_next_row(batch: dict[str, Any]) -> dict[str, Any]:
    return {**batch, **{name: batch[name].roll(1, 0) for name in ("text", "text_length")}}


def _sound(seed: int, scratch: Path, *, steps: int, rate: float = 4e-3, **settings: Any) -> Training:
    fit = FitConfig(steps=steps, batch_size=8, lr=rate, seed=seed)
    cache = str(scratch / "features")
    config = Tacotron2Config(data=str(demo.folder()), cache=cache, size="tiny", reduction=5, **settings)
    return _training(Tacotron2Task(config, fit), fit, batches=steps)


def _training(task: Task, fit: FitConfig, *, batches: int) -> Training:
    parts = prepare(task, fit)
    return Training(
        model=parts.model,
        optimizer=parts.optimizer,
        losses=parts.losses,
        batches=islice(iter(parts.data), batches),
        steps=batches,
        evaluate=_measured(task, parts),
        shown=("mel", "diagonality/free"),
        scheduler=parts.scheduler,
        precision=PRECISIONS[fit.precision],
        weights=parts.weights,
        clip_norm=fit.clip_norm,
    )


def _measured(task: Task, parts: Parts) -> Callable[[], dict[str, float]]:
    def evaluate() -> dict[str, float]:
        found = dict(task.evaluate(parts.model, parts.held_out))
        parts.model.train()
        return found

    return evaluate
