"""Encoded text to mel frames, `reduction` of them a step, with the attention and the stop gate of each step.

The decoder cell's state never comes back to the attention. So when the frames are given, only the attention cell and
the attention have to be run step by step; prenet, decoder cell inputs, projections and gate follow for all at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.tasks.speech.ending import Ending
from rerail.tasks.speech.layers import Linear
from rerail.tasks.speech.output import Decoded
from rerail.tasks.speech.precision import wide
from rerail.tasks.speech.prenet import Prenet
from rerail.tasks.tacotron2.attention import Attention, Kind, LocationAttention, Seen
from rerail.tasks.tacotron2.config import Size
from rerail.tasks.tacotron2.dynamic import DynamicAttention
from rerail.tasks.tacotron2.lstm import Keep, Kept, Reader, advance, sequence

Attend = Callable[[Attention, Tensor, Any, Seen], Seen]


class Decoder(nn.Module):
    """Prenet, attention cell, attention, decoder cell, and the two projections (Shen et al. 2018, section 2.2)."""

    attention_layer: Attention

    def __init__(self, size: Size, bands: int, reduction: int, attention: Kind, *, compiled: bool) -> None:
        super().__init__()
        memory, outputs = size.memory, bands * reduction
        self.bands, self.rnn_dropout = bands, size.rnn_dropout
        self.frame_drop = 0.0  # share of the true frames before that are blanked in training
        self.prenet = Prenet(outputs, size.prenet, size.prenet_dropout)
        self.attention_rnn = nn.LSTMCell(size.prenet + memory, size.attention_rnn)
        self.attention_layer = _attention(size, attention)
        self.decoder_rnn = nn.LSTMCell(size.attention_rnn + memory, size.decoder_rnn)
        self.linear_projection = Linear(size.decoder_rnn + memory, outputs)
        self.gate_layer = Linear(size.decoder_rnn + memory, 1, gain="sigmoid")
        self.attend: Attend = torch.compile(_attend) if compiled else _attend

    def forward(self, memory: Tensor, mask: Tensor, groups: Tensor, generator: torch.Generator | None) -> Decoded:
        """Teacher-forced. memory: (batch, symbols, memory); groups: (batch, steps, reduction * bands), the targets."""
        previous = functional.pad(groups[:, :-1], (0, 0, 1, 0))  # the first step sees a group of zeros
        previous = self._blanked(previous, generator)
        drive, keyed = self._heard(self.prenet(previous, generator), memory)
        keys = self.attention_layer.keys(memory, mask)
        query, alignment = self._read(drive, keyed, keys)
        drive = self._driven(query, alignment, memory)
        hidden = sequence(drive, self.decoder_rnn.weight_hh, self._keep(query, self.decoder_rnn))
        features = torch.cat([hidden, torch.bmm(alignment, memory)], 2)
        mel, gate = self._project(features, groups.shape[2])
        return Decoded(mel.reshape(len(mel), -1, self.bands), gate.squeeze(2), alignment, hidden)

    def _blanked(self, groups: Tensor, generator: torch.Generator | None) -> Tensor:
        """Blank some steps that are fed back: what is not heard has to be read (Liu et al. 2019, section 3.2)."""
        if not self.training or self.frame_drop == 0.0:
            return groups
        kept = torch.rand(groups.shape[:2], device=groups.device, generator=generator) >= self.frame_drop
        return groups * kept[:, :, None]

    def _read(self, drive: Tensor, keyed: Tensor, keys: Any) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        """drive, keyed: see `Reader` -> query (batch, steps, attention_rnn), alignment (batch, steps, symbols)."""
        reader = Reader(drive, self.attention_rnn.weight_hh, keyed, self._keep(drive, self.attention_rnn))
        query = cell = drive.new_zeros(len(drive), self.attention_rnn.hidden_size)
        seen, queries, read = self.attention_layer.start(keys), [], []
        for step in range(drive.shape[1]):
            query, cell = reader.step(step, query, cell, seen.weights)
            seen = self.attend(self.attention_layer, query, keys, seen)
            queries.append(query)
            read.append(seen.weights)
        return torch.stack(queries, 1), torch.stack(read, 1)

    def generate(
        self,
        memory: Tensor,
        mask: Tensor,
        *,
        steps: int,
        width: int,
        threshold: float,
        linger: int,
        generator: torch.Generator | None,
    ) -> tuple[Decoded, Tensor]:
        """Free-running, without gradients: every step sees the last one's frames, `width` values of them.

        A row ends with its first stop, or once its last symbol had most of the attention for `linger` steps. Returns
        how many steps each row has, (batch,), too; all of them where neither came in `steps`.
        """
        keys, first, second = self.attention_layer.keys(memory, mask), self.attention_rnn, self.decoder_rnn
        group = memory.new_zeros(len(memory), width)
        ending = Ending(mask.sum(1), threshold=threshold, linger=linger)
        query = query_cell = memory.new_zeros(len(memory), first.hidden_size)
        hidden = hidden_cell = memory.new_zeros(len(memory), second.hidden_size)
        said: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        seen = self.attention_layer.start(keys)
        context = _read_out(seen, memory)
        while len(said) < steps and not ending.all_ended:
            x = torch.cat([self.prenet(group, generator), context], 1)
            query, query_cell = advance(_gates(first, x, query), query_cell)
            seen = self.attend(self.attention_layer, query, keys, seen)
            context = _read_out(seen, memory)
            hidden, hidden_cell = advance(_gates(second, torch.cat([query, context], 1), hidden), hidden_cell)
            group, gate = self._project(torch.cat([hidden, context], 1), width)
            said.append((group, gate, seen.weights, hidden))
            ending.see(gate.squeeze(1), seen.weights)
        mel, gate, alignment, states = (torch.stack(part, 1) for part in zip(*said, strict=True))
        decoded = Decoded(mel.reshape(len(mel), -1, self.bands), gate.squeeze(2), alignment, states)
        return decoded, ending.steps()

    def _heard(self, prenet: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """What the attention cell's gates hear of the frames before, and what they would hear of each symbol.

        prenet: (batch, steps, prenet); memory: (batch, symbols, memory) -> the same, 4 attention_rnn wide.
        """
        cell = self.attention_rnn
        # split, not sliced: going back, one gradient is made of both, not each put into a full one of zeros
        frames, text = torch.split(cell.weight_ih, [prenet.shape[2], memory.shape[2]], 1)
        drive = functional.linear(prenet, frames, cell.bias_ih + cell.bias_hh)
        return wide(drive), wide(functional.linear(memory, text))

    def _driven(self, query: Tensor, alignment: Tensor, memory: Tensor) -> Tensor:
        """All that the decoder cell's gates hear apart from their own state, (batch, steps, 4 decoder_rnn).

        The text's share is worked out by symbol, not by step: there are several times fewer of them.
        """
        cell = self.decoder_rnn
        state, text = torch.split(cell.weight_ih, [query.shape[2], memory.shape[2]], 1)
        heard = functional.linear(query, state, cell.bias_ih + cell.bias_hh)
        return wide(heard.baddbmm_(alignment.to(heard.dtype), functional.linear(memory, text)))

    def _keep(self, like: Tensor, cell: nn.LSTMCell) -> Keep:
        """Draw the dropout of a cell's hidden states, all steps at once; like: (batch, steps, ...)."""
        if not self.training or self.rnn_dropout == 0.0:
            return None
        kept = torch.empty(*like.shape[:2], cell.hidden_size, device=like.device, dtype=like.dtype)
        return Kept(kept.bernoulli_(1.0 - self.rnn_dropout) > 0, 1.0 / (1.0 - self.rnn_dropout))

    def _project(self, features: Tensor, width: int) -> tuple[Tensor, Tensor]:
        """(..., decoder_rnn + memory) -> (..., width) frames, (..., 1) gate; fewer frames are the first of a step."""
        layer = self.linear_projection.linear_layer
        mel = functional.linear(features, layer.weight[:width], layer.bias[:width])
        return wide(mel), wide(self.gate_layer(features))


def _read_out(seen: Seen, memory: Tensor) -> Tensor:
    """What the attention reads, (batch, memory)."""
    return torch.bmm(seen.weights[:, None], memory)[:, 0]


def _gates(cell: nn.LSTMCell, x: Tensor, hidden: Tensor) -> Tensor:
    """x: (batch, inputs) -> (batch, 4 hidden)."""
    heard = functional.linear(x, cell.weight_ih, cell.bias_ih + cell.bias_hh)
    return wide(heard) + wide(functional.linear(hidden, cell.weight_hh))


def _attend(attention: Attention, query: Tensor, keys: Any, seen: Seen) -> Seen:  # noqa: ANN401
    """Take a step of the attention: a function of its own, so that it can be compiled and copied."""
    return attention(query, keys, seen)


def _attention(size: Size, kind: Kind) -> Attention:
    if kind == "dynamic":
        return DynamicAttention(size)
    return LocationAttention(size, onward=kind == "forward")
