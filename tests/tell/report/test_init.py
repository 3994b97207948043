from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from rerail.tell import page, report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., dict[str, Any]]
    Journal = Callable[..., Path]


class Text(HTMLParser):
    """The visible text and the tags of a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.text, self.tags = "", list[str]()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, _: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_tells_every_fault_of_a_realistic_run(realistic_run: Path) -> None:
    told = Text(report.write(realistic_run))
    for sentence in (
        "The guard stepped in 3 times: it skipped 2 updates and went back to a healthy snapshot once",
        "loss/energy is not finite (inf)",
        "went back from step 178 to step 150; batch of a, b; 28 batches trained again",
        "learning rate x0.1, gradient norm clipped at 0.5 for 40 ticks, then back over 40",
        "Causes proved: bad data once, half precision once.",
        "Bad data (component mel, sample vm-corrupted)",
        "Proved: leave out row 1 and put its sample in quarantine.",
        "vm-corrupted left out, the rest of the batch tried again",
        "train.py:41: energy = torch.exp(score)",
        "-3.2 to 14.7, result in float16",
        "How to mend it: Clamp the exponent.",
        "seconds a step: 0.31 before, 0.3 now",
        "Samples in quarantine",
        "optimizer.lr",
        "2.13.0",
    ):
        assert sentence in told.text
    assert told.tags.count("img") == 3
    assert told.tags.count("audio") == 1


def test_the_page_stands_alone_and_is_accessible(realistic_run: Path) -> None:
    text = report.write(realistic_run).read_text("utf-8")
    assert text.lstrip().startswith("<!DOCTYPE html>")
    assert '<html lang="en">' in text
    own = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert text.count("<script>") == 3
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)|url\((?!#)|@import""", own)
    assert own.count("<table") == own.count("<caption>") == 8
    assert not re.search(r"<th(?! scope=)[ >]", text)
    assert not re.search(r"<img(?![^>]* alt=)", own)
    assert "Redistribution and use in source and binary forms" in own
    assert len(own) < 500_000


def test_the_same_journal_gives_the_same_page(realistic_run: Path) -> None:
    assert report.write(realistic_run).read_bytes() == report.write(realistic_run).read_bytes()


@pytest.mark.parametrize("readings", [0, 1])
def test_a_run_that_ended_early_has_a_page(journal: Journal, make: Make, readings: int) -> None:
    records = [make("note", 0, text="start", data={})]
    records += [make("reading", tick, values={"step": tick, "loss/total": 1.0}) for tick in range(readings)]
    told = Text(report.write(journal(records)))
    assert "There were none." in told.text
    assert ("No reading was written" in told.text) == (readings == 0)


def test_an_empty_journal_has_a_page(journal: Journal) -> None:
    assert "unknown time" in Text(report.write(journal([]))).text


def test_a_torn_last_line_is_left_out(journal: Journal, make: Make) -> None:
    folder = journal([make("reading", 1, values={"step": 1, "loss/total": 1.25})])
    with (folder / "journal.jsonl").open("a") as file:
        file.write('{"v": 1, "kind": "reading", "tick": 2, "val')
    assert "1.25" in Text(report.write(folder)).text


def test_a_missing_artifact_is_said(journal: Journal, make: Make) -> None:
    lost = make("artifact", 1, name="x", path="artifacts/x.png", media="image/png", caption="X", step=1)
    told = Text(report.write(journal([lost])))
    assert "artifacts/x.png is missing: the journal names it, but the file is not there" in told.text
    assert "img" not in told.tags


def test_many_interventions_are_cut_and_counted(journal: Journal, make: Make) -> None:
    records = [make("verdict", tick, move="SKIP", findings=[]) for tick in range(600)]
    records += [make("reading", 600, values={"step": 0, "loss/total": 1.0})]
    assert "100 more are left out here" in Text(report.write(journal(records))).text


def test_many_notes_are_cut_and_counted(journal: Journal, make: Make) -> None:
    notes = [make("note", number, text="torn line", data={"where": f"line {number}"}) for number in range(3000)]
    page = report.write(journal(notes))
    shown = Text(page).text
    assert "2800 older ones are left out here" in shown
    assert "line 2999" in shown
    assert "line 2799" not in shown


def test_a_long_run_stays_small(journal: Journal, make: Make) -> None:
    records = [
        make("reading", tick, values={"step": tick, "loss/total": 2.0 + (tick * 7919 % 101) / 100})
        for tick in range(30_000)
    ]
    assert report.write(journal(records)).stat().st_size < 1_100_000


def test_a_folder_without_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"got .*nothing.* holds no journal\.jsonl; give the folder of a run"):
        report.write(tmp_path / "nothing")


def test_the_page_goes_where_it_is_asked_for(journal: Journal, make: Make, tmp_path: Path) -> None:
    folder = journal([make("note", 0, text="start", data={})])
    assert report.write(folder, tmp_path / "elsewhere.html") == tmp_path / "elsewhere.html"
    assert not (folder / "report.html").exists()


def test_what_the_notifier_did_is_told(journal: Journal, make: Make) -> None:
    folder = journal([make("note", 0, text="start", data={})])
    (folder / "notify").mkdir()
    told = make("note", 3, text="sent", data={"to": "<b>telegram</b>"})
    (folder / "notify" / "journal.jsonl").write_text(json.dumps(told) + "\n")
    told = Text(report.write(folder)).text
    assert "Told to people" in told
    assert "sent (to <b>telegram</b>)" in told


def contrast(one: str, other: str) -> float:
    """By WCAG 2.2: of relative luminances."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_has_enough_contrast_in_light_and_in_dark(scheme: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", page.css(), re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", blocks[scheme]))
    texts = ("ink", "muted", "line", "SKIP", "REWIND", "HALT", "COMMIT", "good")
    low = {
        (text, ground): round(contrast(colours[text], colours[ground]), 2)
        for text in texts
        for ground in ("paper", "card")
        if contrast(colours[text], colours[ground]) < 4.5
    }
    assert low == {}
