"""Attention: where to read the text next, given the decoder's state and where one has read so far.

Three kinds, by name. `location` is the published Tacotron2's. `forward` has the same energies and may only stay or move
on by one symbol a step. `dynamic` (in `dynamic.py`) does not look at the text at all, only at where it has read.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.tasks.speech.layers import Convolution, Linear
from rerail.tasks.speech.precision import wide
from rerail.tasks.tacotron2.config import Size

Kind = Literal["location", "forward", "dynamic"]
REACHABLE = 1e-30  # forward attention: a place less likely than this is taken for one that cannot be reached


class Seen(NamedTuple):
    """Where one has read: in the last step, and in all steps together; both (batch, symbols)."""

    weights: Tensor
    total: Tensor


class Attention(Protocol):
    """What the decoder asks of an attention."""

    def keys(self, memory: Tensor, mask: Tensor) -> Any:  # noqa: ANN401 (each kind's own)
        """Work out what the steps of a batch share. memory: (batch, symbols, memory); mask: true where valid."""

    def start(self, keys: Any) -> Seen:  # noqa: ANN401
        """Give what was read before the first step."""

    def __call__(self, query: Tensor, keys: Any, seen: Seen) -> Seen:  # noqa: ANN401
        """query: (batch, attention_rnn). The new weights sum to 1 over the true symbols."""


class Keys(NamedTuple):
    """What the steps of one batch share, computed once."""

    projected: Tensor  # (batch, symbols, attention)
    padding: Tensor  # (batch, symbols), true where padded
    kernel: Tensor  # (2 * kernel, attention), both location layers as one
    energy: Tensor  # (attention,)


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


class LocationAttention(nn.Module):
    """`e = v . tanh(W query + V memory + U location)`, then a softmax over the true symbols.

    `onward` makes it forward attention (Zhang et al. 2018, arXiv:1807.06736, equations 6-8): what the softmax gives is
    multiplied by `a[n] + a[n - 1]` of the step before and normalised; a step reads on from the first symbol.
    """

    def __init__(self, size: Size, *, onward: bool = False) -> None:
        super().__init__()
        self.onward = onward
        self.query_layer = Linear(size.attention_rnn, size.attention, bias=False, gain="tanh")
        self.memory_layer = Linear(size.memory, size.attention, bias=False, gain="tanh")
        self.v = Linear(size.attention, 1, bias=False)
        self.location_layer = LocationLayer(size)

    def keys(self, memory: Tensor, mask: Tensor) -> Keys:
        """memory: (batch, symbols, memory); mask: (batch, symbols), true where valid."""
        kernel, energy = self.location_layer.kernel(), self.v.linear_layer.weight[0]
        return Keys(self.memory_layer(memory), ~mask, kernel, energy)

    def start(self, keys: Keys) -> Seen:
        """Nothing read yet; going onward, the first symbol."""
        nothing = keys.energy.new_zeros(keys.padding.shape)
        return first_symbol(nothing) if self.onward else Seen(nothing, nothing)

    def forward(self, query: Tensor, keys: Keys, seen: Seen) -> Seen:
        """query: (batch, attention_rnn)."""
        location = windows(torch.stack(seen, 1), len(keys.kernel) // 2) @ keys.kernel
        hidden = location.add_(keys.projected).add_(self.query_layer(query)[:, None]).tanh_()  # one block of memory
        energy = wide(hidden @ keys.energy)
        weights = self._onward(energy, keys.padding, seen.weights) if self.onward else _softmax(energy, keys.padding)
        return Seen(weights, seen.total + weights)

    def _onward(self, energy: Tensor, padding: Tensor, last: Tensor) -> Tensor:
        prior = last + functional.pad(last[:, :-1], (1, 0))
        energy = energy.masked_fill(padding | (prior < REACHABLE), -torch.inf)
        weights = prior * torch.exp(energy - energy.amax(1, keepdim=True).detach())
        return weights / weights.sum(1, keepdim=True)


def first_symbol(nothing: Tensor) -> Seen:
    """All attention on the first symbol; nothing: (batch, symbols), zeros."""
    return Seen(functional.pad(nothing[:, 1:], (1, 0), value=1.0), nothing)


def windows(seen: Tensor, kernel: int) -> Tensor:
    """(batch, channels, symbols) -> (batch, symbols, channels * kernel), a convolution's inputs.

    The convolution is then one product, which for a kernel this small costs less than setting one up at every step.
    """
    padded = functional.pad(seen, (kernel // 2, kernel // 2))
    return padded.unfold(2, kernel, 1).transpose(1, 2).flatten(2)


def _softmax(energy: Tensor, padding: Tensor) -> Tensor:
    return torch.softmax(energy.masked_fill(padding, -torch.inf), dim=1)
