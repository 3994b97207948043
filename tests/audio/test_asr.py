from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rerail.audio import files
from rerail.audio.asr import whisper
from rerail.data import demo


def test_without_it_the_command_that_installs_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(ModuleNotFoundError, match=r'run: pip install "rerail\[asr\]"'):
        whisper(tmp_path)


@pytest.mark.filterwarnings("ignore")  # of the libraries that it stands on
def test_a_real_clip_is_understood_at_any_rate_of_sampling(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason='no recogniser; pip install "rerail[asr]"')
    ear = whisper(tmp_path)
    clip = demo.folder() / "wavs" / "all-circuits-busy-now.flac"
    for rate in (16000, 22050):
        assert "circuits are busy" in ear(files.read(clip, rate, resample=True), rate, "en")
    assert (tmp_path / "whisper-base/model.bin").stat().st_size == 145_217_532
