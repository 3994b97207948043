"""The healthy controls: runs with nothing wrong in them that look as if there were, and every workload as it is.

There are at least as many as there are faults, and `steps` of them with five seeds come to over 30,000 steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR

from faultbench.case import Run
from faultbench.cell import Control
from faultbench.healthy import HEALTHY
from faultbench.healthy_common import STEPS, ce, mse
from faultbench.state_common import class_rows, cut, mlp, regression_rows
from faultbench.workloads import WORKLOADS, contrastive, digits_cnn, gan, language, lstm, regression, vae
from faultbench.workloads.common import constant, dealt, epochs, seeded, split_digits

from .damage import step as train_step

Rate = Callable[[int], float]
Rows = Callable[[int, torch.Generator], dict[str, Tensor]]


def cauchy_noise(seed: int) -> Run:
    """Cauchy noise, which has no mean, under an absolute error."""
    generator = seeded(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        clean = regression_rows(count, generator)
        noise = (math.pi * (torch.rand(count, generator=generator) - 0.5)).tan()
        return {**clean, "y": clean["y"] + 0.1 * noise}

    model = mlp(8, 32, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"l1": F.l1_loss(model(batch["x"]).squeeze(-1), batch["y"])}

    made = dealt(rows, generator, STEPS)
    held_out = dealt(regression_rows, generator, 1)["held_out"]  # the fit is judged without noise
    return Run(model=model, optimizer=optimizer, losses=losses, batches=made["batches"], held_out=held_out)


def domain_switch(seed: int) -> Run:
    """Half-way all images are of another domain: inverted. The loss jumps, and comes down again."""
    run = digits_cnn.build(seed)
    half = len(run.batches) // 2
    inverted = [{**one, "x": 1.0 - one["x"]} if at >= half else one for at, one in enumerate(run.batches)]
    return replace(run, batches=inverted, held_out=[{**one, "x": 1.0 - one["x"]} for one in run.held_out])


def scheduled(build: Callable[[int], Run], rate: Rate, seed: int) -> Run:
    """Give a workload another schedule."""
    run = build(seed)
    return replace(run, scheduler=LambdaLR(run.optimizer, rate))


def flat_warmup(step: int) -> float:
    """Learn next to nothing for 80 steps."""
    return 1e-3 if step < 80 else 1.0


def restarts(step: int) -> float:
    """Fall to a hundredth and jump back, every 40 steps."""
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step % 40) / 40))


def curriculum_jump(seed: int) -> Run:
    """Inputs become three times as wide at once, as the curriculum has it."""
    run = regression.build(seed)

    def wide(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        x = 3.0 * batch["x"]
        return {**batch, "x": x, "y": x[:, 0].sin() + 0.5 * x[:, 1]}

    near = [{**one, "y": one["x"][:, 0].sin() + 0.5 * one["x"][:, 1]} for one in run.batches[:100]]
    return replace(run, batches=[*near, *map(wide, run.batches[100:250])], held_out=[*map(wide, run.held_out)])


def term_sets_in(seed: int) -> Run:
    """A second loss component sets in at once, at step 60, larger than the first."""
    run = regression.build(seed)
    model, schedule = run.model, run.scheduler
    assert schedule is not None

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        error = model(batch["x"]).squeeze(-1) - batch["y"]
        on = float(schedule.last_epoch >= 60)
        return {"mse": error.square().mean(), "size": on * 2.0 * error.abs().mean()}

    return replace(run, losses=losses, batches=run.batches[:200])


def negative_similarity(seed: int) -> Run:
    """The loss is minus a cosine, from 0 down to -1."""
    run = regression.build(seed)
    model = run.model

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"cosine": -F.cosine_similarity(model(batch["x"]).squeeze(-1), batch["y"], dim=0)}

    return replace(run, losses=losses, batches=run.batches[:200])


def trained_before(run: Run, steps: int) -> Run:
    """Train the first `steps` batches without a guard; what is left is the run."""
    for batch in run.batches[:steps]:
        train_step(run, batch)
    return replace(run, batches=run.batches[steps:])


def resumed(build: Callable[[int], Run], seed: int) -> Run:
    """Go on half-way, with the weights, the moments and the schedule as they were."""
    run = build(seed)
    return trained_before(run, len(run.batches) // 2)


def resumed_without_moments(build: Callable[[int], Run], seed: int) -> Run:
    """Go on half-way from the weights alone, with a fresh optimizer, as most people do."""
    run = resumed(build, seed)
    run.optimizer.state.clear()
    return run


def fine_tuned(seed: int) -> Run:
    """A network that fits already goes on at a small rate: the loss is tiny, and jumps by large factors."""
    run = lstm.build(seed)
    trained = trained_before(run, 120)
    for group in run.optimizer.param_groups:
        group["lr"] = 3e-4
    return replace(trained, scheduler=LambdaLR(run.optimizer, lambda _: 0.03))


def tiny_loss(seed: int) -> Run:
    """A function without noise is fitted to some millionths."""
    generator = seeded(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        x = torch.randn(count, 8, generator=generator)
        return {"x": x, "y": 0.3 * x[:, 0] - 0.2 * x[:, 1]}

    model = mlp(8, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return Run(model=model, optimizer=optimizer, losses=mse(model), **dealt(rows, generator, STEPS))


def oscillating_gan(seed: int) -> Run:
    """A generator and a critic that run round each other: momentum, and no noise to calm them."""
    run = gan.build(seed)
    for group in run.optimizer.param_groups:
        group["betas"], group["lr"], group["initial_lr"] = (0.5, 0.9), 2e-3, 2e-3
    return replace(run, scheduler=LambdaLR(run.optimizer, lambda _: 1.0))


def noisy_labels(seed: int) -> Run:
    """A third of the labels is wrong from the start, as in many corpora."""
    generator = seeded(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        clean = class_rows(count, generator)
        wrong = torch.rand(count, generator=generator) < 1 / 3
        other = torch.randint(0, 4, (count,), generator=generator)
        return {**clean, "label": torch.where(wrong, other, clean["label"])}

    model = mlp(8, 32, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Run(model=model, optimizer=optimizer, losses=ce(model), **dealt(rows, generator, STEPS))


def sorted_classes(seed: int) -> Run:
    """Nobody shuffled: batches are mostly of one digit for a while, then of the next."""
    generator = seeded(seed)
    training, held_out = split_digits()
    order = (training["y"] + 2.0 * torch.rand(len(training["y"]), generator=generator)).argsort()
    run = digits_cnn.build(seed)
    in_order = {name: column[order] for name, column in training.items()}
    batches = cut(in_order, 16, "sorted") + epochs(training, 100, 16, generator)
    return replace(run, batches=batches, held_out=cut(held_out, 64, "held"), scheduler=constant(run.optimizer))


OWN: tuple[Control, ...] = (
    Control(name="cauchy-noise", build=cauchy_noise),
    Control(name="domain-switch", build=domain_switch),
    Control(name="flat-warmup", build=partial(scheduled, regression.build, flat_warmup)),
    Control(name="rate-restarts", build=partial(scheduled, vae.build, restarts)),
    Control(name="curriculum-jump", build=curriculum_jump),
    Control(name="term-sets-in", build=term_sets_in),
    Control(name="negative-similarity", build=negative_similarity),
    Control(name="oscillating-gan", build=oscillating_gan),
    Control(name="fine-tuned", build=fine_tuned),
    Control(name="tiny-loss", build=tiny_loss),
    Control(name="resumed", build=partial(resumed, language.build)),
    Control(name="resumed-without-moments", build=partial(resumed_without_moments, contrastive.build)),
    Control(name="noisy-labels", build=noisy_labels),
    Control(name="sorted-classes", build=sorted_classes),
)

CONTROLS: tuple[Control, ...] = (
    *(Control(name=one.name, build=one.build) for one in HEALTHY),
    *(Control(name=f"clean-{one.name}", build=one.build) for one in WORKLOADS),
    *OWN,
)
