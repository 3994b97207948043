from __future__ import annotations

import math

import pytest
import torch

from faultbench.rivals import steps
from small_run import small


def test_the_loss_is_weighted() -> None:
    run = small()
    parts = run.losses(run.batches[0])
    weighted = small(weights={"square": 2.0, "absolute": 0.0})
    assert steps.backward(weighted, weighted.batches[0]) == pytest.approx(2 * float(parts["square"].detach()))


@pytest.mark.parametrize(("own", "asked", "expected"), [(math.inf, math.inf, None), (0.5, 1.0, 0.5), (2.0, 0.25, 0.25)])
def test_the_smaller_limit_clips(own: float, asked: float, expected: float | None) -> None:
    run = small(clip_norm=own)
    steps.backward(run, run.batches[0])
    before = steps.norm(run)
    steps.clip(run, asked)
    assert before > 2.0
    assert steps.norm(run) == pytest.approx(expected or before, rel=1e-4)


def test_a_gradient_of_nan_is_not_hidden_by_clipping() -> None:
    run = small(nan_at=[0], clip_norm=1.0)
    steps.backward(run, run.batches[0])
    steps.clip(run)
    assert all(bool(one.isnan().all()) for one in steps.gradients(run))


def test_schedule_and_hook_follow_what_was_committed() -> None:
    commits: list[int] = []
    run = small(after_commit=lambda: commits.append(1))
    schedule = torch.optim.lr_scheduler.StepLR(run.optimizer, 1, gamma=0.5)
    run = small(optimizer=run.optimizer, scheduler=schedule, after_commit=run.after_commit)
    for tick in range(4):
        steps.backward(run, run.batches[tick])
        if tick % 2:
            steps.refuse(run)
        else:
            steps.commit(run)
    assert len(commits) == 2
    assert run.optimizer.param_groups[0]["lr"] == pytest.approx(0.05 / 4)


def test_an_overflow_that_the_scaler_drops_is_no_update() -> None:
    commits: list[int] = []
    run = small(nan_at=[0], scaler=torch.amp.GradScaler("cpu"), after_commit=lambda: commits.append(1))
    before = run.model.state_dict()["weight"].clone()
    steps.backward(run, run.batches[0])
    assert not steps.commit(run)
    assert torch.equal(run.model.state_dict()["weight"], before)
    assert not commits
    steps.backward(run, run.batches[1])
    assert steps.commit(run)
    assert commits == [1]


def test_gradients_have_their_true_size_under_a_scaler() -> None:
    plain, scaled = small(), small(scaler=torch.amp.GradScaler("cpu"))
    for run in (plain, scaled):
        steps.backward(run, run.batches[0])
    assert steps.norm(scaled) == pytest.approx(steps.norm(plain))


def test_autocast_is_the_runs() -> None:
    seen: list[torch.dtype] = []
    run = small(precision=torch.bfloat16)
    run.model.register_forward_hook(lambda _, __, output: seen.append(output.dtype))
    steps.backward(run, run.batches[0])
    assert seen == [torch.bfloat16]


def test_the_learning_rate_is_multiplied_for_one_update_only() -> None:
    run, slow = small(), small()
    start = run.model.state_dict()["weight"].clone()
    for one, rate in ((run, 1.0), (slow, 0.1)):
        steps.backward(one, one.batches[0])
        steps.commit(one, rate=rate)
    moved = [(one.model.state_dict()["weight"] - start).norm() for one in (run, slow)]
    assert float(moved[1] / moved[0]) == pytest.approx(0.1, rel=1e-4)
    assert slow.optimizer.param_groups[0]["lr"] == 0.05
