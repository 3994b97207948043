"""How fast Tacotron2 trains, beside the published equations written plainly and beside coqui-tts, in one run.

    python bench/tacotron2.py [--frames 200 400] [--precision fp32 bf16] [--pairs 5] [--clock wall|cpu]

First the outputs and gradients of the plain loop and of ours are compared on the batch that is timed, with equal
dropout masks; the run ends where they differ. Then each side lives in a process of its own and takes one training step
at a time (forward and backward at the reference's size, random frames) while the others wait, in an order that changes
from round to round. A ratio is other over ours, of the same round. The first round warms up and is thrown away.
Memory is by how much a process ever grew past its built model; its ratio is ours over the other's.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import torch
from tacotron2_sides import BANDS, SYMBOLS, batch_of
from torch import Tensor

from rerail.tasks.speech.precision import pays
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.model import Tacotron2

HERE = Path(__file__).parent
NEAR = {"outputs": 1e-5, "gradients": 1e-4}  # in fp32; a gradient sums up some thousand frames
ZERO = ".0.conv.bias"  # biases ahead of a batch normalisation have no gradient but rounding
SHORTER = 20
SYMBOLS_A_FRAME = 7 / 40  # as spoken English has: 35 symbols in 200 frames of 12 ms


class Worker:
    """One side in a process of its own."""

    def __init__(self, name: str, python: str, given: dict[str, Any]) -> None:
        command = [python, str(HERE / "tacotron2_sides.py"), name, json.dumps(given)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        self.torch: str = self._answer()["torch"]

    def step(self) -> dict[str, float]:
        """Take one step."""
        assert self.process.stdin is not None
        self.process.stdin.write("step\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self.process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[1:3]} ended with {self.process.wait()}; its error stands above")
        answer: dict[str, Any] = json.loads(line)
        return answer


def check_equal(given: dict[str, Any]) -> str:
    """Compare both networks on the batch that is timed.

    Raises:
        AssertionError: where outputs or gradients differ by more than `NEAR`.
    """
    sys.path.insert(0, str(HERE.parent / "tests"))
    from plain_tacotron2 import PlainTacotron2, drawn, parts  # noqa: PLC0415

    torch.manual_seed(0)
    size, batch = SIZES["reference"], batch_of(given)
    ours, plain = Tacotron2(size, SYMBOLS, BANDS, 1), PlainTacotron2(size, SYMBOLS, BANDS, 1)
    plain.load_state_dict(ours.state_dict())
    torch.manual_seed(1)
    masks = drawn(size, batch, BANDS, 1, torch.float32)
    torch.manual_seed(1)
    one, two = dict(parts(ours(*batch.values()))), dict(parts(plain(batch, masks)))
    for named in (one, two):
        sum(value.square().mean() for value in named.values()).backward()  # type: ignore[union-attr]
    theirs = dict(plain.named_parameters())
    pairs = [(one.grad, theirs[name].grad) for name, one in ours.named_parameters() if not name.endswith(ZERO)]
    apart = {
        "outputs": max(_apart(one[name], two[name]) for name in one),
        "gradients": max(_apart(a, b) for a, b in pairs if a is not None and b is not None),
    }
    assert all(apart[name] <= NEAR[name] for name in NEAR), f"not equal: {apart}, at most {NEAR}"
    return ", ".join(f"{name} {value:.1e}" for name, value in apart.items())


def _apart(a: Tensor, b: Tensor) -> float:
    """Norm of the difference as a share of the norm."""
    return float((a - b).detach().norm() / b.detach().norm())


def rounds(workers: dict[str, Worker], pairs: int) -> dict[str, list[dict[str, float]]]:
    """Let all sides take a step in turn, again and again."""
    took: dict[str, list[dict[str, float]]] = {name: [] for name in workers}
    for number in range(-1, pairs):
        for name in sorted(workers, reverse=number % 2 == 0):
            took[name].append(workers[name].step())
    return {name: all_[1:] for name, all_ in took.items()}


def row(name: str, took: list[dict[str, float]], ours: list[dict[str, float]]) -> str:
    """Say how one side did."""
    cells = []
    for what in ("decoder", "step"):
        ratios = [a[what] / b[what] for a, b in zip(took, ours, strict=True)]
        cells.append(f"{median(one[what] for one in took):.2f}")
        cells.append(f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    memory = max(one["memory"] for one in took)
    cells.append(f"{memory / 2**20:.0f}")
    cells.append(f"{max(one['memory'] for one in ours) / memory:.2f}")
    return f"| {name} | " + " | ".join(cells) + " |"


def measure(given: dict[str, Any], sides: dict[str, str], pairs: int) -> None:
    """Print the table of one setting; sides are names and the Python that runs each."""
    workers: dict[str, Worker] = {}
    missing = [name for name, python in sides.items() if not Path(python).exists()]
    for name, python in sides.items():
        if name not in missing:
            workers[name] = Worker(name, python, given)
    took = rounds(workers, pairs)
    what = f"{given['frames']} frames, {given['symbols']} symbols, {given['precision']}"
    print(f"\n{what}, {pairs} rounds, {given['clock']} time\n")
    print("| side | decoder, s | ratio (range) | whole step, s | ratio (range) | memory, MiB | ours / its |")
    print("|---|---|---|---|---|---|---|")
    for name, ones in took.items():
        print(row(f"{name}, torch {workers[name].torch}", ones, took["rerail"]))
        workers[name].close()
    for name in missing:
        print(f"| {name} | not measured: {sides[name]} is not there | | | | | |")
    sys.stdout.flush()


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[200, 400])
    parser.add_argument("--precision", nargs="+", choices=["fp32", "bf16"], default=["fp32", "bf16"])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu where others use the machine")
    parser.add_argument("--coqui", default=".venv-coqui/bin/python", help="Python of an environment with coqui-tts")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    print(f"Reference size, batch {given.batch}, {given.threads} threads, torch {torch.__version__},", end=" ")
    print(f"{platform.system()} {platform.machine()}, {torch.backends.cpu.get_cpu_capability()}")
    if not pays("cpu", torch.bfloat16):
        print(
            "This processor has no bf16 instructions: under bf16 autocast rerail computes in fp32. The others do not,"
        )
        print(f"and take seconds a frame; so bf16 is measured once, on utterances {SHORTER} times shorter.")
    sides = {"rerail": sys.executable, "plain": sys.executable, "coqui": given.coqui}
    for frames in given.frames:
        setting = {"batch": given.batch, "frames": frames, "symbols": round(frames * SYMBOLS_A_FRAME)}
        print(f"\nours against plain, {frames} frames, largest relative difference: {check_equal(setting)}")
        for precision in given.precision:
            own = {"precision": precision, "threads": given.threads, "clock": given.clock}
            if precision == "bf16" and not pays("cpu", torch.bfloat16):
                short = {"frames": frames // SHORTER, "symbols": max(2, setting["symbols"] // SHORTER)}
                measure({**setting, **own, **short}, sides, pairs=1)
            else:
                measure({**setting, **own}, sides, given.pairs)


if __name__ == "__main__":
    main()
