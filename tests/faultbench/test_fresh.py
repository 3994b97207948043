"""The fresh cells: workloads and controls learn, faults change a run from their step on, and some do harm here.

Whether each fault does harm somewhere takes longer: `python -m faultbench.fresh --out fresh.csv` tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest
import torch
from faultbench.case import Run
from faultbench.cell import Control, Fault, Workload, cells
from faultbench.controls import CONTROLS
from faultbench.controls_fresh import FRESH
from faultbench.damage import damage, step, train
from faultbench.faults import FAULTS
from faultbench.faults.fresh import FRESH_FAULTS
from faultbench.fresh import EVERY, severest
from faultbench.trying import held_out
from faultbench.workloads import WORKLOADS
from faultbench.workloads.fresh import FRESH_WORKLOADS

QUICK = ("points", "tabular", "diffusion", "ctc", "regression", "language-model", "vae", "lstm")  # quickest fit first
BEGIN = 6
KINDS = {"data", "toxic", "weights", "optimizer", "step size", "precision", "code", "transient", "architecture"}
REGRESSION = next(one for one in WORKLOADS if one.name == "regression")


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # these tensors are small
    yield
    torch.set_num_threads(threads)


def passed(run: Run, begin: int, steps: int) -> tuple[list[float], str, list[float], str]:
    """Train to `begin` and on; give the losses and the state before the fault strikes, and those of the end.

    A fault of the state strikes behind the step before `begin`, so the state is taken one step earlier.
    """
    before = [step(run, batch) for batch in run.batches[: begin - 1]]
    early = digest(run)
    before.append(step(run, run.batches[begin - 1]))
    return before, early, [step(run, batch) for batch in run.batches[begin : begin + steps]], digest(run)


def digest(run: Run) -> str:
    state = (one.detach().numpy().tobytes() for one in run.model.state_dict().values())
    return sha256(b"".join(state)).hexdigest()


@pytest.mark.parametrize("workload", FRESH_WORKLOADS, ids=lambda one: one.name)
def test_a_workload_stays_finite_and_learns(workload: Workload) -> None:
    run = workload.build(0)
    assert len(run.batches) == workload.steps
    before = held_out(run)
    made = train(replace(run, batches=run.batches[:60]))
    assert all(map(math.isfinite, made.losses))
    assert made.held_out < 0.7 * before


@pytest.mark.parametrize("workload", FRESH_WORKLOADS, ids=lambda one: one.name)
def test_the_same_seed_gives_the_same_run(workload: Workload) -> None:
    one, same, other = (passed(workload.build(seed), 2, 2) for seed in (1, 1, 2))
    assert one == same
    assert one[0] != other[0]


@pytest.mark.parametrize("fault", FRESH_FAULTS, ids=lambda one: one.name)
def test_a_fault_changes_the_run_from_its_step_on_and_not_before(fault: Fault) -> None:
    by_name = {one.name: one for one in EVERY}
    workload = next(by_name[name] for name in QUICK if fault.fits(name))
    clean = passed(workload.build(3), BEGIN, 6)
    faulty = passed(fault.inject(workload.build(3), list(fault.severities.values())[-1], BEGIN, 3), BEGIN, 6)
    assert clean[:2] == faulty[:2]
    assert clean[2:] != faulty[2:]


ONE_A_FAMILY = ("growing-rate", "mixed-checkpoint", "silent-shard", "broadcast-target", "garbage-rank", "sign-flips")


@pytest.mark.parametrize("name", ONE_A_FAMILY)
def test_a_fault_at_its_severest_does_harm_to_the_plainest_run(name: str) -> None:
    cell = severest(one for one in cells([REGRESSION], FRESH_FAULTS) if one.fault.name == name)[-1]
    assert damage(cell).damaging


@pytest.mark.parametrize("control", FRESH, ids=lambda one: one.name)
def test_a_healthy_control_learns(control: Control) -> None:
    run = control.build(0)
    before = held_out(run)
    made = train(run)
    assert all(map(math.isfinite, made.losses))
    assert made.held_out < 0.5 * before


def test_fresh_cells_have_known_truths_names_of_their_own_and_are_kept_back() -> None:
    assert {one.truth for one in FRESH_FAULTS} <= KINDS
    assert len({one.family for one in FRESH_FAULTS} - {one.family for one in FAULTS}) >= 3
    for every in ((*FAULTS, *FRESH_FAULTS), (*WORKLOADS, *FRESH_WORKLOADS), (*CONTROLS, *FRESH)):
        assert len({one.name for one in every}) == len(every)
    assert all(one.kept_back for one in cells(EVERY, FRESH_FAULTS))
    assert all(any(fault.fits(one.name) for one in EVERY) for fault in FRESH_FAULTS)


def test_every_fresh_workload_meets_every_fresh_family() -> None:
    for workload in FRESH_WORKLOADS:
        assert {one.fault.family for one in cells([workload], FRESH_FAULTS)} == {one.family for one in FRESH_FAULTS}
