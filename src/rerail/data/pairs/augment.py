"""Small changes that leave a picture's and a recording's meaning as it is. The generator given decides all."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

ZOOM = 0.15  # at most this share of each side is cut off
LIGHT, COLOUR = 0.2, 0.05  # brightness and contrast, and each colour, change by at most this share
DECIBELS, SHIFT = 6.0, 0.1  # louder or softer by at most so many, rolled by at most this share
TILT, HISS = 0.3, 0.8  # strength of the filters (one delayed sample) on the sound and on the noise
QUIETEST, LOUDEST = 40.0, 20.0  # of the noise, dB below the sound


def picture(image: Tensor, generator: torch.Generator) -> Tensor:
    """Return `(3, height, width)`, uint8, of the same shape: perhaps mirrored, a part of it, in other light."""
    draws = torch.rand(9, generator=generator)
    flip, zoom, down, right, light, contrast = draws[:6].tolist()
    height, width = image.shape[1:]
    tall, wide = (max(1, round(side * (1 - ZOOM * zoom))) for side in (height, width))
    top, left = round(down * (height - tall)), round(right * (width - wide))
    part = image[:, top : top + tall, left : left + wide].float()
    whole: Tensor = interpolate(part[None], (height, width), mode="bilinear", align_corners=False)[0]
    whole = whole.flip(2) if flip < 0.5 else whole  # noqa: PLR2004 - half of them
    mean = whole.mean()
    lit = (whole - mean) * (1 + LIGHT * (2 * contrast - 1)) + mean * (1 + LIGHT * (2 * light - 1))
    colours = 1 + COLOUR * (2 * draws[6:, None, None] - 1)
    changed: Tensor = (lit * colours).round_().clamp_(0, 255)
    return changed.to(torch.uint8)


def sound(wave: Tensor, generator: torch.Generator) -> Tensor:
    """Return `(samples,)`, float in [-1, 1], of the same length: rolled, filtered, over noise, louder or softer."""
    gain, shift, tilt, hiss, below = torch.rand(5, generator=generator).tolist()
    rolled = wave.roll(round(SHIFT * wave.shape[0] * (2 * shift - 1)))
    changed = _tilted(rolled, TILT * (2 * tilt - 1))
    noise = _tilted(torch.randn(wave.shape, generator=generator), HISS * (2 * hiss - 1))
    decibels = LOUDEST + (QUIETEST - LOUDEST) * below
    level = changed.square().mean().sqrt() / noise.square().mean().sqrt().clamp_min(1e-9) * 10 ** (-decibels / 20)
    loud: Tensor = (changed + noise * level) * 10 ** (DECIBELS * (2 * gain - 1) / 20)
    return loud / loud.abs().max().clamp_min(1)


def _tilted(wave: Tensor, strength: float) -> Tensor:
    """Add the sample before to each: low pitches gain where `strength` is positive, high ones where it is negative."""
    return wave + strength * wave.roll(1)
