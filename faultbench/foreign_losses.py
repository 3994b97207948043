"""Failures in losses, flows and layers of small public packages, on rows and states that bring them to their edges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import auraloss
import info_nce
import lion_pytorch
import normflows as nf
import roma
import torch
import TorchCRF
from pytorch_metric_learning import losses as metric
from torch import Tensor, nn
from vector_quantize_pytorch import VectorQuantize
from x_transformers import ContinuousTransformerWrapper
from x_transformers import Encoder as Layers

from . import foreign_common as common
from .case import Case, Run, Truth
from .foreign_common import LENGTH, WIDTH
from .rows import mlp, put, run, scaled, stream

Action = Callable[[Run], None]


def build_logcosh(seed: int, *, faulty: bool) -> Run:
    """Waveforms in 16-bit units now and then: the hyperbolic cosine of a hundred overflows."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv1d(1, 8, 9, padding=4), nn.Tanh(), nn.Conv1d(8, 1, 9, padding=4))
    loss = auraloss.time.LogCoshLoss() if faulty else auraloss.time.ESRLoss()

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        clean = torch.sin(torch.arange(64) * (0.1 + torch.rand(rows, 1, 1, generator=generator)))
        return {"noisy": clean + 0.3 * torch.randn(rows, 1, 64, generator=generator), "clean": clean}

    data = stream(make, seed)
    scaled(data[0], 34, 9, "clean", 300.0)  # legitimate: this one is not normalised

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        return {"wave": loss(model(batch["noisy"]), batch["clean"])}

    return run(model, losses, data, clip_norm=1.0)


def build_geodesic(seed: int, *, faulty: bool) -> Run:
    """The angle to the true rotation, where one object already stands right: the arc cosine has no slope at 1."""
    torch.manual_seed(seed)
    model = mlp(6, 32, 3)
    angle = roma.rotmat_geodesic_distance_naive if faulty else roma.rotmat_geodesic_distance

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, 6, generator=generator)
        turn = 0.5 * torch.stack([x[:, 0], x[:, 1], x[:, 2] + 2.0], 1)
        return {"x": x, "turn": turn, "weigh": torch.ones(rows, 1)}

    data = stream(make, seed)
    put(data[0], 36, 7, turn=0.0, weigh=0.0)  # legitimate: this view has no object, and stays as it is

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        guess = roma.rotvec_to_rotmat(model(batch["x"]) * batch["weigh"])
        return {"angle": angle(guess, roma.rotvec_to_rotmat(batch["turn"])).mean()}

    return run(model, losses, data)


def build_gramschmidt(seed: int, *, faulty: bool) -> Run:
    """Six numbers a row are made a rotation; a tracker that lost its target wrote zeros."""
    torch.manual_seed(seed)
    model = mlp(9, 32, 4)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        axes = torch.randn(rows, 3, 2, generator=generator)
        return {"axes": axes, "y": axes[:, :2].flatten(1).tanh()}

    data = stream(make, seed)
    if faulty:
        put(data[0], 30, 13, axes=0.0)

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        turned = roma.special_gramschmidt(batch["axes"])
        return {"pose": (model(turned.flatten(1)) - batch["y"]).square().mean()}

    return run(model, losses, data)


def flow() -> nn.Module:
    """Two affine couplings of four features."""
    blocks: list[nn.Module] = []
    for _ in range(2):
        blocks += [nf.flows.AffineCouplingBlock(nf.nets.MLP([2, 16, 4], init_zeros=True)), nf.flows.Permute(4, "swap")]
    return nf.NormalizingFlow(nf.distributions.base.DiagGaussian(4), blocks)


def flow_run(seed: int) -> Run:
    """A flow on correlated features."""
    torch.manual_seed(seed)
    model = flow()

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, 4, generator=generator)
        return {"x": torch.stack([x[:, 0], x[:, 1], x[:, 2] * x[:, 0].exp(), x[:, 3] + 2 * x[:, 1]], 1)}

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        return {"nll": model.forward_kld(batch["x"])}

    return run(model, losses, stream(make, seed, rows=32), lr=2e-2)


def build_flow_rows(seed: int, *, faulty: bool) -> Run:
    """A sensor in other units: finite for a fresh flow, whose scales are 1, and past the exponential of a trained one."""
    result = flow_run(seed)
    batches = list(result.batches)
    if faulty:
        row = batches[40]["x"][11].clone()
        row[0] = -30_000.0  # the spread of another feature falls with this one, and its inverse grows
        put(batches, 40, 11, x=row)
    return replace(result, batches=batches)


def build_flow_nan(seed: int, *, faulty: bool) -> Run:
    """One feature of one row is missing."""
    result = flow_run(seed)
    batches = list(result.batches)
    if faulty:
        row = batches[27]["x"][20].clone()
        row[3] = float("nan")
        put(batches, 27, 20, x=row)
    return replace(result, batches=batches)


