"""Location-sensitive attention: where to look next, given the state and where one has looked so far."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.tasks.tacotron2.config import Size
from rerail.tasks.tacotron2.late import Late
from rerail.tasks.tacotron2.layers import Convolution, Linear


class Keys(NamedTuple):
    """What the steps of one utterance share, computed once."""

    memory: Tensor  # (batch, symbols, memory)
    projected: Tensor  # (batch, symbols, attention)
    padding: Tensor  # (batch, symbols), true where padded
    query: Late  # attention_rnn -> attention
    location: Late  # 2 * kernel -> attention, both location layers as one
    energy: Late  # attention -> 1


class LocationLayer(nn.Module):
    """Features of the previous and the summed attention (Chorowski et al. 2015, section 2.2)."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.location_conv = Convolution(2, size.location_filters, size.location_kernel, bias=False)
        self.location_dense = Linear(size.location_filters, size.attention, bias=False, gain="tanh")

    def kernel(self) -> Tensor:
        """(2 * kernel, attention): both maps are linear, so their product is one, and less work a step."""
        conv, dense = self.location_conv.conv.weight, self.location_dense.linear_layer.weight
        return torch.einsum("fck,af->cka", conv, dense).flatten(0, 1)


class Attention(nn.Module):
    """`e = v . tanh(W query + V memory + U location)`, then a softmax over the true symbols."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.query_layer = Linear(size.attention_rnn, size.attention, bias=False, gain="tanh")
        self.memory_layer = Linear(size.memory, size.attention, bias=False, gain="tanh")
        self.v = Linear(size.attention, 1, bias=False)
        self.location_layer = LocationLayer(size)

    def keys(self, memory: Tensor, mask: Tensor) -> Keys:
        """memory: (batch, symbols, memory); mask: (batch, symbols), true where valid."""
        query, energy = (Late(layer.linear_layer.weight.t()) for layer in (self.query_layer, self.v))
        return Keys(memory, self.memory_layer(memory), ~mask, query, Late(self.location_layer.kernel()), energy)

    def forward(self, query: Tensor, keys: Keys, seen: Tensor) -> tuple[Tensor, Tensor]:
        """query: (batch, attention_rnn); seen: (batch, 2, symbols), previous and summed attention.

        Gives the context (batch, memory) and the attention (batch, symbols), which sums to 1.
        """
        location = keys.location(_windows(seen, len(keys.location.weight) // 2)).view_as(keys.projected)
        hidden = torch.tanh(keys.projected + location + keys.query(query)[:, None])
        energy = keys.energy(hidden.flatten(0, 1)).view_as(keys.padding)
        weights = torch.softmax(energy.masked_fill(keys.padding, -torch.inf), dim=1)
        return torch.bmm(weights[:, None], keys.memory).squeeze(1), weights


def _windows(seen: Tensor, kernel: int) -> Tensor:
    """(batch, 2, symbols) -> (batch * symbols, 2 * kernel): a convolution's inputs, laid out for one product."""
    padded = functional.pad(seen, (kernel // 2, kernel // 2))
    return padded.unfold(2, kernel, 1).transpose(1, 2).flatten(2).flatten(0, 1)
