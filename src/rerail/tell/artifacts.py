"""Pictures and sounds as files in the run's folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

from rerail.core.artifact import Picture, Sound
from rerail.core.extras import need


def save_artifact(run: Path, name: str, step: int, thing: Picture | Sound) -> dict[str, object]:
    """Write `artifacts/NAME-STEP.png|wav` atomically; return the fields of its journal record.

    Raises:
        OSError: where the disk takes no more.
    """
    content, ending, media = (draw(thing), "png", "image/png") if isinstance(thing, Picture) else _wav(thing)
    safe = re.sub(r"[^\w.-]+", "_", name)
    path = run / "artifacts" / f"{safe}-{step:08d}.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return {"name": name, "step": step, "path": f"artifacts/{path.name}", "media": media, "caption": thing.caption}


def inside(run: Path, path: str) -> Path | None:
    """Where a file that the journal names lies; None where that leads out of the run's folder, or is no path at all."""
    try:
        file = (run / path).resolve()
        file.exists()  # raises what a longer name, or one of no text, would raise later
        return file if file.is_relative_to(run.resolve()) else None
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links in a ring
        return None


def draw(picture: Picture) -> bytes:
    """Draw a matrix as a PNG of 600 by 360 pixels."""
    need("matplotlib", extra="report")
    from io import BytesIO  # noqa: PLC0415 (only where a picture is drawn)

    from matplotlib.figure import Figure  # noqa: PLC0415 (an extra)

    figure = Figure(figsize=(6, 3.6), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    shown = axes.imshow(picture.values, aspect="auto", origin="lower", interpolation="nearest")
    axes.set_xlabel(picture.x)
    axes.set_ylabel(picture.y)
    figure.colorbar(shown)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _wav(sound: Sound) -> tuple[bytes, str, str]:
    return sound.wav, "wav", "audio/wav"
