"""Who may ask what: the rules of a page that stands on a port, in front of everything that it answers.

Other pages in the same browser are no friends: a name that points at this machine (DNS rebinding), a form that posts
here, a frame around the page are all refused. What is asked of a run needs the token itself, each time.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rerail.tell import fields
from rerail.tell.secrets import Secret

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser would not say either that a form is our own
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::\d{1,5})?", re.ASCII)
_OPEN = ("/login", "/static/")  # what whoever is to log in must see


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Where the page stands, and what it takes to read and to ask. `control` needs a token."""

    host: str = "127.0.0.1"
    port: int = 8765
    token: Secret | None = None
    control: bool = False
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def local(self) -> bool:
        """Whether only this machine reaches the page; then reading is free."""
        return _loopback(self.host)

    @property
    def cookie(self) -> str:
        """The name of the cookie, which browsers share between all ports."""
        return f"rerail-{self.port}"

    def knows(self, host: str) -> bool:
        """Whether this is a name of ours. A name of somebody else's that points here has no business here."""
        name = _hostname(host)
        if self.local:
            return name == "localhost" or _loopback(name)
        return _address(name) or name in {self.host.lower(), "localhost", *_own_names()}

    def token_fits(self, given: str) -> bool:
        """Whether this is the token; the time that it takes says nothing about it."""
        return self.token is not None and secrets.compare_digest(given.encode(), self.token.reveal().encode())

    def reads(self, headers: Headers) -> bool:
        """Whether whoever sent these may read."""
        return self.local or self.token_fits(bearer(headers)) or self._logged_in(headers)

    def _logged_in(self, headers: Headers) -> bool:
        # Programs on other ports of this machine share its cookies; one that is written oddly must not hide ours
        given = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        return secrets.compare_digest(given.encode(), self.session.encode())


class Guarded:
    """An application behind the rules; every answer has the headers that keep browsers honest."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            answer: ASGIApp = self._refusal(scope["method"], scope["path"], Headers(scope=scope)) or self._app
            await answer(scope, receive, _with_headers(send))

    def _refusal(self, method: str, path: str, headers: Headers) -> Response | None:
        rules, host = self._rules, headers.get("host", "")
        if not rules.knows(host):
            there = f"http://{'127.0.0.1' if rules.local else 'ADDRESS-OF-THIS-MACHINE'}:{rules.port}/"
            told = f"this page answers to its own names only; got {fields.plain(host, 80)}; open {there}"
            return problem(HTTPStatus.MISDIRECTED_REQUEST, told)
        if method not in ("GET", "HEAD") and not _same_origin(headers, host):
            return problem(HTTPStatus.FORBIDDEN, "this was sent by another page; use the buttons of this one")
        if not rules.reads(headers) and not path.startswith(_OPEN):
            if path.startswith("/api/") or method == "POST":
                return problem(HTTPStatus.UNAUTHORIZED, "reading needs the token; open the page and log in")
            return RedirectResponse("/login", HTTPStatus.SEE_OTHER)
        return None


def problem(status: HTTPStatus, told: str) -> Response:
    """An answer that says what is wrong, as JSON for scripts and people alike."""
    return JSONResponse({"problem": told}, status)


def bearer(headers: Headers) -> str:
    """The token that was sent in the header; empty without one."""
    kind, _, given = headers.get("authorization", "").partition(" ")
    sent = given.strip().encode("latin-1").decode("utf-8", "replace")  # headers are read as Latin-1
    return sent if kind.lower() == "bearer" else ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _same_origin(headers: Headers, host: str) -> bool:
    origin = headers.get("origin")  # browsers send it with every POST; what sends none is no browser
    site = headers.get("sec-fetch-site", "same-origin")
    return site in ("same-origin", "none") and (origin is None or urlsplit(origin).netloc == host)


def _hostname(host: str) -> str:
    found = _HOST.fullmatch(host)
    return "" if found is None else (found[1] or found[2]).lower()


def _loopback(name: str) -> bool:
    return name == "localhost" or (_address(name) and ipaddress.ip_address(name).is_loopback)


def _address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _own_names() -> set[str]:
    own = socket.gethostname().lower()
    return {own, own.partition(".")[0]}
