from __future__ import annotations

import re
from dataclasses import fields

import pytest

from rerail.fit import FitConfig, problems
from rerail.tasks.tacotron2.presets import PRESETS
from rerail.tasks.tacotron2.settings import Tacotron2Config


def test_ultra_safe_is_as_its_owner_said() -> None:
    given = PRESETS.values("ultra-safe")
    assert given["lr"] == 1e-6
    assert given["lr"] * given["lr_floor"] == pytest.approx(1e-7)
    assert (given["batch_size"], given["clip_norm"], given["precision"]) == (2, 0.01, "fp32")
    assert (given["weight_attention"], given["guide_moves"], given["weight_mmi"]) == (50.0, False, 0.0)


@pytest.mark.parametrize("name", PRESETS.names)
def test_every_preset_is_in_range_and_every_value_has_a_comment(name: str) -> None:
    given = PRESETS.values(name)
    known = [FitConfig, Tacotron2Config]
    own = [{one.name for one in fields(kind)} & set(given) for kind in known]
    assert set.union(*own) == set(given)
    built = [kind(**{key: given[key] for key in names}) for kind, names in zip(known, own, strict=True)]
    assert problems(built) == []
    lines = [line for line in PRESETS.path(name).read_text().splitlines() if not line.startswith("#")]
    assert all(re.match(r"\w+: \S+ +# \w", line) for line in lines)


def test_a_preset_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="there is no 'banana'; known: ultra-safe"):
        PRESETS.path("banana")
