"""Settings by name: YAML files that stand before `--config` and before what is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ULTRA_SAFE = "ultra-safe"
NAMES = tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.yaml")))


def path(name: str) -> Path:
    """Return the file of a preset.

    Raises:
        ValueError: for a name that is none.
    """
    if name not in NAMES:
        raise ValueError(f"--preset: there is no {name!r}; known: {', '.join(NAMES)}")
    return Path(__file__).parent / f"{name}.yaml"


def values(name: str) -> dict[str, Any]:
    """Return the settings of a preset."""
    given: dict[str, Any] = yaml.safe_load(path(name).read_text(encoding="utf8"))
    return given