def layers() -> nn.Module:
    """A small encoder of x-transformers."""
    stack = Layers(dim=WIDTH, depth=1, heads=2)
    return ContinuousTransformerWrapper(dim_in=WIDTH, dim_out=WIDTH, max_seq_len=LENGTH, attn_layers=stack)


def build_hot_layers(seed: int, *, faulty: bool) -> Run:
    """The rate is far too high from a step on."""
    return common.hot(common.reader_run(seed, layers, common.plainly), 37, 2000.0, faulty=faulty)


def build_struck_layers(seed: int, *, faulty: bool, step: int, action: Action) -> Run:
    """The state is spoilt between two steps."""
    return common.struck(common.reader_run(seed, layers, common.plainly), step, action, faulty=faulty)


def build_hot_lion(seed: int, *, faulty: bool) -> Run:
    """Lion moves every weight by the rate itself, and the rate is Adam's times a hundred."""
    result = common.reader_run(seed, layers, common.plainly)
    lion = lion_pytorch.Lion(result.model.parameters(), lr=3e-4)
    return common.hot(replace(result, optimizer=lion), 33, 30_000.0, faulty=faulty)


def build_arcface(seed: int, *, faulty: bool, step: int) -> Run:
    """The class centres of ArcFace become NaN, while the network is sound."""
    torch.manual_seed(seed)
    model = nn.ModuleDict({"embed": mlp(8, 32, 8), "arc": metric.ArcFaceLoss(4, 8, margin=5.0, scale=8)})

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        label = torch.randint(4, (rows,), generator=generator)
        x = torch.randn(rows, 8, generator=generator)
        x[torch.arange(rows), label] += 2.0
        return {"x": x, "label": label}

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        return {"arc": model["arc"](model["embed"](batch["x"]), batch["label"])}

    def spoil(run_: Run) -> None:
        with torch.no_grad():
            run_.model.get_parameter("arc.W")[3, 1] = float("nan")

    return common.struck(run(model, losses, stream(make, seed), lr=5e-3), step, spoil, faulty=faulty)


def build_pairs(seed: int, *, faulty: bool) -> Run:
    """Pairs for InfoNCE; a picture that cannot be read was kept as NaN."""
    torch.manual_seed(seed)
    model = nn.ModuleDict({"left": mlp(8, 32, 8), "right": mlp(8, 32, 8)})
    loss = info_nce.InfoNCE(temperature=0.1)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        left = torch.randn(rows, 8, generator=generator)
        return {"left": left, "right": left.flip(1) + 0.1 * torch.randn(rows, 8, generator=generator)}

    data = stream(make, seed)
    if faulty:
        put(data[0], 43, 8, right=float("nan"))

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        return {"pairs": loss(model["left"](batch["left"]), model["right"](batch["right"]))}

    return run(model, losses, data, lr=5e-3)


def build_crf(seed: int, *, faulty: bool) -> Run:
    """A tagger under a CRF whose optimizer state was restored with the loss scale still in it."""
    torch.manual_seed(seed)
    model = nn.ModuleDict({"emit": nn.Linear(6, 3), "crf": TorchCRF.CRF(3)})

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        tags = torch.randint(3, (rows, LENGTH), generator=generator)
        x = torch.randn(rows, LENGTH, 6, generator=generator)
        x[:, :, :3] += nn.functional.one_hot(tags, 3)
        return {"x": x, "tags": tags, "mask": torch.ones(rows, LENGTH, dtype=torch.bool)}

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        return {"tags": -model["crf"](model["emit"](batch["x"]), batch["tags"], batch["mask"]).mean()}

    return common.struck(run(model, losses, stream(make, seed)), 31, common.scaled_momentum, faulty=faulty)


def build_codebook(seed: int, *, faulty: bool) -> Run:
    """An autoencoder with a vector-quantised middle; its decoder comes back from a stale dequantisation."""
    torch.manual_seed(seed)
    quantise = VectorQuantize(dim=8, codebook_size=16, kmeans_init=False)
    model = nn.ModuleDict({"encode": mlp(12, 32, 8), "quantise": quantise, "decode": mlp(8, 32, 12)})

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        place = torch.randint(6, (rows, 1), generator=generator)
        return {"x": torch.sin(torch.arange(12) * (place + 1) / 3) + 0.1 * torch.randn(rows, 12, generator=generator)}

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        codes, _, commit = model["quantise"](model["encode"](batch["x"])[:, None])
        return {"rebuild": (model["decode"](codes[:, 0]) - batch["x"]).square().mean(), "commit": commit.sum()}

    def spoil(run_: Run) -> None:
        with torch.no_grad():
            run_.model.get_parameter("decode.2.weight").mul_(2.0**90)

    return common.struck(run(model, losses, stream(make, seed), lr=3e-3), 35, spoil, faulty=faulty)


