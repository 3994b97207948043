"""Faults that come once and do not come again: a forward hook spoils one activation at one call.

The hook arms itself after a number of committed steps and fires at the first forward after that; a replay of the same
batch with the same weights is clean. No row and no weight is to blame. The hooks are plain functions on purpose: a
deep copy of the model shares them, so that a copy does not fire a second time.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from .case import Case, Run, Truth
from .state_common import STEPS, class_rows, cut, fire_once, mlp, regression_rows

SIZE = 16


def _nothing() -> None:
    """The mended run: nothing happens between the steps."""


# -- a flipped bit ----------------------------------------------------------------------------------------------------


class Regressor(nn.Module):
    """Two hidden layers and a squared error that is written out."""

    def __init__(self) -> None:
        super().__init__()
        self.body = mlp(8, 32, 32)
        self.head = nn.Linear(32, 1)

    def squared_error(self, x: Tensor, y: Tensor) -> Tensor:
        """Give the mean squared error."""
        error: Tensor = self.head(self.body(x).tanh()).squeeze(-1) - y
        return error.square().mean()


def flip_exponent_bit(output: Tensor) -> Tensor:
    """Flip the top exponent bit of one prediction: a number below one becomes about 1e38, still finite."""
    spoilt = output.detach().clone()
    flat = spoilt.view(-1)
    place = int((flat.abs() * (flat.abs() < 1)).argmax())
    flat.view(torch.int32)[place] ^= 1 << 30
    return output + (spoilt - output.detach())


def _build_bit(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = Regressor()
    return Run(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.01),
        losses=lambda batch: {"mse": model.squared_error(batch["x"], batch["y"])},
        batches=cut(regression_rows(STEPS * SIZE, generator), SIZE, "bit"),
        held_out=cut(regression_rows(128, generator), 32, "bit-held"),
        after_commit=fire_once(model.head, 37, flip_exponent_bit) if faulty else _nothing,
    )


# -- an inf from nowhere ----------------------------------------------------------------------------------------------


def misread(output: Tensor) -> Tensor:
    """One activation comes back as a huge number divided by zero, as from a broken reduction."""
    bolt = torch.zeros_like(output)
    bolt[0, 0] = 1.0
    return output + bolt / (1.0 - bolt)


def _build_inf(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    encoder, head = mlp(8, 32, 16), nn.Linear(16, 4)
    model = nn.Sequential(encoder, nn.LayerNorm(16), head)

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"ce": functional.cross_entropy(model(batch["x"]), batch["label"])}

    return Run(
        model=model,
        optimizer=torch.optim.AdamW(model.parameters(), lr=0.01),
        losses=losses,
        batches=cut(class_rows(STEPS * SIZE, generator), SIZE, "once"),
        held_out=cut(class_rows(128, generator), 32, "once-held"),
        after_commit=fire_once(encoder, 28, misread) if faulty else _nothing,
    )


# -- memory that was never written ------------------------------------------------------------------------------------


class TwoHeads(nn.Module):
    """An embedding of word bags with a class head and a length head: two losses of different size."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30, 12)
        self.topic = nn.Linear(12, 4)
        self.length = nn.Linear(12, 1)

    def losses(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give the named losses of a batch."""
        bag = self.words(batch["words"]).mean(dim=1)
        surplus = self.length(bag).squeeze(-1) - batch["score"]
        return {
            "topic": functional.cross_entropy(self.topic(bag), batch["topic"]),
            "score": torch.exp(surplus.abs()).mean(),
        }


def _bags(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    topic = torch.randint(0, 4, (count,), generator=generator)
    words = (topic[:, None] * 6 + torch.randint(0, 12, (count, 6), generator=generator)) % 30
    return {"words": words, "topic": topic, "score": words.float().mean(dim=1) / 10}


def stale_memory(output: Tensor) -> Tensor:
    """One vector was not written by its kernel and holds what lay in the memory before."""
    stale = torch.zeros_like(output)
    stale[1, 2] = 1e6
    return output + stale


def _build_stale(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = TwoHeads()
    return Run(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.02),
        losses=model.losses,
        batches=cut(_bags(STEPS * SIZE, generator), SIZE, "bag"),
        held_out=cut(_bags(128, generator), 32, "bag-held"),
        weights={"topic": 1.0, "score": 0.2},
        after_commit=fire_once(model.words, 43, stale_memory) if faulty else _nothing,
    )


CASES: tuple[Case, ...] = (
    Case(
        name="bit-flip-in-output",
        title="One bit of one prediction flips once; its square overflows.",
        source="https://github.com/tenstorrent/tt-metal/pull/20940",
        package="",
        truth=Truth(
            kind="transient",
            component="mse",
            step=37,
        ),
        repairable=True,
        build=_build_bit,
    ),
    Case(
        name="inf-from-nowhere",
        title="One activation is inf once; the same batch is clean when it is run again.",
        source="https://github.com/mrphys/tensorflow-nufft/issues/20",
        package="",
        truth=Truth(kind="transient", component="ce", step=28),
        repairable=True,
        build=_build_inf,
    ),
    Case(
        name="stale-memory-in-embedding",
        title="One embedding vector holds stale memory once; the exponential score loss overflows, the topic loss not.",
        source="https://github.com/NVIDIA/apex/pull/1322",
        package="",
        truth=Truth(
            kind="transient",
            component="score",
            step=43,
        ),
        repairable=True,
        build=_build_stale,
    ),
)
