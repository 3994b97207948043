"""Dynamic time warping: which moment of one recording is which moment of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float64]
Places = NDArray[np.int64]


def warping_path(cost: Costs) -> tuple[Places, Places]:
    """Return the cheapest way through `cost` `(rows, columns)` from its first cell to its last, as rows and columns.

    Steps go on by one row, one column or both, all at the cost of the cell they reach (Sakoe and Chiba 1978, with a
    slope weight of 1). Where ways cost the same, the one that goes on by both is taken.

    Raises:
        ValueError: where a cost is not finite, or there is none.
    """
    if not cost.size or not np.isfinite(cost).all():
        raise ValueError(f"cost: of shape {cost.shape}, expected at least one cell, and finite ones; check the input")
    total = _totals(cost)
    row, column = cost.shape
    way = [(row, column)]
    while row > 1 or column > 1:
        sides = total[row + column - 2, row - 1], total[row + column - 1, row - 1], total[row + column - 1, row]
        step = int(np.argmin(sides))  # of equal ones the first
        row, column = row - (step < 2), column - (step != 1)  # noqa: PLR2004 (the third is a step along the columns)
        way.append((row, column))
    rows, columns = np.array(way[::-1]).T - 1
    return rows, columns


def _totals(cost: Costs) -> Costs:
    """Cheapest sums `total[k, i]` of the ways that have done i rows and k - i columns: a row a diagonal of `cost`.

    Cells of one diagonal do not depend on each other, so each is one operation on arrays.
    """
    rows, columns = cost.shape
    total = np.full((rows + columns + 1, rows + 1), np.inf)
    total[0, 0] = 0.0
    for k in range(2, rows + columns + 1):
        first, last = max(1, k - columns), min(rows, k - 1)
        row = np.arange(first, last + 1)
        along = np.minimum(total[k - 1, first - 1 : last], total[k - 1, first : last + 1])
        total[k, first : last + 1] = cost[row - 1, k - row - 1] + np.minimum(total[k - 2, first - 1 : last], along)
    return total
