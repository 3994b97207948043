from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rerail.tasks.tacotron2.late import Late


def gradients(product: Callable[[Tensor], Tensor], weight: Tensor, start: Tensor) -> tuple[Tensor, ...]:
    """A loop of five products, as a recurrent cell does them."""
    x = start
    for _ in range(5):
        x = torch.tanh(product(x)) + start
    return torch.autograd.grad(x.square().sum(), (weight, start))


def test_gradients_equal_those_of_the_plain_product() -> None:
    torch.manual_seed(0)
    weight = torch.randn(6, 6, dtype=torch.float64, requires_grad=True)
    start = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    late, plain = gradients(Late(weight), weight, start), gradients(lambda x: x @ weight, weight, start)
    for mine, theirs in zip(late, plain, strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-12)


def test_a_second_backward_pass_over_a_kept_graph_gives_the_same_gradient() -> None:
    weight, x = torch.randn(4, 4, requires_grad=True), torch.randn(2, 4)
    loss = Late(weight)(x).square().sum()
    first, second = (torch.autograd.grad(loss, weight, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)


def test_a_part_of_the_loop_gives_only_its_own_share() -> None:
    weight, x = torch.randn(4, 4, requires_grad=True), torch.randn(2, 4)
    late = Late(weight)
    late(10 * x)  # not part of the loss
    assert torch.allclose(torch.autograd.grad(late(x).sum(), weight)[0], x.t() @ torch.ones(2, 4))
