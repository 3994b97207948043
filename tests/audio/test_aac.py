from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch

from rerail.audio import files


def m4a(path: Path, sound: np.ndarray[tuple[int, int], np.dtype[np.float32]], rate: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=rate, layout="stereo")
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="stereo")
        frame.sample_rate = rate
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def test_a_recording_in_aac_is_mixed_down_and_resampled(tmp_path: Path) -> None:
    tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(44100) / 44100, dtype=np.float32)
    path = m4a(tmp_path / "a.m4a", np.stack([tone, tone]), 44100)
    assert files.rate_of(path) == 44100
    samples = files.read(path, 16000, resample=True)
    assert abs(len(samples) / 16000 - 1) < 0.1
    spectrum = torch.fft.rfft(samples[4000:12000]).abs()
    assert abs(int(spectrum.argmax()) - 220) <= 1  # 440 Hz, in steps of 2
    assert 0.35 < float(samples[4000:12000].abs().max()) < 0.45


def test_what_is_no_sound_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.m4a").write_text("no sound at all")
    with pytest.raises(ValueError, match=r"a\.m4a: cannot be decoded .*convert it to WAV or FLAC"):
        files.read(tmp_path / "a.m4a", 16000)
