"""How far one spoken sentence is from another, whose sounds need not be at the same times."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rerail.audio.dtw import warping_path

ORDERS = 13  # cepstral coefficients that are compared, without the first, which is the energy
DECIBELS = 10.0 / math.log(10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """`mel` in nepers, `cepstral` in decibels; 0 between equal spectrograms, NaN where either is not finite."""

    mel: float
    cepstral: float


def distance(spoken: Tensor, true: Tensor) -> Distance:
    """Compare `(frames, bands)` with `(frames, bands)`, natural logarithm of magnitude, along their warping path.

    The path is the one along which the mean absolute difference over bands is smallest. `mel` is that difference: the
    mean over true frames, each of which counts once, however many spoken frames it is matched with. So a spectrogram
    that is the same everywhere gets what it is worth, and gains nothing by its length. `cepstral` is the mean along
    the path of the mel-cepstral distortion, as is the custom.
    """
    if not len(spoken) or not bool(torch.isfinite(spoken).all() and torch.isfinite(true).all()):
        return Distance(mel=math.nan, cepstral=math.nan)
    cost = torch.cdist(true.double(), spoken.double(), p=1.0).cpu() / true.shape[1]
    rows, columns = map(torch.from_numpy, warping_path(cost.numpy()))
    matched = torch.zeros(len(true), dtype=torch.float64).index_add_(0, rows, cost[rows, columns])
    distortion = mel_cepstral_distortion(spoken.cpu()[columns], true.cpu()[rows])
    return Distance(mel=float((matched / rows.bincount()).mean()), cepstral=float(distortion.mean()))


def mel_cepstral_distortion(spoken: Tensor, true: Tensor) -> Tensor:
    """`10 / ln 10 * sqrt(2 * sum_d (c_d - c'_d)^2)`, d = 1..13, in dB, frame by frame (Kubichek 1993).

    Both `(frames, bands)` -> `(frames,)`. By Parseval it is the root mean square over the bands of the difference of
    the two spectra in decibels, each smoothed to 13 cosines, without its mean.
    """
    return DECIBELS * (2.0 * (cepstra(spoken) - cepstra(true)).square().sum(1)).sqrt()


def cepstra(mel: Tensor) -> Tensor:
    """Mel cepstra 1 to 13 by a DCT of type II: `c_d = 2 / B * sum_b mel_b * cos(pi * d * (b + 1/2) / B)`.

    mel: (frames, B), natural logarithm of magnitude -> (frames, orders). Scaled so that the spectrum is the sum of
    `c_d * cos`, as in the mel-cepstral analysis that the formula above is usually applied to (Imai 1983).
    """
    bands = mel.shape[1]
    order = torch.arange(1, min(ORDERS, bands - 1) + 1, dtype=torch.float64)
    cosines = torch.cos(math.pi * order * (torch.arange(bands, dtype=torch.float64)[:, None] + 0.5) / bands)
    return mel.double() @ (cosines.to(mel.device) * 2.0 / bands)
