"""Rows whose own content is bad: NaN in the features, -inf in the target, or the same sentence twice in a batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .case import Batch, Case, Run, Truth
from .rows import put, run, stream


def build_nan_row(seed: int, *, faulty: bool) -> Run:
    """Regression on a table with one missing measurement in one row."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, 10, generator=generator)
        return {"x": x, "y": torch.tanh(x[:, :2]) + 0.5 * x[:, 2:4]}

    data = stream(make, seed)
    if faulty:
        gap = data[0][27]["x"][14].clone()
        gap[6] = math.nan
        put(data[0], 27, 14, x=gap)
    model = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 2))

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"demand": F.mse_loss(model(batch["x"]), batch["y"])}

    return run(model, losses, data)


def build_two_nan_rows(seed: int, *, faulty: bool) -> Run:
    """Two spots of one slide are empty, and their expression values NaN; each alone spoils the batch."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        image = torch.randn(rows, 1, 8, 8, generator=generator)
        return {"image": image, "genes": F.avg_pool2d(image, 4).flatten(1) * 3}

    data = stream(make, seed, rows=24)
    if faulty:
        put(data[0], 41, 3, genes=math.nan)
        put(data[0], 41, 20, genes=math.nan)
    model = nn.Sequential(nn.Conv2d(1, 8, 4, stride=4), nn.GELU(), nn.Flatten(), nn.Linear(32, 4))

    def losses(batch: Batch) -> dict[str, Tensor]:
        value = model(batch["image"])
        return {"genes": F.mse_loss(value, batch["genes"]), "size": value.abs().mean()}

    return run(model, losses, data, weights={"genes": 1.0, "size": 0.01})


def build_inf_target(seed: int, *, faulty: bool) -> Run:
    """The corpus was made with log(0), so that one mel target holds -inf; the stop loss knows nothing of it."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        text = torch.randn(rows, 7, 6, generator=generator)
        mel = torch.cumsum(text, dim=1)[..., :4] * 0.5
        return {"text": text, "mel": mel, "stop": (text[..., 5] > 0).float()}

    data = stream(make, seed, rows=12)
    if faulty:
        mel = data[0][44]["mel"][8].clone()
        mel[5:] = -math.inf
        put(data[0], 44, 8, mel=mel)
    model = nn.ModuleDict({"body": nn.GRU(6, 32, batch_first=True), "mel": nn.Linear(32, 4), "stop": nn.Linear(32, 1)})

    def losses(batch: Batch) -> dict[str, Tensor]:
        hidden = model["body"](batch["text"])[0]
        stop = F.binary_cross_entropy_with_logits(model["stop"](hidden).squeeze(2), batch["stop"])
        return {"mel": F.mse_loss(model["mel"](hidden), batch["mel"]), "stop": stop}

    return run(model, losses, data)


def build_duplicates(seed: int, *, faulty: bool) -> Run:
    """A loss on all distances within a batch; the corpus holds one sentence twice, under two ids."""
    torch.manual_seed(seed)
    meaning = torch.randn(40, 3, generator=torch.Generator().manual_seed(6))
    order = torch.tensor([1.0, 0.8, 0.6, 0.4]).unsqueeze(1)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        words = torch.randint(40, (rows, 4), generator=generator)
        return {"words": words, "place": (meaning[words] * order).sum(1)}

    data = stream(make, seed)
    if faulty:  # only together: either of the two rows alone is fine
        first = data[0][30]
        put(data[0], 30, 12, words=first["words"][1], place=first["place"][1])
    model = nn.Embedding(40, 6)

    def losses(batch: Batch) -> dict[str, Tensor]:
        here = (model(batch["words"]) * order).sum(1)
        one, two = torch.triu_indices(len(here), len(here), offset=1)
        apart = (here[one] - here[two]).pow(2).sum(1).sqrt()
        true = (batch["place"][one] - batch["place"][two]).norm(dim=1)
        stress = (apart - true).pow(2).sum() / max(1, len(one))
        return {"stress": stress, "place": F.mse_loss(here[:, :3], batch["place"])}

    return run(model, losses, data, lr=5e-2)


CASES: tuple[Case, ...] = (
    Case(
        name="nan-feature",
        title="One row of a table has a missing value, and it reads as NaN.",
        source="https://github.com/Nixtla/neuralforecast/issues/186",
        package="",
        repairable=True,
        truth=Truth(kind="data", component="demand", samples=("b27r14",), step=27),
        build=build_nan_row,
    ),
    Case(
        name="two-nan-targets",
        title="Two rows of one batch have NaN targets.",
        source="https://github.com/ratschlab/DeepSpot/issues/9",
        package="",
        repairable=True,
        truth=Truth(kind="data", component="genes", samples=("b41r03", "b41r20"), step=41),
        build=build_two_nan_rows,
    ),
    Case(
        name="minus-inf-mel",
        title="A mel target holds -inf, since the corpus was made with the log of silence.",
        source="https://github.com/KimythAnly/AGAIN-VC/issues/5",
        package="",
        repairable=True,
        truth=Truth(kind="data", component="mel", samples=("b44r08",), step=44),
        build=build_inf_target,
    ),
    Case(
        name="same-sentence-twice",
        title="Two rows with the same content make a distance of zero, only together.",
        source="https://github.com/tensorflow/tensorflow/issues/30199",
        package="",
        repairable=True,
        truth=Truth(
            kind="data",
            component="stress",
            operation="div",
            line="here[two]).pow(2).sum(1).sqrt()",
            samples=("b30r01", "b30r12"),
            step=30,
        ),
        build=build_duplicates,
    ),
)
