"""Services that a run is shown in beside the console: their flags, and the listeners that these ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from rerail.core.extras import need
from rerail.tell.journal import Listener
from rerail.tell.mlflow import MLflow
from rerail.tell.tensorboard import TensorBoard
from rerail.tell.wandb import WeightsAndBiases


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A service: what its flag asks for, the library (and extra) it needs, its listener for a value and a run."""

    help: str
    library: str
    listener: Callable[[str, Path], Listener]


OUTLETS = {
    "tensorboard_dir": Outlet(
        help='folder to write for TensorBoard, beside the run (pip install "rerail[tensorboard]")',
        library="tensorboard",
        listener=lambda folder, run: TensorBoard(Path(folder), run=run),
    ),
    "wandb": Outlet(
        help='project of Weights & Biases to log to, with its own login and settings (pip install "rerail[wandb]")',
        library="wandb",
        listener=lambda project, run: WeightsAndBiases(project, run=run),
    ),
    "mlflow": Outlet(
        help='experiment of MLflow to log to, at MLFLOW_TRACKING_URI (pip install "rerail[mlflow]")',
        library="mlflow",
        listener=lambda experiment, run: MLflow(experiment, run=run),
    ),
}


def flags() -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """Return a flag for each service: its spelling, and what the parser is told of it."""
    return [
        ((f"--{name.replace('_', '-')}",), {"type": str, "default": "", "help": one.help})
        for name, one in OUTLETS.items()
    ]


def refuse_missing(given: Namespace) -> None:
    """Refuse services whose library is not there.

    Raises:
        ModuleNotFoundError: naming the command that installs it.
    """
    for name, one in OUTLETS.items():
        if given[name]:
            need(one.library, extra=one.library)


def listeners(given: Namespace, run: Path) -> list[Listener]:
    """Return the listeners that were asked for."""
    return [one.listener(given[name], run) for name, one in OUTLETS.items() if given[name]]
