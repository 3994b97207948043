from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from rerail.data.clip import Clip
from rerail.data.measure import measure

CLIP = Clip(id="a", path=Path("a.wav"), text="Dial 21.", language="en")


def test_a_tone_between_silences_is_measured_without_them() -> None:
    tone = 0.5 * torch.sin(torch.arange(16000) * 2 * math.pi * 440 / 16000)
    found = measure(CLIP, torch.cat([torch.zeros(8000), tone, torch.zeros(8000)]), 16000)
    assert found.samples == 32000
    assert 8000 - 3 * 256 <= found.first <= 8000
    assert found.seconds == pytest.approx(1.0, abs=0.1)
    assert found.peak == pytest.approx(0.5, abs=1e-3)
    assert found.level == pytest.approx(10 * math.log10(0.125), abs=0.5)
    assert (found.nonfinite, found.full) == (0, 0.0)
    assert found.characters == len("dial twenty-one.")


def test_trimming_may_be_left_out() -> None:
    found = measure(CLIP, torch.cat([torch.zeros(8000), torch.ones(8000)]), 16000, trimmed=False)
    assert (found.first, found.end, found.seconds) == (0, 16000, 1.0)
    assert found.full == 0.5
    assert found.quiet == pytest.approx(0.5, abs=0.02)


def test_samples_that_are_not_finite_are_counted_and_not_hidden() -> None:
    samples = torch.zeros(4000)
    samples[5], samples[9] = float("nan"), float("inf")
    found = measure(CLIP, samples, 16000)
    assert found.nonfinite == 2
    assert math.isnan(found.level)


def test_silence_has_no_level() -> None:
    assert measure(CLIP, torch.zeros(4000), 16000).level == -math.inf


def test_a_number_that_nobody_can_spell_counts_as_it_is_written() -> None:
    assert measure(Clip(id="a", path=Path("a"), text="21", language="xx"), torch.ones(400), 16000).characters == 2


def test_equal_samples_alone_are_the_same_recording() -> None:
    noise = torch.randn(4000)
    same, other = measure(CLIP, noise, 16000), measure(CLIP, noise * 0.99, 16000)
    assert measure(CLIP, noise.clone(), 16000).digest == same.digest != other.digest
