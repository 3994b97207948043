"""Picture files to square RGB pictures of one size."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rerail.core.extras import need
from rerail.data.pairs.unfit import Unfit

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".pgm", ".ppm", ".tif", ".tiff")
MOST = 64_000_000  # pixels
BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, OverflowError, struct.error, zlib.error)


def read(path: Path, side: int) -> Tensor:
    """Read a picture as `(3, side, side)`, uint8: turned upright, fitted in whole, white around it and behind it.

    Raises:
        Unfit: for one that cannot be read or decoded, or has more than 64 million pixels.
        ModuleNotFoundError: without Pillow, naming the command that installs it.
    """
    pillow, content = need("PIL.Image", extra="vision"), _content(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on sizes, which are judged here, and on tags that nobody reads
        try:
            with pillow.open(io.BytesIO(content)) as image:
                _expect_size(*image.size)
                return _square(_upright(image), side, pillow)
        except pillow.DecompressionBombError as error:
            raise Unfit("huge", f"{error}; scale it down") from error
        except Unfit:
            raise
        except BROKEN as error:
            raise Unfit("unreadable", f"cannot be decoded ({error}); restore it or save it as PNG") from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unfit("unreadable", f"cannot be read ({error.strerror}); allow it, or leave the file out") from error


def _expect_size(width: int, height: int) -> None:
    if width * height > MOST:
        raise Unfit("huge", f"{width} x {height} pixels, over {MOST // 10**6} million; scale it down")


def _upright(image: Any) -> Any:  # noqa: ANN401 - Pillow is an extra, so its types are not there for all
    return need("PIL.ImageOps", extra="vision").exif_transpose(image)


def _square(image: Any, side: int, pillow: ModuleType) -> Tensor:  # noqa: ANN401
    most = max(image.size)
    fitted = tuple(max(1, round(side * one / most)) for one in image.size)
    scaled = _opaque(image, pillow).resize(fitted, pillow.Resampling.BICUBIC, reducing_gap=3.0)
    square = pillow.new("RGB", (side, side), "white")
    square.paste(scaled, tuple((side - one) // 2 for one in fitted))
    return torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous()


def _opaque(image: Any, pillow: ModuleType) -> Any:  # noqa: ANN401
    """Return it as RGB, on white where it is transparent."""
    if image.mode.startswith("I"):  # 16 bits of grey: converted as it is, all but black would be white
        values = np.asarray(image).astype(np.float64)
        return pillow.fromarray((values / (257 if values.max() > 255 else 1)).astype(np.uint8)).convert("RGB")  # noqa: PLR2004
    if image.mode not in ("RGBA", "LA", "PA", "La", "RGBa") and "transparency" not in image.info:
        return image.convert("RGB")
    over = image.convert("RGBA")
    return pillow.alpha_composite(pillow.new("RGBA", over.size, "white"), over).convert("RGB")
