"""What is known of a corpus beside its clips: its name, source, licence and credit, in a `corpus.yaml` beside them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path

import yaml

NAME = "corpus.yaml"
PAPERS = ("LICENSE", "CREDITS.md", "COPYING", "LICENSE.txt", "README", "README.md")  # go along with every copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Where a corpus comes from, and under which terms; empty where nobody said."""

    name: str = ""
    source: str = ""
    licence: str = ""
    credit: str = ""
    changes: str = ""

    def write(self, folder: Path) -> None:
        """Write `corpus.yaml`."""
        content = yaml.safe_dump(asdict(self), allow_unicode=True, sort_keys=False, width=110)
        (folder / NAME).write_text(content, encoding="utf8")


def read(folder: Path) -> Facts:
    """Read `corpus.yaml`; without one nothing is known but the folder's name.

    Raises:
        ValueError: for a file of another form.
    """
    path = folder / NAME
    if not path.is_file():
        return Facts(name=folder.resolve().name)
    try:
        given = yaml.safe_load(path.read_text(encoding="utf8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not valid YAML: {error}; mend or remove it") from error
    known = [one.name for one in fields(Facts)]
    if not isinstance(given, dict) or (odd := sorted(set(given) - set(known))):
        got = f"unknown {', '.join(map(str, odd))}" if isinstance(given, dict) else type(given).__name__
        raise ValueError(f"{path}: {got}; known: {', '.join(known)}")
    return Facts(**{name: str(value or "") for name, value in given.items()})
