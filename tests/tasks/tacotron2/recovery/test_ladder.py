from __future__ import annotations

import math
from dataclasses import replace

from rerail.core.damage import Damage
from rerail.core.knobs import Precision
from rerail.tasks.tacotron2.presets import PRESETS
from rerail.tasks.tacotron2.recovery import ladder
from rerail.tasks.tacotron2.recovery.decide import Looked, Source
from rerail.tasks.tacotron2.recovery.ladder import Candidate, Own, candidates

OWN = Own(lr=1e-3, clip_norm=1.0, precision="fp16", batch_size=16, accumulate=2, weight_attention=1.0, weight_mmi=0.5)
PRESET = PRESETS.values("ultra-safe")


def source(step: int, *codes: str, salvage: bool = False) -> Source:
    damages = tuple(Damage(code=code) for code in codes)
    return Source(looked=Looked(name=f"step-{step}", step=step, damages=damages), salvage=salvage)


def order(*sources: Source, own: Own = OWN) -> list[Candidate]:
    return list(candidates(sources, own, PRESET, trial=10))


def test_the_order_is_from_mild_to_drastic_and_the_preset_comes_last() -> None:
    tried = [(one.source.looked.step, one.rung.name) for one in order(source(200), source(100))]
    assert tried[0] == (200, ladder.OWN)
    assert tried[-1] == (200, ladder.ULTRA)
    assert [step for step, _ in tried] == [200] * 6 + [100] * 3 + [200]
    assert [name for _, name in tried].count(ladder.ULTRA) == 1


def test_an_optimizer_that_is_not_sound_is_never_kept() -> None:
    for one in (source(1, "optimizer.exploded"), source(1, "weights.far", salvage=True)):
        tried = order(one)
        assert tried[0].rung.name == ladder.FRESH
        assert all(each.fresh_optimizer for each in tried)
    assert not order(source(1))[0].fresh_optimizer


def test_every_dose_outlasts_the_trial_and_ends() -> None:
    for one in order(source(1))[2:]:
        for remedy in one.rung.remedies:
            assert remedy.hold >= 10
            assert 0 < remedy.ramp < 1000
    assert order(source(1))[0].rung.delay == 0


def test_rates_and_clips_only_fall_on_the_way_down() -> None:
    knobs = [one.rung.remedies[0].knobs for one in order(source(1))[2:-1]]
    assert [one.lr_scale for one in knobs] == [0.1, 0.1, 0.01, 0.001]
    assert [one.clip_norm for one in knobs] == [math.inf, 0.1, 0.1, 0.1]
    assert knobs[-1].precision is Precision.FP32
    unclipped = order(source(1), own=replace(OWN, clip_norm=math.inf))[3]
    assert unclipped.rung.remedies[0].knobs.clip_norm == 0.1


def test_the_preset_is_the_owners() -> None:
    rung = order(source(1))[-1].rung
    (remedy,) = rung.remedies
    assert (remedy.knobs.lr_most, remedy.knobs.clip_norm) == (1e-6, 0.01)
    assert remedy.knobs.weights == {"attention": 50.0, "mmi": 0.0}
    assert remedy.knobs.precision is Precision.FP32
    assert rung.stays == {"batch_size": 2, "accumulate": 16, "guide_moves": False}
    without = order(source(1), own=replace(OWN, weight_attention=0.0, weight_mmi=0.0))[-1].rung
    assert without.stays["weight_attention"] == 1.0
    assert without.remedies[0].knobs.weights == {"attention": 50.0}


def test_an_attention_that_begins_anew_is_guided_from_the_first_step() -> None:
    lost = source(1, "attention.lost", salvage=True)
    assert order(lost)[0].rung.remedies[1].knobs.weights == {"attention": 10.0}
    assert order(lost, own=replace(OWN, weight_attention=20.0))[0].rung.remedies[1].knobs.weights == {"attention": 2.5}
    assert len(order(lost, own=replace(OWN, weight_attention=50.0))[0].rung.remedies) == 1
    assert len(order(source(1, "weights.far", salvage=True))[0].rung.remedies) == 1
