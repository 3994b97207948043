"""Hugging Face's `Trainer` with its defaults; it watches nothing, so it detects nothing.

Its `max_grad_norm` of 1.0 applies where the run states no clipping. Three defaults are not used, since they would train
another run: shuffled batches, a learning rate that falls to 0, and its own random seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerState, TrainingArguments

from faultbench.case import Batch, Run
from faultbench.rivals import steps
from faultbench.rivals.rival import Played, Rival


class Module(nn.Module):
    """A run as a model that returns its own loss; it owns every parameter that the optimizer holds."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self.model = run.model
        own = {id(one) for one in run.model.parameters()}
        self.loose = nn.ParameterList([one for one in steps.trained(run) if id(one) not in own])

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Return the loss of one batch."""
        return {"loss": steps.total(self.run, batch)}


class Commits(TrainerCallback):
    """Restores the random state, which `Trainer` and its loader have moved, and tells the run of every update."""

    def __init__(self, run: Run, state: Tensor) -> None:
        self.run, self.state = run, state
        self.updated = False

    def on_step_begin(self, args: Any, state: TrainerState, control: Any, **_: Any) -> None:
        if state.global_step == 0:
            torch.set_rng_state(self.state)

    def on_step_end(self, *_: Any, **__: Any) -> None:
        if self.updated and self.run.after_commit is not None:
            self.run.after_commit()
        self.updated = False


@dataclass(slots=True)
class Constant:
    """A schedule that leaves the learning rate alone, even one that a fault has changed."""

    optimizer: torch.optim.Optimizer

    def step(self) -> None: ...

    def get_last_lr(self) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One epoch over the run's batches in their order, without reports and bars."""

    name: str = "HF Trainer"
    needs: str = "transformers==5.23.0 accelerate==1.15.0"
    passive: bool = False

    def play(self, run: Run) -> Played:
        """Train the run."""
        commits = Commits(run, torch.get_rng_state())
        hook = run.optimizer.register_step_post_hook(lambda *_: setattr(commits, "updated", True))
        with TemporaryDirectory() as folder:
            trainer = Trainer(
                model=Module(run),
                args=_arguments(run, folder),
                train_dataset=run.batches,
                data_collator=_alone,
                optimizers=(run.optimizer, run.scheduler or Constant(run.optimizer)),
                callbacks=[commits],
            )
            trainer.remove_callback(PrinterCallback)
            _scale(trainer, run)
            try:
                trainer.train()
            finally:
                hook.remove()
        return Played()


def _arguments(run: Run, folder: str) -> TrainingArguments:
    return TrainingArguments(
        output_dir=folder,
        num_train_epochs=1,
        per_device_train_batch_size=1,
        train_sampling_strategy="sequential",
        remove_unused_columns=False,
        use_cpu=steps.trained(run)[0].device.type == "cpu",
        dataloader_pin_memory=False,
        report_to="none",
        disable_tqdm=True,
        save_strategy="no",
        logging_strategy="no",
        **({"max_grad_norm": run.clip_norm} if math.isfinite(run.clip_norm) else {}),
    )


def _alone(batches: Sequence[Batch]) -> dict[str, Batch]:
    return {"batch": batches[0]}


def _scale(trainer: Trainer, run: Run) -> None:
    """Give the trainer the run's scaler: it makes its own for float16, but on a GPU only."""
    if run.scaler is None:
        return
    scaler, clip = run.scaler, trainer._clip_grad_norm  # noqa: SLF001 (the one place before clipping)

    def unscaled(model: nn.Module) -> Any:
        scaler.unscale_(run.optimizer)
        return clip(model)

    trainer.accelerator.scaler = scaler
    trainer._clip_grad_norm = unscaled  # noqa: SLF001


RIVALS: tuple[Rival, ...] = (Training(),)
