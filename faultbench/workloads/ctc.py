"""A recogniser of dialled numbers from sound, by connectionist temporal classification and NAdam with clipping.

The sound is that of a telephone's keys: two tones a key (ITU-T Q.23), of drawn lengths and levels, in noise. Rows have
different lengths, in frames and in keys, and are padded; the fewest frames are well above the keys they hold.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from faultbench.case import Batch, Run
from faultbench.cell import Workload
from rerail.audio.mel import MelSpec, log_mel
from rerail.data.batches import Stream

from .common import HELD_OUT_SEED, seeded, warmup_cosine

STEPS = 200
CLIPS, HELD_OUT, SIZE = 640, 64, 16
SPEC = MelSpec(sample_rate=8000, n_fft=512, hop=160, win=400, bands=24, f_min=500.0, f_max=1800.0)
LOW, HIGH = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0)  # Hz
KEYS = "123456789*0#"
MEAN, SPREAD = -3.0, 3.0  # of the log spectra, by eye


def dialled(keys: Tensor, generator: torch.Generator) -> Tensor:
    """Give the sound of keys, (samples,) at 8 kHz: each 60 to 140 ms long, with 20 to 80 ms of pause behind it."""
    parts = []
    for key in keys.tolist():
        share = torch.rand(3, generator=generator)
        time = torch.arange(int(8000 * (0.06 + 0.08 * float(share[0])))) / 8000
        low, high = (torch.sin(2 * math.pi * tone * time) for tone in (LOW[key // 3], HIGH[key % 3]))
        parts += [(0.1 + 0.2 * share[2]) * (low + high), torch.zeros(int(8000 * (0.02 + 0.06 * float(share[1]))))]
    sound = torch.cat(parts)
    return sound + 0.02 * torch.randn(len(sound), generator=generator)


@cache
def corpus() -> tuple[dict[str, Any], ...]:
    """Give clips as examples of `id`, `x` (frames, bands) and `y` (keys,), from 1 on; the same for all seeds."""
    generator = torch.Generator().manual_seed(HELD_OUT_SEED)
    made = []
    for number in range(CLIPS + HELD_OUT):
        count = int(torch.randint(3, 8, (1,), generator=generator))
        keys = torch.randint(0, len(KEYS), (count,), generator=generator)
        frames = (log_mel(dialled(keys, generator), SPEC) - MEAN) / SPREAD
        made.append({"id": f"call-{number:03d}", "x": frames, "y": keys + 1})
    return tuple(made)


def together(examples: Any) -> dict[str, Any]:
    """Pad examples to a batch: `x` (batch, frames, bands), `y` (batch, keys), `x_length` and `y_length` (batch,)."""
    frames, keys = [one["x"] for one in examples], [one["y"] for one in examples]
    return {
        "id": [one["id"] for one in examples],
        "x": pad_sequence(frames, batch_first=True, padding_value=(SPEC.silence - MEAN) / SPREAD),
        "x_length": torch.tensor([len(one) for one in frames]),
        "y": pad_sequence(keys, batch_first=True),
        "y_length": torch.tensor([len(one) for one in keys]),
    }


class Recogniser(nn.Module):
    """A convolution, a GRU both ways, and a head over the keys and the blank, which is class 0."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.act = nn.Conv1d(SPEC.bands, 48, 3, padding=1), nn.LayerNorm(48), nn.ReLU()
        self.gru = nn.GRU(48, 32, batch_first=True, bidirectional=True)
        self.drop, self.head = nn.Dropout(0.1), nn.Linear(64, 1 + len(KEYS))

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, frames, bands) -> logits (batch, frames, classes)."""
        hidden, _ = self.gru(self.act(self.norm(self.conv(x.transpose(1, 2)).transpose(1, 2))))
        logits: Tensor = self.head(self.drop(hidden))
        return logits


def build(seed: int) -> Run:
    """Build the run."""
    seeded(seed)
    clips = corpus()
    model = Recogniser()
    optimizer = torch.optim.NAdam(model.parameters(), lr=4e-3)

    def losses(batch: Batch) -> dict[str, Tensor]:
        chances = model(batch["x"]).log_softmax(-1).transpose(0, 1)
        return {"ctc": F.ctc_loss(chances, batch["y"], batch["x_length"], batch["y_length"])}

    stream = Stream(clips[HELD_OUT:], SIZE, seed, together, length=lambda one: len(one["x"]))
    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=list(islice(stream, STEPS)),
        held_out=[together(clips[at : at + 32]) for at in range(0, HELD_OUT, 32)],
        scheduler=warmup_cosine(optimizer, STEPS, warmup=10),
        clip_norm=2.0,
    )


WORKLOAD = Workload(
    name="ctc", title="Dialled numbers recognised from sound, CTC, NAdam.", steps=STEPS, build=build, kept_back=True
)
