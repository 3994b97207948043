"""Formulas that are wrong at one edge: sqrt, power and acos where their slope ends, 0 / 0, exp and log out of range.

Every row that hits an edge here is legitimate: no one would throw it out of a corpus, the formula has to bear it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .case import Batch, Case, Run, Truth
from .rows import mlp, put, run, scaled, stream


def build_sqrt(seed: int, *, faulty: bool) -> Run:
    """A triplet loss over hand-written distances; once the augmentation leaves a positive equal to its anchor."""
    torch.manual_seed(seed)
    centres = torch.randn(6, 12, generator=torch.Generator().manual_seed(7))

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        own = torch.randint(6, (rows,), generator=generator)
        other = (own + 1 + torch.randint(5, (rows,), generator=generator)) % 6
        noise = torch.randn(3, rows, 12, generator=generator)
        return {
            name: centres[which] + noise[part]
            for part, (name, which) in enumerate((("anchor", own), ("positive", own), ("negative", other)))
        }

    data = stream(make, seed)
    put(data[0], 31, 4, positive=data[0][31]["anchor"][4])  # legitimate: an augmentation may change nothing
    model = mlp(12, 32, 8)

    def distance(one: Tensor, two: Tensor) -> Tensor:
        square = (one - two).pow(2).sum(1)
        if not faulty:
            square = square + 1e-6
        return square.sqrt()  # the slope at 0 is infinite

    def losses(batch: Batch) -> dict[str, Tensor]:
        anchor, positive, negative = (model(batch[name]) for name in ("anchor", "positive", "negative"))
        return {"triplet": F.relu(distance(anchor, positive) - distance(anchor, negative) + 1).mean()}

    return run(model, losses, data, lr=3e-3)


def build_power(seed: int, *, faulty: bool) -> Run:
    """Speech enhancement: a mask on a complex spectrum, its magnitude taken with a power of one half."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        noisy = torch.randn(rows, 2, 12, generator=generator)
        keep = torch.sigmoid(2 * noisy[:, 0] - noisy[:, 1])
        return {"noisy": noisy, "clean": noisy.norm(dim=1) * keep}

    data = stream(make, seed)
    frame = data[0][28]["noisy"][9].clone()
    frame[:, 8:] = 0  # legitimate: telephone speech has nothing in its upper bands
    put(data[0], 28, 9, noisy=frame, clean=data[0][28]["clean"][9] * (frame[0] != 0))
    model = mlp(24, 48, 12)

    def losses(batch: Batch) -> dict[str, Tensor]:
        noisy = batch["noisy"]
        enhanced = noisy * torch.sigmoid(model(noisy.flatten(1))).unsqueeze(1)
        power = enhanced.pow(2).sum(1)
        if not faulty:
            power = power + 1e-8
        magnitude = power**0.5  # at 0 the slope is 0.5 * 0 ** -0.5
        return {"magnitude": F.mse_loss(magnitude, batch["clean"])}

    return run(model, losses, data)


def build_acos(seed: int, *, faulty: bool) -> Run:
    """Heading from speed and features, with the angle to the true heading as its loss; once something stands still."""
    torch.manual_seed(seed)
    turn = torch.randn(10, 3, generator=torch.Generator().manual_seed(3)) * 0.5

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        heading = F.normalize(torch.randn(rows, 3, generator=generator), dim=1)
        speed = 0.5 + torch.rand(rows, 1, generator=generator)
        x = torch.randn(rows, 10, generator=generator)
        return {"heading": heading, "speed": speed, "x": x, "target": F.normalize(heading + speed * (x @ turn), dim=1)}

    data = stream(make, seed)
    east = torch.tensor([1.0, 0.0, 0.0])
    put(data[0], 36, 2, heading=east, target=east, speed=0.0)  # legitimate: standing still, it keeps its heading
    model = mlp(10, 32, 3)
    edge = 1.0 if faulty else 1.0 - 1e-5

    def losses(batch: Batch) -> dict[str, Tensor]:
        heading = F.normalize(batch["heading"] + batch["speed"] * model(batch["x"]), dim=1)
        cosine = (heading * batch["target"]).sum(1).clamp(-edge, edge)
        return {"angle": torch.acos(cosine).mean()}  # the clamp mends the value at 1, not the slope

    return run(model, losses, data, lr=5e-3)


