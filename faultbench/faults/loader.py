"""Faults of the loader: classes renumbered, inputs normalised twice, turned, silent, clipped, or the same ones again."""

# ruff: noqa: ARG001 (every injection takes the same four)
from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from faultbench.case import Run
from faultbench.cell import Fault

from .common import among, drawn, numbers, rows, with_batches
from .fresh_common import EVERY, EVERY_CLASSES, EVERY_FLOATS, EVERY_TARGETS, on_rows

FAMILY = "loader"
PADDED = "y_length"  # a batch that has it keeps class 0 for padding


def classes(run: Run) -> int:
    """Count the classes; where labels are padded, without the padding's."""
    most = max(int(one["y"].max()) for one in run.batches)
    return most if PADDED in run.batches[0] else most + 1


def shifted_classes(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on every class has the number that is `severity` higher."""
    count = classes(run)

    def shifted(batch: dict[str, Any]) -> dict[str, Any]:
        first = int(PADDED in batch)
        other = (batch["y"] - first + int(severity)) % count + first
        return {**batch, "y": torch.where(batch["y"] < first, batch["y"], other)}

    return with_batches(run, begin, shifted)


def merged_classes(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on a share `severity` of the classes, the last ones, has the label of the first."""
    last = round((1 - severity) * classes(run))

    def merged(batch: dict[str, Any]) -> dict[str, Any]:
        first = int(PADDED in batch)
        other = torch.full_like(batch["y"], first)
        return {**batch, "y": torch.where(batch["y"] >= last + first, other, batch["y"])}

    return with_batches(run, begin, merged)


def everything(run: Run) -> Tensor:
    """Give all numbers that the model reads in the run, one row a number or, of a table, one row a row of it."""
    columns = [one[numbers(one)] for one in run.batches]
    if columns[0].dim() == 2:
        table = torch.cat(columns)
        return table if float(table.std(0).min()) > 0 else table.reshape(-1, 1)
    return torch.cat([one.flatten() for one in columns])[:, None]


def normalised_twice(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on a share `severity` of the rows is normalised once more than it should be."""
    all_of_it = everything(run)
    mean, spread = all_of_it.mean(0), all_of_it.std(0)
    return on_rows(run, begin, severity, drawn(seed), lambda x: (x - mean) / spread)


def turned(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the last axis of a share `severity` of the rows is in the opposite order."""
    return on_rows(run, begin, severity, drawn(seed), lambda x: x.flip(-1))


def silent(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on a share `severity` of the rows is silence, as loud as the quietest there is."""
    return on_rows(run, begin, severity, drawn(seed), lambda x: torch.full_like(x, float(x.min())))


def clipped(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on inputs are clipped to `severity` deviations round their mean."""
    all_of_it = everything(run)
    mean, spread = all_of_it.mean(0), severity * all_of_it.std(0)
    return on_rows(run, begin, 1.0, drawn(seed), lambda x: x.clamp(mean - spread, mean + spread))


def same_shard(run: Run, severity: float, begin: int, seed: int) -> Run:
    """From `begin` on the `severity` batches before it come round for ever."""
    shard = run.batches[begin - int(severity) : begin]
    again = [dict(shard[at % len(shard)]) for at in range(len(run.batches))]
    return with_batches(run, begin, lambda _: again.pop())


def short_lengths(run: Run, severity: float, begin: int, seed: int) -> Run:
    """The length of one row in each of `severity` batches is two frames, fewer than it has labels."""
    generator = drawn(seed)

    def cut_short(batch: dict[str, Any]) -> dict[str, Any]:
        length = batch["x_length"].clone()
        length[torch.randint(0, rows(batch), (1,), generator=generator)] = 2
        return {**batch, "x_length": length}

    return with_batches(run, begin, cut_short, severity)


loader = partial(Fault, family=FAMILY, truth="data", curable=False, kept_back=True)

FAULTS: tuple[Fault, ...] = (
    loader(
        name="shifted-classes",
        title="From a step on classes are numbered one higher.",
        severities={"one": 1},
        inject=shifted_classes,
        fits=among(EVERY_CLASSES),
    ),
    loader(
        name="merged-classes",
        title="From a step on some classes have another's label.",
        severities={"third": 1 / 3, "most": 0.8},
        inject=merged_classes,
        fits=among(EVERY_CLASSES - {"tabular"}),  # two classes only
    ),
    loader(
        name="normalised-twice",
        title="From a step on inputs are normalised twice.",
        severities={"half": 0.5, "all": 1.0},
        inject=normalised_twice,
        fits=among(EVERY_FLOATS - {"regression", "bfloat", "lstm", "points"}),  # normal already, or sets
    ),
    loader(
        name="turned-inputs",
        title="From a step on the order of columns, bands or pixels is the opposite.",
        severities={"half": 0.5, "all": 1.0},
        inject=turned,
        fits=among(EVERY_FLOATS),
    ),
    loader(
        name="silent-shard",
        title="From a step on some rows are silence, with their labels.",
        curable=True,
        severities={"quarter": 0.25, "most": 0.75},
        inject=silent,
        fits=among(EVERY_TARGETS),
    ),
    loader(
        name="clipped-inputs",
        title="From a step on inputs are clipped to a narrow range.",
        severities={"0.5": 0.5, "0.05": 0.05},
        inject=clipped,
        fits=among(EVERY_FLOATS),
    ),
    loader(
        name="same-shard",
        title="From a step on a worker gives the same few batches for ever.",
        severities={"eight": 8, "two": 2},
        inject=same_shard,
        fits=among(EVERY),
        phases=("early", "middle"),
    ),
    loader(
        name="short-lengths",
        title="A row's length is shorter than its labels: the sequence loss is infinite.",
        curable=True,
        severities={"once": 1, "often": 10},
        inject=short_lengths,
        fits=among({"ctc"}),
    ),
)
