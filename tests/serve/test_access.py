from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rerail.serve.access import Rules
from rerail.serve.app import application
from rerail.serve.watched import Watched
from rerail.tell.secrets import Secret

TOKEN = "correct horse battery staple"  # noqa: S105 (made up)


def client(folder: Path, base: str = "http://127.0.0.1:8765", **rules: Any) -> TestClient:
    return TestClient(application(Watched(folder), Rules(**rules)), base_url=base, follow_redirects=False)


def far(folder: Path, **rules: Any) -> TestClient:
    """A client on another machine."""
    return client(folder, "http://192.0.2.7:8765", host="0.0.0.0", token=Secret(TOKEN), **rules)  # noqa: S104 (that is the point)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST", "[::1]:8765", "127.9.9.9"])
def test_this_machine_is_answered_by_its_own_names(runs: Path, host: str) -> None:
    assert client(runs).get("/api/runs", headers={"Host": host}).status_code == 200


ODD = (
    "evil.example",
    "evil.example:8765",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "192.0.2.7",
    "",
    "[",
    "\u00e9",
    "a@localhost:x",
)


@pytest.mark.parametrize("host", ODD)
def test_a_name_of_others_that_points_here_is_not(runs: Path, host: str) -> None:
    answer = client(runs).get("/api/runs", headers={"Host": host.encode()})
    assert answer.status_code == 421
    assert "open http://127.0.0.1:8765/" in answer.json()["problem"]


def test_every_answer_keeps_browsers_honest(runs: Path) -> None:
    asked = client(runs)
    for address in ("/", "/api/runs", "/static/live.js", "/nowhere", "/login"):
        headers = asked.get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert not [name for name in headers if name.startswith("access-control")]
    assert asked.get("/api/runs").headers["cache-control"] == "no-store"
    assert asked.options("/api/runs", headers={"Origin": "http://evil.example"}).status_code == 403


def test_from_another_machine_nothing_is_read_without_the_token(runs: Path) -> None:
    asked = far(runs)
    for address in ("/api/runs", "/api/run/x", "/api/run/x/artifact/1", "/api/run/x/explain"):
        assert asked.get(address).status_code == 401
    for address in ("/", "/run/x", "/run/x/report", "/nowhere"):
        answer = asked.get(address)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert asked.get("/login").status_code == 200
    assert asked.get("/static/page.css").status_code == 200


def test_the_token_in_a_header_reads(runs: Path) -> None:
    asked = far(runs)
    assert asked.get("/api/runs", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    for wrong in (f"Bearer {TOKEN}x", "Bearer", f"Basic {TOKEN}", TOKEN, "Bearer \u00e9"):
        assert asked.get("/api/runs", headers={"Authorization": wrong.encode()}).status_code == 401
    assert asked.get("/api/runs", params={"token": TOKEN}).status_code == 401


def test_a_login_gives_a_cookie_that_scripts_and_other_pages_do_not_get(runs: Path) -> None:
    asked = far(runs)
    wrong = asked.post("/login", data={"token": "wrong"})
    assert wrong.headers["location"] == "/login#wrong"
    assert "set-cookie" not in wrong.headers
    right = asked.post("/login", data={"token": TOKEN})
    assert (right.status_code, right.headers["location"]) == (303, "/")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "correct" not in cookie
    assert asked.get("/api/runs").status_code == 200
    asked.cookies.set("rerail-8765", "x" * 43)
    asked.cookies.delete("rerail-8765")
    assert asked.get("/api/runs", headers={"Cookie": "rerail-8765=guess; \x00=[;"}).status_code == 401


def test_the_cookie_reads_and_asks_nothing(runs: Path) -> None:
    asked = far(runs, control=True)
    asked.post("/login", data={"token": TOKEN})
    key = asked.get("/api/runs").json()["runs"][0]["key"]
    assert asked.post(f"/api/run/{key}/request", json={"wish": "stop"}).status_code == 401
    assert asked.post(f"/api/run/{key}/request", json={"wish": "stop", "token": TOKEN}).status_code == 200


def test_another_page_cannot_log_somebody_in(runs: Path) -> None:
    answer = far(runs).post("/login", data={"token": TOKEN}, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403


def test_from_afar_addresses_and_own_names_are_answered(runs: Path) -> None:
    asked = far(runs)
    for host in ("192.0.2.7:8765", "[2001:db8::1]:8765", f"{socket.gethostname()}:8765"):
        assert asked.get("/api/runs", headers={"Host": host}).status_code == 401
    assert asked.get("/api/runs", headers={"Host": "evil.example:8765"}).status_code == 421


def test_no_rule_shows_its_secrets() -> None:
    assert TOKEN not in repr(Rules(token=Secret(TOKEN)))
    assert "session" not in repr(Rules())


@pytest.mark.parametrize("other", ['view={"a": 1}', "a b", 'x="y', "list=a, b@c"])
def test_a_cookie_of_another_program_on_this_machine_locks_nobody_out(runs: Path, other: str) -> None:
    asked = far(runs)
    given = asked.post("/login", data={"token": TOKEN}).headers["set-cookie"].partition(";")[0]
    asked.cookies.clear()
    assert asked.get("/api/runs", headers={"Cookie": f"{other}; {given}"}).status_code == 200
    assert asked.get("/api/runs", headers={"Cookie": f"{other}; rerail-8765=x"}).status_code == 401
