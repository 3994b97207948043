from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import small_pairs
from rerail.data.pairs import pictures
from rerail.data.pairs.unfit import Unfit

WHITE = 255


def save(path: Path, mode: str, colour: object, size: tuple[int, int] = (8, 8), **options: object) -> Path:
    Image.new(mode, size, colour).save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGB", (10, 20, 30), (10, 20, 30)),
        ("L", 7, (7, 7, 7)),
        ("1", 1, (255, 255, 255)),
        ("RGBA", (9, 9, 9, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 255), (0, 0, 0)),
        ("LA", (0, 0), (255, 255, 255)),
        ("I;16", 128 * 257, (128, 128, 128)),
    ],
)
def test_pictures_of_every_kind_become_colours(tmp_path: Path, mode: str, colour: object, expected: object) -> None:
    found = pictures.read(save(tmp_path / "a.png", mode, colour), 4)
    assert (found.dtype, found.shape) == (torch.uint8, (3, 4, 4))
    assert tuple(found[:, 2, 1].tolist()) == expected


def test_palettes_with_a_transparent_colour_lie_on_white(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 200, 0, 0])
    image.putpixel((0, 0), 0)
    image.save(tmp_path / "a.gif", transparency=0)
    found = pictures.read(tmp_path / "a.gif", 4)
    assert found[:, 0, 0].tolist() == [255, 255, 255]
    assert found[:, 3, 3].tolist() == [200, 0, 0]


@pytest.mark.parametrize("size", [(20, 10), (10, 20), (2000, 1), (1, 2000), (3, 3)])
def test_the_whole_picture_is_there_with_white_around(tmp_path: Path, size: tuple[int, int]) -> None:
    found = pictures.read(save(tmp_path / "a.png", "RGB", (0, 0, 0), size), 10)
    black = (found == 0).all(0)
    longer, shorter = max(black.any(0).sum(), black.any(1).sum()), min(black.any(0).sum(), black.any(1).sum())
    assert longer == 10
    assert shorter == max(1, round(10 * min(size) / max(size)))
    assert ((found == WHITE).all(0) | black).all()


def test_a_picture_that_was_taken_sideways_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turned by 90 degrees
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:8] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    found = pictures.read(tmp_path / "a.png", 16)
    assert (found[:, :, 12] > 250).all()
    assert (found[:, :, 3] < 5).all()


def test_broken_and_cut_pictures_say_what_to_do(tmp_path: Path) -> None:
    whole = small_pairs.picture(tmp_path / "a.png", size=(60, 60)).read_bytes()
    for content in (b"no picture", whole[: len(whole) // 2], whole[:40], b""):
        (tmp_path / "b.png").write_bytes(content)
        with pytest.raises(Unfit, match=r"cannot be decoded .*restore it or save it as PNG"):
            pictures.read(tmp_path / "b.png", 8)


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "bmp", "tif", "webp", "pgm"])
def test_any_bytes_give_a_picture_or_are_left_out(tmp_path: Path, ending: str) -> None:
    path, draws = tmp_path / f"a.{ending}", np.random.default_rng(0)
    Image.fromarray(draws.integers(0, 256, (9, 9), np.uint8)).save(path)
    content = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(40):
        broken = content.copy()
        broken[draws.integers(0, len(broken), 4)] = draws.integers(0, 256, 4)
        path.write_bytes(broken.tobytes())
        with suppress(Unfit):
            assert pictures.read(path, 8).shape == (3, 8, 8)


def test_a_huge_picture_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    with pytest.raises(Unfit, match="8001 x 8000 pixels, over 64 million; scale it down") as error:
        pictures.read(save(tmp_path / "a.png", "1", 0, (8001, 8000)), 8)
    assert error.value.kind == "huge"
    with pytest.raises(Unfit, match="scale it down"):
        pictures.read(save(tmp_path / "b.png", "1", 0, (20000, 10000)), 8)
