from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from live_run import NASTY, begin, picture, reading
from rerail.requests import NAME as WISH
from rerail.serve import watched
from rerail.serve.access import Rules
from rerail.serve.app import application
from rerail.serve.watched import Watched
from rerail.tell.journal import Journal
from rerail.tell.secrets import Secret

TOKEN = "a token of \u00fcmlauts and 40 letters, no less"  # noqa: S105 (made up)
HERE = "http://127.0.0.1:8765"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(watched, "_READ_SECONDS", 30.0)


def client(folder: Path, *, control: bool = False, **rules: Any) -> TestClient:
    given = Rules(control=control, token=Secret(TOKEN) if control else None, **rules)
    return TestClient(application(Watched(folder), given), base_url=HERE, follow_redirects=False)


def key(asked: TestClient, name: str = "first") -> str:
    return next(str(one["key"]) for one in asked.get("/api/runs").json()["runs"] if one["name"] == name)


def test_the_list_says_where_each_run_stands(runs: Path) -> None:
    asked = client(runs)
    answer = asked.get("/api/runs").json()
    (run,) = answer["runs"]
    assert (answer["folder"], answer["control"], answer["left_out"]) == ("runs", False, 0)
    assert (run["name"], run["word"], run["step"], run["total"]) == ("first", "training", 61, 200)
    assert [name for name, _ in run["figures"]] == ["loss/total", "loss/mel"]
    assert len(run["spark"]) == 60
    assert run["event"] == "Saved artifacts/a.wav: A sentence."


def test_a_run_is_told_bit_by_bit(runs: Path) -> None:
    asked = client(runs)
    there = f"/api/run/{key(asked)}"
    first = asked.get(there).json()
    assert first["whole"]
    assert first["read"]
    assert len(first["signals"]["loss/mel"]) == 61
    assert first["signals"]["loss/mel"][39] == [40, None, None, None, 1]
    (case,) = first["interventions"]
    assert (case["tick"], case["move"], case["proved"]) == (40, "SKIP", True)
    book = Journal(runs / "first")
    reading(book, 62)
    book.close()
    second = asked.get(there, params={"since": first["cursor"]}).json()
    assert not second["whole"]
    assert [len(rows) for rows in second["signals"].values()] == [1] * 5
    assert second["events"] == []
    assert "interventions" not in second


def test_runs_come_and_go_while_they_are_looked_at(runs: Path) -> None:
    asked = client(runs)
    old = key(asked)
    begin(runs / "sweep" / "second").close()
    assert {one["name"] for one in asked.get("/api/runs").json()["runs"]} == {"first", "sweep/second"}
    shutil.rmtree(runs / "first")
    gone = asked.get(f"/api/run/{old}")
    assert (gone.status_code, gone.json()) == (404, {"problem": "this run is not there any more"})
    for path in ("explain?tick=1", "artifact/1", "report"):
        assert asked.get(f"/{'' if path == 'report' else 'api/'}run/{old}/{path}").status_code == 404
    assert [one["name"] for one in asked.get("/api/runs").json()["runs"]] == ["sweep/second"]
    shutil.rmtree(runs)
    assert asked.get("/api/runs").json()["runs"] == []


def test_a_journal_of_a_newer_format_is_told_and_stops_nothing(runs: Path) -> None:
    (runs / "newer").mkdir()
    (runs / "newer" / "journal.jsonl").write_text('{"v": 9}\n')
    asked = client(runs)
    rows = {one["name"]: one for one in asked.get("/api/runs").json()["runs"]}
    assert "update rerail" in rows["newer"]["problem"]
    assert rows["first"]["word"] == "training"
    answer = asked.get(f"/api/run/{rows['newer']['key']}")
    assert answer.status_code == 422
    assert "update rerail" in answer.json()["problem"]


def test_a_long_run_is_answered_in_bounded_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Journal(tmp_path / "long")
    for tick in range(6_000):
        book.write("reading", tick, values={"step": tick, "loss/total": 1.0, "lr": 0.1})
    book.close()
    monkeypatch.setattr(watched, "_READ_SECONDS", 0.05)
    asked = client(tmp_path)
    there, cursor, read, sizes = f"/api/run/{key(asked, 'long')}", "", False, []
    while not read:
        began = time.perf_counter()
        answer = asked.get(there, params={"since": cursor})
        sizes.append((len(answer.content), time.perf_counter() - began))
        cursor, read = answer.json()["cursor"], answer.json()["read"]
    assert answer.json()["state"]["tick"] == 5_999
    assert max(size for size, _ in sizes) < 300_000
    assert len(asked.get(there, params={"since": cursor}).content) < 3000


