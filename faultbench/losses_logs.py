"""Logs and exponentials written by hand in losses that a library has in a safe form: gate, mel and NT-Xent.

Every row is legitimate: loud, quiet or unusual ones, which the loss has to bear.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .case import Batch, Case, Run, Truth
from .rows import mlp, put, run, scaled, stream


def build_gate(seed: int, *, faulty: bool) -> Run:
    """Frames and their stop gate; the gate's cross entropy is written out over a sigmoid."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        frames = torch.randn(rows, 6, generator=generator)
        return {"frames": frames, "mel": torch.tanh(frames[:, :3]), "gate": (frames[:, 3] + frames[:, 4] > 0).float()}

    data = stream(make, seed)
    loud = 200 * data[0][30]["frames"][2].abs()  # legitimate: a loud last frame, and the gate is sure of itself
    put(data[0], 30, 2, frames=loud, mel=torch.tanh(loud[:3]), gate=1.0)
    model = nn.ModuleDict({"mel": mlp(6, 24, 3), "gate": mlp(6, 24, 1)})

    def losses(batch: Batch) -> dict[str, Tensor]:
        mel, logit, gate = torch.tanh(model["mel"](batch["frames"])), model["gate"](batch["frames"]), batch["gate"]
        if faulty:
            sure = torch.sigmoid(logit).squeeze(1)
            stop = -(gate * torch.log(sure) + (1 - gate) * torch.log(1 - sure)).mean()  # the sigmoid rounds to 1 or 0
        else:
            stop = F.binary_cross_entropy_with_logits(logit.squeeze(1), gate)
        return {"mel": F.mse_loss(mel, batch["mel"]), "gate": stop}

    return run(model, losses, data, clip_norm=1.0)


def build_mel(seed: int, *, faulty: bool) -> Run:
    """The squared error of log mels, where nothing keeps the predicted mel above zero."""
    torch.manual_seed(seed)
    voice = torch.randn(7, 5, generator=torch.Generator().manual_seed(10)) * 0.2

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, 7, generator=generator)
        return {"x": x, "mel": F.softplus(2.2 + x @ voice)}

    data = stream(make, seed)
    whisper = -14 * voice.sum(1)  # legitimate: far from the other clips, and nearly silent in every band
    put(data[0], 35, 10, x=whisper, mel=F.softplus(2.2 + whisper @ voice))
    model = nn.Linear(7, 5)
    with torch.no_grad():
        model.bias.fill_(1.0)
        model.weight.mul_(0.1)

    def losses(batch: Batch) -> dict[str, Tensor]:
        mel = model(batch["x"])
        if not faulty:
            mel = F.softplus(mel)
        level = torch.log(mel + 0.01)  # the log of a negative number
        return {"log_mel": F.mse_loss(level, torch.log(batch["mel"] + 0.01))}

    return run(model, losses, data, lr=3e-2, clip_norm=1.0)


def build_nt_xent(seed: int, *, faulty: bool) -> Run:
    """A contrastive loss with its exponentials written out, over products of vectors that nobody normalised."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, 10, generator=generator)
        return {"one": x, "two": x + 0.3 * torch.randn(rows, 10, generator=generator)}

    data = stream(make, seed)
    for view in ("one", "two"):
        scaled(data[0], 42, 9, view, 40.0)  # legitimate: one loud recording, in both of its views
    model = mlp(10, 32, 8)

    def losses(batch: Batch) -> dict[str, Tensor]:
        one, two = model(batch["one"]), model(batch["two"])
        if not faulty:
            logits = F.normalize(one, dim=1) @ F.normalize(two, dim=1).T / 0.5
            return {"contrast": F.cross_entropy(logits, torch.arange(len(logits)))}
        logits = one @ two.T / 0.5
        likeness = torch.exp(logits)  # above 88.7 this is inf
        return {"contrast": -torch.log(likeness.diagonal() / likeness.sum(1)).mean()}

    return run(model, losses, data, lr=2e-3, clip_norm=1.0)


CASES: tuple[Case, ...] = (
    Case(
        name="gate-of-full-certainty",
        title="A hand-written gate loss takes the log of 1 minus a sigmoid that is 1.",
        source="https://github.com/pytorch/pytorch/issues/24933",
        package="",
        repairable=False,
        truth=Truth(
            kind="code", component="gate", operation="log", line="torch.log(1 - sure)", samples=("b30r02",), step=30
        ),
        build=build_gate,
    ),
    Case(
        name="log-of-negative-mel",
        title="A loss of logs meets a prediction below zero.",
        source="https://github.com/timeseriesAI/tsai/issues/150",
        package="",
        repairable=False,
        truth=Truth(
            kind="toxic",
            component="log_mel",
            operation="log",
            line="torch.log(mel + 0.01)",
            samples=("b35r10",),
            step=35,
        ),
        build=build_mel,
    ),
    Case(
        name="nt-xent-exp",
        title="A hand-written NT-Xent loss overflows its exponential on one loud pair of views.",
        source="https://github.com/Lightning-Universe/lightning-bolts/issues/320",
        package="",
        repairable=False,
        truth=Truth(
            kind="code", component="contrast", operation="exp", line="torch.exp(logits)", samples=("b42r09",), step=42
        ),
        build=build_nt_xent,
    ),
)
