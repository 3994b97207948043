"""Tiny pictures and recordings as files, and pairs of them without files."""

from __future__ import annotations

import colorsys
from pathlib import Path

import numpy as np
import soundfile
import torch
from PIL import Image

from rerail.data.pairs.caches import Examined
from rerail.data.pairs.pair import Pair

RATE = 16000


def picture(path: Path, number: int = 0, size: tuple[int, int] = (12, 12)) -> Path:
    """Write a picture of noise; the same number gives the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def recording(
    path: Path, number: int = 0, *, seconds: float = 0.5, rate: int = RATE, channels: int = 1, loud: float = 0.3
) -> Path:
    """Write a recording of noise; the same number gives the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(number).uniform(-loud, loud, (round(seconds * rate), channels))
    soundfile.write(path, noise, rate)
    return path


def pair(identity: str, sound: str, picture: str, number: int = 0, samples: int = 40, side: int = 8) -> Examined:
    """Make a pair without files, of contents by the number."""
    generator = torch.Generator().manual_seed(number)
    name = f"{identity}/{picture}+{sound}/{number}"
    return Examined(
        pair=Pair(id=name, image=Path(picture), audio=Path(sound), identity=identity, language="en", speaker="ana"),
        picture=torch.randint(0, 256, (3, side, side), generator=generator, dtype=torch.uint8),
        sound=torch.randint(-9000, 9000, (samples,), generator=generator, dtype=torch.int16),
        picture_key=picture,
        sound_key=sound,
    )


def learnable(folder: Path, identities: int, each: int, *, shuffled: bool = False) -> tuple[Path, Path]:
    """Write pairs of which the identity decides the colour of the picture and the pitch of the tone.

    Where they are `shuffled` the colour is anybody's. Returns the folders of the pictures and of the recordings, each
    with a folder a person.
    """
    random = np.random.default_rng(0)
    for number in range(identities):
        for one in range(each):
            place = Path(f"p{number:02}") / str(one)
            colour = int(random.integers(identities)) if shuffled else number
            coloured(folder / "pictures" / place.with_suffix(".png"), colour / identities, random)
            tone(folder / "sounds" / place.with_suffix(".wav"), 200.0 * 16.0 ** (number / identities), random)
    return folder / "pictures", folder / "sounds"


def coloured(path: Path, hue: float, random: np.random.Generator) -> None:
    """Write a picture of one colour under noise; a hue in [0, 1)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.array(colorsys.hsv_to_rgb(hue, 1.0, 1.0)) * 200 + random.uniform(0, 40, (12, 12, 3))
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def tone(path: Path, pitch: float, random: np.random.Generator, seconds: float = 0.5) -> None:
    """Write a tone under noise; pitch in Hz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time, start = np.arange(round(seconds * RATE)) / RATE, random.uniform(0, 6)
    noise = random.uniform(-0.02, 0.02, time.shape)
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * time + start) + noise, RATE)
