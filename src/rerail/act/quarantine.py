"""Samples that are kept out of training, with the reason: one JSON line each in `quarantine.jsonl`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "quarantine.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A sample in quarantine, since which tick and why."""

    id: str
    tick: int = 0
    reason: str = ""


class Quarantine:
    """The quarantined sample ids of one run; `path=None` keeps them in memory only.

    Where the disk takes no more, `trouble` says so until it does.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.trouble: dict[str, str] = {}
        self._unwritten: list[Kept] = []
        self.kept = [_parse(line, path) for line in _sound(path)] if path is not None else []
        self.ids = {one.id for one in self.kept}

    def add(self, ids: Iterable[str], *, tick: int, reason: str) -> list[str]:
        """Put samples in quarantine; return those that were not there yet."""
        new = sorted(set(ids) - self.ids)
        added = [Kept(id=one, tick=tick, reason=reason) for one in new]
        self.kept += added
        self.ids |= set(new)
        if new and self.path is not None:
            self._unwritten += added
            try:
                self._write(self.path)
            except OSError as error:  # a full disk ends no run
                self.trouble = {"not_written": str(error)}
        return new

    def _write(self, path: Path) -> None:
        if path.exists() and _torn(path):
            _replace(path, _sound(path))
        with path.open("a", encoding="utf8") as file:
            file.writelines(json.dumps(asdict(one)) + "\n" for one in self._unwritten)
        self.trouble, self._unwritten = {}, []

    def release(self, ids: Iterable[str]) -> None:
        """Let samples in again; the file is replaced at once or not at all, and its other lines stay as they are.

        Raises:
            ValueError: naming every id that is not in quarantine; then nothing is changed.
        """
        freed = set(ids)
        if unknown := sorted(freed - self.ids):
            known = ", ".join(sorted(self.ids)) or "no sample at all"
            raise ValueError(f"not in quarantine: {', '.join(unknown)}; it holds: {known}")
        if self.path is not None and freed:
            _replace(self.path, [line for line in _sound(self.path) if _parse(line, self.path).id not in freed])
        self.kept = [one for one in self.kept if one.id not in freed]
        self.ids -= freed


def _sound(path: Path) -> list[str]:
    lines = _lines(path)
    if lines and _torn(path) and not _whole(lines[-1]):  # killed inside the last line: only that one is lost
        lines.pop()
    return lines


def _lines(path: Path) -> list[str]:
    # Split at line feeds alone: an id may hold any other separator.
    try:
        return [line for line in path.read_text(encoding="utf8").split("\n") if line] if path.exists() else []
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8, got {error}; mend it, or delete it") from error


def _torn(path: Path) -> bool:
    return not path.read_bytes().endswith(b"\n")


def _whole(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _parse(line: str, path: Path) -> Kept:
    try:
        given = json.loads(line)
        return Kept(id=str(given["id"]), tick=given.get("tick", 0), reason=given.get("reason", ""))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path}: expected lines with an id, a tick and a reason, got {line[:80]!r}; mend it, or delete it"
        ) from error


def _replace(path: Path, lines: list[str]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
