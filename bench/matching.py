"""What a step of face-voice matching costs: pairs a second, the loader's share, and memory, by how it is set up.

    python bench/matching.py --pairs DIR/pairs.csv [--batch 64] [--steps 20] [--threads 2] [--setups plain chunk ahead]

Each set-up trains under the guard, from scratch, in a process of its own; the first three steps warm up and are thrown
away. Memory is by how much the process ever grew past the built parts. `chunk` encodes 8 rows at once (the same loss,
the same gradient), `ahead` makes batches in a thread, `whisper` takes frozen features of the extra `asr`.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from dataclasses import replace
from statistics import median
from typing import Any

import torch
from tacotron2_sides import memory

from rerail.fit import FitConfig, guarded, prepare
from rerail.tasks.face_voice.settings import FaceVoiceConfig
from rerail.tasks.face_voice.task import FaceVoiceTask

WARM = 3
SETUPS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "chunk": ({"chunk": 8}, {}),
    "ahead": ({}, {"num_workers": 2}),
    "whisper": ({"audio_encoder": "whisper"}, {}),
}


def measured(given: argparse.Namespace, name: str) -> dict[str, Any]:
    """Measure one set-up, in this process."""
    own, loop = SETUPS[name]
    config = replace(FaceVoiceConfig(pairs=given.pairs, cache=given.cache, width=128), **own)
    fit = replace(FitConfig(batch_size=given.batch, threads=given.threads, snapshot_every=10**6), **loop)
    torch.manual_seed(0)
    parts = prepare(FaceVoiceTask(config, fit), fit)
    guard, batches, built = guarded(parts, fit), iter(parts.data), memory("VmRSS")
    waited, took = list[float](), list[float]()
    for _ in range(WARM + given.steps):
        began = time.perf_counter()
        batch = next(batches)
        waited.append(time.perf_counter() - began)
        guard.step(batch)
        took.append(time.perf_counter() - began)
    return {
        "setup": name,
        "pairs a second": given.batch / median(took[WARM:]),
        "s a step": median(took[WARM:]),
        "slowest": max(took[WARM:]),
        "waiting": sum(waited[WARM:]) / sum(took[WARM:]),
        "MB": (memory("VmHWM") - built) / 1e6,
    }


def main() -> None:
    """Measure each set-up in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--cache", default=".cache/pairs")
    parser.add_argument("--setups", nargs="+", default=["plain", "chunk", "ahead"], choices=list(SETUPS))
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given, given.one)))
        return
    print(f"torch {torch.__version__}, {platform.machine()}, {given.threads} threads, batches of {given.batch}\n")
    print("| set-up | pairs a second | s a step (median, slowest) | waiting for data | memory, MB |")
    print("|---|---|---|---|---|")
    for name in given.setups:
        done = subprocess.run(  # noqa: S603 (this file itself)
            [sys.executable, __file__, *sys.argv[1:], "--one", name], check=True, capture_output=True, text=True
        )
        row = json.loads(done.stdout.splitlines()[-1])
        times = f"{row['s a step']:.3f}, {row['slowest']:.3f}"
        print(
            f"| {name} | {row['pairs a second']:.0f} | {times} | {row['waiting']:.1%} | {row['MB']:.0f} |", flush=True
        )


if __name__ == "__main__":
    main()
