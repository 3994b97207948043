"""Write the settings of a trainer, each with a comment: rerail config xtts --level enhanced > my.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import yaml
from jsonargparse import ArgumentParser, Namespace

from rerail.cli.trainers import TRAINERS
from rerail.fit import FitConfig
from rerail.fit.hardware import by_memory
from rerail.tell import printed

WIDTH = 34  # of `name: value`, before its comment


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    trainers = parser.add_subcommands(dest="task")
    for one in TRAINERS.values():
        own = ArgumentParser(description=f"Write all settings of rerail train {one.name}.", exit_on_error=False)
        names = ", ".join(one.presets.names)
        own.add_argument("--level", type=str, default=one.default, help=f"settings by name: {names}")
        own.add_argument("--gpu-memory", type=float, default=0.0, help="GB; batches are made for it")
        if one.switch:
            own.add_argument(f"--{one.switch}", action="store_true", help=f"put those of {one.switch} above")
        trainers.add_subcommand(one.name, own, help=one.short)


def run(arguments: Namespace) -> int:
    """Write the settings."""
    given, trainer = arguments[arguments.task], TRAINERS[arguments.task]
    values = trainer.presets.values(given.level) if given.level else {}
    if trainer.above is not None and given[trainer.switch.replace("-", "_")]:
        values |= trainer.above.values(trainer.switch)
    if given.gpu_memory:
        batch, accumulate = by_memory(given.gpu_memory)
        values |= {"batch_size": batch, "accumulate": accumulate}
    printed.text("\n".join(_lines((trainer.config, FitConfig), values)))
    return 0


def _lines(kinds: tuple[type, ...], values: Mapping[str, Any]) -> Iterator[str]:
    for kind in kinds:
        yield f"# {(kind.__doc__ or '').splitlines()[0]}"
        for one in fields(kind):
            told = yaml.safe_dump({one.name: values.get(one.name, one.default)}, allow_unicode=True).strip()
            yield f"{told:<{WIDTH}}  # {one.metadata.get('help', '')}"
