from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from rerail.fit.ahead import Ahead
from toy import Loader


def first(batches: Any, count: int) -> list[str]:
    return [one["id"][0] for one in islice(batches, count)]


def test_batches_come_in_order_and_the_position_is_that_of_the_last_one_used() -> None:
    ahead = Ahead(Loader(), 4)
    batches = iter(ahead)
    assert first(batches, 3) == ["0:0", "1:0", "2:0"]
    assert ahead.state_dict() == {"index": 3}  # though more are made already
    assert first(batches, 1) == ["3:0"]
    batches.close()
    assert first(iter(ahead), 2) == ["4:0", "5:0"]


def test_a_saved_position_goes_on() -> None:
    ahead = Ahead(Loader(), 2)
    ahead.load_state_dict({"index": 7})
    assert first(iter(ahead), 2) == ["7:0", "8:0"]


def test_an_error_of_the_loader_reaches_who_trains() -> None:
    class Broken(Loader):
        def __iter__(self) -> Iterator[Any]:
            yield from islice(super().__iter__(), 2)
            raise OSError("the disk is gone")

    batches = iter(Ahead(Broken(), 4))
    assert first(batches, 2) == ["0:0", "1:0"]
    with pytest.raises(OSError, match="the disk is gone"):
        next(batches)
