"""Encoded text and a voice to mel frames, `reduction` of them a step, with the alignment and the stop of each step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.tasks.speech.ending import LINGER, Ending
from rerail.tasks.speech.output import Decoded
from rerail.tasks.speech.precision import wide
from rerail.tasks.speech.prenet import Prenet
from rerail.tasks.xtts.attention import Attention, FeedForward, Heard, sinusoids
from rerail.tasks.xtts.config import Size

BACK, AHEAD = 1, 4  # symbols: how far a led head may look from where it looked last, in free-running speech


class Told(NamedTuple):
    """What a decoder goes by: encoded text (batch, symbols, width), where it is valid, and the voice (batch, width)."""

    memory: Tensor
    mask: Tensor
    voice: Tensor


class Decoder(Protocol):
    """Any decoder of this network; the transformer below is one."""

    def __call__(self, told: Told, groups: Tensor, generator: torch.Generator | None) -> Decoded:
        """Teacher-forced. groups: (batch, steps, reduction * bands), the targets."""
        ...

    def generate(
        self, told: Told, *, steps: int, width: int, threshold: float, generator: torch.Generator | None
    ) -> tuple[Decoded, Tensor]:
        """Free-running: every step sees the last one's frames, `width` values; with the steps of each row, (batch,)."""
        ...


class DecoderLayer(nn.Module):
    """Attention to the steps before, to the text, and a feed-forward layer. `guided` heads follow the text."""

    def __init__(self, size: Size, guided: int) -> None:
        super().__init__()
        self.guided = guided
        self.before, self.text = Attention(size.width, size.heads), Attention(size.width, size.heads)
        if guided:  # equal maps of equal places: attention starts near the diagonal (Ping et al. 2018, section 3.6)
            self.text.key.load_state_dict(self.text.query.state_dict())
        self.forward_layer = FeedForward(size.width, size.forward * size.width, size.dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(size.width) for _ in range(3))
        self.dropout = nn.Dropout(size.dropout)

    def hear(self, memory: Tensor, place: Tensor) -> Heard:
        """Return what is read of the text. memory: (batch, symbols, width); place: (symbols, width)."""
        return self.text.hear(memory, place if self.guided else None)

    def forward(
        self, x: Tensor, text: Heard, allowed: Tensor, place: Tensor, past: Heard | None = None
    ) -> tuple[Tensor, Heard, Tensor | None]:
        """x: (batch, steps, width); allowed: (batch, 1 or heads, 1, symbols); place: (steps, width).

        Returns x anew, what these steps and those of the past are heard as, and the weights of the guided heads
        (batch, guided, steps, symbols), None where there are none.
        """
        y = self.norms[0](x)
        heard = self.before.hear(y) if past is None else past.then(self.before.hear(y))
        x = x + self.dropout(self.before.read(y, heard, causal=past is None))
        y, weights = self.norms[1](x), None
        if self.guided:
            read, weights = self.text.seen(y + place, text, allowed)
            weights = weights[:, : self.guided]
        else:
            read = self.text.read(y, text, allowed)
        x = x + self.dropout(read)
        return x + self.dropout(self.forward_layer(self.norms[2](x))), heard, weights


