"""The run on disk: its folder, what is saved there, and what a resume takes from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rerail.act.checkpoints import Checkpoints, load
from rerail.act.snapshots import Snapshot
from rerail.act.state import Parts, restore

JOURNAL, LOCK = "journal.jsonl", ".lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What a resume found: the committed steps, the loader's position, the guard's memory as plain data, and where.

    `damaged` are the complaints about newer checkpoints that could not be taken.
    """

    step: int
    position: Mapping[str, Any] | None
    memory: Mapping[str, Any]
    source: str
    damaged: Sequence[str] = ()


class Disk:
    """The checkpoints of one run, whose folder no other process may train in; `run=None` keeps nothing.

    Raises:
        ValueError: where another process does.
    """

    def __init__(self, run: Path | None, parts: Parts) -> None:
        self.run, self.parts = run, parts
        self._lock = None if run is None else _locked(run)
        self._checkpoints = None if run is None else Checkpoints(run / "checkpoints", parts.masks())

    @property
    def begun(self) -> bool:
        """Say whether a run has written here already."""
        return begun(self.run)

    def resume(self, resume: bool | str | Path) -> Resumed | None:  # noqa: FBT001 (True: the newest; a path: that one)
        """Put the parts back to a checkpoint; None where there is none.

        Raises:
            ValueError: for a checkpoint that is damaged, or of another model or optimizer.
        """
        found: tuple[Path, dict[str, Any], Sequence[str]] | None = None
        if not isinstance(resume, bool):
            found = Path(resume), load(Path(resume)), ()
        elif resume and self._checkpoints is not None:
            found = self._checkpoints.newest_sound()
        if found is None:
            return None
        source, saved, damaged = found
        self._take(source, saved)
        if self._checkpoints is not None and source.parent.resolve() == self._checkpoints.folder.resolve():
            self._checkpoints.abandon(after=saved["step"])
        return Resumed(
            step=saved["step"],
            position=saved["position"],
            memory=saved["memory"],
            source=source.name,
            damaged=tuple(damaged),
        )

    def save(self, snapshot: Snapshot, *, tick: int, memory: Mapping[str, Any]) -> Path | None:
        """Write a snapshot and the guard's memory as a checkpoint; return its folder.

        Raises:
            ValueError: for a state that is not finite.
            OSError: where the disk takes no more.
        """
        if self._checkpoints is None:
            return None
        about = {"step": snapshot.step, "tick": tick, "position": snapshot.position, "memory": memory}
        state = {**snapshot.state, **about, "kinds": self._kinds()}
        return self._checkpoints.save(state, step=snapshot.step, tick=tick, healthy=snapshot.healthy)

    def abandon(self, after: int) -> None:
        """Mark the checkpoints past step `after`, behind which the run went back."""
        if self._checkpoints is not None:
            self._checkpoints.abandon(after)

    def leave(self) -> None:
        """Let other processes train here."""
        if self._lock is not None:
            self._lock.release()

    def _take(self, source: Path, saved: Mapping[str, Any]) -> None:
        if saved["kinds"] != self._kinds():
            kinds = f"the checkpoint is of {saved['kinds']}, this run has {self._kinds()}"
            raise ValueError(f"{source}: {kinds}; use the same optimizers")
        try:
            restore(self.parts, saved)
        except (RuntimeError, KeyError) as error:  # what load_state_dict raises for names or shapes that differ
            lines = "\n  ".join(str(error).strip().splitlines()[:6])
            raise ValueError(f"{source} is of another model ({lines}); give the settings it was saved with") from error

    def _kinds(self) -> list[str]:
        return [type(one).__name__ for one in self.parts.optimizers]


def _locked(run: Path) -> FileLock:
    # One lock a process and folder, counted: who resumes a run of this very process is let in.
    run.mkdir(parents=True, exist_ok=True)
    lock = FileLock(run / LOCK, timeout=0, thread_local=False, is_singleton=True)
    try:
        lock.acquire()
    except Timeout:
        raise ValueError(f"{run}: another process trains there now; stop it first, or choose another folder") from None
    return lock


def set_aside(run: Path, to: Path) -> Path:
    """Rename a run's folder, of which nothing is lost, so that another can begin in its place; return the new name.

    Raises:
        ValueError: where a process trains in it.
    """
    lock = _locked(run)
    try:
        return run.rename(to)
    finally:
        lock.release()


def begun(run: Path | None) -> bool:
    """Say whether a run has written into this folder."""
    return run is not None and (run / JOURNAL).exists()


def claim(run: Path | None, *, resume: bool) -> None:
    """Refuse a folder that a new run cannot have.

    Raises:
        ValueError: where it holds a run and this is no resume, or where it cannot be a folder.
    """
    if run is None:
        return
    if begun(run) and not resume:
        raise ValueError(f"{run} already holds a run; choose another, or resume it (resume=True, --resume)")
    blocking = next((one for one in (run, *run.parents) if one.exists()), run)
    if blocking.exists() and not blocking.is_dir():
        raise ValueError(f"{run} cannot be a run's folder: {blocking} is a file; choose another")
