"""Journals of runs that people are told of: each with the codes of what is told, in order."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]
BEGAN = 1_790_000_000.0
KNOBS = {"lr_scale": 1.0, "clip_norm": "inf", "precision": "AS_RUN", "lr_most": "inf", "weights": {}, "settings": {}}
RECORDED = Path(__file__).parent / "tell/journals"  # of real runs, without most signals


def recorded(name: str) -> list[Record]:
    """The journal of a real run: `demo` (three faults), `halted` (a fault in the code), `unread` (critical mode)."""
    with gzip.open(RECORDED / f"{name}.jsonl.gz", "rt", encoding="utf8") as lines:
        return [json.loads(line) for line in lines]


def record(kind: str, tick: int, **rest: Any) -> Record:
    return {"v": 1, "kind": kind, "tick": tick, "time": BEGAN + tick, **rest}


def note(tick: int, text: str, **data: Any) -> Record:
    return record("note", tick, text=text, data=data)


def start(steps: int = 1000) -> Record:
    return note(0, "start", config={"steps": steps}, step=0)


def reading(tick: int, step: int, **values: Any) -> Record:
    named = {name.replace("__", "/"): value for name, value in values.items()}
    return record("reading", tick, values={"step": step, "loss/mel": 1.0, "time/step": 1.0, **named})


def finding(code: str, signal: str, **evidence: Any) -> Record:
    return {"code": code, "signal": signal, "evidence": {signal: "nan", **evidence}}


def verdict(tick: int, move: str, *findings: Record, **knobs: Any) -> Record:
    return record("verdict", tick, move=move, knobs=KNOBS | knobs, findings=list(findings))


def remedy(tick: int, code: str, move: str, knobs: Record | None = None, **more: Any) -> Record:
    return record(
        "remedy", tick, code=code, signal="", move=move, knobs=KNOBS | (knobs or {}), hold=20, ramp=20, **more
    )


def cause(tick: int, kind: str, **more: Any) -> Record:
    given = {"component": "", "operation": None, "rows": [], "samples": [], "why": ["so it is"], "replays": 3, **more}
    return record("cause", tick, cause=kind, **given)


def did(tick: int, move: str, before: int, after: int, **more: Any) -> Record:
    return record("outcome", tick, of=tick, did={"move": move, "step_before": before, "step_after": after, **more})


def nan(tick: int, step: int, signal: str = "loss/mel") -> Iterator[Record]:
    """A loss that is not finite, proved to be a bad sample, and skipped."""
    yield reading(tick, step, loss__mel="nan")
    yield verdict(tick, "SKIP", finding("nonfinite.loss", signal))
    yield remedy(tick, "nonfinite.loss", "SKIP")
    yield record("trial", tick, number=1, changed={}, healthy=False)
    made = {"name": "exp", "node": "", "module": "energy", "line": "train.py:41: exp(x)", "origin": "operation"}
    yield cause(tick, "data", samples=[f"clip-{tick}"], rows=[1], component="mel", operation=made)
    yield remedy(tick, "proved:data::", "SKIP", proved=True, rows=[1], quarantine=True)
    yield did(tick, "SKIP", step, step, ids=["a", f"clip-{tick}"], dropped=[f"clip-{tick}"], rows=[1])


def spike(tick: int, before: int, after: int) -> Iterator[Record]:
    """A spike that the plan answers by going back."""
    yield verdict(tick, "REWIND", finding("loss.spike", "loss/mel", expected=1.0), lr_scale=0.1)
    yield remedy(tick, "loss.spike", "REWIND", {"lr_scale": 0.1, "clip_norm": 0.5, "precision": "FP32"})
    yield did(tick, "REWIND", before, after, again=before - after - 1, lost=1)


def halt(tick: int, step: int) -> Iterator[Record]:
    yield verdict(tick, "HALT", finding("nonfinite.weights", "weight/norm"))
    yield record("trial", tick, number=1, changed={}, healthy=False)
    yield cause(tick, "code", certain=True)
    yield remedy(tick, "proved:code::", "HALT", proved=True)
    yield did(tick, "HALT", step, step)
    yield note(tick, "evidence kept", path="evidence/tick-9")
    yield note(tick, "end", reason="halted", step=step)


def guided(tick: int, factor: float) -> Iterator[Record]:
    """The weight of guided attention is moved."""
    seen = "eval/diagonality/forced"
    yield reading(tick, tick - 1, **{seen: 0.1})
    yield verdict(tick, "COMMIT", finding("alignment.guide", seen), weights={"attention": factor})
    knobs = {} if factor == 1 else {"weights": {"attention": factor}}
    yield {**remedy(tick, "alignment.guide", "COMMIT", knobs), "signal": seen, "hold": 10**9}


def recovery() -> Record:
    changed = [{"setting": "lr", "was": "0.001", "to": "0.0001", "why": "gentler"}]
    told = {"from": "runs/a/checkpoints/step-9", "cause": ["an exploded optimizer state"], "with": "safe"}
    return note(0, "recovered", **told, severity="serious", settings=changed, tried=["a: passed"], forecast="soon")


def stage(code: str, wanted: float) -> Record:
    return {**finding(code, "eval/quality"), "evidence": {"eval/quality": 71.0, "wanted": wanted, "by step": 9.0}}


HANG = {
    "silent": 400.0,
    "usual": 0.3,
    "inside": True,
    "where": ["a.py:1 f", "b.py:2 g"],
    "advice": "look at the loader",
}
REST = finding("loss.stable", "loss/total", steps=200.0) | {"evidence": {"loss/total": 0.5, "steps": 200.0}}
OVERFLOW = finding("scale.overflow", "scale")
PICTURE = {"step": 2, "media": "image/png", "caption": ""}

RUNS: dict[str, tuple[list[Record], list[str]]] = {
    "a healthy run": (
        [start(), reading(1, 0), reading(2, 1), note(2, "end", reason="finished")],
        ["started", "finished"],
    ),
    "a NaN, proved and cured": ([start(), *nan(5, 4), reading(6, 4)], ["started", "nonfinite"]),
    "a NaN that no plan answers": (
        [verdict(5, "COMMIT", finding("nonfinite.loss", "loss/mel")), reading(6, 5)],
        ["nonfinite"],
    ),
    "two verdicts without an outcome": (
        [verdict(n, "SKIP", finding("nonfinite.loss", "loss/mel")) for n in (5, 6)],
        ["nonfinite", "nonfinite"],
    ),
    "a killed proof": ([*list(nan(5, 4))[:4], note(5, "start", config={}, step=0)], ["nonfinite", "started"]),
    "a NaN that is hidden": ([verdict(5, "COMMIT", finding("nan.hidden", "hidden/loss.py:12"))], ["hidden"]),
    "a scale that finds its size": ([verdict(5, "SKIP", OVERFLOW), did(5, "SKIP", 4, 4)], []),
    "a spike that is skipped": (
        [verdict(5, "SKIP", finding("loss.outlier", "loss/mel")), did(5, "SKIP", 4, 4), reading(6, 4)],
        [],
    ),
    "a way back": ([reading(9, 8), *spike(9, 8, 5), reading(10, 5)], ["restart"]),
    "a proof that nothing is wrong": (
        [verdict(9, "SKIP", finding("loss.outlier", "loss/mel")), cause(9, "level"), reading(10, 9)],
        [],
    ),
    "a halt": ([start(), *halt(9, 8)], ["started", "halt"]),
    "a halt that says no more": ([start(), note(9, "end", reason="halted")], ["started", "halt"]),
    "a halt closed as if it were an end": (
        [*list(halt(9, 8))[:5], note(9, "end", reason="finished")],
        ["halt"],
    ),
    "critical mode": (
        [*guided(3, 3.0), *guided(6, 10.0), *guided(9, 3.0), *guided(12, 1.0), *guided(15, 0.3)],
        ["critical", "critical", "critical.over"],
    ),
    "a hang": ([note(3, "hang", **HANG), note(3, "went on", silent=500.0, inside=True)], ["hang", "went.on"]),
    "a recovery": ([note(0, "start"), recovery(), reading(1, 0)], ["started", "recovered"]),
    "a recovery that is to be told": (
        [note(0, "start"), recovery(), note(0, "notify", level="critical", message="goes on"), reading(1, 0)],
        ["started", "recovered"],
    ),
    "a full disk": (
        [
            start(),
            reading(1, 0),
            note(1, "checkpoint not saved", step=1, error="[Errno 28] No space left on device"),
            {**note(0, "records lost", records=7, error="[Errno 28] No space left on device"), "time": 0.0},
            reading(9, 8),
        ],
        ["started", "unsaved", "lost"],
    ),
    "a message": ([note(4, "notify", level="success", message="hello")], ["message"]),
    "stages": (
        [
            record("artifact", 2, name="alignment", path="artifacts/alignment-2.png", **PICTURE),
            verdict(3, "COMMIT", stage("stage.reached", 60.0), stage("stage.reached", 30.0)),
            verdict(4, "COMMIT", stage("stage.ready", 70.0), REST),
        ],
        ["stage", "ready", "stable"],
    ),
    "a stop": ([start(), note(9, "end", reason="stopped", step=8)], ["started", "stopped"]),
    "another end": ([start(), note(9, "end", reason="user error", step=8)], ["started", "stopped"]),
    "a resume": (
        [note(9, "resume", step=5, **{"from": "step-5"}, damaged=["step-8"], config={"steps": 1000})],
        ["resumed"],
    ),
    "progress": ([start(), *(reading(tick, tick - 1) for tick in range(1, 103))], ["started", "progress"]),
    "the demo": (
        recorded("demo"),
        ["started", "nonfinite", "stage", "restart", "progress", "stage", "nonfinite", "stage", "finished"],
    ),
    "a fault in the code": (recorded("halted"), ["started", "halt"]),
    "a model that does not read": (recorded("unread"), ["started", *4 * ["critical"], "finished"]),
    "numbers that are none": (
        [{"kind": "verdict", "findings": 3, "move": None}, {"kind": "outcome", "of": "x", "did": {"move": 7}}, {}],
        [],
    ),
    "no time": ([{"v": 1, "kind": "note", "tick": 0, "time": 0.0, "text": "torn line", "data": {}}], []),
    "nothing finite": ([start(), *(reading(tick, tick - 1, loss__mel=math.inf) for tick in range(1, 9))], ["started"]),
}
