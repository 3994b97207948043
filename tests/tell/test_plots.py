from __future__ import annotations

import math
from io import BytesIO

import pytest
from PIL import Image

import told_runs as runs
from rerail.tell import plots, story

HOSTILE = "$\\frac{1}$ <b> \x1b[31m \u202e\n한국어"


def size(png: bytes) -> tuple[int, int]:
    image = Image.open(BytesIO(png))
    image.verify()
    assert image.format == "PNG"
    return image.size


def colours(png: bytes) -> set[tuple[int, ...]]:
    image = Image.open(BytesIO(png)).convert("RGB")
    return {colour for _, colour in image.getcolors(1 << 24) or []}


def test_losses_and_held_out_metrics_are_two_panels_of_one_picture() -> None:
    run = story.gather(runs.recorded("demo"), name="demo")
    both, losses = plots.plot(run), plots.plot(run, ["loss/mel"])
    assert size(both)[0] == size(losses)[0] == 900
    assert size(both)[1] > size(losses)[1]
    assert (31, 119, 180) in colours(losses)


def test_interventions_are_marked() -> None:
    readings = [runs.reading(tick, tick - 1) for tick in range(1, 30)]
    plain = colours(plots.plot(story.gather(readings, name="a")))
    halted = colours(plots.plot(story.gather([*readings, *runs.halt(30, 28)], name="a")))
    red = (214, 39, 40)
    assert red not in plain
    assert red in halted


def test_names_are_drawn_as_they_are_and_what_is_not_finite_is_a_gap() -> None:
    values = {f"loss/{HOSTILE}": 1.0, f"eval/{HOSTILE}": math.inf, "loss/b": math.nan, "_odd": 3.0}
    run = story.gather([runs.reading(tick, tick - 1, **values) for tick in range(1, 5)], name=HOSTILE)
    assert size(plots.plot(run, ["_odd", f"loss/{HOSTILE}", f"eval/{HOSTILE}", "loss/b"]))


def test_a_long_run_is_thinned_and_stays_small() -> None:
    values = {f"loss/{number}": 1.0 for number in range(2)}
    run = story.gather((runs.reading(tick, tick - 1, **values) for tick in range(1, 5001)), name="long")
    assert len(plots.plot(run)) < 200_000


def test_a_step_that_was_run_again_counts_as_it_was_in_the_end() -> None:
    first = [runs.reading(tick, tick - 1, loss__mel=1000.0) for tick in range(1, 9)]
    again = [runs.reading(8 + tick, tick - 1) for tick in range(1, 9)]
    assert plots.plot(story.gather([*first, *again], name="a")) == plots.plot(story.gather(again, name="a"))


def test_signals_that_there_are_not_are_refused_by_name() -> None:
    run = story.gather([runs.reading(1, 0)], name="a")
    with pytest.raises(ValueError, match=r"plot draws signals of a run; got los/mel; give some of: loss/mel"):
        plots.plot(run, ["los/mel"])
    with pytest.raises(ValueError, match="nothing was read yet; wait for its first steps"):
        plots.plot(story.gather([], name="a"))
