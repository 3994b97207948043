from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rerail.tell import story
from rerail.tell.report import panels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Make = Callable[..., dict[str, Any]]


def titles(records: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    sections = panels.sections(story.gather(records, name="x"))
    return {section.title: [panel.title for panel in section.panels] for section in sections}


def test_signals_find_their_section_with_the_total_first(make: Make) -> None:
    values = {"step": 1, "loss/a": 1.0, "loss/total": 1.0, "eval/mel": 1.0, "grad/norm": 1.0, "grad/norm/a": 1.0}
    values |= {"grad/zero": 0.1, "update/ratio": 1.0, "update/ratio/a": 1.0, "lr": 0.1}
    assert titles([make("reading", 1, values=values)]) == {
        "Losses": ["loss/total", "loss/a"],
        "Gradients and updates": ["grad/norm", "update/ratio", "grad/norm/a", "update/ratio/a", "grad/zero"],
        "Held-out metrics": ["eval/mel"],
        "Knobs over time": [],
        "Other readings": ["lr"],
    }


def test_only_knobs_that_moved_are_drawn(make: Make) -> None:
    knobs = {"lr_scale": 0.1, "clip_norm": "inf", "precision": "float32", "weights": {"attention": 2.0, "still": 1.0}}
    records = [make("reading", tick, values={"step": tick}) for tick in (1, 2, 3)]
    records.insert(2, make("verdict", 2, move="COMMIT", knobs=knobs, findings=[]))
    section = panels.sections(story.gather(records, name="x"))[3]
    said = {panel.title: panel.description for panel in section.panels}
    assert said == {
        "learning rate factor": "away from neutral at 1 tick, at 0.1",
        "precision": "away from neutral at 1 tick: float32",
        "weight of attention": "away from neutral at 1 tick, at 2",
    }


def test_precision_as_the_run_has_it_is_no_move(make: Make) -> None:
    knobs = {"lr_scale": 0.1, "clip_norm": "inf", "precision": "AS_RUN", "weights": {}}
    records = [make("reading", tick, values={"step": tick}) for tick in (1, 2, 3)]
    records.insert(2, make("verdict", 2, move="COMMIT", knobs=knobs, findings=[]))
    assert titles(records)["Knobs over time"] == ["learning rate factor"]


def test_a_description_says_what_the_chart_shows(make: Make) -> None:
    records = [make("reading", tick, values={"loss/a": value}) for tick, value in enumerate([2.0, "nan", 0.5])]
    section = panels.sections(story.gather(records, name="x"))[0]
    assert section.panels[0].description == "from 2 to 0.5, between 0.5 and 2, 1 value not finite"


def test_too_many_signals_are_counted_not_drawn(make: Make) -> None:
    values = {f"weight/norm/{index}": 1.0 for index in range(30)}
    section = panels.sections(story.gather([make("reading", 1, values=values)], name="x"))[-1]
    assert (len(section.panels), section.left_out) == (24, 6)


def test_marks_carry_the_numbers_of_the_table(make: Make) -> None:
    knobs: dict[str, Any] = {}
    records = [make("verdict", tick, move=move, knobs=knobs, findings=[]) for tick, move in ((5, "SKIP"), (9, "ODD"))]
    marks = panels.marks(story.gather(records, name="x"))
    assert [(mark.tick, mark.move, mark.number) for mark in marks] == [(5, "SKIP", 1), (9, "HALT", 2)]
    assert marks[1].text == "ODD"


def test_the_page_knows_every_step_from_few_pairs(make: Make) -> None:
    steps = [1, 2, 2, 3, 4, 1, 2]
    records = [make("reading", tick, values={"step": step}) for tick, step in enumerate(steps, start=1)]
    assert panels.shared(story.gather(records, name="x"))["runs"] == {"step": [(1, 0), (3, -1), (6, -5)]}


@pytest.mark.parametrize(("signals", "limit"), [(2, 2000), (60, 1000)])
def test_a_page_of_many_curves_draws_fewer_points_of_each(make: Make, signals: int, limit: int) -> None:
    values = {f"loss/{one}": 1.0 for one in range(signals)}
    records = [make("reading", tick, values=values | {"loss/0": tick % 7}) for tick in range(1200)]
    losses = panels.sections(story.gather(records, name="x"))[0].panels
    assert len(losses[0].data["points"]["value"]) == pytest.approx(min(1200, limit), rel=0.25)


def test_a_knob_that_rests_needs_two_points(make: Make) -> None:
    knobs = {"lr_scale": 0.1, "clip_norm": "inf", "precision": "AS_RUN", "weights": {}}
    records: list[dict[str, Any]] = []
    for tick in range(1, 900):
        records += [make("reading", tick, values={"step": tick})]
        records += [make("verdict", tick, move="COMMIT", knobs=knobs, findings=[])]
    (panel,) = panels.sections(story.gather(records, name="x"))[3].panels
    assert panel.data["points"] == {"tick": [1, 899], "value": [0.1, 0.1]}
