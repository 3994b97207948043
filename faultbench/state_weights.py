"""Weights that were poisoned from outside the step: averaging, swaps, broken checkpoints, lost scales.

In every weights case the batch that fails is an ordinary one: any batch fails from `truth.step` on, and the weights
of the step before handle all of them. `nan-target` is the look-alike: same model and the same symptom as
`peer-averaging-nan`, but one bad row, and the weights are fine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from .case import Case, Run, Truth
from .state_common import STEPS, class_rows, cut, mlp, once_after, regression_rows, replaced, row_ids

SIZE = 16


def _nothing() -> None:
    """The mended run: nothing happens between the steps."""


def _regression_run(
    model: nn.Module,
    losses: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]],
    seed: int,
    prefix: str,
    lr: float = 0.01,
) -> Run:
    """A plain Adam run on the shared regression rows."""
    generator = torch.Generator().manual_seed(seed + 1)
    return Run(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=lr),
        losses=losses,
        batches=cut(regression_rows(STEPS * SIZE, generator), SIZE, prefix),
        held_out=cut(regression_rows(128, generator), 32, f"{prefix}-held"),
    )


def _with(run: Run, **changes: object) -> Run:
    """The same run with some fields changed."""
    kept = {name: getattr(run, name) for name in Run.__dataclass_fields__}
    return Run(**{**kept, **changes})


# -- weight averaging -------------------------------------------------------------------------------------------------


def _build_ema(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = mlp(8, 24, 4)
    shadow = {name: torch.zeros_like(value) for name, value in model.named_parameters()}
    decay, updates = 0.9, 0  # the faulty run never counts its updates, so the debiasing below divides by 1 - 0.9**0 = 0

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"ce": functional.cross_entropy(model(batch["x"]), batch["label"])}

    @torch.no_grad()
    def swap_in() -> None:
        # Evaluation copies the average into the live model, and nothing puts the trained weights back.
        for name, value in model.named_parameters():
            shadow[name].mul_(decay).add_(value, alpha=1 - decay)
            value.copy_(shadow[name] / (1 - torch.tensor(decay) ** updates))

    return Run(
        model=model,
        optimizer=torch.optim.AdamW(model.parameters(), lr=0.01),
        losses=losses,
        batches=cut(class_rows(STEPS * SIZE, generator), SIZE, "ema"),
        held_out=cut(class_rows(128, generator), 32, "ema-held"),
        after_commit=once_after(31, swap_in) if faulty else _nothing,
    )


def _peer_run(seed: int, prefix: str) -> Run:
    torch.manual_seed(seed)
    model = mlp(8, 32, 1)

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"mse": (model(batch["x"]).squeeze(-1) - batch["y"]).square().mean()}

    return _regression_run(model, losses, seed, prefix)


def _build_peer_averaging(seed: int, *, faulty: bool) -> Run:
    run = _peer_run(seed, "peer")
    model = run.model

    @torch.no_grad()
    def average_with_nobody() -> None:
        # All peers left the round: the sum of their weights is divided by a total share of zero.
        for value in model.parameters():
            value.copy_(torch.zeros_like(value) / torch.zeros(()))

    return _with(run, after_commit=once_after(29, average_with_nobody) if faulty else _nothing)


def _build_nan_target(seed: int, *, faulty: bool) -> Run:
    run = _peer_run(seed, "gap")
    if not faulty:
        return run
    batches = list(run.batches)
    batches[29] = replaced(batches[29], "y", [5], torch.tensor([float("nan")]))  # a missing measurement
    return _with(run, batches=batches)


# -- a parameter out of its domain ------------------------------------------------------------------------------------


class NoisyRegressor(nn.Module):
    """A mean per row and one learned log standard deviation per run."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = mlp(8, 24, 1)
        self.log_sigma = nn.Parameter(torch.zeros(()))

    def nll(self, x: Tensor, y: Tensor) -> Tensor:
        """Give the mean negative log-likelihood."""
        error: Tensor = y - self.mean(x).squeeze(-1)
        precision = torch.exp(-2.0 * self.log_sigma)
        return (0.5 * precision * error.square() + self.log_sigma).mean()


def _build_log_sigma(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    model = NoisyRegressor()

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"nll": model.nll(batch["x"], batch["y"])}

    @torch.no_grad()
    def load_old_layer() -> None:
        # The old checkpoint kept the sigma in micro-units, as a bare number: finite, but not a log sigma at all.
        model.log_sigma.fill_(-64.0)

    run = _regression_run(model, losses, seed, "sigma")
    return _with(run, after_commit=once_after(35, load_old_layer) if faulty else _nothing)


