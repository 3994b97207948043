"""Failures of normalizing flows from packages: an outlier, a failed simulation, a step size too high."""

from __future__ import annotations

import normflows
import torch
import zuko
from nflows.distributions import StandardNormal
from nflows.flows import Flow
from nflows.nn.nets import ResidualNet
from nflows.transforms import AffineCouplingTransform, CompositeTransform, ReversePermutation
from torch import Generator, Tensor, nn

from .case import Batch, Case, Run, Truth
from .package_tools import adam, jumping_rate, make_batches, replaced, start, with_rows

OUTLIER_STEP, SIMULATION_STEP, RATE_STEP = 40, 27, 32


def banana_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Points in four dimensions: the width of the second half depends on the first."""
    first = torch.randn(size, 2, generator=data)
    second = 0.5 * torch.exp(-0.6 * first) * torch.randn(size, 2, generator=data)
    return {"point": torch.cat([first, second], dim=1)}


def shifted_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """The same points round a centre that the flow has to find."""
    return {"point": banana_rows(data, size)["point"] + torch.tensor([1.5, -1.5, 1.0, -1.0])}


def real_nvp() -> normflows.NormalizingFlow:
    """Two affine couplings whose scale is the bare exponential, zero at the start (any point is fine then)."""
    flows: list[nn.Module] = []
    for _ in range(2):
        flows.append(normflows.flows.AffineCouplingBlock(normflows.nets.MLP([2, 32, 4], init_zeros=True)))
        flows.append(normflows.flows.Permute(4, mode="swap"))
    return normflows.NormalizingFlow(normflows.distributions.base.DiagGaussian(4, trainable=False), flows)


def build_outlier(seed: int, *, faulty: bool) -> Run:
    """One legitimate point far out: the trained scale network's answer there is over 88, the limit of exp in fp32."""
    data = start(seed)
    model = real_nvp()
    batches = make_batches(banana_rows, data, size=16)
    if faulty:
        far = torch.tensor([300.0, 300.0, 0.1, -0.1])
        batches = replaced(batches, OUTLIER_STEP, with_rows(batches[OUTLIER_STEP], {"point": {9: far}}))

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"divergence": model.forward_kld(batch["point"])}

    return Run(
        model=model,
        optimizer=adam(model, 5e-3),
        losses=losses,
        batches=batches,
        held_out=make_batches(banana_rows, data, count=4, size=16, prefix="h"),
    )


def simulation_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Parameters and what a simulator makes of them, with noise."""
    parameter = torch.randn(size, 2, generator=data)
    seen = torch.cat([parameter.sum(1, keepdim=True), parameter, parameter.diff(dim=1)], dim=1)
    return {"parameter": parameter, "seen": seen + 0.1 * torch.randn(size, 4, generator=data)}


def build_simulation(seed: int, *, faulty: bool) -> Run:
    """One simulation failed and left a NaN among its results, on which the density estimator is conditioned."""
    data = start(seed)
    model = zuko.flows.MAF(features=2, context=4, transforms=2, hidden_features=(32,))
    batches = make_batches(simulation_rows, data)
    if faulty:
        seen = batches[SIMULATION_STEP]["seen"][3].clone()
        seen[1] = float("nan")
        batches = replaced(batches, SIMULATION_STEP, with_rows(batches[SIMULATION_STEP], {"seen": {3: seen}}))

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"posterior": -model(batch["seen"]).log_prob(batch["parameter"]).mean()}

    return Run(
        model=model,
        optimizer=adam(model, 1e-2),
        losses=losses,
        batches=batches,
        held_out=make_batches(simulation_rows, data, count=4, prefix="h"),
    )


def coupling_flow() -> Flow:
    """Three affine couplings of nflows with residual networks."""

    def net(inputs: int, outputs: int) -> nn.Module:
        return ResidualNet(inputs, outputs, hidden_features=16, num_blocks=1)

    layers: list[nn.Module] = []
    for _ in range(3):
        layers += [
            AffineCouplingTransform(torch.tensor([1, 1, 0, 0]), net),
            ReversePermutation(4),
        ]
    return Flow(CompositeTransform(layers), StandardNormal([4]))


def build_rate(seed: int, *, faulty: bool) -> Run:
    """The schedule raises the learning rate a hundredfold, to 1: the flow's scales explode within a few updates."""
    data = start(seed)
    model = coupling_flow()
    optimizer = adam(model, 1e-2)

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"likelihood": -model.log_prob(batch["point"]).mean()}

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=make_batches(shifted_rows, data, size=16),
        held_out=make_batches(shifted_rows, data, count=4, size=16, prefix="h"),
        # The update of the batch before RATE_STEP is the first with the high rate.
        scheduler=jumping_rate(optimizer, RATE_STEP - 1, 100.0 if faulty else 0.5),
    )


CASES: tuple[Case, ...] = (
    Case(
        name="normflows-coupling-scale-at-outlier",
        title="The trained exponential scale of an affine coupling overflows for one point far from the rest.",
        source="https://github.com/VincentStimper/normalizing-flows/issues/73",
        package="normflows==1.7.3",
        truth=Truth(
            kind="toxic",
            component="divergence",
            operation="exp",
            line="z2 = (z2 - shift) * torch.exp(-scale_)",
            samples=("b40-9",),
            step=OUTLIER_STEP,
        ),
        repairable=True,
        build=build_outlier,
    ),
    Case(
        name="zuko-flow-failed-simulation",
        title="A failed simulation left a NaN in a row that conditions the flow.",
        source="https://github.com/sbi-dev/sbi/issues/184",
        package="zuko==1.6.0",
        # No operation makes it from finite inputs: the row itself holds NaN.
        truth=Truth(kind="data", component="posterior", samples=("b27-3",), step=SIMULATION_STEP),
        repairable=True,
        build=build_simulation,
    ),
    Case(
        name="nflows-coupling-step-size",
        title="A learning rate of 1 blows up the scales of a coupling flow.",
        source="https://github.com/volflow/DeFlow/issues/4",
        package="nflows==0.14",
        # The update after batch 31 is the first with the high rate; the loss of batch 32 shows it.
        truth=Truth(kind="step size", step=RATE_STEP),
        repairable=True,
        build=build_rate,
    ),
)
