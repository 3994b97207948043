"""The live page in a real browser: what a person sees, without reloading, and that no name becomes an element."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from chromium import CHROMIUM, PATIENCE, Browser, Page
from live_run import NASTY, begin, intervene, reading
from rerail.requests import NAME as WISH
from rerail.serve import _bound, watched
from rerail.serve.access import Rules
from rerail.serve.app import application
from rerail.serve.watched import Watched
from rerail.tell.journal import Journal
from rerail.tell.secrets import Secret

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on this machine"),
]
TOKEN = "correct horse battery staple"  # noqa: S105 (made up)
SHOWN = NASTY.replace("\x1b", "\\x1b")
DRAWN = "document.querySelectorAll('.live .plot:not(.next) svg').length > {}"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with Browser() as browser:
        yield browser.open("about:blank", width=1200, height=1000)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, page: Page) -> Iterator[None]:
    monkeypatch.setattr(watched, "_LOOK_SECONDS", 0.0)
    yield
    go(page, "about:blank")
    page.complaints.clear()


@contextmanager
def serving(folder: Path, **rules: object) -> Iterator[str]:
    """The page on a free port."""
    with _bound("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        app = application(Watched(folder), Rules(port=port, **rules))  # type: ignore[arg-type]
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.should_exit = True
            thread.join(30)


def go(page: Page, address: str) -> None:
    origin = "/".join(address.split("/")[:3])
    page.send("Page.navigate", url=address)
    until(page, f"document.readyState === 'complete' && location.href.startsWith({json.dumps(origin)})")


def until(page: Page, script: str) -> None:
    """Wait until an expression is true; a page that is on its way to another one has none."""
    end = time.monotonic() + PATIENCE
    while not _holds(page, script):
        assert time.monotonic() < end, f"never: {script}; complaints: {page.complaints}; it shows: {text(page)}"
        time.sleep(0.05)


def _holds(page: Page, script: str) -> bool:
    try:
        return bool(page.run(script))
    except RuntimeError:
        return False


def text(page: Page) -> str:
    return str(page.run("document.body.innerText"))


def open_first(page: Page, address: str) -> None:
    go(page, address)
    until(page, "document.querySelectorAll('#runs tbody tr').length")
    page.run("document.querySelector('#runs a').click()")
    until(page, "location.pathname.startsWith('/run/') && document.querySelectorAll('#events li').length")


def test_a_run_is_shown_and_goes_on_without_reloading(runs: Path, page: Page) -> None:
    with serving(runs) as address:
        go(page, address)
        until(page, "document.querySelectorAll('#runs tbody tr').length")
        assert page.run("document.querySelectorAll('#runs .spark path').length") == 1
        listed = text(page)
        for part in ("first", "training", "61 / 200", "loss/total", "Saved artifacts/a.wav"):
            assert part in listed
        begin(runs / "second").close()
        until(page, "document.querySelectorAll('#runs tbody tr').length === 2")
        open_first(page, address)
        until(page, DRAWN.format(3))
        assert page.run("document.querySelectorAll('figure.chart').length") == 6
        assert page.run("document.querySelector('figure.chart h3').textContent") == "loss/total"
        page.run("window.same = true")
        for part in ("On held-out data: eval/mel 0.75", "SKIP at tick 40", "Bad data", "Cause", "A sentence, step 60"):
            assert part in text(page)
        until(page, "document.querySelector('#shown img').naturalWidth === 200")
        name = page.run("document.querySelector('#name').textContent")
        book = Journal(runs / name)
        reading(book, 62)
        intervene(book, 63)
        book.write("note", 63, text="said just now", data={})
        book.close()
        until(page, "document.body.innerText.includes('said just now')")
        until(page, "document.body.innerText.includes('SKIP at tick 63')")
        until(page, "document.querySelector('#step').textContent.includes('tick 63')")
        assert page.run("window.same")
        page.run("document.querySelector('#cases details summary').click()")
        until(page, "document.querySelector('#cases pre').textContent.includes('What was tried')")
        assert page.complaints == []


def test_the_charts_follow_the_run_in_light_and_in_dark(runs: Path, page: Page) -> None:
    colours = "['backgroundColor', 'color'].map(one => getComputedStyle(document.body)[one])"
    stroke = "getComputedStyle(document.querySelector('.live .mark-line path')).stroke"
    paths = "[...document.querySelectorAll('.live .mark-line path')].map(each => each.getAttribute('d')).join()"
    with serving(runs) as address:
        open_first(page, address)
        until(page, DRAWN.format(3))
        before = page.run(paths)
        book = Journal(runs / "first")
        reading(book, 62)
        book.close()
        until(page, f"{DRAWN.format(3)} && {paths} !== {json.dumps(before)}")
        assert page.run("[...document.querySelectorAll('.live')].every(each => each.children.length <= 2)")
        page.scheme(dark=False)
        light = page.run(colours), page.run(stroke)
        page.scheme(dark=True)
        dark = page.run(colours), page.run(stroke)
        page.scheme(dark=False)
    assert light == (["rgb(253, 253, 251)", "rgb(29, 35, 41)"], "rgb(31, 111, 235)")
    assert dark == (["rgb(18, 22, 27)", "rgb(226, 231, 236)"], "rgb(108, 176, 255)")


def test_hostile_names_are_text(tmp_path: Path, page: Page) -> None:
    folder = tmp_path / "runs"
    book = begin(folder / NASTY.replace("/", "|"), NASTY)
    book.write("note", 62, text=NASTY, data={NASTY: NASTY})
    book.write("note", 63, text="end", data={"reason": NASTY, "step": 61})
    book.close()
    with serving(folder) as address:
        go(page, address)
        until(page, "document.querySelectorAll('#runs tbody tr').length")
        assert SHOWN.replace("/", "|") in text(page)
        open_first(page, address)
        until(page, DRAWN.format(3))
        assert text(page).count(SHOWN) >= 8
        assert page.run("[...document.querySelectorAll('img')].every(each => !each.src.endsWith('/x'))")
        assert page.run("document.querySelectorAll('main script, header script, a[href^=javascript]').length") == 0
        assert "hacked" not in page.run("document.title.split('<')[0]")
        assert "\x1b" not in page.run("document.documentElement.outerHTML")
        assert page.complaints == []


def test_with_the_token_a_run_is_asked(runs: Path, page: Page) -> None:
    with serving(runs, token=Secret(TOKEN), control=True) as address:
        open_first(page, address)
        until(page, "document.querySelectorAll('#controls button').length === 2")
        press(page, "Pause", "not the token")
        until(page, "document.querySelector('#heard').textContent.includes('not the one')")
        assert not (runs / "first" / WISH).exists()
        press(page, "Pause", TOKEN)
        until(page, "document.querySelector('#heard').textContent.startsWith('Asked to pause')")
        assert json.loads((runs / "first" / WISH).read_text())["wish"] == "pause"
        book = Journal(runs / "first")
        book.write("note", 61, text="asked", data={"wish": "pause", "by": "page", "step": 61})
        until(page, "document.querySelector('#controls button').textContent === 'Resume'")
        assert "Paused: asked by page" in text(page)
        book.write("note", 61, text="end", data={"reason": "stopped", "step": 61})
        book.close()
        until(page, "document.querySelectorAll('#controls button').length === 0")
        assert TOKEN not in page.run("document.documentElement.outerHTML + location.href + document.cookie")


def press(page: Page, button: str, token: str) -> None:
    page.run(f"document.querySelector('#token').value = {json.dumps(token)}")
    page.run(
        f"[...document.querySelectorAll('#controls button')].find(each => each.textContent === '{button}').click()"
    )


def test_whoever_has_no_cookie_logs_in(runs: Path, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rules, "local", False)  # as from another machine
    with serving(runs, token=Secret(TOKEN)) as address:
        go(page, address)
        until(page, "location.pathname === '/login'")
        log_in(
            page, "wrong", lambda: until(page, "getComputedStyle(document.querySelector('#wrong')).display !== 'none'")
        )
        log_in(page, TOKEN, lambda: until(page, "document.querySelectorAll('#runs tbody tr').length"))
        assert page.run("document.cookie") == ""


def log_in(page: Page, token: str, then: Callable[[], object]) -> None:
    page.run(f"document.querySelector('#token').value = {json.dumps(token)}")
    page.run("document.querySelector('button').click()")
    then()


def test_the_report_opens_beside_the_page(runs: Path, page: Page) -> None:
    with serving(runs) as address:
        open_first(page, address)
        page.run("document.querySelector('#report').click()")
        until(page, "location.pathname.endsWith('/report') && document.body.innerText.includes('Interventions')")
        assert page.run("self.origin") == "null"
        assert page.complaints == []


def test_a_page_that_only_reads_has_no_buttons_and_tells_when_the_server_is_gone(runs: Path, page: Page) -> None:
    with serving(runs) as address:
        open_first(page, address)
        assert page.run("document.querySelectorAll('button, input').length") == 0
    until(page, "document.querySelector('#told').textContent.includes('does not answer')")


def test_a_narrow_screen_shows_long_names_whole(tmp_path: Path, page: Page) -> None:
    book = begin(tmp_path / "runs" / "first")
    reading(book, 62, "x" * 200, **{f"eval/{'y' * 200}": 0.5})
    book.close()
    try:
        page.send("Emulation.setDeviceMetricsOverride", width=320, height=800, deviceScaleFactor=1, mobile=False)
        with serving(tmp_path / "runs") as address:
            open_first(page, address)
            until(page, "document.getElementById('held').textContent.includes('yyy')")
            assert page.run("document.documentElement.scrollWidth") <= 320
    finally:
        page.send("Emulation.setDeviceMetricsOverride", width=1200, height=1000, deviceScaleFactor=1, mobile=False)
