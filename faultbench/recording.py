"""The journals of the healthy controls, played once under the guard and kept, so that they can be judged for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from rich.progress import track

from faultbench.cell import Control
from faultbench.controls import CONTROLS
from faultbench.controls_fresh import FRESH
from faultbench.play import journalled
from rerail.tell.journal import NAME

EVERY = (*CONTROLS, *FRESH)
BY_NAME = {one.name: one for one in EVERY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One healthy control with one seed, and where its journal is or will be."""

    control: str
    seed: int
    kept_back: bool
    folder: Path

    @property
    def name(self) -> str:
        """Give the name for tables."""
        return f"{self.control}/{self.seed}"

    @property
    def there(self) -> bool:
        """Say whether it has been played to its end."""
        return (self.folder / NAME).exists()


def recordings(
    cache: Path, open_seeds: Sequence[int], kept_seeds: Sequence[int], controls: Sequence[Control] = EVERY
) -> Iterator[Recording]:
    """Name every control with every seed. Kept back are whole controls, and `kept_seeds` of all others."""
    for control in controls:
        for seed in (*open_seeds, *kept_seeds):
            kept = control.kept_back or seed in kept_seeds
            yield Recording(control=control.name, seed=seed, kept_back=kept, folder=cache / f"{control.name}-{seed}")


def record(one: Recording) -> Recording:
    """Play a control; its journal is moved to its place when it is whole."""
    torch.set_num_threads(1)
    one.folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=one.folder.parent, prefix="playing-") as beside:
        journalled(BY_NAME[one.control].build(one.seed), Path(beside) / "run")
        one.folder.mkdir(exist_ok=True)
        (Path(beside) / "run" / NAME).replace(one.folder / NAME)
    return one


def record_all(every: Sequence[Recording], workers: int, *, afresh: bool = False) -> None:
    """Play those that are not there yet, or all of them, some at a time."""
    missing = [one for one in every if afresh or not one.there]
    if not missing:
        return
    with ProcessPoolExecutor(workers) as pool:
        futures = [pool.submit(record, one) for one in missing]
        for done in track(as_completed(futures), description="healthy runs", total=len(futures)):
            done.result()
