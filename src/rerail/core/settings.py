"""The numbers of an optimizer's parameter groups, by name and group: `weight_decay/0`, `betas.1/0`."""

from __future__ import annotations

LENGTHENS = ("momentum", "betas.0")  # settings that make every step 1 / (1 - momentum) times as long
MATERIAL = 3.0  # times; a schedule of the momentum itself moves it less within a window


def material(name: str, then: float, now: float) -> bool:
    """Say whether a setting was changed by so much that it is a suspect."""
    if name.startswith(LENGTHENS):
        then, now = 1 - then, 1 - now
    small, large = sorted((abs(then), abs(now)))
    return small != large and (small == 0 or large / small >= MATERIAL)
