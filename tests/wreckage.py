"""Ways to wreck a trained run, as they happen: each changes the folder of a run that is over.

What is changed in a checkpoint is written with a manifest that fits, as a trainer without a guard would have saved it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from rerail.act.checkpoints import load, read_manifest

State = dict[str, Any]
ATTENTION = "decoder.attention_layer."


def checkpoints(run: Path) -> list[Path]:
    return sorted((run / "checkpoints").glob("step-*"))


def rewrite(path: Path, spoil: Callable[[State], None]) -> None:
    """Change a checkpoint, with a manifest that fits it."""
    state = load(path)
    spoil(state)
    torch.save(state, path / "state.pt")
    content = (path / "state.pt").read_bytes()
    manifest = replace(
        read_manifest(path / "manifest.json"), bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
    (path / "manifest.json").write_text(json.dumps(asdict(manifest)))


def weights_nan(state: State) -> None:
    weight = state["model"]["decoder.linear_projection.linear_layer.weight"]
    weight[: len(weight) // 8] = math.nan


def embedding_nan(state: State) -> None:
    state["model"]["embedding.weight"][3:6, 2] = math.nan


def second_moments_exploded(state: State) -> None:
    for moments in _moments(state):
        moments["exp_avg_sq"] *= 1e12


def first_moments_exploded(state: State) -> None:
    for moments in _moments(state):
        moments["exp_avg"] *= 1e5


def attention_overwritten(state: State) -> None:
    generator = torch.Generator().manual_seed(0)
    for name, weight in state["model"].items():
        if name.startswith(ATTENTION):
            weight.copy_(torch.randn(weight.shape, generator=generator) * weight.std())


def postnet_swollen(state: State) -> None:
    for name, weight in state["model"].items():
        if name.startswith("postnet.") and name.endswith("conv.weight"):
            weight.mul_(100.0)


def rate_nan(state: State) -> None:
    for group in state["optimizers"][0]["param_groups"]:
        group["lr"] = math.nan
    state["others"][0]["base_lrs"] = [math.nan]


def rate_hot(state: State, times: float = 300.0) -> None:
    """A schedule that from now on gives `times` the rate."""
    schedule = state["others"][0]
    schedule["base_lrs"] = [times * one for one in schedule["base_lrs"]]
    for group in state["optimizers"][0]["param_groups"]:
        group["lr"] *= times


def rate_asked(run: Path, times: float) -> None:
    """The same, as the run's own setting: nothing is wrong with any checkpoint."""
    for path in checkpoints(run):
        rewrite(path, partial(rate_hot, times=times))
    config = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump(config | {"lr": times * config["lr"]}))


def _moments(state: State) -> Iterator[dict[str, Tensor]]:
    return iter(state["optimizers"][0]["state"].values())


def cut_short(path: Path) -> None:
    content = (path / "state.pt").read_bytes()
    (path / "state.pt").write_bytes(content[: len(content) // 2])


def bit_flipped(path: Path) -> None:
    content = bytearray((path / "state.pt").read_bytes())
    content[len(content) // 3] ^= 0x10
    (path / "state.pt").write_bytes(content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wreck:
    """How the newest checkpoints of a run are spoilt (`None`: every one), and what of it should be named."""

    name: str
    spoil: Sequence[Callable[[Path], None]]
    newest: int | None
    cause: str

    def make(self, run: Path) -> None:
        paths = checkpoints(run)
        for number, path in enumerate(paths[-self.newest :] if self.newest else paths):
            self.spoil[number % len(self.spoil)](path)


def _of(name: str, *spoil: Callable[[State], None], newest: int | None, cause: str) -> Wreck:
    return Wreck(
        name=name, spoil=[lambda path, one=one: rewrite(path, one) for one in spoil], newest=newest, cause=cause
    )  # type: ignore[misc]


WRECKS = (
    _of("NaN weights", weights_nan, newest=2, cause="weights that are not finite"),
    _of("exploded second moments", second_moments_exploded, newest=2, cause="an exploded optimizer state"),
    _of(
        "exploded first moments", first_moments_exploded, newest=2, cause="optimizer moments that no gradients lead to"
    ),
    _of("attention overwritten", attention_overwritten, newest=2, cause="a collapsed attention"),
    _of("postnet x100", postnet_swollen, newest=2, cause="weights beyond all proportion"),
    Wreck(name="file cut short", spoil=[cut_short], newest=1, cause="a damaged checkpoint file"),
    Wreck(name="bit flipped", spoil=[bit_flipped], newest=1, cause="a damaged checkpoint file"),
    Wreck(
        name="last three bad, each in its way",
        spoil=[
            lambda path: rewrite(path, weights_nan),
            lambda path: rewrite(path, second_moments_exploded),
            cut_short,
        ],
        newest=3,
        cause="a damaged checkpoint file",
    ),
    _of("NaN in all: salvage", embedding_nan, newest=None, cause="weights that are not finite"),
    Wreck(name="bit flipped in all: salvage", spoil=[bit_flipped], newest=None, cause="a damaged checkpoint file"),
    _of("postnet x100 in all: salvage", postnet_swollen, newest=None, cause="weights beyond all proportion"),
    _of("attention overwritten in all", attention_overwritten, newest=None, cause="a collapsed attention"),
    _of("learning rate x300 in all", rate_hot, newest=None, cause="a learning rate that is not the run's own"),
    _of(
        "NaN learning rate in all", rate_nan, newest=None, cause="a learning rate or another setting that is not finite"
    ),
)
