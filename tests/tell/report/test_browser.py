"""The report in a real browser: headless Chromium loads it, and says what it saw and what it complained about."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from rerail.tell import report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on this machine"),
]
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--v=0",
    "--virtual-time-budget=10000",
    "--dump-dom",
]
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
PROBE = """<script>
addEventListener("load", async () => {
  const all = selector => [...document.querySelectorAll(selector)];
  await Promise.all(all("audio").map(each => each.readyState >= 1 ? 0 : new Promise(done => {
    each.addEventListener("loadedmetadata", done); each.addEventListener("error", done); })));
  document.title = JSON.stringify({
    widths: all("img").map(each => each.naturalWidth), seconds: all("audio").map(each => each.duration),
    charts: all("svg").map(each => each.getBoundingClientRect().height), text: document.body.innerText,
    wide: document.documentElement.scrollWidth - innerWidth, hacked: window.hacked === true,
    named: all("svg, img, audio").every(each => each.closest("[aria-label]") || each.alt),
    ids: all("[id]").map(each => each.id), headings: all("h1, h2, h3").map(each => each.tagName) });
});</script></body>"""


def browse(page: Path, profile: Path) -> tuple[str, list[str]]:
    """The page's DOM after loading, and every line that it wrote to the browser's console."""
    command = [str(CHROMIUM), *QUIET, f"--user-data-dir={profile}", page.resolve().as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def facts(page: Path, folder: Path) -> dict[str, Any]:
    """What a script in a copy of the page finds there; the policy that forbids scripts is left out of the copy."""
    copy = folder / "probed.html"
    copy.write_text(POLICY.sub("", page.read_text("utf-8")).replace("</body>", PROBE), encoding="utf-8")
    dom, complaints = browse(copy, folder / "profile")
    assert not complaints
    title = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert title
    return json.loads(html.unescape(title.group(1)))


def test_a_realistic_report_loads_without_a_complaint(realistic_run: Path, tmp_path: Path) -> None:
    dom, complaints = browse(report.write(realistic_run), tmp_path)
    assert complaints == []
    assert "Interventions" in dom


def test_an_error_on_the_console_would_be_noticed(realistic_run: Path, tmp_path: Path) -> None:
    page = POLICY.sub("", report.write(realistic_run).read_text("utf-8"))
    copy = tmp_path / "bad.html"
    copy.write_text(page.replace("</body>", "<script>console.error('planted')</script></body>"), encoding="utf-8")
    _, complaints = browse(copy, tmp_path / "profile")
    assert any("planted" in line for line in complaints)


def test_the_page_refuses_to_run_or_load_anything(realistic_run: Path, tmp_path: Path) -> None:
    planted = "<script>document.title = 'ran'</script><img src='https://example.org/x.png'></body>"
    copy = tmp_path / "planted.html"
    copy.write_text(report.write(realistic_run).read_text("utf-8").replace("</body>", planted), encoding="utf-8")
    dom, complaints = browse(copy, tmp_path / "profile")
    assert "<title>ran" not in dom
    assert len(complaints) >= 2


def test_pictures_sounds_and_charts_are_there(realistic_run: Path, tmp_path: Path) -> None:
    seen = facts(report.write(realistic_run), tmp_path)
    assert len(seen["widths"]) == 3
    assert all(width > 0 for width in seen["widths"])
    assert seen["seconds"] == [pytest.approx(1.0)]
    assert len(seen["charts"]) >= 11
    assert seen["named"]
    assert seen["wide"] <= 0
    assert len(seen["ids"]) == len(set(seen["ids"]))
    assert seen["headings"][0] == "H1"


NASTY = (
    "<script>window.hacked=true</script></script><b onclick='x'>[red]bold[/red] \x1b[31mred\x1b[0m \"$x$\" {{ 7*7 }}"
)


def test_hostile_names_are_shown_as_text(
    journal: Callable[..., Path], make: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    shown = NASTY.replace("\x1b", "\\x1b")
    seen = facts(report.write(journal(hostile(make))), tmp_path)
    assert not seen["hacked"]
    assert seen["text"].count(shown) >= 25


def hostile(make: Callable[..., dict[str, Any]]) -> list[dict[str, Any]]:
    """A run in which everything that users can name has a hostile name."""
    knobs = {"lr_scale": 0.1, "clip_norm": "inf", "precision": NASTY, "weights": {NASTY: 2.0}}
    saw = {"code": NASTY, "signal": f"loss/{NASTY}", "evidence": {NASTY: "nan"}}
    did = {"move": "SKIP", "step_before": 1, "step_after": 1, "ids": [NASTY[:79]], "again": 0}
    medians = {f"loss/{NASTY}": 1.0}
    made = {"name": NASTY, "node": NASTY, "module": NASTY, "line": NASTY, "dtype": NASTY, "low": NASTY, "high": 1.0}
    proof = {"operation": made, "explanation": {"why": NASTY, "fix": NASTY}}
    values = {"step": 1, f"loss/{NASTY}": 1.0, f"eval/{NASTY}": "inf", f"grad/norm/{NASTY}": 2.0}
    path = {"name": NASTY, "path": NASTY, "media": "image/png", "caption": NASTY, "step": 1}
    return [
        make("note", 0, text="start", data={"config": {NASTY: NASTY}, "environment": {NASTY: [NASTY]}}),
        *(make("reading", tick, values=values) for tick in range(1, 4)),
        make("verdict", 3, move="SKIP", knobs=knobs, findings=[saw]),
        make("remedy", 3, code=NASTY, signal=NASTY, rung=0, move="SKIP", knobs=knobs, hold=4, ramp=4),
        make("trial", 3, number=1, changed={NASTY: NASTY}, healthy=False, error=NASTY, values=medians, cost=1),
        make("cause", 3, cause=NASTY, component=NASTY, samples=[NASTY[:79]], why=[NASTY], **proof),
        make("remedy", 3, code=NASTY, signal=NASTY, proved=True, move=NASTY, knobs=knobs),
        make("outcome", 3, of=3, did=did),
        make("outcome", 4, of=3, after=1, before=medians, now=medians, recovered=False),
        make("artifact", 4, **path),
        make("artifact", 4, **(path | {"media": NASTY})),
        make("note", 3, text="evidence kept", data={"path": NASTY}),
        make("note", 4, text="quarantined", data={"ids": [NASTY]}),
        make("note", 4, text=NASTY, data={NASTY: NASTY}),
        make("note", 4, text="end", data={"reason": NASTY, "step": 1}),
    ]
