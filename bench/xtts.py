"""What each size of the XTTS-style network costs: time of a training step, memory, and how fast it speaks.

    python bench/xtts.py [--sizes tiny small normal big] [--batch 8] [--seconds 5] [--steps 5] [--threads 2]

Each size in a process of its own: forward, backward and an AdamW step on random clips, teacher-forced, at r = 4; then
one clip spoken free-running with kept keys and values. Memory is by how much the process ever grew past the built
model; weights are 4 bytes a parameter, and AdamW keeps 8 more. The first step warms up and is thrown away.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from statistics import median
from typing import Any

import torch
from tacotron2_sides import memory

from rerail.audio.mel import MelSpec
from rerail.tasks.xtts.config import SIZES
from rerail.tasks.xtts.losses import Shape, losses
from rerail.tasks.xtts.model import Xtts

SYMBOLS, LANGUAGES, SYMBOLS_A_SECOND = 80, 6, 14


def batch_of(rows: int, seconds: float) -> dict[str, Any]:
    """Return random clips."""
    spec = MelSpec()
    frames, symbols = round(seconds * spec.sample_rate / spec.hop), round(seconds * SYMBOLS_A_SECOND)
    return {
        "text": torch.randint(1, SYMBOLS, (rows, symbols)),
        "text_length": torch.full((rows,), symbols),
        "language": torch.arange(rows) % LANGUAGES,
        "mel": torch.randn(rows, frames, spec.bands) * 2.0 - 5.0,
        "mel_length": torch.full((rows,), frames),
        "reference": torch.randn(rows, frames // 2, spec.bands) * 2.0 - 5.0,
        "reference_length": torch.full((rows,), frames // 2),
    }


def measured(given: argparse.Namespace, size: str) -> dict[str, Any]:
    """Measure one size, in this process."""
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    model = Xtts(SIZES[size], SYMBOLS, LANGUAGES)
    optimizer, batch = torch.optim.AdamW(model.parameters(), 1e-5), batch_of(given.batch, given.seconds)
    built, took = memory("VmRSS"), list[float]()
    for _ in range(given.steps + 1):
        began = time.perf_counter()
        optimizer.zero_grad()
        torch.stack(list(losses(model(batch), batch, Shape()).values())).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        took.append(time.perf_counter() - began)
    began = time.perf_counter()
    frames = batch["mel"].shape[1]
    model.eval().free({name: value[:1] for name, value in batch.items()}, frames, threshold=1.1)
    return {
        "millions": sum(one.numel() for one in model.parameters()) / 1e6,
        "step": median(took[1:]),
        "least": min(took[1:]),
        "most": max(took[1:]),
        "memory": (memory("VmHWM") - built) / 2**20,
        "speaking": (time.perf_counter() - began) / given.seconds,
    }


def main() -> None:
    """Measure every size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--alone", default="", help=argparse.SUPPRESS)  # the size that this process measures
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(measured(given, given.alone)))
        return
    print(f"batch {given.batch} of {given.seconds} s, {given.threads} threads, torch {torch.__version__},", end=" ")
    print(f"{platform.system()} {platform.machine()}\n")
    print("| size | parameters | s a step (range) | memory past the model, MiB | speaking, s a second of speech |")
    print("|---|---|---|---|---|")
    for size in given.sizes:
        command = [sys.executable, __file__, *sys.argv[1:], "--alone", size]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
        row = json.loads(done.stdout)
        step = f"{row['step']:.2f} ({row['least']:.2f} to {row['most']:.2f})"
        print(
            f"| {size} | {row['millions']:.1f} M | {step} | {row['memory']:.0f} | {row['speaking']:.2f} |", flush=True
        )


if __name__ == "__main__":
    main()