def build_atan(seed: int, *, faulty: bool) -> Run:
    """A phase loss: a network turns complex bins, the phase comes from a quotient; some bins are digital silence."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        spectrum = torch.randn(rows, 2, 8, generator=generator)
        x = torch.randn(rows, 8, generator=generator)
        phase = torch.atan2(spectrum[:, 1], spectrum[:, 0]) + torch.tanh(x)
        return {"spectrum": spectrum, "x": x, "phase": phase}

    data = stream(make, seed)
    bins = data[0][40]["spectrum"][11].clone()
    bins[:, 6:] = 0  # legitimate: the upper bins of a band-limited recording are empty
    put(data[0], 40, 11, spectrum=bins)
    model = mlp(8, 32, 16)

    def losses(batch: Batch) -> dict[str, Tensor]:
        real, imaginary = batch["spectrum"].unbind(1)
        cosine, sine = model(batch["x"]).chunk(2, dim=1)
        turned = real * cosine - imaginary * sine
        if not faulty:
            turned = torch.where(turned.abs() < 1e-3, torch.full_like(turned, 1e-3), turned)
        tangent = (real * sine + imaginary * cosine) / turned  # 0 / 0 in an empty bin
        # An angle from a quotient is known up to half a turn, hence twice the difference.
        return {"phase": (1 - torch.cos(2 * (torch.atan(tangent) - batch["phase"]))).mean()}

    return run(model, losses, data)


class HandElu(nn.Module):
    """The exponential linear unit, written out with `torch.where`."""

    def __init__(self, faulty: bool) -> None:
        super().__init__()
        self.faulty = faulty

    def forward(self, x: Tensor) -> Tensor:
        """Return x above zero, else exp(x) - 1."""
        below = x if self.faulty else x.clamp(max=0)
        return torch.where(x > 0, x, torch.exp(below) - 1)  # the branch not taken still has a gradient: 0 * inf


def build_where(seed: int, *, faulty: bool) -> Run:
    """A hand-written ELU computes the branch that it does not take, and a loud row overflows it."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, 10, generator=generator)
        return {"x": x, "y": F.normalize(x, dim=1)[:, :3]}

    data = stream(make, seed)
    scaled(data[0], 26, 7, "x", 600.0)  # legitimate: one very loud recording
    model = nn.Sequential(nn.Linear(10, 32), HandElu(faulty), nn.LayerNorm(32), nn.Linear(32, 3))

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"direction": F.mse_loss(model(batch["x"]), batch["y"])}

    return run(model, losses, data)


def build_log(seed: int, *, faulty: bool) -> Run:
    """A hand-written cross entropy: the log of a softmax that rounds to zero for a loud row."""
    torch.manual_seed(seed)
    teacher = torch.randn(10, 4, generator=torch.Generator().manual_seed(5))

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, 10, generator=generator)
        return {"x": x, "label": F.one_hot((x @ teacher).argmax(1), 4).float()}

    data = stream(make, seed)
    scaled(data[0], 38, 13, "x", 800.0)  # legitimate: recorded without gain control
    model = mlp(10, 32, 4)

    def losses(batch: Batch) -> dict[str, Tensor]:
        probability = torch.softmax(model(batch["x"]), dim=1)
        if not faulty:
            probability = probability.clamp(min=1e-7)
        surprise = torch.log(probability)  # -inf, and then 0 * -inf
        return {"class": -(batch["label"] * surprise).sum(1).mean()}

    return run(model, losses, data, clip_norm=1.0)


CASES: tuple[Case, ...] = (
    Case(
        name="sqrt-of-equal-pair",
        title="The gradient of a square root is taken at a distance of zero.",
        source="https://github.com/adambielski/siamese-triplet/issues/18",
        package="",
        repairable=False,
        truth=Truth(
            kind="code", component="triplet", operation="div", line="square.sqrt()", samples=("b31r04",), step=31
        ),
        build=build_sqrt,
    ),
    Case(
        name="half-power-of-silence",
        title="A magnitude is a power of one half, and some bins are exactly zero.",
        source="https://github.com/speechbrain/speechbrain/issues/181",
        package="",
        repairable=False,
        truth=Truth(
            kind="code", component="magnitude", operation="pow", line="power**0.5", samples=("b28r09",), step=28
        ),
        build=build_power,
    ),
    Case(
        name="acos-at-one",
        title="acos is clamped to [-1, 1], which leaves its slope at 1 infinite.",
        source="https://github.com/pytorch/pytorch/issues/8069",
        package="",
        repairable=False,
        truth=Truth(
            kind="code", component="angle", operation="rsqrt", line="torch.acos(cosine)", samples=("b36r02",), step=36
        ),
        build=build_acos,
    ),
    Case(
        name="phase-of-nothing",
        title="The phase of an empty bin is taken as atan(0 / 0).",
        source="https://github.com/tensorflow/tensorflow/issues/6095",
        package="",
        repairable=False,
        truth=Truth(
            kind="code",
            component="phase",
            operation="div",
            line="imaginary * cosine) / turned",
            samples=("b40r11",),
            step=40,
        ),
        build=build_atan,
    ),
    Case(
        name="where-branch-not-taken",
        title="torch.where sends the gradient of its unused, overflown branch back.",
        source="https://github.com/pytorch/pytorch/issues/68425",
        package="",
        repairable=False,
        truth=Truth(
            kind="code", component="direction", operation="exp", line="torch.exp(below)", samples=("b26r07",), step=26
        ),
        build=build_where,
    ),
    Case(
        name="log-of-rounded-softmax",
        title="A hand-written cross entropy takes the log of a probability of zero.",
        source="https://github.com/HealthML/active-segmentation/pull/78",
        package="",
        repairable=False,
        truth=Truth(
            kind="code", component="class", operation="log", line="torch.log(probability)", samples=("b38r13",), step=38
        ),
        build=build_log,
    ),
)
