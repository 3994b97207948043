"""Learning rates that are too high from one step on, beside a toxic batch for the same model.

In every step-size case `truth.step` is the first batch that is trained on with the hot rate: its loss and gradients
are healthy, and within six steps the loss is a hundred times as large or not finite. A tenth of the rate is fine.
`claims-fleet-rows` is the look-alike of `claims-rate-epochs-as-steps`: the same model overflows in the same `exp`,
but at a healthy rate, because of two legitimate rows that the present weights cannot handle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, MultiStepLR

from .case import Case, Run, Truth
from .state_common import STEPS, cut, mlp, regression_rows, replaced, row_ids

SIZE = 16


def _hot_from(step: int, factor: float, *, faulty: bool, until: int = STEPS) -> Callable[[int], float]:
    """A schedule that multiplies the base rate by `factor` for batches `step` up to `until`."""
    return lambda batch: factor if faulty and step <= batch < until else 1.0


# -- claim counts: a hot step beside toxic rows -----------------------------------------------------------------------


class ClaimRate(nn.Module):
    """Poisson regression with a log link: a linear effect of the features and a small correction."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 1)
        nn.init.zeros_(self.linear.weight)
        self.correction = mlp(6, 12, 1)

    def nll(self, x: Tensor, count: Tensor) -> Tensor:
        """Give the mean negative log-likelihood."""
        log_rate: Tensor = (self.linear(x) + 0.1 * self.correction(x.tanh())).squeeze(-1)
        rate = torch.exp(log_rate)
        return (rate - count * log_rate).mean()


def _claim_rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Six features, and counts whose log rate rises with the first two (column 0 is the size of the fleet)."""
    x = torch.randn(count, 6, generator=generator)
    log_rate = 1.0 + x[:, 0] + 0.5 * x[:, 1]
    return {"x": x, "count": torch.poisson(log_rate.clamp(max=3.5).exp(), generator=generator)}


def _claims(seed: int, prefix: str) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = ClaimRate()
    return Run(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.02),
        losses=lambda batch: {"poisson": model.nll(batch["x"], batch["count"])},
        batches=cut(_claim_rows(STEPS * SIZE, generator), SIZE, prefix),
        held_out=cut(_claim_rows(256, generator), 32, f"{prefix}-held"),
    )


def _with(run: Run, **changes: object) -> Run:
    """The same run with some fields changed."""
    kept = {name: getattr(run, name) for name in Run.__dataclass_fields__}
    return Run(**{**kept, **changes})


def _build_claims_hot(seed: int, *, faulty: bool) -> Run:
    run = _claims(seed, "claim")
    # Epochs and steps mixed up (200 steps an epoch): for five batches the rate is 200 times the wanted one.
    return _with(run, scheduler=LambdaLR(run.optimizer, _hot_from(36, 200.0, faulty=faulty, until=41)))


def _build_claims_toxic(seed: int, *, faulty: bool) -> Run:
    run = _claims(seed, "fleet")
    if not faulty:
        return run
    batches = list(run.batches)
    # Two very large fleets, rightly recorded in the same unit as all others. The effect of fleet size was still too
    # small to overflow some steps ago; by now exp(0.6 * 170) is out of range.
    fleets = batches[36]["x"][[3, 11]].clone()
    fleets[:, 0] = torch.tensor([170.0, 185.0])
    batches[36] = replaced(batches[36], "x", [3, 11], fleets)
    return _with(run, batches=batches)


# -- schedules --------------------------------------------------------------------------------------------------------


RESTART = 32


def _build_warmup_lost(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = mlp(8, 32, 32, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"mse": (model(batch["x"]).squeeze(-1) - batch["y"]).square().mean()}

    def warmup(batch: int) -> float:
        # A long warm-up, of which a restarted job forgets the state: it goes on at the full rate.
        return 1.0 if faulty and batch >= RESTART else (batch + 1) / 2_000

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=cut(regression_rows(STEPS * SIZE, generator), SIZE, "warm"),
        held_out=cut(regression_rows(128, generator), 32, "warm-held"),
        scheduler=LambdaLR(optimizer, warmup),
    )


def _build_milestone(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = mlp(8, 32, 32, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"mse": (model(batch["x"]).squeeze(-1) - batch["y"]).square().mean()}

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=cut(regression_rows(STEPS * SIZE, generator), SIZE, "mile"),
        held_out=cut(regression_rows(128, generator), 32, "mile-held"),
        # gamma should be 0.1; the milestone raises the rate instead, and the momentum does the rest
        scheduler=MultiStepLR(optimizer, milestones=[40], gamma=100.0 if faulty else 0.1),
    )


class Spread(nn.Module):
    """A mean and a log standard deviation for every row."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(8, 32, 2)

    def nll(self, x: Tensor, y: Tensor) -> Tensor:
        """Give the mean negative log-likelihood."""
        output: Tensor = self.net(x)
        mean, log_sigma = output.unbind(-1)
        score: Tensor = (y - mean) * torch.exp(-log_sigma)
        return (0.5 * score.square() + log_sigma).mean()


def _build_spread_hot(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = Spread()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005, weight_decay=0.01)
    return Run(
        model=model,
        optimizer=optimizer,
        losses=lambda batch: {"nll": model.nll(batch["x"], batch["y"])},
        batches=cut(regression_rows(STEPS * SIZE, generator), SIZE, "spread"),
        held_out=cut(regression_rows(128, generator), 32, "spread-held"),
        # The restarted cosine is evaluated far outside its period and gives a hundred times the base rate.
        scheduler=LambdaLR(optimizer, _hot_from(27, 100.0, faulty=faulty, until=33)),
    )


CASES: tuple[Case, ...] = (
    Case(
        name="claims-rate-epochs-as-steps",
        title="A schedule that mixes up epochs and steps multiplies the rate by 200 for five batches; exp explodes.",
        source="https://github.com/gmboquet/mixle/pull/256",
        package="",
        truth=Truth(kind="step size", step=36),
        repairable=True,
        build=_build_claims_hot,
    ),
    Case(
        name="claims-fleet-rows",
        title="Two legitimate very large fleets overflow the Poisson rate under the weights of now.",
        source="https://github.com/RJT1990/pyflux/issues/21",
        package="",
        truth=Truth(
            kind="toxic",
            component="poisson",
            operation="exp",
            line="rate = torch.exp(log_rate)",
            samples=row_ids("fleet", 36, [3, 11]),
            step=36,
        ),
        repairable=True,
        build=_build_claims_toxic,
    ),
    Case(
        name="warmup-lost-on-restart",
        title="A restart forgets the warm-up and goes on at the full learning rate.",
        source="https://github.com/ultralytics/yolov5/issues/292",
        package="",
        truth=Truth(kind="step size", step=32),
        repairable=True,
        build=_build_warmup_lost,
    ),
    Case(
        name="milestone-raises-rate",
        title="A milestone raises the learning rate a hundredfold under momentum instead of lowering it.",
        source="https://github.com/tensorflow/tensorflow/issues/38796",
        package="",
        truth=Truth(kind="step size", step=40),
        repairable=True,
        build=_build_milestone,
    ),
    Case(
        name="restart-overshoots-rate",
        title="A resumed restart schedule gives a hundred times the rate; the learned spread leaves its range.",
        source="https://github.com/pytorch/pytorch/pull/110493",
        package="",
        truth=Truth(kind="step size", step=27),
        repairable=True,
        build=_build_spread_hot,
    ),
)
