from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rerail.core.retention import thin


@given(st.sets(st.integers(0, 10**6), min_size=1, max_size=200))
def test_keeps_few_but_something_of_every_age(ages: set[int]) -> None:
    kept = thin(sorted(ages))
    assert kept <= ages
    assert min(ages) in kept
    assert len(kept) <= max(ages).bit_length() + 3
    assert all(any(age <= one < 2 * max(age, 1) for one in kept) for age in ages)


def test_a_long_run_keeps_old_states() -> None:
    kept: set[int] = set()
    for step in range(0, 10_000, 25):
        kept = {step - age for age in thin([step - one for one in kept | {step}])}
    ages = sorted(step - one for one in kept)
    assert ages[0] == 0
    assert any(age > 4000 for age in ages)
    assert len(ages) < 16
