from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from rerail.core.cause.toxic import FEW, toxic_rows
from rerail.core.trial import Trial


def search(count: int, conflicts: Sequence[tuple[int, ...]], named: Sequence[int] = ()) -> tuple[tuple[int, ...], int]:
    inquiry, tests = toxic_rows(count, named), 0
    try:
        swap = next(inquiry)
        while True:
            tests += 1
            fails = any(set(conflict) <= set(swap.rows) for conflict in conflicts)
            swap = inquiry.send(Trial(changed=swap, readings=(), healthy=not fails))
    except StopIteration as ended:
        return ended.value, tests


@given(count=st.sampled_from([2, 3, 8, 16, 33]), data=st.data())
def test_every_row_that_fails_alone_is_found_and_no_other(count: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=3))
    named = data.draw(st.sets(st.integers(0, count - 1), max_size=3))
    if count > FEW and {0, count // 2, count - 1} <= bad:
        bad.pop()
    found, tests = search(count, [(row,) for row in bad], sorted(named))
    assert found == tuple(sorted(bad))
    assert tests <= 2 * len(bad) * math.ceil(math.log2(count)) + 4 * len(bad) + 4


@given(count=st.sampled_from([5, 8, 16, 33]), data=st.data())
def test_rows_that_fail_only_together_are_both_found(count: int, data: st.DataObject) -> None:
    pair = data.draw(st.lists(st.integers(0, count - 1), min_size=2, max_size=2, unique=True))
    found, _ = search(count, [tuple(pair)])
    assert found == tuple(sorted(pair))


def test_a_trace_that_names_the_row_saves_the_search() -> None:
    assert search(32, [(7,)], named=[7]) == ((7,), 1)
    assert search(32, [(7,), (9,)], named=[7, 9])[1] <= 4


def test_where_every_row_fails_all_are_named_without_trying_each() -> None:
    rows = tuple((row,) for row in range(32))
    assert search(32, rows) == (tuple(range(32)), 4)


def test_a_row_that_cannot_stand_alone_is_tried_twice_over() -> None:
    inquiry = toxic_rows(8)
    first = next(inquiry)
    assert first.rows == (0,)
    second = inquiry.send(Trial(changed=first, readings=(), healthy=False, error="ValueError: more than 1 value"))
    assert second.rows == (0, 0)
