"""Settings by name: YAML files that stand before `--config` and before what is typed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Presets:
    """The YAML files of a folder, by their names; `flag` is what names one on the command line."""

    folder: Path
    flag: str

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(sorted(path.stem for path in self.folder.glob("*.yaml")))

    def path(self, name: str) -> Path:
        """Return the file of a preset.

        Raises:
            ValueError: for a name that is none.
        """
        if name not in self.names:
            raise ValueError(f"{self.flag}: there is no {name!r}; known: {', '.join(self.names)}")
        return self.folder / f"{name}.yaml"

    def values(self, name: str) -> dict[str, Any]:
        """Return the settings of a preset."""
        given: dict[str, Any] = yaml.safe_load(self.path(name).read_text(encoding="utf8"))
        return given
