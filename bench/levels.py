"""The XTTS-style trainer's levels on 30 clips: unweighted held-out losses, over seeds, guarded and unguarded.

    python bench/levels.py [--levels basic "enhanced lr=1.0e-3" ...] [--alone] [--seeds 0 1 2 3 4] [--steps 400]
                           [--unguarded]
    python bench/levels.py --show [--against basic]

Tiny network, 30 of the embedded clips, 6 others held out, batches of 15, the settings of each level else, but for its
warm-up, which is at most a tenth of the run: at full length (1,500 to 3,000 steps) no run this short would leave it.
`--alone` adds to `basic` one thing at a time of what `enhanced` has more. Each run appends a line to OUT/levels.csv;
what is there is not run again; `key` names the very settings, so that rows of other ones stand apart. `--show` prints
the table; `--against` another one, of differences at the same seed, which chance moves less than the runs themselves.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import shutil
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from hashlib import sha256
from itertools import product
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
import yaml
from rates import corpus

from rerail.fit import FitConfig, train, train_unguarded
from rerail.tasks.xtts.levels import ABOVE, FAST, LEVELS
from rerail.tasks.xtts.settings import XttsConfig
from rerail.tasks.xtts.task import XttsTask
from rerail.tell import journal

SEEN = ("loss/mel_post", "loss/kl", "loss/stop", "loss/attention", "mel/free", "diagonality/free", "gate_accuracy/free")
COLUMNS = ("name", "key", "seed", "guarded", "steps", "seconds", "finite", "interventions", *SEEN)
# Two-sided 95 % of Student's t, by degrees of freedom from 1 on; the normal distribution's beyond.
T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131),
    *(2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045),
)
NORMAL = 1.96
GIVEN, OWNERS = (
    " as given",
    " lr=8.0e-5 warmup=1500 lr_floor=0.00125 schedule=restarts huber=0.6",
)  # of enhanced and of fast convergence
ALONE = {
    "rate": ("lr",),
    "mel and KL weights": ("weight_mel", "weight_kl"),
    "clip": ("clip_norm",),
    "schedule": ("schedule", "warmup", "lr_floor"),
    "smoothing": ("smooth_mel", "smooth_stop"),
    "adaptive weights": ("adapt_every",),
    "decay": ("weight_decay",),
}


def values(name: str) -> Mapping[str, Any]:
    """Return the settings of a level, of fast convergence, or of basic and one thing more (`basic + rate`).

    What follows a level's name as `lr=1.0e-3` stands above it; `enhanced as given` is that with its first rate.
    """
    name = name.replace(GIVEN, OWNERS)
    name, *typed = name.split(" ") if "=" in name else [name]
    if typed:
        return {**values(name), **{key: typed_value(value) for key, value in (one.split("=") for one in typed)}}
    base, plus, more = name.partition(" + ")
    if plus:
        enhanced = LEVELS.values("enhanced")
        return LEVELS.values(base) | {one: enhanced[one] for one in ALONE[more]}
    return LEVELS.values("enhanced") | ABOVE.values(FAST) if name == FAST else LEVELS.values(name)


def typed_value(text: str) -> Any:  # noqa: ANN401 (a number, a switch or a name)
    """Return what is meant: YAML takes `1e-3` for a word."""
    given = yaml.safe_load(text)
    try:
        return float(given) if isinstance(given, str) else given
    except ValueError:
        return given


def key_of(given: Mapping[str, Any]) -> str:
    """Return a short name of these very settings."""
    return sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:8]


def apart(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return settings of the loop, and those of the trainer."""
    loop = {field.name for field in fields(FitConfig)}
    own = {key: value for key, value in given.items() if key in loop}
    return own, {key: value for key, value in given.items() if key not in loop}


