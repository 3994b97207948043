from __future__ import annotations

import torch

from rerail.audio import files
from rerail.audio.trim import KEEP, bounds, trim
from rerail.data import demo, ljspeech


def test_silence_around_speech_is_cut_and_speech_is_kept() -> None:
    speech = torch.randn(5000, generator=torch.Generator().manual_seed(0)) * 0.1
    padded = torch.cat([torch.zeros(8000), speech, torch.zeros(4000)])
    trimmed = trim(padded)
    assert 5000 <= len(trimmed) <= 5000 + 2 * KEEP + 512
    start = int((trimmed != 0).nonzero()[0])
    assert torch.equal(trimmed[start : start + 5000], speech)


def test_a_pause_inside_speech_stays() -> None:
    noise = torch.randn(4000, generator=torch.Generator().manual_seed(0)) * 0.1
    assert len(trim(torch.cat([noise, torch.zeros(16000), noise]))) == 24000


def test_real_clips_keep_their_sound() -> None:
    for path in sorted((demo.folder() / "wavs").iterdir())[:8]:
        samples = files.read(path, 16000)
        trimmed = trim(samples)
        assert 0.8 < len(trimmed) / len(samples) <= 1
        assert float(trimmed.square().sum() / samples.square().sum()) > 0.999


def test_what_has_no_loud_part_is_left_as_it_is() -> None:
    spoilt = torch.zeros(4000)
    spoilt[7] = float("nan")
    for samples in (torch.zeros(4000), torch.ones(10), torch.zeros(0), spoilt):
        assert trim(samples) is samples or torch.equal(trim(samples), samples)


def test_trimming_again_cuts_nothing_more() -> None:
    for clip in ljspeech.read(demo.folder())[:12]:
        once = trim(files.read(clip.path, 16000))
        assert torch.equal(trim(once), once)
        assert bounds(once) == (0, len(once))
