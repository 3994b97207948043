"""The demo: a small Tacotron2 on the embedded clips, with three real faults on its way.

1. One recording is corrupted: a 32-bit float WAV file whose samples turn NaN half-way.
2. The learning-rate schedule has a mistake: for some steps the rate is far too high.
3. A loss component that sets in later is computed in half precision on 16-bit sample amplitudes, and overflows.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rerail.audio import files
from rerail.core.extras import need
from rerail.data import demo, ljspeech
from rerail.data.split import split
from rerail.fit import FitConfig, Losses, LossFunction, Parts, Picture, Sound
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task

STEPS = 300
HOT_STEPS, HOT = range(60, 66), 20.0
ENERGY_FROM = 130
FULL_SCALE = 32768.0
UNSEEN = ("Please enter the number of the person you are calling.", "The conference is now closed.")


def demo_task(folder: Path, *, seed: int, steps: int | None = None) -> tuple[Derailing, FitConfig]:
    """Return the demo's task, whose data go to `folder`, and the loop's settings."""
    fit = FitConfig(
        steps=STEPS if steps is None else steps,
        batch_size=16,
        lr=6e-3,
        precision="fp16",
        evaluate_every=50,
        checkpoint_every=50,
        snapshot_every=10,
        seed=seed,
    )
    config = Tacotron2Config(data=str(folder), cache=str(folder / "features"))
    return Derailing(Tacotron2Task(config, fit, UNSEEN)), fit


@dataclass(frozen=True, slots=True)
class Derailing:
    """A Tacotron2 task with the three faults put in."""

    inner: Tacotron2Task

    def build(self) -> Parts:
        """Copy the corpus, corrupt one recording, and build with the faulty schedule and the faulty component."""
        folder = Path(self.inner.config.data)
        corrupt(folder, held_out=self.inner.config.held_out)
        parts = self.inner.build()
        schedule = parts.scheduler
        assert isinstance(schedule, torch.optim.lr_scheduler.LambdaLR)
        schedule.lr_lambdas = [partial(_too_hot, right) for right in schedule.lr_lambdas]
        return replace(parts, losses=partial(_with_energy, parts.losses, schedule))

    def evaluate(self, model: nn.Module, batches: Iterable[Any]) -> Mapping[str, float]:
        """Measure as without faults."""
        return self.inner.evaluate(model, batches)

    def figures(self, model: nn.Module, batches: Iterable[Any], *, last: bool) -> Mapping[str, Picture | Sound]:
        """Show as without faults."""
        return self.inner.figures(model, batches, last=last)


def corrupt(folder: Path, *, held_out: int) -> str:
    """Copy the demo corpus to `folder`, with the second half of one training clip's samples NaN; return its id."""
    if not folder.exists():
        shutil.copytree(demo.folder(), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    training, _ = split(ljspeech.read(folder), held_out)
    clip = training[0]
    if clip.path.suffix == ".flac":  # not corrupted yet; FLAC holds integers, which are never NaN
        samples = files.read(clip.path, 16000)
        samples[len(samples) // 2 :] = math.nan
        writer = need("soundfile", extra="audio")
        writer.write(clip.path.with_suffix(".wav"), samples.numpy(), 16000, subtype="FLOAT")
        clip.path.unlink()
    return clip.id


def summary(metrics: Mapping[str, float]) -> str:
    """Tell what the guarded run has come to, beside what was asked of it."""
    asked = (
        ("free-running diagonal mass", "diagonal_mass/free", ">= 0.9"),
        ("  corrected for chance", "diagonality/free", ""),
        ("free-running length error", "length_error/free", "<= 0.2"),
        ("mel error more with shuffled texts, share", "reads_text", ">= 0.1"),
    )
    lines = [f"{words:45s} {metrics[name]:6.3f}  {wanted}".rstrip() for words, name, wanted in asked if name in metrics]
    return "\n".join(["on held-out clips:", *lines, ""])


def told(totals: Iterable[float]) -> Iterator[str]:
    """Tell how the unguarded run goes, from the total loss of each step, as it goes."""
    dead = 0
    for step, total in enumerate(totals, 1):
        if not math.isfinite(total) and not dead:
            dead = step
            yield f"step {step:4d}  loss {total:.3f}  <- from here on the weights are NaN\n"
        elif step == 1 or step % 20 == 0:
            yield f"step {step:4d}  loss {total:.3f}\n"
    yield f"dead since step {dead}: every step after it was wasted\n" if dead else "the run stayed finite\n"


def _too_hot(right: Callable[[int], float], step: int) -> float:
    return right(step) * (HOT if step in HOT_STEPS else 1.0)


def _with_energy(inner: LossFunction, schedule: Any, batch: Mapping[str, Any]) -> Losses:  # noqa: ANN401
    with torch.autocast("cpu", enabled=False):  # the network itself runs in full precision
        losses = inner(batch)
    assert isinstance(losses, Losses)
    if schedule.last_epoch < ENERGY_FROM:
        return losses
    energy = energy_loss(losses.signals["mel"], batch["mel"], batch["mel_length"])
    return Losses(losses.signals, **losses.components, energy=energy)


def energy_loss(predicted: Tensor, mel: Tensor, length: Tensor) -> Tensor:
    """Mean difference of the frames' log energies; both (batch, frames, bands), natural log of magnitude.

    Amplitudes are on the scale of 16-bit samples, as Kaldi's features are. Their squares pass 65504 at once, so the
    sum, a matrix product that autocast runs in half precision, overflows; in single precision it is fine.
    """
    valid = torch.arange(mel.shape[1]) < length[:, None]
    return (_log_energy(predicted[valid]) - _log_energy(mel[valid])).abs().mean()


def _log_energy(mel: Tensor) -> Tensor:
    amplitude = mel.exp() * FULL_SCALE
    power = amplitude.square() @ torch.ones(mel.shape[-1], 1)
    return torch.log(1.0 + power)
