"""Encoded text to mel frames, `reduction` of them a step, with the attention and the stop gate of each step."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.tasks.tacotron2.attention import Attention
from rerail.tasks.tacotron2.cells import Cells, State
from rerail.tasks.tacotron2.config import Size
from rerail.tasks.tacotron2.layers import Linear, dropout


class Decoded(NamedTuple):
    """All steps of a batch; mels are in the network's own scale."""

    mel: Tensor  # (batch, steps * reduction, bands)
    gate: Tensor  # (batch, steps), logits
    alignment: Tensor  # (batch, steps, symbols)


class Prenet(nn.Module):
    """Two layers that blur the previous frames, so that the text is worth reading (Shen et al. 2018, section 2.2)."""

    def __init__(self, inputs: int, size: Size) -> None:
        super().__init__()
        widths = ((inputs, size.prenet), (size.prenet, size.prenet))
        self.layers = nn.ModuleList(Linear(i, o, bias=False) for i, o in widths)
        self.dropout = size.prenet_dropout

    def forward(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """x: (..., reduction * bands) -> (..., prenet); the dropout stays on outside training too."""
        for layer in self.layers:
            x = dropout(torch.relu(layer(x)), self.dropout, generator)
        return x


class Decoder(nn.Module):
    """Prenet, attention cell, attention, decoder cell, and the two projections (Shen et al. 2018, section 2.2)."""

    def __init__(self, size: Size, bands: int, reduction: int) -> None:
        super().__init__()
        memory, outputs = size.memory, bands * reduction
        self.bands, self.rnn_dropout = bands, size.rnn_dropout
        self.prenet = Prenet(outputs, size)
        self.attention_rnn = nn.LSTMCell(size.prenet + memory, size.attention_rnn)
        self.attention_layer = Attention(size)
        self.decoder_rnn = nn.LSTMCell(size.attention_rnn + memory, size.decoder_rnn)
        self.linear_projection = Linear(size.decoder_rnn + memory, outputs)
        self.gate_layer = Linear(size.decoder_rnn + memory, 1, gain="sigmoid")

    def forward(self, memory: Tensor, mask: Tensor, groups: Tensor, generator: torch.Generator | None) -> Decoded:
        """Teacher-forced. memory: (batch, symbols, memory); groups: (batch, steps, reduction * bands), the targets."""
        cells = self._cells(memory, mask)
        previous = functional.pad(groups[:, :-1], (0, 0, 1, 0))  # the first step sees a group of zeros
        state, states = cells.start(), []
        for drive in cells.drive(self.prenet(previous, generator)).unbind(1):
            state = cells.step(drive, state)
            states.append(state)
        return self._decoded(states)

    def generate(
        self, memory: Tensor, mask: Tensor, steps: int, threshold: float, generator: torch.Generator | None
    ) -> Decoded:
        """Free-running: every step sees the last one's frames; ends when all rows have stopped, or after `steps`."""
        cells = self._cells(memory, mask)
        group = memory.new_zeros(len(memory), self.linear_projection.linear_layer.out_features)
        stopped = torch.zeros(len(memory), dtype=torch.bool, device=memory.device)
        state, states = cells.start(), []
        for _ in range(steps):
            state = cells.step(cells.drive(self.prenet(group, generator)), state)
            states.append(state)
            features = torch.cat([state.hidden, state.context], 1)
            group = self.linear_projection(features)
            stopped |= torch.sigmoid(self.gate_layer(features).squeeze(1)) > threshold
            if stopped.all():
                break
        return self._decoded(states)

    def _cells(self, memory: Tensor, mask: Tensor) -> Cells:
        keys = self.attention_layer.keys(memory, mask)
        rate = self.rnn_dropout if self.training else 0.0
        return Cells(self.attention_layer, self.attention_rnn, self.decoder_rnn, keys, rate)

    def _decoded(self, states: list[State]) -> Decoded:
        """Project all steps at once: one product in place of one a step."""
        features = torch.stack([torch.cat([s.hidden, s.context], 1) for s in states], 1)
        mel: Tensor = self.linear_projection(features)
        gate: Tensor = self.gate_layer(features).squeeze(2)
        alignment = torch.stack([s.seen[:, 0] for s in states], 1)
        return Decoded(mel.reshape(len(mel), -1, self.bands), gate, alignment)
