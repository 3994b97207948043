from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from rerail.audio import files
from rerail.audio.distance import distance
from rerail.audio.griffin_lim import griffin_lim
from rerail.audio.hifi_gan import SPEC, UNIVERSAL, Generator, read_generator, spoken
from rerail.audio.mel import log_mel
from rerail.audio.parts import found
from rerail.data import demo

DIRECTIONS = (
    {"conv_pre": (512, 80, 7), "conv_post": (1, 32, 7)}
    | {f"ups.{n}": (512 >> n, 256 >> n, kernel) for n, kernel in enumerate((16, 16, 4, 4))}
    | {
        f"resblocks.{n}.convs{place}.{step}": (256 >> n // 3, 256 >> n // 3, (3, 7, 11)[n % 3])
        for n in range(12)
        for place in (1, 2)
        for step in range(3)
    }
)  # names and shapes of the published generator V1, of 13.9 million numbers


def published() -> dict[str, Tensor]:
    """A state dict in the published form, with numbers of the size that an untrained network has."""
    generator = torch.Generator().manual_seed(0)
    state: dict[str, Tensor] = {}
    for name, shape in DIRECTIONS.items():
        width = shape[1] if name.startswith("ups") else shape[0]
        state[f"{name}.bias"] = torch.zeros(width)
        state[f"{name}.weight_v"] = torch.randn(shape, generator=generator) * 0.01
        state[f"{name}.weight_g"] = state[f"{name}.weight_v"].flatten(1).norm(dim=1)[:, None, None] * 1.5
    return state


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.save({"generator": published()}, tmp_path / "generator.pth.tar")
    return tmp_path / "generator.pth.tar"


def real() -> Path:
    try:
        return found(UNIVERSAL)
    except ModuleNotFoundError as error:
        pytest.skip(str(error))


def test_a_published_state_loads_and_its_weights_are_lengths_times_directions(file: Path) -> None:
    generator, state = read_generator(file), published()
    for name, weight in generator.state_dict().items():
        if name.endswith("weight"):
            wanted = torch._weight_norm(state[f"{name}_v"], state[f"{name}_g"], 0)
            assert torch.allclose(weight, wanted, atol=1e-6), name
    assert sum(one.numel() for one in generator.parameters()) == 13_926_017


@pytest.mark.parametrize("frames", [0, 1, 2, 7])
def test_there_is_a_hop_of_samples_between_two_frames(file: Path, frames: int) -> None:
    samples = spoken(read_generator(file), torch.full((frames, 80), -5.0))
    assert samples.shape == (max(1, frames - 1) * SPEC.hop,)
    assert float(samples.abs().max()) <= 1.0


def test_other_files_are_refused_with_the_reason(tmp_path: Path) -> None:
    def refused(content: object, reason: str) -> None:
        torch.save(content, tmp_path / "other.pth")
        with pytest.raises(ValueError, match=reason):
            read_generator(tmp_path / "other.pth")

    with pytest.raises(ValueError, match=r"no such file; give a published generator, e.g. by pip install"):
        read_generator(tmp_path / "nowhere")
    refused({"state_dict": {}}, "holds no `generator`")
    refused({"generator": {**published(), "conv_pre.bias": torch.zeros(9)}}, "is no HiFi-GAN generator V1")
    refused({"generator": {**published(), "conv_post.bias": torch.tensor([math.nan])}}, "1 of its weights are not fin")
    (tmp_path / "junk").write_bytes(b"junk")
    with pytest.raises(ValueError, match="cannot be read as weights alone"):
        read_generator(tmp_path / "junk")


def test_a_real_clip_comes_back_through_the_published_weights() -> None:
    samples = files.read(demo.folder() / "wavs" / "conf-getpin.flac", SPEC.sample_rate, resample=True)
    mel = log_mel(samples, SPEC)
    copied = spoken(read_generator(real()), mel)
    own = distance(log_mel(copied, SPEC), mel)
    assert own.mel < 0.35  # Griffin-Lim, which does nothing but match it, comes to 0.12; other words to 1.1
    assert own.cepstral < 1.6  # dB; 0.9 and 5
    assert distance(log_mel(griffin_lim(mel, SPEC), SPEC), mel).mel < own.mel
    late = log_mel(copied[SPEC.hop // 2 :], SPEC)
    frames = len(late) - 2
    assert float((log_mel(copied, SPEC)[:frames] - mel[:frames]).abs().mean()) < float(
        (late[:frames] - mel[:frames]).abs().mean()
    )  # in step with the recording


def test_the_published_network_is_the_one_that_is_built() -> None:
    state = torch.load(real(), map_location="cpu", weights_only=True)["generator"]
    assert {name: value.shape for name, value in state.items()} == {
        name: value.shape for name, value in published().items()
    }
    assert set(Generator().state_dict()) == {name.removesuffix("_g") for name in state if not name.endswith("_v")}
