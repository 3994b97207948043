"""Whose voice it is: the speaker vector of a recording, by Resemblyzer's pretrained encoder where that is installed.

The network and its features are those of Wan et al. 2018 (arXiv:1710.10467), three LSTM layers over 40 mel bands; the
weights come with the package Resemblyzer (Apache-2.0), of which nothing else is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

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
LEVEL = 0.17  # mean power of a band at that loudness: the geometric mean over 50 clips of four speakers
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

    def on(self, device: torch.device) -> Voiceprint:
        """Return it on a device, for spectrograms that are there."""
        return Voiceprint(self.encoder.to(device))

    @torch.no_grad()
    def __call__(self, samples: Tensor, rate: int) -> Tensor:
        """Return the vector, of length 1, of a recording; samples: (samples,) in [-1, 1] -> (256,)."""
        sound = resampled(samples, rate, SPEC.sample_rate)
        quiet = float(sound.square().mean().sqrt())
        mel = power_mel(sound * max(1.0, LOUDNESS / quiet) if quiet else sound)
        mel = functional.pad(mel, (0, 0, 0, max(0, WINDOW - len(mel))))
        windows = torch.stack([mel[start : start + WINDOW] for start in range(0, len(mel) - WINDOW + 1, STEP)])
        return functional.normalize(self.encoder(windows).mean(0), dim=0)

    def of_spectrograms(self, mel: Tensor, spec: MelSpec) -> Tensor:
        """Return the vectors of log-mel spectrograms taken by `spec`, differentiably; (batch, frames, bands).

        They are near to those of the sound, not equal: 0.84 in cosine by windows of 1.6 s over 25 clips of four
        speakers, where different clips of one speaker have 0.63 and those of two speakers 0.47.
        """
        with torch.autocast(mel.device.type, enabled=False), torch.backends.cudnn.flags(enabled=False):
            return self._single(mel.float(), spec)  # half precision has no room for power; cuDNN trains no frozen LSTM

    def _single(self, mel: Tensor, spec: MelSpec) -> Tensor:
        power = (2.0 * mel).exp() @ _bands(spec).T.to(mel)
        frames = max(1, round(mel.shape[1] * spec.hop * SPEC.sample_rate / (SPEC.hop * spec.sample_rate)))
        timed = functional.interpolate(power.transpose(1, 2), size=frames, mode="linear").transpose(1, 2)
        vectors: Tensor = self.encoder(timed * (LEVEL / timed.mean((1, 2), keepdim=True)))
        return vectors


class Encoder(nn.Module):
    """Mel windows to vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(SPEC.bands, WIDTH, num_layers=3, batch_first=True)
        self.linear = nn.Linear(WIDTH, WIDTH)

    def forward(self, mel: Tensor) -> Tensor:
        """mel: (batch, frames, 40), power -> (batch, 256), of length 1 and without negative values."""
        _, (hidden, _) = self.lstm(mel)
        vector: Tensor = functional.normalize(functional.relu(self.linear(hidden[-1])), dim=1)
        return vector


def power_mel(samples: Tensor) -> Tensor:
    """Return the mel spectrogram, in power, of (samples,) at 16 kHz; (frames, 40)."""
    return (filters(SPEC) @ stft(samples.float(), SPEC).abs().square()).T


@lru_cache(maxsize=8)
def _bands(spec: MelSpec) -> Tensor:
    """What each of the encoder's bands takes of those of `spec`, (40, bands): least squares between the filters."""
    fine = replace(SPEC, sample_rate=spec.sample_rate, n_fft=spec.n_fft, win=spec.win)
    own, theirs = filters(spec).double(), filters(fine).double()
    share: Tensor = theirs @ torch.linalg.pinv(own)
    return share.clamp(min=0.0).float()
