"""What emergency recovery makes of real wreckage: one run, wrecked in many ways, each put back.

    python bench/wrecks.py [--out docs/recovery.md] [--only NAME ...]

A tiny Tacotron2 is trained on the embedded clips until it is about to read its text. Then a copy of its folder is
wrecked in each way of `tests/wreckage.py`, recovered as `rerail recover tacotron2` does it, and trained on to the same
step as a copy that was never wrecked. The table says which cause was named, which settings were taken from which step,
the held-out mel error before the wreck, of the newest checkpoint after it, and at the end.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rerail.data import demo
from rerail.fit import FitConfig, Parts, Picture, Sound, past, train
from rerail.tasks.tacotron2.recovery.asked import Asked
from rerail.tasks.tacotron2.recovery.forecast import forecast
from rerail.tasks.tacotron2.recovery.recover import Recovery, decide, prepared
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import wreckage

WRECKED_AT, TO, TRIAL = 80, 120, 10
FIT = FitConfig(
    steps=TO, batch_size=8, lr=0.01, evaluate_every=10, checkpoint_every=10, snapshot_every=5, warmup=5, threads=1
)
TOO_HOT = 300.0
STAGE = "diagonality/free"
HEADINGS = (
    "wreck",
    "first cause named",
    "went on from",
    "with",
    "trials",
    "mel before",
    "wrecked",
    "recovered",
    "diagonality",
    "seconds",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One wreck and what became of it, as it stands in the table."""

    cells: tuple[str, ...]


def main() -> None:
    """Wreck, recover, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=None, help="page whose table is replaced")
    parser.add_argument("--only", nargs="*", default=[], help="wrecks whose name holds one of these")
    given = parser.parse_args()
    ways: dict[str, Callable[[Path], Any]] = {one.name: one.make for one in wreckage.WRECKS}
    ways[f"run begun with {TOO_HOT:g} times the rate"] = lambda run: wreckage.rate_asked(run, TOO_HOT)
    with tempfile.TemporaryDirectory() as folder:
        base = trained(Path(folder))
        lines = [line(HEADINGS), line(["---"] * len(HEADINGS)), line(untouched(base).cells)]
        print("\n".join(lines), flush=True)
        for name, wreck in ways.items():
            if not given.only or any(part in name for part in given.only):
                lines.append(line(recovered(base, name, wreck).cells))
                print(lines[-1], flush=True)
        said = foretold(base.with_name("whole"))
    print(said)
    if given.out:
        write(given.out, [*lines, "", said, "", machine()])


@dataclass(frozen=True)  # without slots: the task within keeps what it read
class Stopped:
    """The task, of which somebody stops the training at `WRECKED_AT`."""

    task: Tacotron2Task

    def build(self) -> Parts:
        """Build the task's parts with a loss that stops the process, as Ctrl-C does."""
        parts = self.task.build()

        def losses(batch: Any) -> Any:  # noqa: ANN401 (what the task's own takes and gives)
            if parts.scheduler.last_epoch == WRECKED_AT - 1:
                os.kill(os.getpid(), signal.SIGINT)
            return parts.losses(batch)

        return replace(parts, losses=losses)

    def evaluate(self, model: nn.Module, batches: Iterable[Any]) -> Mapping[str, float]:
        """Measure as the task does."""
        return self.task.evaluate(model, batches)

    def figures(self, model: nn.Module, batches: Iterable[Any], *, last: bool) -> Mapping[str, Picture | Sound]:
        """Show as the task does."""
        return self.task.figures(model, batches, last=last)


def trained(folder: Path) -> Path:
    """Train the run that is wrecked, stopped on its way; and beside it the same run, that went on to its end."""
    where = {"data": str(demo.folder()), "cache": str(folder / "cache")}
    config = Tacotron2Config(**where, size="tiny", reduction=8, held_out=4, longest=2.2, weight_attention=20.0)
    task, run = Tacotron2Task(config, FIT), folder / "run"
    train(Stopped(task), FIT, run=run, describe=asdict(config))
    whole = Path(shutil.copytree(run, folder / "whole"))
    train(task, FIT, run=whole, resume=True, describe=asdict(config))
    return run


