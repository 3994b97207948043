from __future__ import annotations

import torch

from rerail.tasks.xtts.config import SIZES
from rerail.tasks.xtts.reference import LOG_VARIANCE, ReferenceEncoder


def test_padding_changes_neither_voice_nor_manner() -> None:
    torch.manual_seed(0)
    encoder = ReferenceEncoder(SIZES["tiny"], 8).double()
    mel, length = torch.randn(2, 30, 8, dtype=torch.float64), torch.tensor([30, 17])
    padded = torch.cat([mel, torch.full((2, 9, 8), 99.0, dtype=torch.float64)], 1)
    assert torch.allclose(encoder.voice(mel, length), encoder.voice(padded, length))
    alone = encoder.manner(mel[1:, :17], length[1:])
    assert torch.allclose(encoder.manner(padded, length).mean[1:], alone.mean)


def test_the_log_variance_stays_where_its_exponential_does_no_harm() -> None:
    encoder = ReferenceEncoder(SIZES["tiny"], 8)
    latent = encoder.manner(torch.randn(4, 20, 8) * 1e6, torch.tensor([20, 20, 3, 1]))
    least, most = LOG_VARIANCE
    assert bool(((latent.log_variance >= least) & (latent.log_variance <= most)).all())
    assert bool(torch.isfinite(latent.drawn()).all())


def test_a_recording_that_is_not_finite_is_not_hidden() -> None:
    encoder = ReferenceEncoder(SIZES["tiny"], 8)
    mel = torch.zeros(1, 20, 8)
    mel[0, 3] = torch.nan
    assert encoder.voice(mel, torch.tensor([20])).isnan().all()
    assert encoder.manner(mel, torch.tensor([20])).mean.isnan().all()
