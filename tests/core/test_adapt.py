from __future__ import annotations

import math

import pytest

from rerail.core.adapt import pays, proposal
from rerail.core.detectors import Adapted
from rerail.core.detectors.adapted import LEVELS, adapted_ladder
from rerail.core.reading import Reading
from rerail.core.verdict import Plan, advance, start


@pytest.mark.parametrize(
    ("norms", "expected"),
    [
        ({"mel": 1.0, "kl": 1.0, "stop": 1.0}, None),
        ({"mel": 1.0, "kl": 1.9, "stop": 0.6}, None),
        ({"mel": 1.0, "kl": 9.0, "stop": 0.3}, ("kl", -1)),
        ({"mel": 1.0, "kl": 3.0, "stop": 0.01}, ("stop", 1)),
        ({"mel": 1.0, "kl": 0.0, "stop": math.nan}, None),
        ({"mel": math.nan, "kl": 9.0}, None),
        ({"kl": 9.0}, None),
    ],
)
def test_the_component_farthest_from_the_anchor_is_tried(
    norms: dict[str, float], expected: tuple[str, int] | None
) -> None:
    assert proposal(norms, ("kl", "stop"), "mel") == expected


def test_a_move_that_was_tried_in_vain_leaves_the_turn_to_the_next() -> None:
    norms = {"mel": 1.0, "kl": 9.0, "stop": 0.2}
    assert proposal(norms, ("kl", "stop"), "mel", {("kl", -1)}) == ("stop", 1)
    assert proposal(norms, ("kl", "stop"), "mel", {("kl", -1), ("stop", 1)}) is None


@pytest.mark.parametrize(
    ("tried", "own", "paid"),
    [(0.9, 1.0, True), (0.999, 1.0, False), (1.1, 1.0, False), (math.nan, 1.0, False), (0.5, math.nan, False)],
)
def test_a_trial_pays_only_where_its_metric_is_clearly_better(tried: float, own: float, paid: bool) -> None:  # noqa: FBT001
    assert pays(tried, own) is paid


PLAN = Plan(
    detectors=(Adapted(component="kl"), Adapted(component="stop")),
    ladders={"weight.kl": adapted_ladder("kl"), "weight.stop": adapted_ladder("stop")},
)


def test_weights_move_by_levels_within_their_bounds_and_each_by_itself() -> None:
    memory, seen = start(PLAN), []
    trials = [{"adapt/kl": 1.0}] * 3 + [{}] + [{"adapt/stop": -1.0}] + [{"adapt/kl": -1.0}] * 6
    for values in trials:
        memory, verdict = advance(PLAN, memory, Reading(tick=memory.tick + 1, values=values))
        assert verdict.move.name == "COMMIT"
        weights = memory.knobs().weights
        seen.append((round(weights.get("kl", 1.0), 2), round(weights.get("stop", 1.0), 2)))
    assert seen[:5] == [(1.41, 1.0), (2.0, 1.0), (2.0, 1.0), (2.0, 1.0), (2.0, 0.71)]
    assert seen[5:] == [(1.41, 0.71), (1.0, 0.71), (0.71, 0.71), (0.5, 0.71), (0.5, 0.71), (0.5, 0.71)]
    assert (min(LEVELS), max(LEVELS)) == (pytest.approx(0.5), pytest.approx(2.0))
