from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rerail.audio import files
from rerail.core import extras
from rerail.data import demo, ljspeech


@pytest.fixture
def telephone(tmp_path: Path) -> tuple[Path, torch.Tensor]:
    """A real clip in G.722, and its samples."""
    av = pytest.importorskip("av")
    clip = ljspeech.read(demo.folder())[0]
    samples = files.read(clip.path, 16000)
    frame = av.AudioFrame.from_ndarray((samples * 2**15).to(torch.int16)[None].numpy(), "s16", "mono")
    frame.sample_rate = 16000
    with av.open(str(tmp_path / "clip.g722"), "w", format="g722") as container:
        stream = container.add_stream("g722", rate=16000)
        stream.layout = "mono"
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return tmp_path / "clip.g722", samples


def test_speech_comes_back_nearly_as_it_was(telephone: tuple[Path, torch.Tensor]) -> None:
    path, samples = telephone
    heard = files.read(path, 16000)
    delay = 22  # samples, of the codec's two filter banks
    size = min(len(heard) - delay, len(samples))
    noise = heard[delay : delay + size] - samples[:size]
    assert 10 * torch.log10(samples[:size].square().sum() / noise.square().sum()) > 12
    assert files.rate_of(path) == 16000


def test_another_rate_is_refused_or_resampled(telephone: tuple[Path, torch.Tensor]) -> None:
    path, samples = telephone
    with pytest.raises(files.WrongRate, match="sampled at 16000 Hz, expected 8000"):
        files.read(path, 8000)
    assert len(files.read(path, 8000, resample=True)) == pytest.approx(len(samples) / 2, abs=30)


def test_without_the_decoder_the_install_command_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    (tmp_path / "clip.g722").write_bytes(b"sound")
    monkeypatch.setattr(extras, "import_module", absent)
    with pytest.raises(ModuleNotFoundError, match=r'av is not installed.*pip install "rerail\[g722\]"'):
        files.read(tmp_path / "clip.g722", 16000)
