from __future__ import annotations

import pytest

from rerail.core.damage import Damage


@pytest.mark.parametrize(
    ("code", "of_weights"),
    [
        ("weights.far", True),
        ("attention.lost", True),
        ("file.damaged", True),
        ("optimizer.exploded", False),
        ("settings.nonfinite", False),
    ],
)
def test_a_fresh_optimizer_is_enough_where_the_weights_are_sound(code: str, *, of_weights: bool) -> None:
    assert Damage(code=code).of_weights is of_weights
