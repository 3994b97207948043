"""Readers of short sequences over encoders that public packages build: the data, the head and the usual run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR

from .case import Run
from .rows import run, stream
from .state_common import once_after

WIDTH, LENGTH, CLASSES, ROWS = 16, 8, 3, 8
Encoder = Callable[[], nn.Module]


class Reader(nn.Module):
    """A package's encoder under a linear head that classifies the whole sequence."""

    def __init__(self, encoder: nn.Module, read: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.encoder, self.read = encoder, read
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, length, width) -> logits (batch, classes)."""
        logits: Tensor = self.head(self.read(self.encoder, x).float().mean(1))
        return logits


def embedded(encoder: nn.Module, x: Tensor) -> Tensor:
    """Feed vectors in the place of word embeddings, as multimodal models do."""
    states: Tensor = encoder(inputs_embeds=x).last_hidden_state
    return states


def plainly(encoder: nn.Module, x: Tensor) -> Tensor:
    """Call the encoder on vectors."""
    states: Tensor = encoder(x)
    return states


def sequences(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
    """Sequences of vectors whose class is the largest of three of their mean features."""
    x = torch.randn(rows, LENGTH, WIDTH, generator=generator)
    label = torch.randint(CLASSES, (rows,), generator=generator)
    x[torch.arange(rows), :, label] += 1.0
    return {"x": x, "label": label}


def reader_run(
    seed: int, make: Encoder, read: Callable[[nn.Module, Tensor], Tensor] = embedded, *, lr: float = 3e-3, **more: Any
) -> Run:
    """The run of one reader: cross-entropy, Adam."""
    torch.manual_seed(seed)
    model = Reader(make(), read)

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        return {"ce": F.cross_entropy(model(batch["x"]), batch["label"])}

    return run(model, losses, stream(sequences, seed, rows=ROWS), lr=lr, **more)


def hot(run_: Run, step: int, factor: float, *, faulty: bool) -> Run:
    """Multiply the rate by `factor` from `step` on."""
    schedule = LambdaLR(run_.optimizer, lambda at: factor if faulty and at >= step else 1.0)
    return replace(run_, scheduler=schedule)


def struck(run_: Run, step: int, action: Callable[[Run], None], *, faulty: bool) -> Run:
    """Do something to the run's state once, between the steps."""
    return replace(run_, after_commit=once_after(step, lambda: action(run_))) if faulty else run_


def nan_weight(run_: Run) -> None:
    """Write a NaN into the head's matrix, as a merge of broken shards does."""
    with torch.no_grad():
        run_.model.get_parameter("head.weight")[1, 2] = float("nan")


def huge_weights(run_: Run) -> None:
    """Every matrix comes back from a quantised copy with a stale scale."""
    with torch.no_grad():
        for one in run_.model.parameters():
            if one.dim() > 1:
                one.mul_(2.0**70)


def scaled_momentum(run_: Run) -> None:
    """The first moment still carries the loss scale of 65536, the second one does not."""
    for state in run_.optimizer.state.values():
        state["exp_avg"].mul_(65536.0)


def negative_moment(run_: Run) -> None:
    """A botched transfer leaves some second moments negative; their root is NaN."""
    for state in run_.optimizer.state.values():
        state["exp_avg_sq"].view(-1)[::7].neg_()
