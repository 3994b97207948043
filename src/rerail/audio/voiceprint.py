"""Whose voice it is: the speaker vector of a recording, by Resemblyzer's pretrained encoder where that is installed.

The network and its features are those of Wan et al. 2018 (arXiv:1710.10467), three LSTM layers over 40 mel bands; the
weights come with the package Resemblyzer (Apache-2.0), of which nothing else is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.audio.files import resampled
from rerail.audio.mel import MelSpec, filters, stft
from rerail.audio.parts import Part, content, found

SPEC = MelSpec(n_fft=400, hop=160, win=400, bands=40)
WINDOW, STEP = 160, 77  # frames of 10 ms: what is listened to at once, and how far apart
LOUDNESS = 10 ** (-30 / 20)  # RMS that quieter recordings are raised to
WIDTH = 256
WEIGHTS = Part(
    package="resemblyzer",
    file="pretrained.pt",
    sha256="39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
    get="pip install --no-deps resemblyzer==0.1.4",
)
Recognised = Callable[[Tensor, int], Tensor]  # samples (samples,), their rate in Hz -> a vector of length 1


@dataclass(frozen=True, slots=True)
class Voiceprint:
    """Speaker vectors; those of one voice have a cosine near 1."""

    encoder: Encoder

    @classmethod
    def load(cls) -> Voiceprint:
        """Load the weights that lie in the installed package.

        Raises:
            ModuleNotFoundError: naming the command that installs it.
            ValueError: where they are others than those that were published.
        """
        saved = content(found(WEIGHTS), "model_state")["model_state"]
        encoder = Encoder()
        own = encoder.state_dict()
        encoder.load_state_dict({name: saved[name] for name in own})
        return cls(encoder.eval().requires_grad_(requires_grad=False))

    @torch.no_grad()
    def __call__(self, samples: Tensor, rate: int) -> Tensor:
        """Return the vector, of length 1, of a recording; samples: (samples,) in [-1, 1] -> (256,)."""
        sound = resampled(samples, rate, SPEC.sample_rate)
        quiet = float(sound.square().mean().sqrt())
        mel = power_mel(sound * max(1.0, LOUDNESS / quiet) if quiet else sound)
        mel = functional.pad(mel, (0, 0, 0, max(0, WINDOW - len(mel))))
        windows = torch.stack([mel[start : start + WINDOW] for start in range(0, len(mel) - WINDOW + 1, STEP)])
        return functional.normalize(self.encoder(windows).mean(0), dim=0)


class Encoder(nn.Module):
    """Mel windows to vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(SPEC.bands, WIDTH, num_layers=3, batch_first=True)
        self.linear = nn.Linear(WIDTH, WIDTH)

    def forward(self, mel: Tensor) -> Tensor:
        """mel: (batch, frames, 40), power -> (batch, 256), of length 1 and without negative values."""
        _, (hidden, _) = self.lstm(mel)
        return functional.normalize(functional.relu(self.linear(hidden[-1])), dim=1)


def power_mel(samples: Tensor) -> Tensor:
    """Return the mel spectrogram, in power, of (samples,) at 16 kHz; (frames, 40)."""
    return (filters(SPEC) @ stft(samples.float(), SPEC).abs().square()).T
