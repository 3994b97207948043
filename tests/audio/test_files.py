from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from rerail.audio import files
from rerail.data import demo


def tone(seconds: float = 0.5, rate: int = 16000) -> torch.Tensor:
    return 0.5 * torch.sin(torch.arange(int(seconds * rate)) * (2 * torch.pi * 440 / rate))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "tone.wav"
    files.write(path, tone(), 16000)
    assert torch.allclose(files.read(path, 16000), tone(), atol=1 / 32768)
    assert [one.name for one in path.parent.iterdir()] == ["tone.wav"]


def test_flac_is_read() -> None:
    samples = files.read(demo.folder() / "wavs" / "conf-getpin.flac", 16000)
    assert samples.dtype == torch.float32
    assert samples.dim() == 1
    assert 0.1 < float(samples.abs().max()) <= 1


def test_several_channels_are_averaged(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "two.wav", np.stack([np.full(8, 0.5), np.zeros(8)], axis=1), 16000, subtype="FLOAT")
    assert files.read(tmp_path / "two.wav", 16000).tolist() == [0.25] * 8


def test_samples_that_are_not_finite_come_through(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "bad.wav", np.array([0.1, np.nan, np.inf], np.float32), 16000, subtype="FLOAT")
    samples = files.read(tmp_path / "bad.wav", 16000)
    assert torch.isnan(samples[1])
    assert torch.isinf(samples[2])


def test_another_rate_is_refused_unless_asked_for(tmp_path: Path) -> None:
    files.write(tmp_path / "slow.wav", tone(rate=8000), 8000)
    with pytest.raises(ValueError, match=r"slow.wav: sampled at 8000 Hz, expected 16000; resample it"):
        files.read(tmp_path / "slow.wav", 16000)
    resampled = files.read(tmp_path / "slow.wav", 16000, resample=True)
    assert resampled.shape == (8000,)
    assert torch.allclose(resampled[1000:7000], tone()[1000:7000], atol=1e-2)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone.wav: no such file; check the id"):
        files.read(tmp_path / "gone.wav", 16000)


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    with pytest.raises(ValueError, match=r"empty.wav: is empty \(0 bytes\)"):
        files.read(tmp_path / "empty.wav", 16000)


def test_a_file_without_samples_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16000)
    with pytest.raises(ValueError, match=r"none.wav: holds no samples"):
        files.read(tmp_path / "none.wav", 16000)


def test_what_is_no_sound_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("not a sound at all", encoding="utf8")
    with pytest.raises(ValueError, match=r"text.wav: cannot be decoded .*; convert it to WAV or FLAC"):
        files.read(tmp_path / "text.wav", 16000)


def test_samples_that_are_not_finite_are_never_written(tmp_path: Path) -> None:
    path = tmp_path / "kept.wav"
    files.write(path, tone(), 16000)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"1 of 2 samples are not finite; nothing was written"):
        files.write(path, torch.tensor([0.0, float("nan")]), 16000)
    assert path.read_bytes() == before


def test_loud_samples_are_clipped_rather_than_wrapped() -> None:
    content = files.encode_wav(torch.tensor([2.0, -2.0]), 16000)
    assert content.startswith(b"RIFF")
    assert np.frombuffer(content[-4:], "<i2").tolist() == [32767, -32768]


def test_only_wav_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"only WAV is written, and the name ends in '.flac'"):
        files.write(tmp_path / "sound.flac", tone(), 16000)


def test_a_write_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()  # a folder cannot be replaced by a file
    with pytest.raises(OSError, match="taken"):
        files.store(tmp_path / "taken", b"content")
    assert [one.name for one in tmp_path.iterdir()] == ["taken"]


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    contents = [bytes([number]) * 100_000 for number in range(8)]
    writers = [threading.Thread(target=files.store, args=(tmp_path / "one", content)) for content in contents]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (tmp_path / "one").read_bytes() in contents


def test_flac_keeps_every_bit_of_sixteen(tmp_path: Path) -> None:
    every = torch.arange(-(2**15), 2**15) / 2**15
    (tmp_path / "a.flac").write_bytes(files.encode_flac(every, 16000))
    assert torch.equal(files.read(tmp_path / "a.flac", 16000), every)
    assert files.is_plain(tmp_path / "a.flac", 16000)
    assert not files.is_plain(tmp_path / "a.flac", 22050)
    assert files.rate_of(tmp_path / "a.flac") == 16000


def test_flac_of_samples_that_are_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 samples are not finite; nothing was written"):
        files.encode_flac(torch.tensor([0.0, float("nan")]), 16000)