def given_of(name: str, steps: int) -> dict[str, Any]:
    """Return the settings that a level is run with, but for the seed."""
    given = dict(values(name)) | {"batch_size": 15, "accumulate": 1, "num_workers": 0, "epochs": 0}
    given |= {"patience": 0, "evaluate_every": 10**6, "adapt_every": steps // 3 if given.get("adapt_every") else 0}
    return given | {"warmup": min(given["warmup"], steps // 10), "steps": steps}


def task_of(name: str, seed: int, steps: int, out: Path) -> tuple[XttsTask, FitConfig]:
    """Return the trainer of a level."""
    looped, rest = apart(given_of(name, steps))
    fit = FitConfig(**looped, seed=seed, threads=1)
    config = XttsConfig(
        data=str(corpus(out / "clips")), cache=str(out / "features"), held_out=6, size="tiny", longest=0.0, **rest
    )
    return XttsTask(config, fit), fit


def one(name: str, seed: int, steps: int, out: Path, *, guarded: bool) -> dict[str, Any]:
    """Train once; return its line."""
    task, fit = task_of(name, seed, steps, out)
    began, done = time.perf_counter(), 0
    if guarded:
        run = out / "run"
        shutil.rmtree(run, ignore_errors=True)
        found = train(task, fit, run=run).metrics
        done = sum(1 for record in journal.read(run) if record["kind"] == "outcome" and "did" in record)
        state = torch.load(max((run / "checkpoints").glob("step-*")) / "state.pt", weights_only=True)["model"]
    else:
        parts = None

        class Kept(XttsTask):
            def build(self) -> Any:  # noqa: ANN401
                nonlocal parts
                parts = super().build()
                return parts

        for _ in train_unguarded(Kept(task.config, fit), fit):
            pass
        assert parts is not None
        found, state = task.evaluate(parts.model, parts.held_out), parts.model.state_dict()
    finite = all(bool(torch.isfinite(value).all()) for value in state.values() if value.is_floating_point())
    about = {"name": name, "key": key_of(given_of(name, steps)), "seed": seed, "guarded": guarded, "steps": steps}
    about |= {"finite": finite, "interventions": done}
    return {**about, "seconds": round(time.perf_counter() - began), **{seen: f"{found[seen]:.5g}" for seen in SEEN}}


def run_all(given: argparse.Namespace, table: Path) -> None:
    """Run what is not in the table yet."""
    names = [*given.levels, *(f"basic + {one}" for one in ALONE if given.alone)]
    wanted = product(given.seeds, names, (True, False) if given.unguarded else (True,))
    there = {(row["name"], row["key"], row["seed"], row["guarded"]) for row in lines(table)}
    for seed, name, guarded in wanted:
        if (name, key_of(given_of(name, given.steps)), str(seed), str(guarded)) not in there:
            added(table, [one(name, seed, given.steps, given.out, guarded=guarded)])


def added(table: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = COLUMNS) -> None:
    """Append lines to a table."""
    new = not table.exists()
    with table.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns)
        if new:
            writer.writeheader()
        writer.writerows(rows)


def lines(table: Path, columns: Sequence[str] = COLUMNS) -> list[dict[str, str]]:
    """Read the table."""
    if not table.exists():
        return []
    with table.open(newline="") as file:
        found = csv.DictReader(file)
        if missing := set(columns) - set(found.fieldnames or ()):
            raise SystemExit(f"{table}: an older bench's, without {', '.join(sorted(missing))}; move it away")
        return list(found)


def kinds(table: Path) -> dict[tuple[str, ...], list[dict[str, str]]]:
    """Return the rows of each kind of run: its name, the key of its settings, its steps, whether it was guarded."""
    found = defaultdict[tuple[str, ...], list[dict[str, str]]](list)
    for row in lines(table):
        found[row["name"], row["key"], row["steps"], row["guarded"]].append(row)
    return dict(found)


def shown(table: Path) -> str:
    """Return means over seeds with 95 % intervals, a line for each name and kind of run."""
    text = ["| settings | key | steps | guarded | seeds | finite | interventions | " + " | ".join(SEEN) + " | s |"]
    text.append("|---" * (len(SEEN) + 8) + "|")
    for (name, key, steps, guarded), rows in kinds(table).items():
        cells = [interval([float(row[seen]) for row in rows]) for seen in SEEN]
        sound = sum(row["finite"] == "True" for row in rows)
        done = sum(int(row["interventions"]) for row in rows)
        spent = fmean(float(row["seconds"]) for row in rows)
        head = (
            f"| {name} | {key} | {steps} | {'yes' if guarded == 'True' else 'no'} | {len(rows)} | {sound} | {done} | "
        )
        text.append(head + " | ".join(cells) + f" | {spent:.0f} |")
    return "\n".join(text)


def against(table: Path, base: str) -> str:
    """Return what each kind of run has more than `base` at the same seed: means over seeds with 95 % intervals."""
    seeds = {kind: {row["seed"]: row for row in rows} for kind, rows in kinds(table).items()}
    text = [f"| against {base} | key | steps | guarded | seeds | " + " | ".join(SEEN) + " |"]
    text.append("|---" * (len(SEEN) + 5) + "|")
    for (name, key, steps, guarded), own in seeds.items():
        other = seeds.get((base, key_of(given_of(base, int(steps))), steps, guarded), {})
        both = own.keys() & other.keys() if name != base else set[str]()
        if both:
            more = [[float(own[seed][seen]) - float(other[seed][seen]) for seed in sorted(both)] for seen in SEEN]
            head = f"| {name} | {key} | {steps} | {'yes' if guarded == 'True' else 'no'} | {len(both)} | "
            text.append(head + " | ".join(map(interval, more)) + " |")
    return "\n".join(text)


def interval(numbers: list[float]) -> str:
    """Mean, and half the width of its 95 % interval by Student's t."""
    free = len(numbers) - 1
    if not free or not all(map(math.isfinite, numbers)):
        return f"{fmean(numbers):.3g}"
    wide = T[free - 1] if free <= len(T) else NORMAL
    return f"{fmean(numbers):.3g} ± {wide * stdev(numbers) / math.sqrt(len(numbers)):.2g}"


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", nargs="*", default=["basic", "enhanced", FAST, "plateau-breaker", "original"])
    parser.add_argument("--alone", action="store_true", help="basic and one improvement at a time")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--unguarded", action="store_true", help="also without the guard")
    parser.add_argument("--out", type=Path, default=Path("runs/levels"))
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--against", default="", help="also what each has more than this one, at the same seed")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    table = given.out / "levels.csv"
    there = {row["name"] for row in lines(table)} | set(() if given.show else given.levels)
    if given.against and given.against not in there:
        raise SystemExit(f"--against {given.against}: {table} has no such row; give it to --levels too")
    if not given.show:
        run_all(given, table)
    print(shown(table))
    if given.against:
        print(f"\n{against(table, given.against)}")


if __name__ == "__main__":
    main()