class TwoTowers(nn.Module):
    """Contrastive pairs with a learned temperature, as CLIP has it."""

    def __init__(self) -> None:
        super().__init__()
        self.left = mlp(8, 24, 8)
        self.right = mlp(8, 24, 8)
        self.logit_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, x: Tensor, pair: Tensor) -> Tensor:
        """Run the model."""
        left = functional.normalize(self.left(x), dim=-1)
        right = functional.normalize(self.right(pair), dim=-1)
        return self.logit_scale.exp() * left @ right.t()


def _pair_rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    x = torch.randn(count, 8, generator=generator)
    return {"x": x, "pair": x.flip(1) + 0.1 * torch.randn(count, 8, generator=generator)}


def _build_logit_scale(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = TwoTowers()

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        logits = model(batch["x"], batch["pair"])
        target = torch.arange(len(logits))
        return {"nce": (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.t(), target)) / 2}

    @torch.no_grad()
    def load_linear_scale() -> None:
        model.logit_scale.fill_(100.0)  # the checkpoint stored the scale itself, the model expects its logarithm

    return Run(
        model=model,
        optimizer=torch.optim.AdamW(model.parameters(), lr=0.01),
        losses=losses,
        batches=cut(_pair_rows(STEPS * SIZE, generator), SIZE, "pair"),
        held_out=cut(_pair_rows(128, generator), 32, "pair-held"),
        after_commit=once_after(40, load_linear_scale) if faulty else _nothing,
    )


# -- a lost scale -----------------------------------------------------------------------------------------------------


class ThreeLayers(nn.Module):
    """A plain regressor whose squared error is written out, so that the overflow has a line of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(8, 32, 32, 1)

    def squared_error(self, x: Tensor, y: Tensor) -> Tensor:
        """Give the mean squared error."""
        error: Tensor = self.net(x).squeeze(-1) - y
        return error.square().mean()


def _build_lost_scale(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    model = ThreeLayers()

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"mse": model.squared_error(batch["x"], batch["y"])}

    @torch.no_grad()
    def dequantise_with_stale_scale() -> None:
        # A scale slot that was never written (2**24 instead of 1): every matrix comes back 16 million times too big.
        for value in model.parameters():
            if value.dim() > 1:
                value.mul_(2.0**24)

    run = _regression_run(model, losses, seed, "scale")
    return _with(run, after_commit=once_after(33, dequantise_with_stale_scale) if faulty else _nothing)


CASES: tuple[Case, ...] = (
    Case(
        name="ema-swap-zero-debias",
        title="An EMA swap divides by a zero debiasing term and leaves NaN weights in the live model.",
        source="https://github.com/ultralytics/ultralytics/pull/24307",
        package="",
        truth=Truth(kind="weights", component="ce", step=31),
        repairable=True,
        build=_build_ema,
    ),
    Case(
        name="peer-averaging-nan",
        title="Averaging the weights with zero peers divides by zero and makes every weight NaN.",
        source="https://github.com/learning-at-home/hivemind/pull/224",
        package="",
        truth=Truth(kind="weights", component="mse", step=29),
        repairable=True,
        build=_build_peer_averaging,
    ),
    Case(  # stands beside peer-averaging-nan: same model, same step, same symptom, but the data is to blame
        name="nan-target",
        title="One target is missing and was loaded as NaN.",
        source="https://github.com/Nixtla/neuralforecast/issues/186",
        package="",
        truth=Truth(kind="data", component="mse", samples=row_ids("gap", 29, [5]), step=29),
        repairable=True,
        build=_build_nan_target,
    ),
    Case(
        name="log-sigma-wrong-units",
        title="A broken checkpoint of one parameter sets the log standard deviation to -64, whose precision overflows.",
        source="https://github.com/yaringal/multi-task-learning-example/issues/14",
        package="",
        truth=Truth(
            kind="weights",
            component="nll",
            operation="exp",
            line="precision = torch.exp(-2.0 * self.log_sigma)",
            step=35,
        ),
        repairable=True,
        build=_build_log_sigma,
    ),
    Case(
        name="logit-scale-not-log",
        title="The contrastive temperature is loaded as a plain number where its logarithm is wanted: exp(100) is inf.",
        source="https://github.com/openai/CLIP/pull/530",
        package="",
        truth=Truth(kind="weights", component="nce", operation="exp", line="self.logit_scale.exp() * left", step=40),
        repairable=True,
        build=_build_logit_scale,
    ),
    Case(
        name="stale-dequant-scale",
        title="All matrices are multiplied by a stale quantisation scale: huge but finite weights overflow the loss.",
        source="https://github.com/vllm-project/vllm/issues/39764",
        package="",
        truth=Truth(kind="weights", component="mse", operation="pow", line="return error.square().mean()", step=33),
        repairable=True,
        build=_build_lost_scale,
    ),
)
