"""Failures of packages at an exact value: roma at a half turn and at the identity, diffusers at a ratio of 0."""

from __future__ import annotations

import roma
import torch
from diffusers import DDPMScheduler, UNet2DModel
from diffusers.training_utils import compute_snr
from torch import Generator, Tensor, nn

from .case import Batch, Case, Run, Truth
from .package_tools import adam, make_batches, replaced, start, with_rows

TURN_STEP, IDENTITY_STEP, SNR_STEP = 33, 41, 39


class Turner(nn.Module):
    """A network without biases from marker shifts to a rotation vector: no shift, no rotation."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 32, bias=False), nn.Tanh(), nn.Linear(32, 3, bias=False))

    def forward(self, shifts: Tensor) -> Tensor:
        """One rotation matrix a row."""
        return roma.rotvec_to_rotmat(self.net(shifts))


def turn_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Rotations of up to about a radian, and a noisy linear view of their rotation vectors."""
    vector = 0.5 * torch.randn(size, 3, generator=data)
    shifts = torch.cat([vector, vector.flip(1)], dim=1) + 0.02 * torch.randn(size, 6, generator=data)
    return {"shifts": shifts, "rotation": roma.rotvec_to_rotmat(vector)}


def build_turn(seed: int, *, faulty: bool) -> Run:
    """One legitimate row: a symmetric body turned by half, so that its markers show no shift at all."""
    data = start(seed)
    model = Turner()
    batches = make_batches(turn_rows, data)
    axis = torch.tensor([3.0, 4.0, 4.0])
    axis = axis / axis.norm()
    half_turn = 2 * torch.outer(axis, axis) - torch.eye(3)
    changes = {"shifts": {5: torch.zeros(6)}, "rotation": {5: half_turn}}
    batches = replaced(batches, TURN_STEP, with_rows(batches[TURN_STEP], changes))

    def losses(batch: Batch) -> dict[str, Tensor]:
        predicted = model(batch["shifts"])
        # Mended: the package's own advice, a clamping value strictly below 1.
        angle = roma.rotmat_geodesic_distance(predicted, batch["rotation"], clamping=1.0 if faulty else 0.999)
        return {"angle": angle.mean()}

    return Run(
        model=model,
        optimizer=adam(model, 1e-2),
        losses=losses,
        batches=batches,
        held_out=make_batches(turn_rows, data, count=3, prefix="h"),
    )


class Projector(nn.Module):
    """A network without biases whose matrix, added to the identity, is projected on the rotations."""

    def __init__(self, *, naive: bool) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 32, bias=False), nn.Tanh(), nn.Linear(32, 9, bias=False))
        self.naive = naive

    def forward(self, shifts: Tensor) -> Tensor:
        """One rotation matrix a row."""
        matrix = torch.eye(3) + self.net(shifts).view(-1, 3, 3)
        return roma.special_procrustes_naive(matrix) if self.naive else roma.special_procrustes(matrix)


def build_identity(seed: int, *, faulty: bool) -> Run:
    """One legitimate row of a body that hardly moved: no shift, so the matrix has three equal singular values."""
    data = start(seed)
    model = Projector(naive=faulty)
    batches = make_batches(turn_rows, data)
    changes = {"shifts": {2: torch.zeros(6)}}
    batches = replaced(batches, IDENTITY_STEP, with_rows(batches[IDENTITY_STEP], changes))

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"matrix": (model(batch["shifts"]) - batch["rotation"]).square().sum((1, 2)).mean()}

    return Run(
        model=model,
        optimizer=adam(model, 1e-2),
        losses=losses,
        batches=batches,
        held_out=make_batches(turn_rows, data, count=3, prefix="h"),
    )


def picture_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Pictures of one bright row or column, noise and timesteps (the very last timestep is rare: 1 of 1000)."""
    place = torch.randint(0, 8, (size,), generator=data)
    line = nn.functional.one_hot(place, 8).float() * 2 - 1
    return {
        "picture": line[:, None, :, None].expand(size, 1, 8, 8).clone(),
        "noise": torch.randn(size, 1, 8, 8, generator=data),
        "time": torch.randint(0, 990, (size,), generator=data),
    }


def build_snr(seed: int, *, faulty: bool) -> Run:
    """One row draws the last timestep, a legitimate one, whose signal-to-noise ratio is 0: min(0, 5) / 0."""
    data = start(seed)
    model = UNet2DModel(
        sample_size=8,
        in_channels=1,
        out_channels=1,
        layers_per_block=1,
        block_out_channels=(8, 8),
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        add_attention=False,
    )
    schedule = DDPMScheduler(num_train_timesteps=1000, rescale_betas_zero_snr=True)
    batches = make_batches(picture_rows, data)
    batches = replaced(batches, SNR_STEP, with_rows(batches[SNR_STEP], {"time": {1: torch.tensor(999)}}))

    def losses(batch: Batch) -> dict[str, Tensor]:
        noisy = schedule.add_noise(batch["picture"], batch["noise"], batch["time"])
        predicted = model(noisy, batch["time"]).sample
        error = (predicted - batch["noise"]).square().mean((1, 2, 3))
        ratio = compute_snr(schedule, batch["time"])
        # Mended: at a ratio of 0 the weight's limit, 1.
        return {"noise": min_snr(error, ratio if faulty else ratio.clamp(min=1e-8))}

    return Run(
        model=model,
        optimizer=adam(model, 3e-3),
        losses=losses,
        batches=batches,
        held_out=make_batches(picture_rows, data, count=3, prefix="h"),
    )


def min_snr(error: Tensor, ratio: Tensor) -> Tensor:
    """The Min-SNR weighting as the training scripts write it."""
    weight = torch.minimum(ratio, torch.full_like(ratio, 5.0)) / ratio
    return (error * weight).mean()


CASES: tuple[Case, ...] = (
    Case(
        name="roma-geodesic-distance-half-turn",
        title="The arc sine's slope is infinite where prediction and target are exactly half a turn apart.",
        source="https://github.com/naver/roma/issues/9",
        package="roma==1.8.0",
        truth=Truth(
            kind="code",
            component="angle",
            operation="rsqrt",  # the backward pass of asin: gradient * rsqrt(1 - x * x)
            line="return 2.0 * torch.asin(torch.clamp_max(torch.norm(R2 - R1",
            samples=("b33-5",),
            step=TURN_STEP,
        ),
        repairable=False,
        build=build_turn,
    ),
    Case(
        name="roma-naive-procrustes-identity",
        title="The slope of a singular value decomposition divides by the difference of equal singular values.",
        source="https://github.com/naver/roma/issues/6",
        package="roma==1.8.0",
        truth=Truth(
            kind="code",
            component="matrix",
            operation="div",  # in the backward pass of linalg.svd
            line="U, D, Vt = torch.linalg.svd(M)",
            samples=("b41-2",),
            step=IDENTITY_STEP,
        ),
        repairable=False,
        build=build_identity,
    ),
    Case(
        name="diffusers-min-snr-at-zero-terminal-snr",
        title="The Min-SNR weight of the last timestep of a zero-terminal-SNR schedule is 0/0.",
        source="https://github.com/kohya-ss/sd-scripts/pull/934",
        package="diffusers==0.42.1",
        truth=Truth(
            kind="code",
            component="noise",
            operation="div",
            line="torch.full_like(ratio, 5.0)) / ratio",
            samples=("b39-1",),
            step=SNR_STEP,
        ),
        repairable=False,
        build=build_snr,
    ),
)
