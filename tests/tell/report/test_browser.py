"""The report in a real browser: it draws its charts under its own policy, answers pointer and keys, and shows text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chromium import CHROMIUM, Browser
from rerail.tell import report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from chromium import Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on this machine"),
]
ALL = "const all = selector => [...document.querySelectorAll(selector)];"
UNTIL = """const until = async test => {
  for (let i = 0; i < 1000 && !test(); i++) await new Promise(done => setTimeout(done, 20));
};"""
DRAWN = """all("details").forEach(each => { each.open = true; });
for (const plot of all(".plot")) {
  plot.scrollIntoView({ behavior: 'instant' });
  await until(() => plot.querySelector("svg"));
}
scrollTo(0, 0);"""
SEEN = """await Promise.all(all("audio").map(each => each.readyState >= 1 ? 0 : new Promise(done => {
  each.addEventListener("loadedmetadata", done); each.addEventListener("error", done); })));
return {
  charts: all(".plot").map(each => each.querySelector("svg")?.getBoundingClientRect().height ?? 0),
  widths: all("img").map(each => each.naturalWidth), seconds: all("audio").map(each => each.duration),
  named: all(".plot, img, audio, input, nav, [role=group], [role=region]").every(each =>
    each.closest("[aria-label], label") || each.alt),
  ids: all("[id]").map(each => each.id), headings: all("h1, h2, h3").map(each => Number(each.tagName[1])),
  links: all('a[href^="#"]').every(each => document.getElementById(each.getAttribute("href").slice(1))),
};"""
SAID = 'all(".hover:not([hidden]) p").map(each => each.textContent)'


def run(page: Page, *script: str) -> Any:
    return page.run(f"(async () => {{ {ALL}\n{UNTIL}\n{' '.join(script)} }})()")


def said(page: Page) -> list[str]:
    """The lines beside the pointer."""
    return run(page, f"return {SAID};")


def press(page: Page, key: str) -> str:
    for kind in ("keyDown", "keyUp"):
        page.send("Input.dispatchKeyEvent", type=kind, key=key)
    return said(page)[0]


def place(page: Page, selector: str, number: int = 0) -> tuple[float, float]:
    """The middle of an element in the view."""
    found = f"const one = all({selector!r})[{number}]; one.scrollIntoView({{block: 'center', behavior: 'instant'}});"
    middle = "const at = one.getBoundingClientRect(); return [at.x + at.width / 2, at.y + at.height / 2];"
    across, down = run(page, found, middle)
    return across, down


def move(page: Page, across: float, down: float) -> list[str]:
    page.send("Input.dispatchMouseEvent", type="mouseMoved", x=across, y=down)
    return said(page)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as started:
        yield started


@pytest.fixture(scope="module")
def opened(browser: Browser, realistic_run: Path) -> Page:
    """A realistic report, as it is when it has just been opened."""
    return browser.open(report.write(realistic_run))


@pytest.fixture(scope="module")
def page(opened: Page) -> Page:
    """The same, after a reader has seen all of it."""
    run(opened, DRAWN)
    return opened


def test_charts_are_drawn_when_they_come_into_view(opened: Page) -> None:
    assert run(opened, "await until(() => all('.plot svg').length); return all('.plot svg').length;") in range(1, 8)
    run(opened, DRAWN)
    seen = run(opened, SEEN)
    assert len(seen["charts"]) >= 14
    assert min(seen["charts"]) > 50
    assert opened.complaints == []


def test_pictures_and_sounds_are_there_and_everything_is_named(page: Page) -> None:
    seen = run(page, SEEN)
    assert len(seen["widths"]) == 3
    assert all(width > 0 for width in seen["widths"])
    assert seen["seconds"] == [pytest.approx(1.0)]
    assert seen["named"]
    assert seen["links"]
    assert len(seen["ids"]) == len(set(seen["ids"]))
    assert seen["headings"][0] == 1
    assert all(after - before <= 1 for before, after in zip(seen["headings"], seen["headings"][1:], strict=False))


def test_the_pointer_reads_tick_step_value_and_what_happened(page: Page) -> None:
    spike = move(page, *place(page, ".plot .mark-rule.role-mark line", 1))
    assert spike == [
        "tick 180, loss/total 62.1",
        "step 178",
        "No. 2: REWIND, loss/mel jumped far above its usual range",
    ]
    lost = move(page, *place(page, ".plot .mark-rule.role-mark line", 0))
    assert "not finite at tick 61" in lost
    assert "No. 1: SKIP, loss/mel is not finite" in lost
    assert move(page, 1, 1) == []


def test_the_keyboard_reads_too(page: Page) -> None:
    run(page, "all('.plot')[0].focus();")
    places = [press(page, key).partition(",")[0] for key in ("Home", "ArrowRight", "End")]
    assert places == ["tick 1", "tick 2", "tick 431"]


def test_a_rule_leads_to_its_intervention(page: Page) -> None:
    across, down = place(page, ".plot .mark-rule.role-mark line", 1)
    for kind in ("mousePressed", "mouseReleased"):
        page.send("Input.dispatchMouseEvent", type=kind, x=across, y=down, button="left", clickCount=1)
    assert (
        run(page, "await until(() => document.activeElement.id); return document.activeElement.id;") == "intervention-2"
    )


def test_ctrl_and_the_wheel_zoom_and_the_wheel_alone_scrolls(page: Page) -> None:
    ticks = "return all('.plot')[0].querySelector('.role-axis-label').textContent;"
    across, down = place(page, ".plot")
    before = run(page, ticks)
    page.send("Input.dispatchMouseEvent", type="mouseWheel", x=across, y=down, deltaX=0, deltaY=-5)
    assert run(page, ticks) == before
    page.send("Input.dispatchMouseEvent", type="mouseWheel", x=across, y=down, deltaX=0, deltaY=-400, modifiers=2)
    assert (
        run(page, f"const now = () => {{ {ticks} }}; await until(() => now() !== {before!r}); return now();") != before
    )


def test_the_slider_shows_one_picture_the_newest_first(page: Page) -> None:
    state = """const range = all("input[type=range]")[0];
      return [range.getAttribute("aria-valuetext"), all(".strip img").map(each => each.offsetWidth > 0)];"""
    assert run(page, state) == ["step 399", [False, False, True]]
    run(page, "all('input[type=range]')[0].focus();")
    for kind in ("keyDown", "keyUp"):
        page.send("Input.dispatchKeyEvent", type=kind, key="Home", code="Home", windowsVirtualKeyCode=36)
    assert run(page, state) == ["step 109", [True, False, False]]


def test_a_phone_in_the_dark(browser: Browser, realistic_run: Path) -> None:
    page = browser.open(report.write(realistic_run), width=320, dark=True)
    run(page, DRAWN)
    line = "getComputedStyle(all('.plot .mark-line path')[0]).stroke"
    assert run(page, f"return [document.documentElement.scrollWidth, {line}];") == [320, "rgb(108, 176, 255)"]
    page.scheme(dark=False)
    assert run(page, f"return {line};") == "rgb(31, 111, 235)"
    assert page.complaints == []
    page.close()


def test_the_page_refuses_to_run_or_load_anything_else(browser: Browser, realistic_run: Path, tmp_path: Path) -> None:
    planted = "<script>document.title = 'ran'</script><img src='https://example.org/x.png'></body>"
    copy = tmp_path / "planted.html"
    copy.write_text(
        report.write(realistic_run).read_text("utf-8").replace("</body>\n</html>", planted), encoding="utf-8"
    )
    page = browser.open(copy)
    assert page.run("document.title") != "ran"
    assert sum("Content Security Policy" in line for line in page.complaints) == 2
    page.close()


NASTY = (
    "<script>window.hacked=true</script></script><b onclick='x'>[red]bold[/red] \x1b[31mred\x1b[0m \"$x$\" {{ 7*7 }}"
)


def test_hostile_names_are_shown_as_text(
    browser: Browser, journal: Callable[..., Path], make: Callable[..., dict[str, Any]]
) -> None:
    shown = NASTY.replace("\x1b", "\\x1b")
    page = browser.open(report.write(journal(hostile(make))))
    run(page, DRAWN)
    assert run(page, "return [window.hacked === true, all('b, img[src=\"x\"]').length];") == [False, 0]
    assert page.run("document.body.innerText").count(shown) >= 25
    read = move(page, *place(page, ".plot .mark-rule.role-mark line"))
    assert any(line.endswith(f"loss/{shown} 1") for line in read)
    assert any(f"{shown} was found in" in line for line in read)
    axes = "return all('.plot text').map(each => each.textContent);"
    assert any(text.startswith(shown[:8]) for text in run(page, axes))
    assert page.complaints == []


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
