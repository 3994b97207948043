"""Lightning's trainer: as it comes, and with its `SpikeDetection` and `EarlyStopping` callbacks.

`SpikeDetection` ends the run on a loss that is not finite or is three times the mean of the last ten, after the update
that it led to. `EarlyStopping` with `check_finite` judges, by default, at the end of the epoch, which is here the end of
the run. The trainer has no other guard: by default it finishes with NaN weights.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import lightning
import torch
from lightning.fabric.utilities.spike import TrainingSpikeException
from lightning.pytorch.callbacks import EarlyStopping, SpikeDetection
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from lightning.pytorch.plugins import MixedPrecision
from torch import Tensor

from faultbench.case import Batch, Run
from faultbench.rivals import steps
from faultbench.rivals.rival import Played, Rival


@dataclass(frozen=True, slots=True)
class Stream:
    """The batches in their order; torch's own loader would draw a random number, and a list is taken for many loaders."""

    batches: Sequence[Batch]

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class Module(lightning.LightningModule):
    """A run as a Lightning module."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self.model = run.model
        self.updated = False

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the loss of one batch."""
        loss = steps.total(self.run, batch)
        self.log("train_loss", loss, batch_size=1)
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Batch, index: int) -> None:
        """Tell the run of an update, after the schedule's step; a dropped one is none."""
        if self.updated and self.run.after_commit is not None:
            self.run.after_commit()
        self.updated = False

    def configure_optimizers(self) -> Any:
        """Return optimizer and schedule, which steps with every batch."""
        if self.run.scheduler is None:
            return self.run.optimizer
        schedule = {"scheduler": self.run.scheduler, "interval": "step"}
        return {"optimizer": self.run.optimizer, "lr_scheduler": schedule}


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One epoch over the run's batches, without logs, bars and checkpoints."""

    name: str
    watched: bool
    needs: str = "lightning==2.6.6"
    passive: bool = False

    def play(self, run: Run) -> Played:
        """Train the run."""
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        spikes, early = SpikeDetection(), EarlyStopping("train_loss", check_finite=True)
        module = Module(run)
        hook = run.optimizer.register_step_post_hook(lambda *_: setattr(module, "updated", True))
        with TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its advice on loaders and loggers
            try:
                _trainer(run, [spikes, early] if self.watched else [], folder).fit(module, Stream(run.batches))
            except TrainingSpikeException:
                return Played(detections=(spikes.bad_batches[-1],), stopped=True)
            finally:
                hook.remove()
        if self.watched and early.stopping_reason is EarlyStoppingReason.NON_FINITE_METRIC:
            return Played(detections=(len(run.batches) - 1,), stopped=True)
        return Played()


def _trainer(run: Run, callbacks: list[Any], folder: str) -> lightning.Trainer:
    device = steps.trained(run)[0].device.type
    plugins = [] if run.scaler is None else [MixedPrecision("16-mixed", device, scaler=run.scaler)]
    return lightning.Trainer(
        max_epochs=1,
        accelerator="cpu" if device == "cpu" else "gpu",
        devices=1,
        callbacks=callbacks,
        plugins=plugins,
        gradient_clip_val=run.clip_norm if run.clip_norm < torch.inf else None,
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


RIVALS: tuple[Rival, ...] = (
    Training(name="Lightning", watched=False),
    Training(name="Lightning, SpikeDetection and EarlyStopping", watched=True),
)
