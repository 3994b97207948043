"""Pictures and their spoken descriptions: learning curves on both test sets, then every figure with its interval.

    rerail data get tuxpaint --pictures --to DIR
    python bench/tuxpaint.py --pairs DIR/pairs.csv --out OUT [--epochs 100] [--audio-encoder whisper] [--name scratch]
    python bench/tuxpaint.py --out OUT --show

The settings are those that `docs/face-voice.md` names. What the run goes by is its own validation part; `seen` and
`unseen` are only watched, and nothing is chosen by them. Each run appends to OUT/curves.csv and writes its figures to
OUT/NAME.json; `--show` draws the curves to OUT/curves.png and prints the figures as a table.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from rerail.cli.data.bars import bars
from rerail.core import plain
from rerail.fit import FitConfig, train
from rerail.fit.device import kept_on
from rerail.tasks.face_voice.assess import assess
from rerail.tasks.face_voice.evaluate import scores
from rerail.tasks.face_voice.model import Matcher
from rerail.tasks.face_voice.settings import FaceVoiceConfig
from rerail.tasks.face_voice.task import FaceVoiceTask
from rerail.tasks.face_voice.trained import load

SETS = ("seen", "unseen")
COLUMNS = ("name", "seed", "step", "epoch", "seconds", "set", "auc", "rank", "recall/1", "recall/10", "loss")
FIT = FitConfig(
    batch_size=64, lr=1e-3, schedule="cosine", lr_floor=0.01, warmup=100, weight_decay=1e-2, checkpoint_every=1000
)


@dataclass(frozen=True)  # without slots, as what it extends
class Watched(FaceVoiceTask):
    """Measures both test sets beside the run's own part, and keeps the curves; that time is not the training's."""

    def __post_init__(self) -> None:
        """Begin without a curve."""
        self.__dict__.update(curve=[], began=time.perf_counter(), spent=0.0)

    def evaluate(self, model: nn.Module, batches: Iterable[Any]) -> Mapping[str, float]:
        """Measure."""
        assert isinstance(model, Matcher)
        began = time.perf_counter()
        own = scores(model, batches)
        parts, device = self.paired.parts.named(), next(model.parameters()).device
        sets = {name: scores(model, kept_on(self.paired.batches(parts[name]), device)) for name in SETS}
        trained = began - self.__dict__["began"] - self.__dict__["spent"]
        self.__dict__["curve"].append((trained, {"validation": own, **sets}))
        self.__dict__["spent"] += time.perf_counter() - began
        return own


def one(given: argparse.Namespace) -> None:
    """Train once; keep curves and figures."""
    config = FaceVoiceConfig(
        pairs=given.pairs,
        cache=given.cache,
        audio_encoder=given.audio_encoder,
        width=128,
        start=given.start,
        temperature=given.temperature,
        seconds=given.seconds,
        epochs=given.epochs,
    )
    loop = ("seed", "threads", "lr", "batch_size", "weight_decay", "ema", "patience")
    own = {name: getattr(given, name) for name in loop}
    task = Watched(config, replace(FIT, **own))
    with bars() as progress:
        task.compute(progress)
    task = task.fitted()
    an_epoch = task.fit.steps // given.epochs
    fit = replace(task.fit, evaluate_every=an_epoch * given.every)
    task = replace(task, fit=fit)
    task.__dict__.update(began=time.perf_counter())
    run = given.out / f"{given.name}-{given.seed}"
    train(task, fit, run=run, describe=asdict(config))
    _keep(given, task, an_epoch)
    sets = assess(load(run))
    (given.out / f"{given.name}-{given.seed}.json").write_text(json.dumps(plain.dump(list(sets)), indent=1), "utf8")


def _keep(given: argparse.Namespace, task: Watched, an_epoch: int) -> None:
    path = given.out / "curves.csv"
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf8") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(COLUMNS)
        for number, (seconds, sets) in enumerate(task.__dict__["curve"], 1):
            step = min(number * task.fit.evaluate_every, task.fit.steps)
            for name, found in sets.items():
                values = [f"{found[column]:.5g}" for column in COLUMNS[6:]]
                writer.writerow([given.name, given.seed, step, step // an_epoch, f"{seconds:.1f}", name, *values])


def show(out: Path) -> None:
    """Draw the curves and print the figures."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (drawing alone needs it)

    with (out / "curves.csv").open(encoding="utf8") as file:
        rows = list(csv.DictReader(file))
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots(1, 2)
    for axis, column in zip(axes, ("auc", "recall/10"), strict=True):
        for key in sorted({(row["name"], row["seed"], row["set"]) for row in rows if row["set"] in SETS}):
            own = [row for row in rows if (row["name"], row["seed"], row["set"]) == key]
            epochs, values = ([float(row[name]) for row in own] for name in ("epoch", column))
            axis.plot(epochs, values, label=f"{key[0]}, {key[2]}", linestyle="-" if key[2] == "seen" else "--")
        axis.set(xlabel="epoch", ylabel=column)
    axes[0].axhline(0.5, color="grey", linewidth=0.8, label="chance")
    axes[0].legend(fontsize=8)
    figure.savefig(out / "curves.png", dpi=110)
    for path in sorted(out.glob("*.json")):
        for one in json.loads(path.read_text(encoding="utf8")):
            print(f"\n{path.stem}, {one['name']}: {one['pictures']} pictures, {one['voices']} voices\n")
            print("| figure | value | 95 % interval | chance |\n|---|---|---|---|")
            for figure_ in one["figures"]:
                interval = f"{figure_['low']:.3f} to {figure_['high']:.3f}"
                print(f"| {figure_['name']} | {figure_['value']:.3f} | {interval} | {figure_['chance']:.3f} |")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", default="")
    parser.add_argument("--out", type=Path, default=Path("runs/tuxpaint"))
    parser.add_argument("--cache", default=".cache/pairs")
    parser.add_argument("--name", default="scratch")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--every", type=int, default=5, help="epochs between two measurements")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=FIT.lr)
    parser.add_argument("--batch-size", type=int, default=FIT.batch_size)
    parser.add_argument("--weight-decay", type=float, default=FIT.weight_decay)
    parser.add_argument("--patience", type=int, default=FIT.patience, help="measurements of the run's own part")
    parser.add_argument("--ema", type=float, default=FIT.ema)
    parser.add_argument("--start", default="kaiming")
    parser.add_argument("--temperature", type=float, default=0.07)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--audio-encoder", default="small")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.show:
        show(given.out)
    else:
        one(given)


if __name__ == "__main__":
    main()
