"""Which of the saved states to keep: dense near the present, thin far back."""

from __future__ import annotations

from collections.abc import Sequence


def thin(ages: Sequence[int], newest: int = 2) -> set[int]:
    """Return the ages to keep: the `newest` lowest, and the highest one between each power of two and the next.

    Ages are in steps and not negative. Of n ages about log2(max age) are kept, and for every age that was ever offered
    one at most twice as old, or newer, remains.
    """
    ordered = sorted(set(ages))
    per_octave = {age.bit_length(): age for age in ordered}  # the last, so the highest, of each octave stands
    return {*ordered[:newest], *per_octave.values()}