class TransformerDecoder(nn.Module):
    """A causal transformer over groups of frames (after Li et al. 2019, arXiv:1809.08895).

    `rate` is how many symbols a frame has on average: by it, steps and symbols have places on one scale.
    """

    rate: Tensor

    def __init__(self, size: Size, bands: int, reduction: int) -> None:
        super().__init__()
        self.bands, self.heads, self.guided, outputs = bands, size.heads, size.guided, bands * reduction
        self.prenet = Prenet(outputs, size.prenet, size.prenet_dropout)
        self.entry = nn.Linear(size.prenet, size.width)
        first = size.decoder_layers - size.guided_layers
        self.layers = nn.ModuleList(
            DecoderLayer(size, size.guided if layer >= first else 0) for layer in range(size.decoder_layers)
        )
        self.width, self.norm = size.width, nn.LayerNorm(size.width)
        self.frames, self.stop = nn.Linear(size.width, outputs), nn.Linear(size.width, 1)
        self.register_buffer("rate", torch.tensor(0.15))

    def forward(self, told: Told, groups: Tensor, generator: torch.Generator | None) -> Decoded:
        """Teacher-forced; see `Decoder`."""
        before = functional.pad(groups[:, :-1], (0, 0, 1, 0))  # the first step sees a group of zeros
        texts, place = self._texts(told), self._places(groups.shape[1], groups)
        x, seen = self._entered(before, told, place, generator), list[Tensor]()
        for layer, text in zip(self._layers(), texts, strict=True):
            x, _, weights = layer(x, text, told.mask[:, None, None], place)
            seen += [] if weights is None else [weights]
        hidden = wide(self.norm(x))
        mel, gate = self._project(hidden, groups.shape[2])
        return Decoded(mel.reshape(len(mel), -1, self.bands), gate, torch.cat(seen, 1).mean(1), hidden)

    def generate(
        self, told: Told, *, steps: int, width: int, threshold: float, generator: torch.Generator | None
    ) -> tuple[Decoded, Tensor]:
        """Free-running, with keys and values kept; see `Decoder`.

        The guided heads look from `BACK` symbols before to `AHEAD` after the symbol that they looked at most.
        """
        reduction, texts = width // self.bands, self._texts(told)
        group = told.memory.new_zeros(len(told.memory), 1, width)
        ending = Ending(told.mask.sum(1), threshold=threshold, linger=-(-LINGER // reduction))
        places = self._places(steps, group)
        past: list[Heard | None] = [None] * len(self.layers)
        said: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        at = torch.zeros(len(told.memory), dtype=torch.int64, device=group.device)
        while len(said) < steps and not ending.all_ended:
            place = places[len(said)][None]
            x, seen = self._entered(group, told, place, generator), list[Tensor]()
            allowed = self._window(told.mask, at)
            for number, (layer, text) in enumerate(zip(self._layers(), texts, strict=True)):
                may = allowed if layer.guided else told.mask[:, None, None]
                x, past[number], weights = layer(x, text, may, place, past[number])
                seen += [] if weights is None else [weights]
            hidden, weights = wide(self.norm(x)), torch.cat(seen, 1).mean(1)
            group, gate = self._project(hidden, width)
            at = weights[:, 0].argmax(1)
            said.append((group, gate, weights, hidden))
            ending.see(gate[:, 0], weights[:, 0])
        mel, gate, alignment, states = (torch.cat(part, 1) for part in zip(*said, strict=True))
        return Decoded(mel.reshape(len(mel), -1, self.bands), gate, alignment, states), ending.steps()

    def _texts(self, told: Told) -> list[Heard]:
        symbols = torch.arange(told.memory.shape[1], device=told.memory.device) + 0.5
        place = sinusoids(symbols, told.memory.shape[2])
        return [layer.hear(told.memory, place) for layer in self._layers()]

    def _layers(self) -> Iterator[DecoderLayer]:
        for layer in self.layers:
            assert isinstance(layer, DecoderLayer)
            yield layer

    def _places(self, steps: int, groups: Tensor) -> Tensor:
        """Where the middles of steps lie in a text, on average, (steps, width)."""
        frames = groups.shape[2] // self.bands
        middle = (torch.arange(steps, device=groups.device) + 0.5) * frames * self.rate
        return sinusoids(middle, self.width)

    def _entered(self, before: Tensor, told: Told, place: Tensor, generator: torch.Generator | None) -> Tensor:
        entered: Tensor = self.entry(self.prenet(before, generator)) + told.voice[:, None] + place
        return entered

    def _window(self, mask: Tensor, at: Tensor) -> Tensor:
        """Where the guided heads may look, the others everywhere; (batch, heads, 1, symbols)."""
        symbol = torch.arange(mask.shape[1], device=mask.device)
        near = (symbol >= at[:, None] - BACK) & (symbol <= at[:, None] + AHEAD)
        led = torch.arange(self.heads, device=mask.device)[:, None] < self.guided
        return (mask[:, None] & (near[:, None] | ~led))[:, :, None]

    def _project(self, hidden: Tensor, width: int) -> tuple[Tensor, Tensor]:
        """(batch, steps, width) -> (batch, steps, width of a group) and (batch, steps), the stop's logits."""
        mel = functional.linear(hidden, self.frames.weight[:width], self.frames.bias[:width])
        return wide(mel), wide(self.stop(hidden)[..., 0])
