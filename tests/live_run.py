"""Runs to be looked at: one with an intervention, a picture and a sound, one in which every name is hostile."""

from __future__ import annotations

import io
import math
import wave
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from rerail.tell.journal import Journal

NEUTRAL = {"lr_scale": 1.0, "clip_norm": "inf", "precision": "AS_RUN", "weights": {}, "settings": {}}
NASTY = "<img src=x onerror=\"document.title='hacked'\"><script>alert(1)</script> [link](javascript:alert(2)) \x1b[31m"


def reading(book: Journal, tick: int, name: str = "mel", **more: Any) -> None:
    values = {
        "step": tick,
        "lr": 1e-3,
        "loss/total": 3 * math.exp(-tick / 40) + 0.5,
        "time/step": 0.3,
        "grad/norm": 1.0,
    }
    values |= {f"loss/{name}": 2 * math.exp(-tick / 40) + 0.3}
    book.write("reading", tick, values=values | more)


def intervene(book: Journal, tick: int, name: str = "mel") -> None:
    saw = {"code": "nonfinite.loss", "signal": f"loss/{name}", "evidence": {f"loss/{name}": math.nan}}
    reading(book, tick, name, **{f"loss/{name}": math.nan})
    book.write("verdict", tick, move="SKIP", knobs=NEUTRAL, findings=[saw])
    book.write("trial", tick, number=1, changed={}, values={}, healthy=False, cost=1, exact=True, error="")
    told = {"operation": None, "rows": [1], "samples": [name], "step": -1, "exact": True, "explanation": None}
    why = [f"the rows of {name} hold numbers that are not finite"]
    book.write("cause", tick, cause="data", component=name, why=why, root="proved:data", replays=3, **told)
    deed = {"rows": [1], "quarantine": True, "hold": 0, "ramp": 0, "depth": 0, "move": "SKIP", "knobs": NEUTRAL}
    book.write("remedy", tick, code="proved:data", signal="", rung=-1, proved=True, **deed)
    did = {"move": "SKIP", "again": 0, "ids": [name], "step_before": tick - 1, "step_after": tick - 1, "rows": [1]}
    book.write("outcome", tick, of=tick, did=did)


def begin(folder: Path, name: str = "mel") -> Journal:
    """A run of 60 ticks that goes on."""
    book = Journal(folder)
    book.write("note", 0, text="start", data={"config": {"steps": 200, "name": name}, "step": 0})
    for tick in range(1, 61):
        intervene(book, tick, name) if tick == 40 else reading(book, tick, name)
    reading(book, 61, name, **{f"eval/{name}": 0.75})
    artifacts = folder / "artifacts"
    artifacts.mkdir()
    (artifacts / "a.png").write_bytes(picture())
    (artifacts / "a.wav").write_bytes(sound())
    book.write(
        "artifact", 61, name=name, step=60, path="artifacts/a.png", media="image/png", caption=f"Alignment {name}"
    )
    book.write("artifact", 61, name="speech", step=60, path="artifacts/a.wav", media="audio/wav", caption="A sentence")
    return book


def picture() -> bytes:
    buffer, sheet = io.BytesIO(), Figure(figsize=(2, 1))
    sheet.add_subplot().imshow([[0.0, 1.0], [1.0, 0.0]])
    sheet.savefig(buffer, format="png")
    return buffer.getvalue()


def sound() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000))
    return buffer.getvalue()
