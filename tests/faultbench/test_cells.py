"""The bench's cells: workloads learn, faults change a run from their step on and not before, and all is repeatable."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from faultbench.case import Run
from faultbench.cell import Cell, Fault, Workload, cells
from faultbench.controls import CONTROLS
from faultbench.damage import Band, Damage, Trained, step, train
from faultbench.faults import FAULTS
from faultbench.faults.fresh import FRESH_FAULTS
from faultbench.trying import held_out
from faultbench.workloads import WORKLOADS
from faultbench.workloads.fresh import FRESH_WORKLOADS

from rerail.core.cause.cause import Kind

QUICK = (
    "regression",
    "half",
    "digits-cnn",
    "bfloat",
    "gan",
    "lstm",
    "contrastive",
    "vae",
    "tacotron",
    "language-model",
)
LEARNT = {"tacotron": 60, "language-model": 20}  # steps after which the held-out loss must have fallen; else 60


def first(fault: Fault) -> Workload:
    by_name = {one.name: one for one in WORKLOADS}
    return next(by_name[name] for name in QUICK if fault.fits(name))


def shortened(run: Run, steps: int) -> Run:
    return replace(run, batches=run.batches[:steps])


def trained(run: Run, steps: int) -> tuple[list[float], list[torch.Tensor]]:
    losses = [step(run, batch) for batch in run.batches[:steps]]
    return losses, [one.detach().clone() for one in run.model.state_dict().values()]


def bits(tensors: list[torch.Tensor]) -> list[bytes]:
    return [one.numpy().tobytes() for one in tensors]


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda one: one.name)
def test_a_workload_stays_finite_and_learns(workload: Workload) -> None:
    run = workload.build(0)
    assert len(run.batches) == workload.steps
    before = held_out(run)
    made = train(shortened(run, LEARNT.get(workload.name, 60)))
    assert all(map(math.isfinite, made.losses))
    assert made.held_out < 0.9 * before


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda one: one.name)
def test_the_same_seed_gives_the_same_run(workload: Workload) -> None:
    one, same, other = (trained(workload.build(seed), 4) for seed in (1, 1, 2))
    assert one[0] == same[0]
    assert bits(one[1]) == bits(same[1])
    assert one[0] != other[0]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.name)
def test_a_fault_changes_the_run_from_its_step_on(fault: Fault) -> None:
    begin = 0 if fault.phases == ("start",) else 6
    workload = first(fault)
    clean = told(workload.build(3), begin)
    faulty = told(fault.inject(workload.build(3), list(fault.severities.values())[-1], begin, 3), begin)
    assert clean[0] == faulty[0]
    assert clean[1] != faulty[1]


def told(run: Run, begin: int) -> tuple[tuple[list[float], list[bytes]], tuple[str, list[bytes], float]]:
    """Tell what the steps before the fault came to, and what the steps from there on did."""
    losses, _ = trained(run, begin - 1) if begin else ([], [])
    early = bits([one.detach() for one in run.model.state_dict().values()]) if begin else []
    made = train(replace(run, batches=run.batches[max(0, begin - 1) : begin + 3]))
    late = bits([one.detach() for one in run.model.state_dict().values()])
    return (losses + list(made.losses[:1] if begin else []), early), (made.raised, late, made.held_out)


def test_every_fault_has_a_known_truth_and_fits_somewhere() -> None:
    known = {kind.value for kind in Kind} | {"architecture"}
    assert {fault.truth for fault in FAULTS} <= known
    assert all(any(fault.fits(one.name) for one in WORKLOADS) for fault in FAULTS)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_cells_are_told_apart_and_some_are_kept_back() -> None:
    workloads, faults = (*WORKLOADS, *FRESH_WORKLOADS), (*FAULTS, *FRESH_FAULTS)
    every = list(cells(workloads, faults, seeds=(0, 1)))
    assert len({cell.name for cell in every}) == len(every)
    back, open_ = (list(cells(workloads, faults, seeds=(0, 1), kept_back=flag)) for flag in (True, False))
    assert len(back) + len(open_) == len(every)
    assert min(len(back), len(open_)) > len(every) // 4


def test_there_are_as_many_controls_as_faults() -> None:
    assert len({one.name for one in CONTROLS}) == len(CONTROLS) >= len(FAULTS)


@pytest.mark.parametrize(
    ("loss", "raised", "damaging"),
    [
        (1.0, "", False),
        (1.3, "", False),
        (1.31, "", True),
        (math.nan, "", True),
        (math.inf, "", True),
        (1.0, "x", True),
    ],
)
def test_damage_is_a_held_out_loss_above_the_clean_band(loss: float, raised: str, damaging: bool) -> None:  # noqa: FBT001
    cell = Cell(workload=WORKLOADS[0], fault=FAULTS[0], severity="once", phase="early", seed=0)
    made = Trained(losses=(), held_out=loss, raised=raised, seconds=0.0)
    band = Band(values=(0.9, 1.0, 1.1))  # mean 1, deviation 0.1: the top is 1.3
    assert Damage(cell=cell, trained=made, band=replace(band)).damaging == damaging
