"""Synthetic runs, written by a stand-in for the journal's writer: one JSON object a line."""

from __future__ import annotations

import json
import math
import random
import wave
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

Record = dict[str, Any]
BEGAN = 1_790_000_000.0
NEUTRAL = {"lr_scale": 1.0, "clip_norm": "inf", "precision": "as_run", "weights": {}}


def encoded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: encoded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [encoded(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def record(kind: str, tick: int, **rest: Any) -> Record:
    return encoded({"v": 1, "kind": kind, "tick": tick, "time": BEGAN + 0.3 * tick, **rest})


def write_journal(folder: Path, records: Iterable[Record]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(each, allow_nan=False) + "\n" for each in records]
    (folder / "journal.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def losses(step: int, noise: random.Random) -> dict[str, float]:
    fade = math.exp(-step / 90)
    parts = {
        "mel": 0.55 + 4.2 * fade * noise.uniform(0.9, 1.1),
        "gate": 0.05 + 0.6 * fade * noise.uniform(0.7, 1.3),
        "attention": 0.002 + 0.05 * fade * noise.uniform(0.9, 1.1),
        "energy": 0.1 + 0.4 * fade * noise.uniform(0.6, 1.4),
    }
    return {"loss/total": sum(parts.values()), **{f"loss/{name}": value for name, value in parts.items()}}


def reading(tick: int, step: int, noise: random.Random, **more: float) -> Record:
    values = {"step": step, "lr": 1e-3, "time/step": 0.3, **losses(step, noise), "grad/norm": noise.uniform(0.5, 2.0)}
    values |= {f"grad/norm/{module}": noise.uniform(0.1, 1.0) for module in ("encoder", "decoder", "postnet")}
    return record("reading", tick, values=values | {name.replace("__", "/"): value for name, value in more.items()})


def verdict(tick: int, move: str, *findings: Record, **knobs: Any) -> Record:
    return record("verdict", tick, move=move, knobs=NEUTRAL | knobs, findings=list(findings))


def fault(
    tick: int, move: str, finding: Record, did: Record, proof: Iterable[Record] = (), **knobs: Any
) -> list[Record]:
    remedy = {"rung": 0, "move": move, "knobs": NEUTRAL | knobs, "hold": 40 if knobs else 0, "ramp": 40 if knobs else 0}
    return [
        verdict(tick, move, finding, **knobs),
        record("remedy", tick, code=finding["code"], signal=finding["signal"], **remedy),
        *proof,
        record("outcome", tick, of=tick, did={"move": move, "again": 0, "ids": [], **did}),
    ]


STATE = {"weights": "OLDER", "optimizer": "OLDER"}
FAILS = {"loss/mel": math.nan, "grad/norm": math.nan, "weight/norm": 5.1}
WELL = {"loss/mel": 0.91, "loss/gate": 0.06, "grad/norm": 1.4}


def trial(tick: int, number: int, changed: Record, *, healthy: bool, **more: Any) -> Record:
    given = {"cost": 1, "exact": None if changed else True, "error": "", "values": WELL if healthy else FAILS, **more}
    return record("trial", tick, number=number, changed=changed, healthy=healthy, **given)


def cause(tick: int, kind: str, component: str, *why: str, **more: Any) -> Record:
    told = {"operation": None, "rows": [], "samples": [], "step": -1, "exact": True, "explanation": None, **more}
    root = f"proved:{kind}:{component}:"
    return record("cause", tick, cause=kind, component=component, why=list(why), root=root, replays=3, **told)


def proved(tick: int, move: str, **more: Any) -> Record:
    remedy = {"rows": [], "quarantine": False, "again": False, "reset": False, "hold": 0, "ramp": 0, "depth": 0, **more}
    knobs = NEUTRAL | remedy.pop("knobs", {})
    return record("remedy", tick, code="proved:", signal="", rung=-1, proved=True, move=move, knobs=knobs, **remedy)


def bad_clip(tick: int) -> Iterable[Record]:
    """A clip that holds NaN: the proof, and its quarantine."""
    yield trial(tick, 1, {}, healthy=False)
    yield trial(tick, 2, {"batch": "OTHER"}, healthy=True)
    yield trial(tick, 3, {"rows": [0, 2]}, healthy=True)
    made = {"name": "", "node": "", "module": "", "line": "", "low": 0.0, "high": 0.0, "rows": [1], "origin": "batch"}
    why = ("the rows hold numbers that are not finite", "16000 of 16000 numbers are not finite")
    yield cause(tick, "data", "mel", *why, operation=made, rows=[1], samples=["vm-corrupted"])
    yield proved(tick, "SKIP", rows=[1], quarantine=True)


def no_proof(tick: int) -> Iterable[Record]:
    """A divergence that no replay could settle: the plan's ladder answers."""
    yield trial(tick, 1, {}, healthy=False, exact=False)
    yield trial(tick, 2, {"batch": "OTHER", **STATE}, healthy=False)
    yield trial(tick, 3, {"lr_scale": 0.1, "window": True}, healthy=False, cost=30)
    yield cause(tick, "unknown", "", "3 replays did not settle it", "not cured by: batch", exact=False)


def overflow(tick: int) -> Iterable[Record]:
    """An exponential that overflows in half precision: the proof, and full precision for a while."""
    yield trial(tick, 1, {}, healthy=False)
    yield trial(tick, 2, {"traced": True}, healthy=False, cost=2)
    yield trial(tick, 3, {"precision": "FP32"}, healthy=True)
    line = "train.py:41: energy = torch.exp(score)"
    made = {"name": "exp", "node": "", "module": "energy", "line": line, "dtype": "float16", "origin": "operation"}
    made |= {"low": -3.2, "high": 14.7, "rows": [0]}
    edge = {"why": "the exponential passes the largest number of its format", "fix": "clamp the exponent"}
    why = "the same step in single precision is healthy"
    yield cause(tick, "precision", "energy", why, operation=made, explanation=edge)
    yield proved(tick, "SKIP", again=True, knobs={"precision": "FP32"}, hold=1000)


def came_of_it(tick: int, of: int, *, recovered: bool = True) -> Record:
    before = {"loss/mel": 1.0234, "grad/norm": 1.21, "time/step": 0.31}
    now = {"loss/mel": 0.9541, "grad/norm": 1.178, "time/step": 0.3}
    return record("outcome", tick, of=of, after=40, before=before, now=now, recovered=recovered)


def realistic() -> Iterable[Record]:
    """400 steps with a corrupted clip, a far too high learning rate and a component that overflows."""
    noise, step = random.Random(3), 0
    config = {"seed": 3, "task": "tacotron2", "optimizer": {"name": "AdamW", "lr": 1e-3}, "weights": {"attention": 2.0}}
    yield record("note", 0, text="start", data={"config": config, "environment": {"torch": "2.13.0", "cores": 2}})
    for tick in range(1, 432):
        if tick == 61:
            yield reading(tick, step, noise, loss__mel=math.nan, loss__total=math.nan)
            saw = {"code": "nonfinite.loss", "signal": "loss/mel", "evidence": {"loss/mel": math.nan}}
            did = {"step_before": step, "step_after": step, "ids": ["auth-thankyou", "vm-corrupted", "conf-locked"]}
            did |= {"dropped": ["vm-corrupted"], "rows": [1]}
            yield from fault(tick, "SKIP", saw, did, bad_clip(tick))
            yield record("note", tick + 1, text="quarantined", data={"ids": ["vm-corrupted"]})
        elif tick == 180:
            yield reading(tick, step, noise, loss__mel=61.2, loss__total=62.1, grad__norm=412.0)
            numbers = {"loss/mel": 61.2, "median": 1.021, "z": 41.3}
            saw = {"code": "loss.spike", "signal": "loss/mel", "evidence": numbers}
            did = {"step_before": step, "step_after": 150, "ids": ["a", "b"], "again": step - 150}
            yield from fault(tick, "REWIND", saw, did, no_proof(tick), lr_scale=0.1, clip_norm=0.5)
            step = 150
        elif tick == 320:
            yield reading(tick, step, noise, loss__energy=math.inf, loss__total=math.inf)
            saw = {"code": "nonfinite.loss", "signal": "loss/energy", "evidence": {"loss/energy": math.inf}}
            did = {"step_before": step, "step_after": step, "ids": ["vm-goodbye"], "retried": True}
            yield from fault(tick, "SKIP", saw, did, overflow(tick))
        else:
            step += 1
            noisy = {"loss__mel": noise.uniform(3, 60)} if 174 <= tick < 180 else {}
            held = {"eval__diagonal_mass_free": min(0.95, step / 250), "eval__mel": 0.6 + math.exp(-step / 80)}
            yield reading(tick, step, noise, **noisy, **(held if step % 50 == 0 else {}))
            if 180 < tick < 260:
                share = 0.1 if tick < 220 else 0.1 + 0.9 * (tick - 220) / 40
                yield verdict(tick, "COMMIT", lr_scale=share, clip_norm=0.5)
            if 320 < tick < 400:
                yield verdict(tick, "COMMIT", precision="FP32")
        if tick in (101, 220, 360):
            yield came_of_it(tick, {101: 61, 220: 180, 360: 320}[tick])
        if tick in (110, 280, 430):
            place = f"artifacts/alignment-{step}.png"
            shown = {
                "name": "alignment",
                "path": place,
                "media": "image/png",
                "caption": "Alignment of a held-out clip",
            }
            yield record("artifact", tick, step=step, **shown)
        if tick % 100 == 0:
            yield record("snapshot", tick, event="saved", step=step, bytes=12_345_678, path=f"checkpoints/{step}.pt")
    heard = {"name": "speech", "path": "artifacts/speech.wav", "media": "audio/wav", "caption": "An unseen sentence"}
    yield record("artifact", 431, step=step, **heard)
    yield record("note", 431, text="end", data={"reason": "finished", "step": step})


def write_artifacts(folder: Path, records: Iterable[Record]) -> None:
    (folder / "artifacts").mkdir(exist_ok=True)
    for each in records:
        if each["kind"] == "artifact":
            writer = write_picture if each["media"] == "image/png" else write_sound
            writer(folder / each["path"], each["step"])


def write_picture(path: Path, step: int) -> None:
    sheet = Figure(figsize=(4.5, 3))
    width = 1 + 2000 / (step + 1)
    ridge = [[math.exp(-(((n - t / 3) / width) ** 2)) for t in range(90)] for n in range(30)]
    sheet.add_subplot().imshow(ridge, origin="lower", aspect="auto")
    sheet.savefig(path, dpi=70)


def write_sound(path: Path, _: int = 0) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        samples = (round(8000 * math.sin(2 * math.pi * 220 * n / 16_000)) for n in range(16_000))
        file.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))


@pytest.fixture(scope="session")
def realistic_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with three faults, pictures and a sound; read only."""
    records = list(realistic())
    folder = write_journal(tmp_path_factory.mktemp("runs") / "first", records)
    write_artifacts(folder, records)
    return folder


@pytest.fixture
def make() -> Callable[..., Record]:
    """`make(kind, tick, **fields)`: one record."""
    return record


@pytest.fixture
def journal(tmp_path: Path) -> Callable[[Iterable[Record]], Path]:
    """`journal(records)`: a run folder with this journal."""
    return lambda records: write_journal(tmp_path / "run", records)
