from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from rerail.core.knobs import NEUTRAL, Knobs, Precision

scales = st.floats(0.001, 1.0)
knobs = st.builds(
    Knobs,
    lr_scale=scales,
    lr_standing=scales,
    clip_norm=st.floats(0.01, 100.0) | st.just(math.inf),
    precision=st.sampled_from(Precision),
    weights=st.dictionaries(st.sampled_from(["mel", "gate"]), st.floats(0.1, 50.0), max_size=2),
)


@given(knobs, knobs)
def test_meeting_is_commutative_and_never_bolder(one: Knobs, other: Knobs) -> None:
    both = one.meet(other)
    assert both == other.meet(one)
    assert both.lr_scale == min(one.lr_scale, other.lr_scale)
    assert both.clip_norm == min(one.clip_norm, other.clip_norm)
    assert both.precision == max(one.precision, other.precision)


@given(knobs, knobs, knobs)
def test_meeting_is_associative(one: Knobs, two: Knobs, three: Knobs) -> None:
    assert one.meet(two).meet(three) == one.meet(two.meet(three))


@given(knobs)
def test_meeting_nothing_or_itself_changes_nothing(one: Knobs) -> None:
    assert one.meet(one) == one
    assert one.meet(NEUTRAL).lr_scale == one.lr_scale
    assert one.eased(1.0) == one
    assert one.eased(0.0) == NEUTRAL


@given(knobs, st.floats(0.01, 0.99))
def test_a_part_of_a_dose_lies_between_all_and_nothing(one: Knobs, share: float) -> None:
    part = one.eased(share)
    assert one.lr_scale <= part.lr_scale * (1 + 1e-12)
    assert part.lr_scale <= 1.0
    assert part.clip_norm >= one.clip_norm
    assert part.precision == one.precision


def test_a_weight_goes_to_whoever_moves_it_farther() -> None:
    assert Knobs(weights={"a": 2.0}).meet(Knobs(weights={"a": 50.0})).weights == {"a": 50.0}
    assert Knobs(weights={"a": 2.0}).meet(Knobs(weights={"a": 0.5})).weights == {"a": 0.5}
    assert Knobs(weights={"a": 2.0}).meet(Knobs(weights={"a": 0.0})).weights == {"a": 0.0}
