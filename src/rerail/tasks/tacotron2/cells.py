"""The decoder's two recurrent cells, arranged so that one step is as little work as possible."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.tasks.tacotron2.attention import Attention, Keys
from rerail.tasks.tacotron2.late import Late


class State(NamedTuple):
    """What one step hands to the next."""

    query: Tensor  # (batch, attention_rnn), hidden state of the attention cell
    query_cell: Tensor
    hidden: Tensor  # (batch, decoder_rnn), hidden state of the decoder cell
    hidden_cell: Tensor
    context: Tensor  # (batch, memory)
    seen: Tensor  # (batch, 2, symbols), previous and summed attention


class Cell(NamedTuple):
    """An LSTM cell's weights with the two products joined into one: `gates = drive + weight [x, h]`."""

    product: Late  # inputs + hidden -> 4 hidden
    dropout: float

    def __call__(self, drive: Tensor, x: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """drive: (batch, 4 hidden) what was known beforehand; x: (batch, inputs + hidden) -> hidden, cell."""
        i, f, g, o = (drive + self.product(x)).chunk(4, dim=1)
        cell = torch.addcmul(torch.sigmoid(f) * cell, torch.sigmoid(i), torch.tanh(g))
        hidden = torch.sigmoid(o) * torch.tanh(cell)
        return functional.dropout(hidden, self.dropout, self.dropout > 0), cell


class Cells:
    """Both cells and the attention between them, over the keys of one batch."""

    def __init__(
        self, attention: Attention, first: nn.LSTMCell, second: nn.LSTMCell, keys: Keys, dropout: float
    ) -> None:
        known = first.input_size - keys.memory.shape[2]  # the prenet's share, driven from outside the loop
        self.attention, self.keys = attention, keys
        self.first = Cell(Late(torch.cat([first.weight_ih[:, known:], first.weight_hh], 1).t()), dropout)
        self.second = Cell(Late(torch.cat([second.weight_ih, second.weight_hh], 1).t()), dropout)
        self.into_first, self.bias = first.weight_ih[:, :known], first.bias_ih + first.bias_hh
        self.into_second = (second.bias_ih + second.bias_hh).expand(len(keys.memory), -1)

    def drive(self, prenet: Tensor) -> Tensor:
        """prenet: (..., prenet) -> (..., 4 attention_rnn), its share in the first cell's gates."""
        return functional.linear(prenet, self.into_first, self.bias)

    def start(self) -> State:
        """All zero, as published."""
        memory = self.keys.memory
        batch, symbols, width = memory.shape
        query = memory.new_zeros(batch, self.first.product.weight.shape[1] // 4)
        hidden = memory.new_zeros(batch, self.second.product.weight.shape[1] // 4)
        return State(query, query, hidden, hidden, memory.new_zeros(batch, width), memory.new_zeros(batch, 2, symbols))

    def step(self, drive: Tensor, state: State) -> State:
        """One step of the loop; drive: (batch, 4 attention_rnn)."""
        query, query_cell = self.first(drive, torch.cat([state.context, state.query], 1), state.query_cell)
        context, weights = self.attention(query, self.keys, state.seen)
        x = torch.cat([query, context, state.hidden], 1)
        hidden, hidden_cell = self.second(self.into_second, x, state.hidden_cell)
        seen = torch.stack([weights, state.seen[:, 1] + weights], 1)
        return State(query, query_cell, hidden, hidden_cell, context, seen)
