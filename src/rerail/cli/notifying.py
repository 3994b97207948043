"""`--notify [FILE]`: what is wrong with it is said before anything is trained; then a supervisor is started."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rerail.supervise import config, spawn
from rerail.supervise.services import refuse_unready
from rerail.tell import printed

Tell = Callable[[Path], str]  # a run's folder -> why nobody can be told of it, empty where somebody is
FLAG: dict[str, Any] = {
    "type": str,
    "nargs": "?",
    "const": "",
    "default": None,
    "help": "tell people of the run, as this file says (rerail notify init); without FILE: as the usual one does",
}


def told(given: str | None, *, must: bool = True) -> Tell | None:
    """Return what starts to tell of a run; None where nobody asked, or, unless it must, where nobody is set up.

    Raises:
        ValueError: for settings that are wrong, or secrets that cannot be read.
        ModuleNotFoundError: where the libraries are not installed.
    """
    if given is None:
        return None
    try:
        found = config.find(given)
    except ValueError as error:
        if must:
            raise
        printed.text(str(error))
        return None
    refuse_unready(config.load(found))
    return partial(spawn, config=found)
