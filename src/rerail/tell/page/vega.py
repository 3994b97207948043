"""Vega-Lite for pages: the bundle of its scripts, made once for this version and kept."""

from __future__ import annotations

import contextlib
import os
import threading
from functools import cache
from importlib import resources
from pathlib import Path

from rerail.core.extras import need

_FORBIDDEN = ("</script", "<!--", "<script", "\r")  # inside a script element these would end it or change its hash
_WHOLE = "// all of it"  # its last line, by which half a file is known


@cache
def bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that defines `vegaEmbed`, under their licences.

    Raises:
        ModuleNotFoundError: naming what to install.
        ValueError: where the bundle could not stand inside a page.
    """
    need("vl_convert", extra="report")
    script = f"/*!\n{licence()}*/\n{_made()}"
    if odd := [one for one in _FORBIDDEN if one in script.lower()]:
        raise ValueError(f"the Vega bundle holds {odd}, which a page cannot carry; install another vl-convert-python")
    return script


def licence() -> str:
    """The licences under which the bundle is passed on."""
    return resources.files(__package__).joinpath("vega-licence.txt").read_text(encoding="utf-8")


def _made() -> str:
    """Making it takes seconds, so that it is kept where `RERAIL_CACHE` says, or in `~/.cache/rerail`."""
    library = need("vl_convert", extra="report")
    folder = _folder()
    kept = None if folder is None else folder / f"vega-{library.__version__}.js"
    if kept is not None and (script := _read(kept)):
        return script
    made = f"{library.javascript_bundle()}\n{_WHOLE}\n"
    if kept is not None:
        _keep(kept, made)
    return made


def _folder() -> Path | None:
    try:
        return Path(os.environ.get("RERAIL_CACHE") or Path.home() / ".cache" / "rerail")
    except RuntimeError:  # whoever has no home keeps none
        return None


def _read(kept: Path) -> str:
    """What was kept; nothing where there is none, where it cannot be read, or where a crash left a part of it."""
    try:
        script = kept.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return script if script.endswith(f"{_WHOLE}\n") else ""


def _keep(kept: Path, made: str) -> None:
    draft = kept.with_name(f".{kept.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(made, encoding="utf-8")
        draft.replace(kept)
    except OSError:  # a home that cannot be written costs the next page some seconds, and is no reason to have no page
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
