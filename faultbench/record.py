"""Record the journals of real trainings, with the guard watching and doing nothing, into faultbench/recorded/.

    python -m faultbench.record                     # all of them; some minutes each on one core
    python -m faultbench.record --only vit gpt2     # these

Needs `faultbench/requirements.txt` and scikit-learn. A journal is kept as its readings alone, numbers rounded to six
significant digits, gzipped. What was recorded (command, versions, how it ended) goes into `index.yaml`, whose other
fields are written by hand: what is wrong in a training, and what must be seen of it by when.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import yaml

from faultbench.recorded.index import INDEX, journal_of
from faultbench.trainings import TRAININGS, Training
from rerail.core.detectors import DEFAULT
from rerail.core.verdict import Plan
from rerail.guard import Guard, Keep
from rerail.tell import journal

WATCH = Plan(detectors=DEFAULT, ladders={})  # nothing that is found is answered
DIGITS = 6  # significant ones
PACKAGES = ("torch", "transformers", "x-transformers", "scikit-learn")


def record(name: str, seed: int) -> dict[str, Any]:
    """Train one of them and keep its journal; return what is to be known about it."""
    began = time.perf_counter()
    with TemporaryDirectory() as scratch:
        training = TRAININGS[name](seed, Path(scratch))
        measured = watched(training, Path(scratch) / "run")
        ticks = keep(name, journal.read(Path(scratch) / "run"))
    return {
        "command": f"python -m faultbench.record --only {name} --seed {seed}",
        "steps": training.steps,
        "ticks": ticks,
        "parameters": sum(one.numel() for one in training.model.parameters()),
        "held_out": {one: float(f"{measured[one]:.4g}") for one in training.shown},
        "python": platform.python_version(),
        "packages": {one: _version(one) for one in PACKAGES},
        "seconds": round(time.perf_counter() - began),
    }


def watched(training: Training, run: Path) -> Mapping[str, float]:
    """Train under a guard that does nothing; return the last held-out numbers."""
    guard = Guard(
        training.model,
        training.optimizer,
        training.losses,
        weights=training.weights,
        scheduler=training.scheduler,
        scaler=training.scaler,
        precision=training.precision,
        clip_norm=training.clip_norm,
        plan=WATCH,
        keep=Keep(proof_replays=0, checkpoint_every=10**9),
        run=run,
    )
    last: Mapping[str, float] = {}
    for number, batch in enumerate(training.batches, 1):
        guard.step(batch)
        if number % training.every == 0 or number == training.steps:
            last = training.evaluate()
            guard.observe({f"eval/{name}": value for name, value in last.items()})
    guard.close()
    return last


def keep(name: str, records: Iterator[Mapping[str, Any]]) -> int:
    """Keep the readings; return how many there are."""
    lines = [
        json.dumps({"kind": "reading", "tick": one["tick"], "values": _rounded(one["values"])}, separators=(",", ":"))
        for one in records
        if one["kind"] == "reading"
    ]
    # Without a time in it, so that the same readings give the same file.
    with gzip.GzipFile(journal_of(name), "wb", compresslevel=9, mtime=0) as file:
        file.write(("\n".join(lines) + "\n").encode())
    return len(lines)


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, str) else _short(value) for name, value in values.items()}


def _short(value: float) -> float:
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 10**DIGITS else short


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def main() -> None:
    """Record, and write the index."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=list(TRAININGS), choices=list(TRAININGS), metavar="NAME")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.only:
        about = record(name, given.seed)
        known = yaml.safe_load(INDEX.read_text(encoding="utf8"))
        known[name] = {**known.get(name, {}), "recorded": about}
        INDEX.write_text(yaml.safe_dump(known, sort_keys=False, width=120, allow_unicode=True), encoding="utf8")
        print(f"{name}: {about['ticks']} ticks, {journal_of(name).stat().st_size // 1000} kB, {about['seconds']} s")  # noqa: T201


if __name__ == "__main__":
    main()
