from __future__ import annotations

import pytest

from rerail.core.cause import Kind
from rerail.core.cause.standing import standing
from rerail.core.finding import Finding
from rerail.core.told import TOLD


@pytest.mark.parametrize(
    ("code", "half", "kind"),
    [
        ("gradient.missing", False, Kind.CODE),
        ("units.dead", False, Kind.ARCHITECTURE),
        ("gradient.vanishing", False, Kind.ARCHITECTURE),
        ("gradient.vanishing", True, Kind.PRECISION),
        ("input.stuck", False, Kind.DATA),
    ],
)
def test_a_told_finding_stands_for_a_cause(code: str, kind: Kind, *, half: bool) -> None:
    assert code in TOLD
    cause = standing(Finding(code=code, signal="x"), half=half)
    assert cause is not None
    assert (cause.kind, cause.trials) == (kind, ())


def test_what_can_have_several_causes_stands_for_none() -> None:
    assert standing(Finding(code="loss.plateau", signal="loss/mel"), half=False) is None
