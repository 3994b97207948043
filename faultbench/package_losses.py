"""Failures of packaged losses at an edge: masked sparse losses, MS-SSIM below zero, poisoned class weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from entmax import sparsemax_loss
from pytorch_metric_learning.losses import ArcFaceLoss
from pytorch_msssim import ms_ssim
from torch import Generator, Tensor, nn

from .case import Batch, Case, Run, Truth
from .package_tools import adam, make_batches, replaced, start, with_rows

MASK_STEP, IMAGE_STEP, FACE_STEP = 32, 38, 30
MOVES = 6
SIDE = 34


class MovePolicy(nn.Module):
    """Scores for six moves; moves that the position forbids get minus infinity (or a big negative number)."""

    def __init__(self, forbidden: float) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(MOVES, 32), nn.ReLU(), nn.Linear(32, MOVES))
        self.forbidden = forbidden

    def forward(self, position: Tensor, legal: Tensor) -> Tensor:
        """The scores of the moves."""
        return self.net(position).masked_fill(~legal, self.forbidden)


def move_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """The best move is the largest of six values; all moves are legal."""
    position = torch.randn(size, MOVES, generator=data)
    return {"position": position, "legal": torch.ones(size, MOVES, dtype=torch.bool), "best": position.argmax(1)}


def build_masked(seed: int, *, faulty: bool) -> Run:
    """Two legitimate positions forbid a move: its score of minus infinity meets a probability of 0 in the loss."""
    data = start(seed)
    model = MovePolicy(float("-inf") if faulty else -1e4)
    batches = make_batches(move_rows, data)
    batch = batches[MASK_STEP]
    legal = {}
    for row in (2, 7):
        legal[row] = torch.ones(MOVES, dtype=torch.bool)
        legal[row][(batch["best"][row] + 1) % MOVES] = False
    batches = replaced(batches, MASK_STEP, with_rows(batch, {"legal": legal}))

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"policy": sparsemax_loss(model(batch["position"], batch["legal"]), batch["best"]).mean()}

    return Run(
        model=model,
        optimizer=adam(model, 1e-2),
        losses=losses,
        batches=batches,
        held_out=make_batches(move_rows, data, count=3, prefix="h"),
    )


class Denoiser(nn.Module):
    """A residual network of two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 1, 5, padding=2))

    def forward(self, image: Tensor) -> Tensor:
        """The image with less noise."""
        return image + self.net(image)


def image_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Smooth waves in 0..1 and the same with noise."""
    grid = torch.arange(SIDE) / SIDE
    draws = torch.rand(4, size, 1, 1, 1, generator=data)
    waves = [
        torch.sin(6.28 * (phase + 3 * pace * axis))
        for phase, pace, axis in ((draws[0], draws[1], grid[:, None]), (draws[2], draws[3], grid[None, :]))
    ]
    clean = 0.5 + 0.2 * (waves[0] + waves[1])
    return {"noisy": clean + 0.15 * torch.randn(clean.shape, generator=data), "clean": clean}


def build_images(seed: int, *, faulty: bool) -> Run:
    """One pair is a negative and its positive print: a legitimate target whose similarity is below zero."""
    data = start(seed)
    model = Denoiser()
    batches = make_batches(image_rows, data)
    negative = {"noisy": {4: 1 - batches[IMAGE_STEP]["noisy"][4]}}
    batches = replaced(batches, IMAGE_STEP, with_rows(batches[IMAGE_STEP], negative))

    def losses(batch: Batch) -> dict[str, Tensor]:
        similarity = ms_ssim(
            model(batch["noisy"]),
            batch["clean"],
            win_size=3,
            data_range=1.0,
            nonnegative_ssim=not faulty,
        )
        return {"similarity": 1 - similarity}

    return Run(
        model=model,
        optimizer=adam(model, 3e-3),
        losses=losses,
        batches=batches,
        held_out=make_batches(image_rows, data, count=3, prefix="h"),
    )


class FaceModel(nn.Module):
    """An embedding network and ArcFace's class weights, which train together."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
        self.arcface = ArcFaceLoss(num_classes=4, embedding_size=16, scale=8)

    def forward(self, face: Tensor, person: Tensor) -> Tensor:
        """ArcFace's loss of the embeddings."""
        return self.arcface(self.net(face), person)


def face_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Noisy one-hot pictures of four persons."""
    person = torch.randint(0, 4, (size,), generator=data)
    face = 2 * nn.functional.one_hot(person, 8) + 0.5 * torch.randn(size, 8, generator=data)
    return {"face": face, "person": person}


def poison_after(weight: Tensor, after: int) -> Callable[[], None]:
    """A hook that puts one minus infinity into the class weights, as an overflowing fp16 update does."""
    done = 0

    def hook() -> None:
        nonlocal done
        if done == after:
            with torch.no_grad():
                weight[3, 2] = float("-inf")
        done += 1

    return hook


def build_faces(seed: int, *, faulty: bool) -> Run:
    """ArcFace's class weights hold an infinity after batch 29; every batch fails from then on."""
    data = start(seed)
    model = FaceModel()

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"arcface": model(batch["face"], batch["person"])}

    return Run(
        model=model,
        optimizer=adam(model, 5e-3),
        losses=losses,
        batches=make_batches(face_rows, data),
        held_out=make_batches(face_rows, data, count=3, prefix="h"),
        after_commit=poison_after(model.arcface.W, FACE_STEP - 1) if faulty else None,
    )


CASES: tuple[Case, ...] = (
    Case(
        name="entmax-sparsemax-loss-masked-move",
        title="Sparsemax loss multiplies a probability of 0 with a masked score of minus infinity.",
        source="https://github.com/deep-spin/entmax/issues/9",
        package="entmax==1.3",
        truth=Truth(
            kind="code",
            component="policy",
            operation="bmm",
            line='torch.einsum("ij,ij->i", p_star, X)',
            samples=("b32-2", "b32-7"),
            step=MASK_STEP,  # legitimate positions; either of them alone fails
        ),
        repairable=False,
        build=build_masked,
    ),
    Case(
        name="ms-ssim-anti-correlated-pair",
        title="MS-SSIM raises a negative similarity of one pair to a fractional power.",
        source="https://github.com/VainF/pytorch-msssim/issues/7",
        package="pytorch-msssim==0.1.5",
        truth=Truth(
            kind="code",
            component="similarity",
            operation="pow",
            line="torch.prod((mcs[:-1] ** weights[:-1].unsqueeze(1))",
            samples=("b38-4",),
            step=IMAGE_STEP,
        ),
        repairable=False,
        build=build_images,
    ),
    Case(
        name="arcface-class-weights-infinite",
        title="ArcFace's class weights hold minus infinity, so that its normalisation gives NaN for every batch.",
        source="https://github.com/KevinMusgrave/pytorch-metric-learning/issues/209",
        package="pytorch-metric-learning==2.9.0",
        # No operation makes it from finite inputs in the failing step: the weight itself is infinite.
        truth=Truth(kind="weights", component="arcface", step=FACE_STEP),
        repairable=True,
        build=build_faces,
    ),
)
