from __future__ import annotations

import pytest

from rerail.core.damage import Damage
from rerail.tasks.tacotron2.presets import PRESETS
from rerail.tasks.tacotron2.recovery.changes import changes, severity
from rerail.tasks.tacotron2.recovery.decide import Looked, Source
from rerail.tasks.tacotron2.recovery.ladder import Candidate, Own, candidates

OWN = Own(lr=1e-3, clip_norm=1.0, precision="fp16", batch_size=16, accumulate=1, weight_attention=1.0, weight_mmi=1.0)
JUDGED = [Looked(name="a", step=100), Looked(name="b", step=200, damages=(Damage(code="weights.nonfinite"),))]


def ladder(*, salvage: bool = False) -> list[Candidate]:
    source = Source(looked=JUDGED[1] if salvage else JUDGED[0], salvage=salvage)
    return list(candidates([source], OWN, PRESETS.values("ultra-safe"), trial=10))


def said(candidate: Candidate) -> list[str]:
    return [str(one) for one in changes(candidate, OWN, JUDGED, [("embedding.weight", 2, 40), ("v", 0, 3)])]


def test_each_change_is_said_with_from_to_and_why() -> None:
    first, *rest = said(ladder()[0])
    assert first == "step: 200 -> 100 (the newest state that is healthy and passed; 100 steps are lost)"
    assert rest[0].startswith("embedding.weight: 2 of 40 rows spoilt -> as in a fresh model")
    assert rest[1].startswith("v: all of it spoilt -> as in a fresh model")
    assert len(rest) == 2


def test_the_preset_changes_what_its_owner_said() -> None:
    shown = "\n".join(said(ladder()[-1]))
    for line in (
        "optimizer: its own memory -> fresh",
        "learning rate: 0.001 -> 1e-06 at most, for 40 steps, then back to its own over 120",
        "gradient clip: 1 -> 0.01, for 40 steps",
        "precision: fp16 -> fp32",
        "weight of attention: its own -> x50",
        "weight of mmi: its own -> x0",
        "batch_size: 16 -> 2, for the whole new run",
        "accumulate: 1 -> 8, for the whole new run",
    ):
        assert line in shown


@pytest.mark.parametrize(("place", "grave"), [(0, "minor"), (1, "minor"), (2, "serious"), (-1, "severe")])
def test_gentler_settings_are_for_graver_damage(place: int, grave: str) -> None:
    assert severity(ladder()[place], newest=110) == grave


def test_an_older_state_is_graver_and_a_salvage_is_severe() -> None:
    assert severity(ladder()[0], newest=150) == "serious"
    assert severity(ladder(salvage=True)[0], newest=100) == "severe"
