from __future__ import annotations

import torch
from faultbench.rivals.everyone import RULES, rivals
from faultbench.rivals.plain import RIVALS
from faultbench.rivals.rival import Played, played

from small_run import small, sound

NOTHING, CLIP, SKIP = RIVALS


def test_nothing_trains_on_into_nan() -> None:
    run = small(nan_at=[10])
    assert NOTHING.play(run) == Played()
    assert not sound(run)


def test_skipping_loses_one_step() -> None:
    run = small(nan_at=[10])
    assert SKIP.play(run) == Played(detections=(10,), wasted=1)
    assert sound(run)


def test_clipping_moves_less() -> None:
    free, held = small(steps=1), small(steps=1)
    start = free.model.state_dict()["weight"].clone()
    NOTHING.play(free)
    CLIP.play(held)
    moved = [(run.model.state_dict()["weight"] - start).norm() for run in (free, held)]
    assert moved[1] < 0.5 * moved[0]


def test_an_exception_is_the_rivals_result() -> None:
    run = small()
    run.model.register_forward_pre_hook(_fail)
    assert played(NOTHING, run) == Played(stopped=True, error="RuntimeError: no such layer")


def _fail(*_: object) -> None:
    raise RuntimeError("no such layer")


def test_rules_need_no_package_and_passive_ones_change_nothing() -> None:
    rules = [one for one in rivals()[0] if not one.needs]
    assert len(rules) > len(RULES)
    plain = small()
    NOTHING.play(plain)
    for rival in rules:
        run = small()
        assert not played(rival, run).error, rival.name
        if rival.passive:
            assert torch.equal(run.model.state_dict()["weight"], plain.model.state_dict()["weight"]), rival.name
