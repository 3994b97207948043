"""A comparison in a real browser: groups in their colours, the pointer reads each, nothing is complained about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chromium import CHROMIUM, Browser
from rerail.tell.compare import page
from written_runs import compared, falling, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on this machine"),
]
DRAWN = """(async () => {
  const plot = document.querySelector(".plot");
  plot.scrollIntoView({ behavior: "instant" });
  for (let i = 0; i < 1000 && !plot.querySelector("svg"); i++) await new Promise(done => setTimeout(done, 20));
  plot.focus();
  const strokes = [...plot.querySelectorAll("path")].map(one => getComputedStyle(one).stroke);
  const group = [...document.querySelectorAll(".groups b")].slice(0, 2).map(one => getComputedStyle(one).color);
  return { strokes, group, wide: document.documentElement.scrollWidth - innerWidth, hacked: window.hacked === true };
})()"""


def test_each_group_has_its_line_and_names_are_text(tmp_path: Path) -> None:
    hostile = "<img src=x onerror='hacked=true'>"
    made = [
        run(
            tmp_path / f"{lr}-{seed}",
            falling(lr + seed, signal=f"loss/{hostile}"),
            steps=80,
            lr=lr,
            seed=seed,
            name=hostile,
        )
        for lr in (1, 2)
        for seed in (0, 1)
    ]
    target = page.write(compared(made), tmp_path / "page.html")
    with Browser() as browser:
        opened = browser.open(target, width=420)
        seen = opened.run(DRAWN)
        opened.send("Input.dispatchKeyEvent", type="keyDown", key="Home")
        said = opened.run("document.querySelector('.hover').innerText")
    assert set(seen["group"]) <= set(seen["strokes"])
    assert len(set(seen["group"])) == 2
    assert seen["wide"] == 0
    assert not seen["hacked"]
    assert "group A" in said
    assert "group B" in said
    assert opened.complaints == []
