from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rerail.tell.latest import Latest

if TYPE_CHECKING:
    from collections.abc import Callable


def test_knobs_are_neutral_again_after_a_reading_interval_without_verdict(make: Callable[..., dict[str, Any]]) -> None:
    latest = Latest()
    latest.update(make("reading", 10, values={"step": 10}))
    latest.update(make("verdict", 10, move="COMMIT", knobs={"lr_scale": 0.1}, findings=[]))
    latest.update(make("reading", 11, values={"step": 11}))
    assert latest.knobs == {"lr_scale": 0.1}
    latest.update(make("reading", 12, values={"step": 12}))
    assert latest.knobs == {}


def test_where_the_run_is(make: Callable[..., dict[str, Any]]) -> None:
    latest = Latest()
    latest.update(make("note", 0, text="start"))
    assert latest.where() == "tick 0"
    latest.update(make("reading", 63, values={"step": 61, "loss/total": "nan"}))
    latest.update(make("outcome", 63, of=63, did={}))
    assert latest.where() == "tick 63, step 61"
    assert math.isnan(latest.values["loss/total"])