def test_pictures_and_sounds_are_served_by_number(runs: Path) -> None:
    asked = client(runs)
    there = f"/api/run/{key(asked)}"
    sound, shown = asked.get(there).json()["artifacts"]
    answer = asked.get(f"{there}/artifact/{shown['number']}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content == picture()
    part = asked.get(f"{there}/artifact/{sound['number']}", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")
    assert asked.get(f"{there}/artifact/99").status_code == 404


OUTSIDE = (
    "../../secret.png",
    "artifacts/../../../secret.png",
    "artifacts/link.png",
    "artifacts",
    "",
    "artifacts/gone.png",
    "\x00",
    "a" * 5000,
    "artifacts/ring/a.png",
)


@pytest.mark.parametrize("path", [*OUTSIDE, "{absolute}"])
def test_nothing_outside_the_run_is_served(runs: Path, path: str) -> None:
    secret = runs.parent / "secret.png"
    secret.write_bytes(b"secret")
    (runs / "first" / "artifacts" / "link.png").symlink_to(secret)
    (runs / "first" / "artifacts" / "ring").symlink_to("ring")
    book = Journal(runs / "first")
    book.write("artifact", 62, name="x", step=62, path=path.format(absolute=secret), media="image/png", caption="")
    book.close()
    asked = client(runs)
    there = f"/api/run/{key(asked)}"
    number = next(one["number"] for one in asked.get(there).json()["artifacts"] if one["name"] == "x")
    answer = asked.get(f"{there}/artifact/{number}")
    assert answer.status_code == 404
    assert str(runs.parent) not in answer.text


@pytest.mark.parametrize("media", ["text/html", "image/svg+xml", "application/json", "", NASTY])
def test_only_pictures_and_sounds_are_served(runs: Path, media: str) -> None:
    (runs / "first" / "artifacts" / "x.html").write_text("<script>alert(1)</script>")
    book = Journal(runs / "first")
    book.write("artifact", 62, name="x", step=62, path="artifacts/x.html", media=media, caption="")
    book.close()
    asked = client(runs)
    assert asked.get(f"/api/run/{key(asked)}").status_code == 200
    assert asked.get(f"/api/run/{key(asked)}/artifact/3").status_code == 404


ODD = (
    "/static/../app.py",
    "/static/%2e%2e/app.py",
    "/static/..%2fapp.py",
    "/run/..%2f..%2fetc/passwd/report",
    "//etc/passwd",
    "/api/run/../../etc",
)


@pytest.mark.parametrize(
    "address",
    [*ODD, "/journal.jsonl", "/first/journal.jsonl", "/api/run/first", "/static/live", "/api/run/x/artifact/-1"],
)
def test_no_address_leads_to_a_file(runs: Path, address: str) -> None:
    answer = client(runs).get(address)
    assert answer.status_code in {404, 405}
    assert set(answer.json()) == {"problem"}


def test_an_intervention_is_told_in_full(runs: Path) -> None:
    asked = client(runs)
    there = f"/api/run/{key(asked)}/explain"
    asked.get(f"/api/run/{key(asked)}")
    told = asked.get(there, params={"tick": "40"})
    assert told.headers["content-type"].startswith("text/plain")
    assert "What was tried" in told.text
    assert "did not step in at tick 7" in asked.get(there, params={"tick": "7"}).json()["problem"]
    assert asked.get(there, params={"tick": "'; drop"}).status_code == 422


def test_the_report_is_made_anew_without_writing_to_the_run(runs: Path) -> None:
    asked = client(runs)
    there = f"/run/{key(asked)}/report"
    before = sorted(path.name for path in (runs / "first").iterdir())
    page = asked.get(there)
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'")
    assert "first" in page.text
    assert asked.get(there).text == page.text
    assert sorted(path.name for path in (runs / "first").iterdir()) == before


def test_whatever_fails_is_said_without_where(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(f"{runs} broke")

    monkeypatch.setattr(Watched, "listed", fail)
    asked = TestClient(application(Watched(runs), Rules()), base_url=HERE, raise_server_exceptions=False)
    answer = asked.get("/api/runs")
    assert (answer.status_code, answer.json()) == (500, {"problem": "this failed; the terminal says why"})
    assert answer.headers["content-security-policy"]

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(runs))

    monkeypatch.setattr(Watched, "listed", refuse)
    assert asked.get("/api/runs").json() == {"problem": "it cannot be read: Permission denied"}


def test_a_wish_with_the_token_reaches_the_run(runs: Path) -> None:
    asked = client(runs, control=True)
    there = f"/api/run/{key(asked)}/request"
    given = {"wish": "pause", "token": TOKEN}
    assert asked.get("/api/runs").json()["control"]
    assert asked.post(there, json=given, headers={"Origin": HERE}).json() == {"asked": "pause"}
    left = json.loads((runs / "first" / WISH).read_text())
    assert (left["wish"], left["by"]) == ("pause", "page")
    answer = asked.post(there, json={"wish": "stop"}, headers={"Authorization": f"Bearer {TOKEN}".encode()})
    assert answer.json() == {"asked": "stop"}
    assert asked.post(there, json={**given, "wish": "explode"}).status_code == 422
    assert asked.post("/api/run/nothing/request", json=given).status_code == 404


REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"json": {"wish": "stop", "token": TOKEN[:-1]}}, 401),
    ({"json": {"wish": "stop", "token": ""}}, 401),
    ({"json": {"wish": "stop"}}, 401),
    ({"json": {"wish": "stop", "token": [TOKEN]}}, 401),
    ({"json": {"wish": "stop"}, "params": {"token": TOKEN}}, 401),  # never in an address, which is logged
    ({"json": [TOKEN]}, 401),
    ({"content": b"{"}, 400),
    ({"content": b"[" * 4000}, 400),
    ({"content": b"\xff\xfe"}, 400),
    ({"json": {"wish": "stop", "token": TOKEN, "more": "x" * 5000}}, 413),
    ({"json": {"wish": "stop", "token": TOKEN}, "headers": {"Origin": "http://evil.example"}}, 403),
    ({"json": {"wish": "stop", "token": TOKEN}, "headers": {"Origin": "null"}}, 403),
    ({"json": {"wish": "stop", "token": TOKEN}, "headers": {"Origin": "http://127.0.0.1:9999"}}, 403),
    ({"json": {"wish": "stop", "token": TOKEN}, "headers": {"Sec-Fetch-Site": "cross-site"}}, 403),
    ({"json": {"wish": "stop", "token": TOKEN}, "headers": {"Host": "evil.example:8765"}}, 421),
]


