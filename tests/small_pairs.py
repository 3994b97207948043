"""Tiny pictures and recordings as files, and pairs of them without files."""

from __future__ import annotations

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
