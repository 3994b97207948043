"""The recorded journals and what is known of each: `index.yaml`, and one gzipped journal a training beside it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
INDEX = FOLDER / "index.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of one recorded training. Ticks count from 1.

    `fault` is what is wrong with it, "" where nothing is, and `begin` the first tick that meets it. `expect` names
    findings and the tick by which each must have been seen, `missed` those that ought to be seen and are not, and why.
    Of a sound stretch `told` are those that may be told, and why, and `wrong` those that are made and ought not to be.
    `recorded` says how the journal came about.
    """

    name: str
    model: str
    data: str
    fault: str = ""
    begin: int = 0
    expect: Mapping[str, int] = field(default_factory=dict)
    missed: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    recorded: Mapping[str, Any] = field(default_factory=dict)


def entries() -> list[Entry]:
    """Return what is known of every recorded training."""
    index = yaml.safe_load(INDEX.read_text(encoding="utf8"))
    return [Entry(name=name, **about) for name, about in index.items()]


def journal_of(name: str) -> Path:
    """Return where the journal of a training is kept."""
    return FOLDER / f"{name}.jsonl.gz"


def records(name: str) -> Iterator[dict[str, Any]]:
    """Yield the readings of a recorded training."""
    with gzip.open(journal_of(name), "rt", encoding="utf8") as lines:
        for line in lines:
            yield json.loads(line)