@pytest.mark.parametrize(("given", "status"), REFUSED)
def test_a_wish_without_all_that_it_takes_is_refused(runs: Path, given: dict[str, Any], status: int) -> None:
    asked = client(runs, control=True)
    answer = asked.post(f"/api/run/{key(asked)}/request", **given)
    assert answer.status_code == status
    assert answer.json()["problem"]
    assert TOKEN not in answer.text
    assert not (runs / "first" / WISH).exists()


def test_a_page_that_only_reads_refuses_even_the_token(runs: Path) -> None:
    asked = TestClient(application(Watched(runs), Rules(token=Secret(TOKEN))), base_url=HERE)
    answer = asked.post(f"/api/run/{key(asked)}/request", json={"wish": "stop", "token": TOKEN})
    assert (answer.status_code, answer.json()["problem"][:20]) == (403, "this page only reads")
    assert asked.get(f"/api/run/{key(asked)}/request").status_code == 405
    assert not (runs / "first" / WISH).exists()


def test_hostile_names_are_data(tmp_path: Path) -> None:
    begin(tmp_path / "runs" / NASTY.replace("/", "|"), NASTY).close()
    asked = client(tmp_path / "runs")
    (run,) = asked.get("/api/runs").json()["runs"]
    assert "\x1b" not in run["name"]
    for page in ("/", f"/run/{run['key']}"):
        assert "onerror" not in asked.get(page).text
    answer = asked.get(f"/api/run/{run['key']}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
