"""Legitimate rows that only break with the weights of now: data times state.

The rows are rare but right, and the same model handles them with the weights of some steps ago (and with fresh ones).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .case import Case, Run, Truth
from .state_common import STEPS, cut, mlp, replaced, row_ids

SIZE = 16

# -- a coupling flow --------------------------------------------------------------------------------------------------


class Coupling(nn.Module):
    """One affine coupling: the second feature is scaled and shifted by functions of the first three."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Linear(3, 1)
        self.shift = mlp(3, 16, 1)
        nn.init.zeros_(self.log_scale.weight)
        nn.init.zeros_(self.log_scale.bias)

    def nll(self, given: Tensor, value: Tensor) -> Tensor:
        """Give the mean negative log-likelihood."""
        log_scale: Tensor = self.log_scale(given).squeeze(-1)
        z: Tensor = (value - self.shift(given.tanh()).squeeze(-1)) * torch.exp(log_scale)
        return (0.5 * z.square() - log_scale).mean()


def _flow_rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Measurements that become more exact as the first condition (hours of exposure, standardised) grows."""
    given = 3.0 * torch.rand(count, 3, generator=generator) - 1.5
    spread = torch.exp(-1.5 * given[:, 0])
    return {"given": given, "value": given[:, 1].sin() + spread * torch.randn(count, generator=generator)}


def _build_flow(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = Coupling()
    batches = cut(_flow_rows(STEPS * SIZE, generator), SIZE, "flow")
    if faulty:
        # A week-long exposure among hour-long ones: right, and far outside the range that the scale was learned on.
        week = batches[39]["given"][[8]].clone()
        week[:, 0] = 190.0
        batches[39] = replaced(batches[39], "given", [8], week)
    return Run(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.04),
        losses=lambda batch: {"nll": model.nll(batch["given"], batch["value"])},
        batches=batches,
        held_out=cut(_flow_rows(256, generator), 32, "flow-held"),
    )


# -- Cox regression ---------------------------------------------------------------------------------------------------


OBSERVED = 0.9  # the share of patients whose event is seen


class Cox(nn.Module):
    """Proportional hazards; the partial likelihood is written with exp and log, as many packages do."""

    def __init__(self) -> None:
        super().__init__()
        self.risk = nn.Linear(5, 1, bias=False)
        nn.init.zeros_(self.risk.weight)

    def partial_likelihood(self, x: Tensor, time: Tensor, event: Tensor) -> Tensor:
        """Give the mean negative log partial likelihood of the events."""
        order = torch.argsort(time, descending=True)
        risk: Tensor = self.risk(x).squeeze(-1)[order]
        at_risk = torch.cumsum(torch.exp(risk), dim=0)
        return -((risk - torch.log(at_risk)) * event[order]).sum() / event.sum().clamp(min=1)


def _patients(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Five covariates; the hazard rises with the first two. About nine in ten have an event."""
    x = torch.randn(count, 5, generator=generator)
    hazard = torch.exp(3.0 * x[:, 0] + 2.0 * x[:, 1])
    time = -torch.rand(count, generator=generator).clamp(min=1e-6).log() / hazard
    return {"x": x, "time": time, "event": (torch.rand(count, generator=generator) < OBSERVED).float()}


def _build_cox(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = Cox()
    batches = cut(_patients(STEPS * SIZE, generator), SIZE, "patient")
    if faulty:
        # Three patients of an intensive-care unit: a marker two hundred times the usual spread is real there.
        ill, batch = [1, 6, 14], batches[35]
        x = batch["x"][ill].clone()
        x[:, 0] = torch.tensor([180.0, 200.0, 220.0])
        batch = replaced(replaced(batch, "x", ill, x), "event", ill, torch.ones(3))
        batches[35] = replaced(batch, "time", ill, torch.tensor([0.01, 0.02, 0.015]))
    return Run(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.02),
        losses=lambda batch: {"cox": model.partial_likelihood(batch["x"], batch["time"], batch["event"])},
        batches=batches,
        held_out=cut(_patients(256, generator), 32, "patient-held"),
    )


# -- a recurrence and a long sequence ---------------------------------------------------------------------------------


class Accumulator(nn.Module):
    """A linear recurrence with a learned growth factor, run to the length of each row."""

    def __init__(self) -> None:
        super().__init__()
        self.growth = nn.Parameter(torch.tensor(0.5))
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, sequence: Tensor, length: Tensor) -> Tensor:
        """Run the model."""
        state = torch.zeros(len(sequence))
        for place in range(int(length.max())):
            moved = self.growth * state + self.gain * sequence[:, place]
            state = torch.where(place < length, moved, state)
        return state


LONG = 640


def _sequences(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Positive inputs of length 3 to 6 (padded), and the true value of a recurrence that grows by 1.35 a step."""
    sequence = torch.rand(count, 6, generator=generator)
    length = torch.randint(3, 7, (count,), generator=generator)
    state = torch.zeros(count)
    for place in range(6):
        state = torch.where(place < length, 1.35 * state + sequence[:, place], state)
    return {"sequence": sequence, "length": length, "target": state}


def _build_accumulator(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = Accumulator()
    batches = cut(_sequences(STEPS * SIZE, generator), SIZE, "seq")
    if faulty:
        # Two recordings were not cut into pieces; their growth levels off, so their targets are ordinary.
        batch, places = batches[44], [2, 9]
        padded = torch.zeros(SIZE, LONG)
        padded[:, :6] = batch["sequence"]
        padded[places] = torch.rand(2, LONG, generator=generator)
        batches[44] = replaced({**batch, "sequence": padded}, "length", places, torch.tensor([LONG, LONG - 20]))

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"mse": (model(batch["sequence"], batch["length"]) - batch["target"]).square().mean()}

    return Run(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.02),
        losses=losses,
        batches=batches,
        held_out=cut(_sequences(128, generator), 32, "seq-held"),
    )


CASES: tuple[Case, ...] = (
    Case(
        name="flow-scale-far-row",
        title="A row far outside the usual range overflows the exponential scale of a coupling flow.",
        source="https://github.com/VincentStimper/normalizing-flows/issues/47",
        package="",
        truth=Truth(
            kind="toxic",
            component="nll",
            operation="exp",
            line="* torch.exp(log_scale)",
            samples=row_ids("flow", 39, [8]),
            step=39,
        ),
        repairable=True,
        build=_build_flow,
    ),
    Case(
        name="cox-unscaled-marker",
        title="Three patients with a very large but real marker overflow the Cox partial likelihood.",
        source="https://github.com/jaredleekatzman/DeepSurv/issues/14",
        package="",
        truth=Truth(
            kind="toxic",
            component="cox",
            operation="exp",
            line="torch.cumsum(torch.exp(risk), dim=0)",
            samples=row_ids("patient", 35, [1, 6, 14]),
            step=35,
        ),
        repairable=True,
        build=_build_cox,
    ),
    Case(
        name="recurrence-long-rows",
        title="Two uncut recordings run a recurrence that now grows past the range of floats.",
        source="https://github.com/facebookresearch/fairseq/issues/2260",
        package="",
        truth=Truth(
            kind="toxic",
            component="mse",
            operation="mul",
            line="moved = self.growth * state",
            samples=row_ids("seq", 44, [2, 9]),
            step=44,
        ),
        repairable=True,
        build=_build_accumulator,
    ),
)
