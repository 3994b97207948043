"""Fresh healthy controls, written when every threshold stood: nothing is wrong in them, and all of them look odd.

What changes half-way is meant: a layer is let go, weights are pruned or averaged, another loss takes over, rows are
mined, momentum runs round. Each run learns, as its held-out loss tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR

from faultbench.case import Batch, Run
from faultbench.cell import Control
from faultbench.controls_fresh_models import Bandit, DeepResidual, Gumbel, Quantised
from faultbench.damage import step as train_step
from faultbench.state_common import class_rows, cut, mlp, regression_rows
from faultbench.workloads import contrastive, digits_cnn, gan, lstm, regression, tabular
from faultbench.workloads.common import constant, dealt, epochs, seeded, split_digits, warmup_cosine

STEPS = 150


def passed(run: Run) -> Callable[[], int]:
    """Give the number of committed steps."""
    schedule = run.scheduler
    assert schedule is not None
    return lambda: int(schedule.last_epoch)


def digits_run(seed: int, model: nn.Module, losses: Callable[[Any], Mapping[str, Tensor]], rate: float = 3e-3) -> Run:
    """Train a model on digits by Adam; it was made before, so the seed is that of the data."""
    generator = torch.Generator().manual_seed(7919 * seed + 1)
    training, held_out = split_digits()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=epochs(training, STEPS, 32, generator),
        held_out=cut(held_out, 64, "held"),
        scheduler=constant(optimizer),
    )


def stochastic_depth(seed: int) -> Run:
    """From half-way on each residual layer is left out in half of the steps (Huang et al. 2016)."""
    torch.manual_seed(seed)
    model = DeepResidual()
    run = digits_run(seed, model, lambda batch: {"ce": F.cross_entropy(model(batch["x"]), batch["y"])}, 1e-3)
    now = passed(run)

    def set_in() -> None:
        model.left_out = 0.5 if now() >= STEPS // 2 else 0.0

    return replace(run, after_commit=set_in)


def gradual_unfreezing(seed: int) -> Run:
    """The head learns alone; a layer joins the optimizer at step 50, another at step 100 (Howard & Ruder 2018)."""
    generator = seeded(seed)
    model = mlp(8, 32, 32, 4)
    frozen = [model[2], model[0]]
    for layer in frozen:
        layer.requires_grad_(False)
    optimizer = torch.optim.Adam(model[4].parameters(), lr=5e-3)
    done = 0

    def thaw() -> None:
        nonlocal done
        done += 1
        if done in {50, 100}:
            layer = frozen[done // 50 - 1].requires_grad_(True)
            optimizer.add_param_group({"params": list(layer.parameters()), "lr": 2e-3})

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"ce": F.cross_entropy(model(batch["x"]), batch["label"])}

    made = dealt(class_rows, generator, STEPS)
    return Run(model=model, optimizer=optimizer, losses=losses, after_commit=thaw, **made)


def layerwise_rates(seed: int) -> Run:
    """Each layer learns at a quarter of the rate of the one above it."""
    run = digits_cnn.build(seed)
    modules = [one for one in run.model.modules() if list(one.parameters(recurse=False))]
    groups = [
        {"params": list(one.parameters()), "lr": 5e-3 * 0.25**depth} for depth, one in enumerate(reversed(modules))
    ]
    optimizer = torch.optim.AdamW(groups)
    return replace(run, optimizer=optimizer, scheduler=warmup_cosine(optimizer, STEPS), batches=run.batches[:STEPS])


def longer_and_longer(seed: int) -> Run:
    """Sequences of 6 steps, then of 12, then of 24, as a curriculum has it."""
    run = lstm.build(seed)
    lengths = [6] * 50 + [12] * 50 + [24] * 50
    batches = [{**one, "x": one["x"][:, :length]} for one, length in zip(run.batches, lengths, strict=False)]
    return replace(run, batches=batches)


def joined(batches: list[Batch]) -> dict[str, Any]:
    """Make one batch of several."""
    columns = {name: torch.cat([one[name] for one in batches]) for name in batches[0] if name != "id"}
    return {**columns, "id": [one for batch in batches for one in batch["id"]]}


def doubling_batch(seed: int) -> Run:
    """The batch doubles instead of the rate falling, twice (Smith et al. 2018)."""
    run = regression.build(seed)
    parts = [*(run.batches[at : at + 1] for at in range(50))]
    parts += [run.batches[at : at + 2] for at in range(50, 150, 2)]
    parts += [run.batches[at : at + 4] for at in range(150, 300, 4)]
    return replace(run, batches=[joined(list(part)) for part in parts])


def smoothing_sets_in(seed: int) -> Run:
    """From half-way on labels are smoothed, which lifts the loss for good."""
    run = digits_cnn.build(seed)
    model, now = run.model, passed(run)

    def losses(batch: Batch) -> dict[str, Tensor]:
        smooth = 0.2 if model.training and now() >= STEPS // 2 else 0.0
        return {"ce": F.cross_entropy(model(batch["x"]), batch["y"], label_smoothing=smooth)}

    return replace(run, losses=losses, batches=run.batches[:STEPS])


def reweighted(seed: int) -> Run:
    """The weight of one component falls from 4 to 0.1 in the course of the run, that of the others rises."""
    run = tabular.build(seed)
    right, model, now = run.losses, run.model, passed(run)

    def losses(batch: Batch) -> dict[str, Tensor]:
        named = dict(right(batch))
        if not model.training:
            return named
        share = min(1.0, now() / STEPS)
        weight = {"hidden": 4.0 * 0.025**share, "diagnosis": 0.1 + 0.9 * share, "area": 0.1 + 0.9 * share}
        return {name: weight[name] * value for name, value in named.items()}

    return replace(run, losses=losses, batches=run.batches[:STEPS])


def cyclical_momentum(seed: int) -> Run:
    """The momentum runs between 0.95 and 0.8, against the rate (Smith 2018)."""
    run = regression.build(seed)
    now = passed(run)

    def turn(step: int) -> float:
        return 0.5 * (1 - math.cos(2 * math.pi * (step % 50) / 50))

    def set_momentum() -> None:
        for group in run.optimizer.param_groups:
            group["momentum"] = 0.95 - 0.15 * turn(now())

    schedule = LambdaLR(run.optimizer, lambda step: 0.1 + turn(step))
    run = replace(run, scheduler=schedule, batches=run.batches[:STEPS])
    now = passed(run)
    return replace(run, after_commit=set_momentum)


def averaging_restarts(seed: int) -> Run:
    """Every 25 steps the weights are set to the mean of those since the last time, and training goes on from there."""
    run = contrastive.build(seed)
    now, parameters = passed(run), list(run.model.parameters())
    sums = [torch.zeros_like(one) for one in parameters]

    @torch.no_grad()
    def average() -> None:
        for total, parameter in zip(sums, parameters, strict=True):
            total.add_(parameter)
            if now() % 25 == 0:
                parameter.copy_(total / 25)
                total.zero_()

    return replace(run, after_commit=average, batches=run.batches[:STEPS])


def hard_examples(seed: int) -> Run:
    """From step 50 on only the worst quarter of each batch counts (Shrivastava et al. 2016)."""
    run = digits_cnn.build(seed)
    model, now = run.model, passed(run)

    def losses(batch: Batch) -> dict[str, Tensor]:
        each = F.cross_entropy(model(batch["x"]), batch["y"], reduction="none")
        hardest = len(each) // 4 if model.training and now() >= 50 else len(each)
        return {"ce": each.topk(hardest).values.mean()}

    return replace(run, losses=losses, batches=run.batches[:STEPS])


def noisy_returns(seed: int) -> Run:
    """A policy learns from sampled returns: its loss runs round zero, and tells nothing of how good it is."""
    generator = seeded(seed)
    model = Bandit()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

    def losses(batch: Batch) -> dict[str, Tensor]:
        policy = model(batch["x"]).log_softmax(-1)
        if not model.training:
            return {"regret": 1.0 - policy.exp().gather(1, batch["label"][:, None]).mean()}
        action = policy.exp().multinomial(1)
        reward = (action[:, 0] == batch["label"]).float() + 0.5 * torch.randn(len(action))
        advantage = reward - reward.mean()
        entropy = -(policy.exp() * policy).sum(1).mean()
        return {"policy": -(advantage * policy.gather(1, action)[:, 0]).mean(), "entropy": -0.01 * entropy}

    made = dealt(class_rows, generator, STEPS, size=64)
    return Run(model=model, optimizer=optimizer, losses=losses, scheduler=constant(optimizer), **made)


def two_phases(seed: int) -> Run:
    """Pixels are reconstructed for 75 steps; then that loss ends, and the digit is told instead."""
    torch.manual_seed(seed)
    model = nn.ModuleDict({"encode": mlp(64, 64, 32), "decode": mlp(32, 64), "head": mlp(32, 10)})

    def losses(batch: Batch) -> dict[str, Tensor]:
        pixels = batch["x"].flatten(1)
        code = model["encode"](pixels)
        if model.training and now() < STEPS // 2:
            return {"reconstruction": F.mse_loss(model["decode"](code), pixels)}
        return {"ce": F.cross_entropy(model["head"](code), batch["y"])}

    run = digits_run(seed, model, losses)
    now = passed(run)
    return run


def late_insight(seed: int) -> Run:
    """The parity of three of twenty signs: nothing is learnt for a long time, and then all of it at once."""
    generator = seeded(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        x = torch.randint(0, 2, (count, 20), generator=generator) * 2.0 - 1.0
        return {"x": x, "y": (x[:, 0] * x[:, 1] * x[:, 2] > 0).long()}

    model = mlp(20, 128, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Run(
        model=model,
        optimizer=optimizer,
        losses=lambda batch: {"ce": F.cross_entropy(model(batch["x"]), batch["y"])},
        scheduler=constant(optimizer),
        **dealt(rows, generator, 600, size=64),
    )


def late_critic(seed: int) -> Run:
    """For 100 steps a generator learns mean and spread alone; its critic has no gradient before step 100."""
    run = gan.build(seed)
    model, now = run.model, passed(run)
    assert isinstance(model, nn.ModuleDict)
    maker, critic = model["generator"], model["critic"]

    def losses(batch: Batch) -> dict[str, Tensor]:
        made, x = maker(batch["z"]), batch["x"]
        if not model.training:
            return {"distance": gan.energy_distance(made, x)}
        size = (made.mean(0) - x.mean(0)).square().sum() + (made.std(0) - x.std(0)).square().sum()
        if now() < 100:
            return {"size": size}
        frozen = {name: one.detach() for name, one in critic.named_parameters()}
        fooled: Tensor = functional_call(critic, frozen, (made,))
        real, false = critic(x), critic(made.detach())
        adversary = (F.softplus(-real) + F.softplus(false)).mean()
        return {"size": size, "generator": 0.2 * F.softplus(-fooled).mean(), "critic": adversary}

    return replace(run, losses=losses)


def head_only(seed: int) -> Run:
    """A trained network gets a new head, and that alone is in the optimizer; the rest has gradients all the same."""
    run = digits_cnn.build(seed)
    for batch in run.batches[:80]:
        train_step(run, batch)
    assert isinstance(run.model, nn.Sequential)
    head = nn.Linear(384, 10)
    run.model[-1] = head
    optimizer = torch.optim.Adam(head.parameters(), lr=2e-3)
    return replace(run, optimizer=optimizer, scheduler=constant(optimizer), batches=run.batches[80:])


def pruned(seed: int) -> Run:
    """From step 50 on the smallest weights are zero: a third of them, later two thirds."""
    run = digits_cnn.build(seed)
    now = passed(run)
    matrices = [one for one in run.model.parameters() if one.dim() > 1]
    masks: list[Tensor] = []

    @torch.no_grad()
    def prune() -> None:
        if now() in {50, 100}:
            share = 0.33 if now() == 50 else 0.66
            masks[:] = [one.abs() > one.abs().flatten().quantile(share) for one in matrices]
        for one, mask in zip(matrices, masks, strict=False):
            one.mul_(mask)

    return replace(run, after_commit=prune, batches=run.batches[:STEPS])


def quantised(seed: int) -> Run:
    """From half-way on weights are rounded to fifteen levels in the forward pass; the gradient passes straight."""
    generator = seeded(seed)
    model = Quantised()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    schedule = constant(optimizer)

    def set_in() -> None:
        model.rounds = schedule.last_epoch >= STEPS // 2

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"mse": F.mse_loss(model(batch["x"]), batch["y"])}

    made = dealt(regression_rows, generator, STEPS, size=32)
    return Run(model=model, optimizer=optimizer, losses=losses, scheduler=schedule, after_commit=set_in, **made)


def cooled_choice(seed: int) -> Run:
    """Discrete codes are drawn by Gumbel-softmax, whose temperature falls from 2 to 0.2 (Jang et al. 2017)."""
    torch.manual_seed(seed)
    model = Gumbel()

    def losses(batch: Batch) -> dict[str, Tensor]:
        pixels = batch["x"].flatten(1)
        temperature = 2.0 * 0.1 ** min(1.0, now() / STEPS)
        return {"reconstruction": F.mse_loss(model(pixels, temperature), pixels)}

    run = digits_run(seed, model, losses)
    now = passed(run)
    return run


def mixed_up(seed: int) -> Run:
    """Every image is a mixture of two, and so is its label (Zhang et al. 2018): the loss stays high."""
    run = digits_cnn.build(seed)
    generator = torch.Generator().manual_seed(seed)

    def mixture(batch: Batch) -> dict[str, Any]:
        share = torch.rand(len(batch["x"]), generator=generator)
        labels = F.one_hot(batch["y"], 10).float()
        x = share[:, None, None, None] * batch["x"] + (1 - share)[:, None, None, None] * batch["x"].roll(1, 0)
        return {**batch, "x": x, "y": share[:, None] * labels + (1 - share)[:, None] * labels.roll(1, 0)}

    return replace(run, batches=[mixture(one) for one in run.batches[:STEPS]])


_EVERY = (
    Control(name="stochastic-depth", build=stochastic_depth),
    Control(name="gradual-unfreezing", build=gradual_unfreezing),
    Control(name="layerwise-rates", build=layerwise_rates),
    Control(name="longer-and-longer", build=longer_and_longer),
    Control(name="doubling-batch", build=doubling_batch),
    Control(name="smoothing-sets-in", build=smoothing_sets_in),
    Control(name="reweighted", build=reweighted),
    Control(name="cyclical-momentum", build=cyclical_momentum),
    Control(name="averaging-restarts", build=averaging_restarts),
    Control(name="hard-examples", build=hard_examples),
    Control(name="noisy-returns", build=noisy_returns),
    Control(name="two-phases", build=two_phases),
    Control(name="late-insight", build=late_insight),
    Control(name="late-critic", build=late_critic),
    Control(name="head-only", build=head_only),
    Control(name="pruned", build=pruned),
    Control(name="quantised", build=quantised),
    Control(name="cooled-choice", build=cooled_choice),
    Control(name="mixed-up", build=mixed_up),
)

FRESH: tuple[Control, ...] = tuple(replace(one, kept_back=True) for one in _EVERY)