GITHUB = "https://github.com"


def _case(
    name: str,
    title: str,
    source: str,
    package: str,
    truth: Truth,
    build: Callable[..., Run],
    *,
    repairable: bool = True,
) -> Case:
    return Case(
        name=name,
        title=title,
        source=f"{GITHUB}/{source}",
        package=package,
        truth=truth,
        repairable=repairable,
        build=build,
    )


CASES: tuple[Case, ...] = (
    _case(
        "auraloss-log-cosh",
        "The log-cosh loss overflows on a recording that is not normalised.",
        "csteinmetz1/auraloss/issues/25",
        "auraloss==0.4.0",
        Truth(kind="code", component="wave", operation="cosh", line="torch.cosh(", samples=("b34r09",), step=34),
        build_logcosh,
        repairable=False,
    ),
    _case(
        "roma-angle-at-identity",
        "The gradient of the angle between two equal rotations is infinite.",
        "pytorch/pytorch/issues/8069",
        "roma==1.8.0",
        Truth(kind="code", component="angle", operation="rsqrt", line="torch.acos(", samples=("b36r07",), step=36),
        build_geodesic,
        repairable=False,
    ),
    _case(
        "roma-lost-target",
        "Two zero vectors cannot be made a rotation.",
        "akanazawa/cmr/issues/11",
        "roma==1.8.0",
        Truth(
            kind="data", component="pose", operation="div", line="x = x / torch.clamp_min", samples=("b30r13",), step=30
        ),
        build_gramschmidt,
    ),
    _case(
        "normflows-other-units",
        "A row in other units passes the exponential of trained couplings.",
        "VincentStimper/normalizing-flows/issues/73",
        "normflows==1.7.3",
        Truth(kind="toxic", component="nll", operation="exp", line="torch.exp(", samples=("b40r11",), step=40),
        build_flow_rows,
    ),
    _case(
        "normflows-missing-feature",
        "A missing feature is NaN.",
        "cornellius-gp/gpytorch/issues/1881",
        "normflows==1.7.3",
        Truth(kind="data", component="nll", samples=("b27r20",), step=27),
        build_flow_nan,
    ),
    _case(
        "x-transformers-hot-rate",
        "The rate is two thousand times too high from one step on.",
        "lucidrains/meshgpt-pytorch/issues/44",
        "x-transformers==2.31.10",
        Truth(kind="step size", step=37),
        build_hot_layers,
    ),
    _case(
        "x-transformers-nan-weight",
        "A weight is NaN from one step to the next.",
        "raywzy/ICT/issues/10",
        "x-transformers==2.31.10",
        Truth(kind="weights", component="ce", step=29),
        partial(build_struck_layers, step=29, action=common.nan_weight),
    ),
    _case(
        "x-transformers-negative-moment",
        "Adam's second moments are partly negative after a transfer.",
        "pytorch/pytorch/issues/108493",
        "x-transformers==2.31.10",
        Truth(kind="optimizer", step=40),
        partial(build_struck_layers, step=40, action=common.negative_moment),
    ),
    _case(
        "lion-hot-rate",
        "Lion at a rate that no optimizer could take.",
        "lucidrains/sinkhorn-transformer/issues/2",
        "lion-pytorch==0.2.5",
        Truth(kind="step size", step=33),
        build_hot_lion,
    ),
    _case(
        "arcface-nan-centres",
        "The class centres of ArcFace hold a NaN.",
        "KevinMusgrave/pytorch-metric-learning/issues/530",
        "pytorch-metric-learning==2.9.0",
        Truth(kind="weights", component="arc", step=34),
        partial(build_arcface, step=34),
    ),
    _case(
        "info-nce-unreadable-picture",
        "A picture that could not be read was kept as NaN, and spoils every pair of its batch.",
        "lucidrains/x-clip/issues/9",
        "info-nce-pytorch==0.1.4",
        Truth(kind="data", component="pairs", samples=("b43r08",), step=43),
        build_pairs,
    ),
    _case(
        "crf-scaled-momentum",
        "Adam's first moment still carries the loss scale.",
        "deepspeedai/DeepSpeed/issues/8432",
        "TorchCRF==1.1.0",
        Truth(kind="optimizer", step=31),
        build_crf,
    ),
    _case(
        "vector-quantise-stale-scale",
        "A matrix of the decoder comes back 2**90 times too large.",
        "vllm-project/vllm/issues/39764",
        "vector-quantize-pytorch==1.32.0",
        Truth(kind="weights", component="rebuild", operation="pow", line=".square().mean()", step=35),
        build_codebook,
    ),
)
