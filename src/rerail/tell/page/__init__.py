"""Pages that stand alone: one HTML file with its styles, charts and data, which loads nothing and shows text as text.

A page is a template that extends `base.html.jinja`. What users named reaches it through Jinja's escaping, or as JSON
in which no `<` is left; the policy in its head lets the browser run exactly the scripts that are in it, by their hash.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from rerail.core.extras import need
from rerail.tell.page import vega

__all__ = ["charting", "css", "packaged", "policy", "render", "replace"]


def render(package: str, template: str, *, scripts: Sequence[str] = (), **values: object) -> str:
    """Fill a template that lies in `package` (dotted name) and extends `base.html.jinja`; `scripts` run in order."""
    jinja2 = need("jinja2", extra="report")

    def loaded(name: str) -> str | None:
        return next((packaged(one, name) for one in (package, __name__) if _has(one, name)), None)

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(loaded), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    page: str = environment.get_template(template).render(
        values, css=css(), scripts=scripts, policy=policy(scripts), licence=vega.licence()
    )
    return page


def charting() -> tuple[str, ...]:
    """The scripts of a page with charts: the Vega bundle, and what draws the page's charts with it."""
    return vega.bundle(), packaged(__name__, "charts.js")


def css() -> str:
    """The styles that all pages share; colours are variables, for light and for dark."""
    return packaged(__name__, "page.css")


def policy(scripts: Sequence[str]) -> str:
    """The Content-Security-Policy of a page that runs these scripts and nothing else, and loads nothing."""
    allowed = " ".join(_hash(one) for one in scripts) or "'none'"
    return (
        "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
        f"script-src {allowed}; base-uri 'none'; form-action 'none'"
    )


def packaged(package: str, name: str) -> str:
    """The text of a file that lies beside a package's modules."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def replace(target: Path, page: str) -> Path:
    """Write beside the target, then rename: a reader sees the old page or the new one, never half of one."""
    draft = target.with_name(f".{target.stem}-{os.getpid()}.tmp")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _has(package: str, name: str) -> bool:
    return resources.files(package).joinpath(name).is_file()
