"""Tacotron2 written down as published, with no thought of speed: what the fast one must equal.

Shen et al. 2018 (arXiv:1712.05884), with the parameter names and the details of NVIDIA's published implementation: one
`nn.LSTMCell` call a cell and step, everything else of a step inside the loop, lists that grow. Parameters have the same
names as those of `Tacotron2`, so a state dict goes from one to the other. Dropout masks can be given from outside.
Padded rows are convolved one by one, cut to their length, and normalised together.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.tasks.tacotron2.config import Size
from rerail.tasks.tacotron2.dynamic import beta_binomial

Masks = dict[str, list[Tensor]]  # what is multiplied in, by place, in order


class Wrapped(nn.Module):
    """One layer under the name that the checkpoints give it."""

    def __init__(self, **layer: nn.Module) -> None:
        super().__init__()
        ((name, module),) = layer.items()
        self.name = name
        self.add_module(name, module)

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self, self.name)(x)


def linear(inputs: int, outputs: int, *, bias: bool = True) -> Wrapped:
    return Wrapped(linear_layer=nn.Linear(inputs, outputs, bias=bias))


def convolution(inputs: int, outputs: int, kernel: int, *, bias: bool = True) -> Wrapped:
    return Wrapped(conv=nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2, bias=bias))


def block(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(convolution(inputs, outputs, kernel), nn.BatchNorm1d(outputs))


def convolve(layer: nn.Sequential, x: Tensor, lengths: list[int]) -> Tensor:
    """x: (batch, channels, length)."""
    if set(lengths) == {x.shape[2]}:
        return layer(x)
    rows = [layer[0](row[None, :, :n])[0].t() for row, n in zip(x, lengths, strict=True)]
    rows = list(layer[1](torch.cat(rows)).split(lengths))
    return nn.utils.rnn.pad_sequence(rows, batch_first=True).transpose(1, 2)


class LocationLayer(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.location_conv = convolution(2, size.location_filters, size.location_kernel, bias=False)
        self.location_dense = linear(size.location_filters, size.attention, bias=False)

    def forward(self, seen: Tensor) -> Tensor:
        return self.location_dense(self.location_conv(seen).transpose(1, 2))


class Location(nn.Module):
    """Location-sensitive attention; `onward` gives forward attention (Zhang et al. 2018, arXiv:1807.06736)."""

    def __init__(self, size: Size, *, onward: bool) -> None:
        super().__init__()
        self.onward = onward
        self.query_layer = linear(size.attention_rnn, size.attention, bias=False)
        self.memory_layer = linear(size.memory, size.attention, bias=False)
        self.v = linear(size.attention, 1, bias=False)
        self.location_layer = LocationLayer(size)

    def start(self, memory: Tensor) -> Tensor:
        weights = memory.new_zeros(memory.shape[:2])
        if self.onward:
            weights[:, 0] = 1.0
        return weights

    def forward(self, query: Tensor, processed: Tensor, seen: Tensor, padding: Tensor) -> Tensor:
        location = self.location_layer(seen)
        energy = self.v(torch.tanh(self.query_layer(query.unsqueeze(1)) + location + processed)).squeeze(-1)
        weights = functional.softmax(energy.masked_fill(padding, -float("inf")), dim=1)
        if self.onward:
            last = seen[:, 0]
            moved = torch.cat([torch.zeros_like(last[:, :1]), last[:, :-1]], 1)
            weights = (last + moved) * weights
            weights = weights / weights.sum(1, keepdim=True)
        return weights


class Dynamic(nn.Module):
    """Dynamic convolution attention (Battenberg et al. 2020, arXiv:1910.10288), row by row."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        filters, self.kernel = size.dynamic_filters, size.dynamic_kernel
        self.prior_kernel = size.prior_kernel
        self.query_layer = linear(size.attention_rnn, size.attention)
        self.filter_layer = linear(size.attention, filters * self.kernel, bias=False)
        self.static_conv = convolution(1, filters, self.kernel, bias=False)
        self.static_dense = linear(filters, size.attention, bias=False)
        self.dynamic_dense = linear(filters, size.attention)
        self.v = linear(size.attention, 1, bias=False)

    def memory_layer(self, memory: Tensor) -> Tensor:
        return memory

    def start(self, memory: Tensor) -> Tensor:
        weights = memory.new_zeros(memory.shape[:2])
        weights[:, 0] = 1.0
        return weights

    def forward(self, query: Tensor, _: Tensor, seen: Tensor, padding: Tensor) -> Tensor:
        filters = self.filter_layer(torch.tanh(self.query_layer(query))).view(len(query), self.kernel, -1)
        prior = beta_binomial(self.prior_kernel - 1, 0.1, 0.9).to(query)
        rows = []
        for row in range(len(query)):
            last = seen[row : row + 1, :1]
            static = self.static_dense(self.static_conv(last).transpose(1, 2))
            own = filters[row].t().unsqueeze(1)
            dynamic = self.dynamic_dense(functional.conv1d(last, own, padding=self.kernel // 2).transpose(1, 2))
            moved = [
                sum(prior[k] * last[0, 0, n - k] for k in range(self.prior_kernel) if n >= k)
                for n in range(last.shape[2])
            ]
            log = torch.log(torch.clamp(torch.stack(moved), min=1e-6))
            rows.append(self.v(torch.tanh(static + dynamic))[0, :, 0] + log)
        return functional.softmax(torch.stack(rows).masked_fill(padding, -float("inf")), dim=1)


class Encoder(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.embedding
        self.convolutions = nn.ModuleList(
            block(width, width, size.encoder_kernel) for _ in range(size.encoder_convolutions)
        )
        self.lstm = nn.LSTM(width, size.encoder_lstm, batch_first=True, bidirectional=True)


class Prenet(nn.Module):
    def __init__(self, inputs: int, size: Size) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [linear(inputs, size.prenet, bias=False), linear(size.prenet, size.prenet, bias=False)]
        )


class Decoder(nn.Module):
    def __init__(self, size: Size, bands: int, reduction: int, attention: str) -> None:
        super().__init__()
        self.prenet = Prenet(bands * reduction, size)
        self.attention_rnn = nn.LSTMCell(size.prenet + size.memory, size.attention_rnn)
        self.attention_layer = (
            Dynamic(size) if attention == "dynamic" else Location(size, onward=attention == "forward")
        )
        self.decoder_rnn = nn.LSTMCell(size.attention_rnn + size.memory, size.decoder_rnn)
        self.linear_projection = linear(size.decoder_rnn + size.memory, bands * reduction)
        self.gate_layer = linear(size.decoder_rnn + size.memory, 1)

    def forward(self, memory: Tensor, padding: Tensor, groups: Tensor, drop: Drop) -> tuple[Tensor, Tensor, Tensor]:
        """memory: (batch, symbols, memory); groups: (batch, steps, reduction * bands), the targets."""
        batch = len(memory)
        inputs = groups.transpose(0, 1)
        inputs = torch.cat([torch.zeros_like(inputs[:1]), inputs], 0)[:-1]
        for layer in self.prenet.layers:
            inputs = drop(functional.relu(layer(inputs)), "prenet")
        query = query_cell = memory.new_zeros(batch, self.attention_rnn.hidden_size)
        hidden = hidden_cell = memory.new_zeros(batch, self.decoder_rnn.hidden_size)
        processed = self.attention_layer.memory_layer(memory)
        weights, total = self.attention_layer.start(memory), memory.new_zeros(memory.shape[:2])
        context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
        mels, gates, alignments = [], [], []
        while len(mels) < len(inputs):
            x = torch.cat([inputs[len(mels)], context], -1)
            query, query_cell = self.attention_rnn(x, (query, query_cell))
            query = drop(query, "query", len(mels))
            seen = torch.cat([weights.unsqueeze(1), total.unsqueeze(1)], 1)
            weights = self.attention_layer(query, processed, seen, padding)
            context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
            total = total + weights
            x = torch.cat([query, context], -1)
            hidden, hidden_cell = self.decoder_rnn(x, (hidden, hidden_cell))
            hidden = drop(hidden, "hidden", len(mels))
            x = torch.cat([hidden, context], 1)
            mels.append(self.linear_projection(x))
            gates.append(self.gate_layer(x).squeeze(1))
            alignments.append(weights)
        return torch.stack(mels).transpose(0, 1), torch.stack(gates).transpose(0, 1), torch.stack(alignments, 1)


class Postnet(nn.Module):
    def __init__(self, size: Size, bands: int) -> None:
        super().__init__()
        widths = [bands, *[size.postnet] * (size.postnet_layers - 1), bands]
        self.convolutions = nn.ModuleList(block(i, o, size.postnet_kernel) for i, o in pairwise(widths))


class Drop:
    """Dropout: by the masks given for a place, else drawn at random; the prenet's stays on outside training."""

    def __init__(self, size: Size, masks: Masks | None, *, training: bool) -> None:
        self.training = training
        self.masks = None if masks is None else {place: iter(ones) for place, ones in masks.items()}
        rates = {"encoder": size.dropout, "prenet": size.prenet_dropout, "postnet": size.dropout}
        self.rates = {**rates, "query": size.rnn_dropout, "hidden": size.rnn_dropout}
        self.rows: dict[str, Tensor] = {}

    def __call__(self, x: Tensor, place: str, step: int | None = None) -> Tensor:
        if not self.training and place != "prenet":
            return x
        if self.masks is None:
            return functional.dropout(x, self.rates[place], training=True)
        if step is None:
            mask = next(self.masks[place])
            return x * (mask.transpose(0, 1) if place == "prenet" else mask)
        if step == 0:
            self.rows[place] = next(self.masks[place])
        return x * self.rows[place][:, step]


class PlainTacotron2(nn.Module):
    """Takes the state dict of a `Tacotron2` of equal size."""

    def __init__(self, size: Size, symbols: int, bands: int, reduction: int, attention: str = "location") -> None:
        super().__init__()
        self.size, self.bands, self.reduction = size, bands, reduction
        self.embedding = nn.Embedding(symbols, size.embedding)
        self.encoder = Encoder(size)
        self.decoder = Decoder(size, bands, reduction, attention)
        self.postnet = Postnet(size, bands)

    def forward(self, batch: dict[str, Any], masks: Masks | None = None) -> dict[str, Tensor]:
        """Teacher-forced, for sizes that take mels as they are (offset 0, scale 1)."""
        assert (self.size.offset, self.size.scale) == (0.0, 1.0)
        drop = Drop(self.size, masks, training=self.training)
        memory = self.encode(batch, drop)
        padding = torch.arange(memory.shape[1]) >= batch["text_length"].unsqueeze(1)
        groups = functional.pad(batch["mel"], (0, 0, 0, -batch["mel"].shape[1] % self.reduction))
        groups = groups.reshape(len(groups), -1, self.reduction * self.bands)
        mel, gate, alignment = self.decoder(memory, padding, groups, drop)
        mel = mel.reshape(len(mel), -1, self.bands)[:, : batch["mel"].shape[1]]
        mel = mel * (torch.arange(mel.shape[1]) < batch["mel_length"].unsqueeze(1)).unsqueeze(2)
        post = self.polish(mel, batch["mel_length"].tolist(), drop)
        return {"mel": mel, "mel_post": post, "gate_logits": gate, "alignment": alignment}

    def encode(self, batch: dict[str, Any], drop: Drop) -> Tensor:
        lengths = batch["text_length"].tolist()
        x = self.embedding(batch["text"]).transpose(1, 2)
        for layer in self.encoder.convolutions:
            x = drop(functional.relu(convolve(layer, x, lengths)), "encoder")
        packed = nn.utils.rnn.pack_padded_sequence(x.transpose(1, 2), lengths, batch_first=True, enforce_sorted=False)
        memory, _ = nn.utils.rnn.pad_packed_sequence(self.encoder.lstm(packed)[0], batch_first=True)
        return memory

    def polish(self, mel: Tensor, lengths: list[int], drop: Drop) -> Tensor:
        x, last = mel.transpose(1, 2), len(self.postnet.convolutions) - 1
        for index, layer in enumerate(self.postnet.convolutions):
            x = convolve(layer, x, lengths)
            x = drop(x if index == last else torch.tanh(x), "postnet")
        return mel + x.transpose(1, 2)


def drawn(size: Size, batch: dict[str, Any], bands: int, reduction: int, dtype: torch.dtype) -> Masks:
    """Draw from the global RNG, in the order in which `Tacotron2` does in training."""
    rows, symbols, frames = *batch["text"].shape, batch["mel"].shape[1]
    steps = -(-frames // reduction)
    widths = [*[size.postnet] * (size.postnet_layers - 1), bands]

    def by(rate: float, *shape: int) -> Tensor:
        return functional.dropout(torch.ones(shape, dtype=dtype), rate)

    return {
        "encoder": [by(size.dropout, rows, size.embedding, symbols) for _ in range(size.encoder_convolutions)],
        "prenet": [
            (torch.rand(rows, steps, size.prenet) >= size.prenet_dropout) / (1.0 - size.prenet_dropout)
            for _ in range(2)
        ],
        "query": [by(size.rnn_dropout, rows, steps, size.attention_rnn)],
        "hidden": [by(size.rnn_dropout, rows, steps, size.decoder_rnn)],
        "postnet": [by(size.dropout, rows, width, frames) for width in widths],
    }


def parts(output: Any) -> Iterator[tuple[str, Tensor]]:
    """The four results of a forward pass, of either network."""
    for name in ("mel", "mel_post", "gate_logits", "alignment"):
        yield name, output[name] if isinstance(output, dict) else getattr(output, name)
