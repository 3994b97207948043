"""What the page asks for: the list of runs, one run bit by bit, its pictures and sounds, its report, a wish."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from rerail.requests import ask
from rerail.serve.access import Guarded, Rules, bearer, problem
from rerail.serve.reports import Reports
from rerail.serve.watched import Watched, readable
from rerail.tell import fields, page
from rerail.tell.artifacts import inside

_GONE = "this run is not there any more"
_BODY = 4096  # bytes of a POST; a token and a wish take less
_MEDIA = frozenset(
    {*(f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp"))}
    | {*(f"audio/{kind}" for kind in ("wav", "x-wav", "mpeg", "ogg", "flac"))}
)
_STATIC = {
    **dict.fromkeys(("list.js", "run.js", "live.js"), "text/javascript"),
    "live.css": "text/css",
    "icon.svg": "image/svg+xml",
}
_KEPT = {"Cache-Control": "private, max-age=3600"}
_REPORT = (  # a file of its own, which says by hashes which scripts it runs; here it reaches nothing of this page
    "sandbox allow-scripts; default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def application(watched: Watched, rules: Rules) -> ASGIApp:
    """The whole page, behind its rules."""
    site = _Site(watched, rules)
    routes = [
        Route("/", _shell("list.html")),
        Route("/run/{key}", _shell("run.html")),
        Route("/run/{key}/report", site.report),
        Route("/login", _shell("login.html")),
        Route("/login", site.login, methods=["POST"]),
        Route("/static/{name}", _static),
        Route("/api/runs", site.runs),
        Route("/api/run/{key}", site.run),
        Route("/api/run/{key}/explain", site.explain),
        Route("/api/run/{key}/artifact/{number:int}", site.artifact),
        Route("/api/run/{key}/request", site.request, methods=["POST"]),
    ]
    told: Mapping[Any, Callable[[Request, Any], Response]] = {
        HTTPException: lambda _, error: problem(HTTPStatus(error.status_code), HTTPStatus(error.status_code).phrase),
        ValueError: lambda _, error: problem(HTTPStatus.UNPROCESSABLE_ENTITY, readable(error)),
        OSError: lambda _, error: problem(HTTPStatus.SERVICE_UNAVAILABLE, readable(error)),
        Exception: lambda *_: problem(HTTPStatus.INTERNAL_SERVER_ERROR, "this failed; the terminal says why"),
    }
    return Guarded(Starlette(routes=routes, exception_handlers=told), rules)


class _Site:
    """Answers; those without `async` run beside the loop, because they read files."""

    def __init__(self, watched: Watched, rules: Rules) -> None:
        self._watched, self._rules = watched, rules
        self._reports = Reports()

    def runs(self, _: Request) -> Response:
        """All runs."""
        name = fields.plain(self._watched.folder.resolve().name or "/")
        return _json({"folder": name, "control": self._rules.control, **self._watched.listed()})

    def run(self, request: Request) -> Response:
        """What is new of one run."""
        answer = self._watched.answer(_key(request), request.query_params.get("since", ""))
        return _missing() if answer is None else _json({"control": self._rules.control, **answer})

    def explain(self, request: Request) -> Response:
        """An intervention in full, as text."""
        run, tick = self._watched.follow(_key(request)), request.query_params.get("tick", "")
        if run is None:
            return _missing()
        if not tick.isdecimal() or len(tick) > 15:  # noqa: PLR2004 (digits; no run has so many ticks)
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "an intervention is named by its tick")
        return PlainTextResponse(run.explained(int(tick)))

    def artifact(self, request: Request) -> Response:
        """A picture or sound, if the journal names it, it lies in the run's folder, and it is one."""
        run = self._watched.follow(_key(request))
        shown = None if run is None else run.artifact(request.path_params["number"])
        if run is None or shown is None or shown.media not in _MEDIA:
            return _missing("there is no such picture or sound")
        file = inside(run.folder, shown.path)
        if file is None or not file.is_file():
            return _missing("the journal names it, but it is not in the folder of the run")
        return FileResponse(file, media_type=shown.media, headers=_KEPT)

    def report(self, request: Request) -> Response:
        """The report of a run as it stands now; nothing is written."""
        found = self._watched.found(_key(request))
        if found is None:
            return _missing()
        return HTMLResponse(self._reports.page(found.folder), headers={"Content-Security-Policy": _REPORT})

    async def request(self, request: Request) -> Response:
        """Ask something of a run, with the token."""
        if not self._rules.control:
            return problem(HTTPStatus.FORBIDDEN, "this page only reads; start it with --allow-control and --token")
        given = await _body(request)
        token = bearer(request.headers) or given.get("token", "")
        if not self._rules.token_fits(token):
            return problem(HTTPStatus.UNAUTHORIZED, "the token is not the one that --token names; nothing was asked")
        found = await run_in_threadpool(self._watched.found, _key(request))
        if found is None:
            return _missing()
        asked = await run_in_threadpool(ask, found.folder, given.get("wish", ""), "page")
        return _json({"asked": asked.wish})

    async def login(self, request: Request) -> Response:
        """Give a cookie for the token."""
        given = await _body(request)
        if not self._rules.token_fits(given.get("token", "")):
            return RedirectResponse("/login#wrong", HTTPStatus.SEE_OTHER)
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        answer.set_cookie(self._rules.cookie, self._rules.session, httponly=True, samesite="strict")
        return answer


def _shell(name: str) -> Callable[[Request], Response]:
    """A page without any data: scripts put that in as text."""

    def answer(_: Request) -> Response:
        return HTMLResponse(page.packaged(f"{__package__}.static", name))

    return answer


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name == "page.css":
        return Response(page.css(), media_type="text/css")
    if name == "charts.js":
        bundle, charts = page.charting()
        return Response(f"{bundle}\n{charts}", media_type="text/javascript", headers=_KEPT)
    if name not in _STATIC:
        return _missing("there is no such file")
    return Response(page.packaged(f"{__package__}.static", name), media_type=_STATIC[name])


async def _body(request: Request) -> dict[str, str]:
    """The fields of a small POST, as JSON or as a form; whatever else it holds is left out."""
    raw = b""
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > _BODY:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except ClientDisconnect:  # whoever left half way is told nothing, and the terminal neither
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {name: values[-1] for name, values in parse_qs(raw.decode("utf8", "replace")).items()}
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    return {name: value for name, value in given.items() if isinstance(value, str)} if isinstance(given, dict) else {}


def _key(request: Request) -> str:
    return str(request.path_params["key"])


def _json(answer: Mapping[str, Any]) -> Response:
    return JSONResponse(answer)


def _missing(told: str = _GONE) -> Response:
    return problem(HTTPStatus.NOT_FOUND, told)
