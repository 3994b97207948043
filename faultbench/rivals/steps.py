"""One plain training step, in the parts that the rivals put together: backward, clip, and commit or refuse.

The parts honour what a run states: autocast, loss scaler, loss weights, schedule and `after_commit`. Schedule and
`after_commit` follow an update that really happened: not one that the scaler dropped, nor one that a rival refused.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from faultbench.case import Batch, Run
from faultbench.trying import held_out
from rerail.act.state import Parts
from rerail.sense.losses import Losses

EPSILON = 1e-6  # torch.nn.utils.clip_grad_norm_ adds it to the norm


def total(run: Run, batch: Batch) -> Tensor:
    """Return the weighted loss of one batch, 0-d, under the run's autocast."""
    precision, device = run.precision, trained(run)[0].device.type
    with torch.autocast(device, dtype=precision or torch.bfloat16, enabled=precision is not None):
        return Losses.of(run.losses(batch)).total(run.weights)


def backward(run: Run, batch: Batch, *, unscale: bool = True) -> float:
    """Leave the gradients of one batch in the model, at their true size if `unscale`; return the loss."""
    run.optimizer.zero_grad(set_to_none=True)
    loss = total(run, batch)
    if run.scaler is None:
        loss.backward()  # type: ignore[no-untyped-call]
    else:
        run.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        if unscale:
            run.scaler.unscale_(run.optimizer)
    return float(loss.detach())


def trained(run: Run) -> list[nn.Parameter]:
    """Return the parameters that the optimizer holds."""
    return [one for group in run.optimizer.param_groups for one in group["params"]]


def gradients(run: Run) -> list[Tensor]:
    """Return the gradients that stand in them; of a sparse one its values."""
    stand = (one.grad for one in trained(run) if one.grad is not None)
    return [one.coalesce().values() if one.is_sparse else one for one in stand]


def norm(run: Run) -> float:
    """Return the 2-norm of all gradients together, 0 where there is none."""
    parts = [torch.linalg.vector_norm(one.float()) for one in gradients(run)]
    return float(torch.linalg.vector_norm(torch.stack(parts))) if parts else 0.0


def clip(run: Run, limit: float = math.inf) -> None:
    """Scale the gradients down to the run's `clip_norm` or to `limit`, whichever is smaller.

    A norm that is NaN makes every gradient NaN, as with `torch.nn.utils.clip_grad_norm_`.
    """
    limit = min(limit, run.clip_norm)
    if limit == math.inf:
        return
    factor = limit / (norm(run) + EPSILON)
    if factor >= 1.0:
        return
    for one in trained(run):
        if one.grad is not None:
            one.grad.mul_(factor)


def commit(run: Run, *, rate: float = 1.0) -> bool:
    """Apply the update, at `rate` times the learning rate; say whether it happened (a scaler drops an overflow)."""
    groups = run.optimizer.param_groups
    rates = [group["lr"] for group in groups]
    for group in groups:
        group["lr"] = group["lr"] * rate
    happened = _update(run)
    for group, one in zip(groups, rates, strict=True):
        group["lr"] = one
    if happened:
        follow(run)
    return happened


def follow(run: Run) -> None:
    """Do what follows an update: step the schedule and call `after_commit`."""
    if run.scheduler is not None:
        run.scheduler.step()
    if run.after_commit is not None:
        run.after_commit()


def refuse(run: Run) -> None:
    """Drop the gradients instead of an update; the scaler still learns of an overflow."""
    if run.scaler is not None:
        run.scaler.update()
    run.optimizer.zero_grad(set_to_none=True)


def validation(run: Run) -> float:
    """Return the held-out loss, and leave the training's random numbers as they were."""
    with torch.random.fork_rng():
        return held_out(run)


def parts(run: Run) -> Parts:
    """Return what a rollback restores: model, optimizer, schedule and scaler."""
    others = [one for one in (run.scheduler, run.scaler) if one is not None]
    return Parts(model=run.model, optimizers=[run.optimizer], others=others)


def _update(run: Run) -> bool:
    if run.scaler is None:
        run.optimizer.step()
        return True
    before = run.scaler.get_scale()
    run.scaler.step(run.optimizer)
    run.scaler.update()
    return float(run.scaler.get_scale()) >= before
