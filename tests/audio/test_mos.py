from __future__ import annotations

import sys

import pytest
import torch

from rerail.audio import files
from rerail.audio.mos import distilled
from rerail.data import demo


def test_without_it_the_command_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distillmos", None)
    with pytest.raises(ModuleNotFoundError, match=r'run: pip install "rerail\[mos\]"'):
        distilled()


@pytest.mark.filterwarnings("ignore")  # of the libraries that it stands on
def test_a_recording_is_liked_better_than_noise(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("xls_r_sqa", reason='no estimator; pip install "rerail[mos]"')
    opinion = distilled()
    clip = files.read(demo.folder() / "wavs" / "all-circuits-busy-now.flac", 16000)
    noise = torch.randn(len(clip), generator=torch.Generator().manual_seed(0)) * 0.1
    assert opinion(clip, 16000) > 3.5
    assert opinion(noise, 16000) < 2.5
    assert capsys.readouterr().out == ""
    assert "torchaudio" not in sys.modules