def untouched(base: Path) -> Row:
    """What the run comes to that nothing befalls."""
    metrics = dict(past.measured(base.with_name("whole"))[0])
    before, after = metrics[WRECKED_AT], metrics[TO]
    mel = f"{before['mel']:.2f}", "", f"{after['mel']:.2f}"
    return Row(cells=("none", "", "", "", "", *mel, read(after), ""))


def recovered(base: Path, name: str, wreck: Callable[[Path], Any]) -> Row:
    """Wreck a copy of the run, recover it, train on."""
    before = dict(past.measured(base.with_name("whole"))[0])[WRECKED_AT]["mel"]
    with tempfile.TemporaryDirectory() as folder:
        run = Path(shutil.copytree(base, Path(folder) / "run"))
        wreck(run)
        began, asked = time.perf_counter(), Asked(run=str(run), trial=TRIAL)
        recovery = decide(asked, lambda line: print(f"  {line}", file=sys.stderr))
        metrics = trained_on(recovery, asked)
        seconds = time.perf_counter() - began
    return Row(cells=(name, *told(recovery), f"{before:.2f}", newest(recovery), *metrics, f"{seconds:.0f}"))


def trained_on(recovery: Recovery, asked: Asked) -> tuple[str, str]:
    """Train on to the end; the held-out error and the alignment there."""
    if recovery.chosen is None:
        return "given up", ""
    restart = prepared(recovery, asked)
    given: dict[str, Any] = {"resume": restart.start, "describe": restart.describe, "notes": restart.notes}
    result = train(restart.task, replace(restart.fit, steps=TO), run=restart.run, **given)
    return (f"{result.metrics['mel']:.2f}" if result.metrics else result.reason), read(result.metrics)


def told(recovery: Recovery) -> tuple[str, str, str, str]:
    """The first cause, the state, the settings, and how many trials it took."""
    cause = recovery.causes[0] if recovery.causes else "none"
    if recovery.chosen is None:
        return cause, "", "", str(len(recovery.tried))
    source = recovery.chosen.candidate.source
    state = f"{'what is sound of ' if source.salvage else ''}step {source.looked.step}"
    return cause, state, recovery.chosen.candidate.rung.name, str(len(recovery.tried))


def newest(recovery: Recovery) -> str:
    """What the newest checkpoint is worth after the wreck."""
    last = recovery.judged[-1]
    return f"{last.metrics['mel']:.2f}" if last.metrics else ("unreadable" if last.complaint else "not finite")


def read(metrics: Any) -> str:  # noqa: ANN401 (a run's metrics, none where it was halted)
    """The free-running diagonality."""
    return f"{metrics[STAGE]:.2f}" if STAGE in metrics else ""


def foretold(whole: Path) -> str:
    """What was forecast for each stage at `WRECKED_AT` and before, and when it came."""
    curve = [(step, metrics[STAGE]) for step, metrics in past.measured(whole)[0]]
    lines = []
    for least in (0.3, 0.7):
        came = next((step for step, value in curve if value >= least), None)
        for at in range(40, (came or TO), 10):
            found = forecast([one for one in curve if one[0] <= at], least)
            said = found.why or f"step {found.step:.0f} (8 of 10: {found.low:.0f} to {found.high:.0f})"
            lines.append(f"- at step {at}, {STAGE} >= {least:g}: {said}; it came at step {came or f'{TO} not yet'}")
    return "\n".join(["What was forecast for the run that nothing befell:", "", *lines])


def line(cells: Any) -> str:  # noqa: ANN401 (any sequence of strings)
    """One row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def machine() -> str:
    """What it ran on."""
    version = f"torch {torch.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return f"Measured on one CPU thread of a machine that was at other work too; {version}."


def write(page: Path, lines: list[str]) -> None:
    """Put the lines in place of what stands after the page's heading `## Measured`."""
    text = page.read_text(encoding="utf8")
    before = text[: text.index("## Measured")]
    page.write_text("\n".join([f"{before}## Measured", "", *lines, ""]), encoding="utf8")


if __name__ == "__main__":
    main()
