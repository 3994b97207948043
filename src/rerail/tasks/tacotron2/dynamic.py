"""Dynamic convolution attention: moves along the text by filters, some of them made from the decoder's state."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.tasks.speech.layers import Convolution, Linear
from rerail.tasks.speech.precision import wide
from rerail.tasks.tacotron2.attention import Seen, first_symbol, windows
from rerail.tasks.tacotron2.config import Size

PRIOR = (0.1, 0.9)  # shape of the beta-binomial prior: it moves on by one symbol a step on average
LEAST = 1e-6  # floor of the prior's probability


class Keys(NamedTuple):
    """What the steps of one batch share, computed once."""

    padding: Tensor  # (batch, symbols), true where padded
    static: Tensor  # (kernel, attention), the static filters and their map as one
    energy: Tensor  # (attention,)


class DynamicAttention(nn.Module):
    """`e = v . tanh(U f + T g + b) + p` (Battenberg et al. 2020, arXiv:1910.10288, equations 8-10).

    f are static, g dynamic filters over the last attention, `G = V tanh(W query + b)`; p is the logarithm of the last
    attention moved on by a fixed causal prior, here not below log 1e-6. It starts on the first symbol.
    """

    prior: Tensor

    def __init__(self, size: Size) -> None:
        super().__init__()
        filters, self.kernel = size.dynamic_filters, size.dynamic_kernel
        self.query_layer = Linear(size.attention_rnn, size.attention, gain="tanh")
        self.filter_layer = Linear(size.attention, filters * self.kernel, bias=False)
        self.static_conv = Convolution(1, filters, self.kernel, bias=False)
        self.static_dense = Linear(filters, size.attention, bias=False, gain="tanh")
        self.dynamic_dense = Linear(filters, size.attention, gain="tanh")
        self.v = Linear(size.attention, 1, bias=False)
        self.register_buffer("prior", beta_binomial(size.prior_kernel - 1, *PRIOR), persistent=False)

    def keys(self, memory: Tensor, mask: Tensor) -> Keys:  # noqa: ARG002 (the text itself is not looked at)
        """mask: (batch, symbols), true where valid."""
        conv, dense = self.static_conv.conv.weight[:, 0], self.static_dense.linear_layer.weight
        return Keys(~mask, torch.einsum("fk,af->ka", conv, dense), self.v.linear_layer.weight[0])

    def start(self, keys: Keys) -> Seen:
        """Reads the first symbol."""
        return first_symbol(keys.energy.new_zeros(keys.padding.shape))

    def forward(self, query: Tensor, keys: Keys, seen: Seen) -> Seen:
        """query: (batch, attention_rnn)."""
        hidden = torch.tanh(self.query_layer(query))
        dynamic: Tensor = self.dynamic_dense.linear_layer.weight  # (attention, filters)
        filters = self.filter_layer(hidden).view(len(query), -1, dynamic.shape[1])
        kernel = keys.static + filters @ dynamic.t()  # (batch, kernel, attention): one product for both kinds
        moved = torch.tanh(windows(seen.weights[:, None], self.kernel) @ kernel + self.dynamic_dense.linear_layer.bias)
        energy = wide(moved @ keys.energy) + self._onward(seen.weights)
        weights = torch.softmax(energy.masked_fill(keys.padding, -torch.inf), dim=1)
        return Seen(weights, seen.total + weights)

    def _onward(self, last: Tensor) -> Tensor:
        """Give log (prior * last), a causal convolution."""
        past = functional.pad(last, (len(self.prior) - 1, 0)).unfold(1, len(self.prior), 1)
        return (past @ self.prior.flip(0)).clamp(min=LEAST).log()


def beta_binomial(trials: int, a: float, b: float) -> Tensor:
    """(trials + 1,): the probabilities of moving on by 0, 1, ... symbols."""

    def log_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    def chance(k: int) -> float:
        return math.comb(trials, k) * math.exp(log_beta(k + a, trials - k + b) - log_beta(a, b))

    return torch.tensor([chance(k) for k in range(trials + 1)])
