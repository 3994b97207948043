"""Vega-Lite for pages: the bundle of its scripts, made once for this version and kept."""

from __future__ import annotations

import os
from functools import cache
from importlib import resources
from pathlib import Path

from rerail.core.extras import need

_FORBIDDEN = ("</script", "<!--", "<script", "\r")  # inside a script element these would end it or change its hash


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
    kept = _folder() / f"vega-{library.__version__}.js"
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    made: str = library.javascript_bundle()
    _keep(kept, made)
    return made


def _folder() -> Path:
    return Path(os.environ.get("RERAIL_CACHE") or Path.home() / ".cache" / "rerail")


def _keep(kept: Path, made: str) -> None:
    draft = kept.with_name(f".{kept.name}.{os.getpid()}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(made, encoding="utf-8")
        draft.replace(kept)
    except OSError:  # a home that cannot be written costs the next page some seconds, and is no reason to have no page
        draft.unlink(missing_ok=True)
