from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from faultbench.case import Run
from faultbench.rivals.sagemaker import RULES, Debugger, LossNotDecreasing, Overfit, PoorInitialization, Rule, Unchanged
from faultbench.rivals.seen import Seen
from torch import Tensor, nn

from faultbench.rivals import sagemaker
from small_run import small


def fired(rule: Rule, losses: list[float], **fields: list[Tensor]) -> list[int]:
    return [step for step, loss in enumerate(losses) if rule(Seen(step=step, loss=loss, **fields))]


LOSSES = [
    ("falling", [1.0 - 0.01 * step for step in range(31)], []),
    ("flat", [1.0] * 31, [10, 20, 30]),
    ("falling by too little", [1.0 - 1e-5 * step for step in range(31)], [10, 20, 30]),
    ("a small rise is allowed", [1.0 + 0.004 * step for step in range(31)], []),
    ("a large one is not", [1.0 + 0.006 * step for step in range(31)], [10, 20, 30]),
    ("only every tenth step is read", [1.0, *([99.0] * 9), 0.9, *([99.0] * 9)], []),
    ("negative and falling", [-1.0 - 0.01 * step for step in range(21)], []),
    ("NaN", [*([1.0] * 5), *([math.nan] * 16)], [10, 20]),
]


@pytest.mark.parametrize(("name", "losses", "expected"), LOSSES, ids=[row[0] for row in LOSSES])
def test_loss_not_decreasing(name: str, losses: list[float], expected: list[int]) -> None:
    assert fired(LossNotDecreasing(), losses) == expected, name


@pytest.mark.parametrize(("held_out", "expected"), [(1.09, []), (1.11, [9, 19]), (0.5, []), (math.nan, [])])
def test_overfit(held_out: float, expected: list[int]) -> None:
    rule = Overfit()
    seen = [Seen(step=step, loss=1.0, validation=lambda: held_out) for step in range(25)]
    assert [one.step for one in seen if rule(one)] == expected


@pytest.mark.parametrize(
    ("name", "gradient", "weight", "expected"),
    [
        ("healthy", 1.0, 1.0, set()),
        ("vanished", 9e-8, 1.0, {"VanishingGradient"}),
        ("small", 2e-7, 1.0, set()),
        ("no gradient", 0.0, 1.0, {"VanishingGradient", "AllZero"}),
        ("gradient not finite", math.inf, 1.0, {"ExplodingTensor"}),
        ("weight not finite", 1.0, math.nan, {"ExplodingTensor"}),
        ("weight zero", 1.0, 0.0, {"AllZero"}),
    ],
)
def test_tensors(name: str, gradient: float, weight: float, expected: set[str]) -> None:
    seen = Seen(
        step=0,
        loss=1.0,
        gradients={"w": torch.full((2, 2), gradient)},
        weights={"w": torch.full((2, 2), weight)},
    )
    stateless = ("VanishingGradient", "ExplodingTensor", "AllZero")
    assert {rule for rule in stateless if RULES[rule]()(seen)} == expected, name


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(1.0, 1.01, False), (1.0, 12.0, True), (1.0, 10.9, False), (1.0, 1.0, True), (0.0, 0.1, True)],
)
def test_weight_update_ratio(before: float, after: float, expected: bool) -> None:  # noqa: FBT001
    seen = Seen(step=1, loss=1.0, weights={"w": torch.tensor([after])}, before={"w": torch.tensor([before])})
    assert sagemaker.update_ratio(seen) is expected


@pytest.mark.parametrize(("alive", "expected"), [(4, False), (2, False), (1, True), (0, True)])
def test_dead_relu(alive: int, expected: bool) -> None:  # noqa: FBT001
    flat = torch.zeros(16, 4)
    flat[3, :alive] = 1.0
    image = torch.zeros(16, 4, 3, 3)
    image[:, :alive, 1, 1] = 1.0
    assert sagemaker.dead_relu(Seen(step=0, loss=1.0, relu_outputs=(flat,))) is expected
    assert sagemaker.dead_relu(Seen(step=0, loss=1.0, relu_outputs=(image,))) is expected


@pytest.mark.parametrize(
    ("tanh", "sigmoid", "expected"), [(9.4, 0.0, False), (9.6, 0.0, True), (0.0, 16.9, False), (0.0, -24.0, True)]
)
def test_saturated(tanh: float, sigmoid: float, expected: bool) -> None:  # noqa: FBT001
    inputs = {"tanh_inputs": (torch.full((8, 4), tanh),), "sigmoid_inputs": (torch.full((8, 4), sigmoid),)}
    assert sagemaker.saturated(Seen(step=0, loss=1.0, **inputs)) is expected


def test_unchanged_over_three_steps() -> None:
    values = [1.0, 1.1, 1.1, 1.1, 1.2]
    pairs = pairwise(values)
    seen = [
        Seen(step=step, loss=1.0, before={"w": torch.tensor([old])}, weights={"w": torch.tensor([new])})
        for step, (old, new) in enumerate(pairs)
    ]
    rule = Unchanged()
    assert [one.step for one in seen if rule(one)] == [2]


def test_poor_initialization() -> None:
    falling, flat = [1.0 - 0.01 * step for step in range(20)], [1.0] * 20
    assert fired(PoorInitialization(), falling) == []
    assert fired(PoorInitialization(), flat) == [5, 6, 7, 8, 9]
    unlike = {"relu_inputs": (torch.tensor([0.0, 1.0]), torch.tensor([0.0, 4.0]))}
    assert fired(PoorInitialization(), falling, **unlike) == list(range(10))
    even = {"gradients": {"w": torch.full((20,), 0.5)}}
    assert fired(PoorInitialization(), falling, **even) == list(range(10))


def test_activations_and_weights_are_read_from_the_run() -> None:
    plain = small(steps=5)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    with torch.no_grad():
        model[0].bias.fill_(-100.0)  # type: ignore[union-attr]
    run = Run(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        losses=lambda batch: {"loss": (model(batch["x"]) - batch["y"]).square().mean()},
        batches=plain.batches,
        held_out=plain.held_out,
    )
    assert Debugger(name="dead", rules=("DeadRelu",)).play(run).detections == (0, 1, 2, 3, 4)
    assert not model[1]._forward_hooks
