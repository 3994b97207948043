"""How well scores tell who belongs together: retrieval, verification and matching, each beside its chance level.

Scores are (queries, gallery), the higher the nearer; `same` says which belong together. Everything is in float64 on
the CPU. A score that is not a number belongs nowhere: it makes every figure of its row NaN, and is not ranked last.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor


def ranks(scores: Tensor, same: Tensor) -> Tensor:
    """Return the rank of each query's first own one in the gallery, 1 at best; (queries,).

    Of those that are as near as it, each is as likely to come first: where all are alike, that is chance. NaN for a
    query that has nobody of its own there.
    """
    above, tied, own = _stands(scores, same)
    return _told(1.0 + above + tied / (own + 1.0), scores, same)


def recall(scores: Tensor, same: Tensor, at: int) -> Tensor:
    """Return how likely an own one is among the `at` nearest, of which those alike come in any order; (queries,).

    1 or 0 where nobody is as near as the first own one; NaN as in `ranks`.
    """
    above, tied, own = _stands(scores, same)
    found = (above < at).double()
    for row in ((tied > 0) & (above < at)).nonzero().flatten().tolist():
        others, every = int(tied[row]), int(tied[row] + own[row])
        found[row] = 1.0 - _ratio(others, every, min(at - int(above[row]), every))
    return _told(found, scores, same)


def _stands(scores: Tensor, same: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How many others are above a query's first own one, and how many others and own ones are as near as it."""
    best = scores.masked_fill(~same, -math.inf).amax(1, keepdim=True)
    counts = ((scores > best) & ~same, (scores == best) & ~same, (scores == best) & same)
    above, tied, own = (one.sum(1).double() for one in counts)
    return above, tied, own


def _told(found: Tensor, scores: Tensor, same: Tensor) -> Tensor:
    return found.masked_fill(scores.isnan().any(1) | ~same.any(1), math.nan)


def chance_recall(same: Tensor, at: int) -> float:
    """Return what drawing `at` of the gallery would give, over the queries that have somebody there."""
    gallery, own = same.shape[1], same.sum(1)
    missed = [_ratio(gallery - int(count), gallery, min(at, gallery)) for count in own if count > 0]
    return 1.0 - sum(missed) / len(missed) if missed else math.nan


def chance_rank(same: Tensor) -> float:
    """Return the mean rank of the first own one in a gallery in random order."""
    own = same.sum(1).double()
    own = own[own > 0]
    return float(((same.shape[1] + 1.0) / (own + 1.0)).mean()) if len(own) else math.nan


def one_of(scores: Tensor, same: Tensor, many: int) -> Tensor:
    """Return how likely an own one is nearer than `many - 1` others drawn from the gallery; (queries,), chance 1/many.

    It is computed, not drawn: all that are drawn must be farther, or as near and behind it in a random order. The mean
    over a query's own ones; NaN where it has none, or too few others.
    """
    found = []
    for row, own in zip(scores, same, strict=True):
        others = row[~own].sort().values
        if not own.any() or len(others) < many - 1 or row.isnan().any():
            found.append(math.nan)
            continue
        below = torch.searchsorted(others, row[own], right=False)
        upto = torch.searchsorted(others, row[own], right=True)
        share = [_first(int(a), int(b), len(others), many) for a, b in zip(below, upto, strict=True)]
        found.append(sum(share) / len(share))
    return torch.tensor(found, dtype=torch.float64)


def auc(scores: Tensor, same: Tensor) -> float:
    """Return how likely a pair that belongs together scores higher than one that does not, ties counted half.

    The area under the curve of true against false acceptances (Mann and Whitney 1947); chance 0.5.
    """
    if scores.isnan().any():
        return math.nan
    own, others = scores[same], scores[~same].sort().values
    below, upto = (torch.searchsorted(others, own, right=right) for right in (False, True))
    pairs = len(own) * len(others)
    return float((below + upto).sum()) / (2 * pairs) if pairs else math.nan


def won(scores: Tensor, same: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Return, for groups i and j of rows, how often own ones of i beat others of j, and of how many times.

    groups: (rows,) int64, the number of each row's group. Weighted sums of them are the area with groups weighted,
    which is what a bootstrap over identities needs.
    """
    count = int(groups.max()) + 1
    wins, pairs = (torch.zeros(count, count, dtype=torch.float64) for _ in range(2))
    own, place = scores[same], groups[:, None].expand_as(same)[same]
    each = torch.bincount(place, minlength=count).double()
    for other in range(count):
        rows = groups == other
        against = scores[rows][~same[rows]].sort().values
        below, upto = (torch.searchsorted(against, own, right=right) for right in (False, True))
        wins[:, other].index_add_(0, place, 0.5 * (below + upto).double())
        pairs[:, other] = each * len(against)
    bad = groups[scores.isnan().any(1)]
    wins[bad], wins[:, bad] = math.nan, math.nan
    return wins, pairs


def eer(scores: Tensor, same: Tensor, weights: Tensor | None = None) -> float:
    """Return the rate at which as many are falsely accepted as falsely rejected; chance 0.5.

    Between two thresholds the curve is a straight line. `weights` say how much each pair weighs; (queries, gallery).
    NaN where either kind of pair is missing, or weighs nothing.
    """
    return next(eers(scores, same, [torch.ones_like(scores) if weights is None else weights]))


def eers(scores: Tensor, same: Tensor, weights: Iterable[Tensor]) -> Iterator[float]:
    """Yield `eer` for each of `weights`; scores are put in order once."""
    if scores.isnan().any() or same.all() or not same.any():
        yield from (math.nan for _ in weights)
        return
    order = scores.flatten().argsort(descending=True)
    truth, values = same.flatten()[order], scores.flatten()[order]
    last = torch.cat([values[1:] != values[:-1], torch.tensor([True])])  # equal scores are accepted together
    yield from (_crossing(one.flatten()[order].double(), truth, last) for one in weights)


def _crossing(mass: Tensor, truth: Tensor, last: Tensor) -> float:
    """Return where the two rates meet, of pairs in falling order of their scores; all three (pairs,)."""
    others, own = mass * ~truth, mass * truth
    if not others.sum() or not own.sum():
        return math.nan
    accepted = torch.cat([torch.zeros(1), others.cumsum(0)[last] / others.sum()]).double()
    rejected = torch.cat([torch.ones(1), 1.0 - own.cumsum(0)[last] / own.sum()]).double()
    at = int((accepted >= rejected).nonzero()[0])
    before, after = rejected[at - 1] - accepted[at - 1], accepted[at] - rejected[at]
    share = before / (before + after) if before + after > 0 else torch.tensor(0.0)
    return float(accepted[at - 1] + share * (accepted[at] - accepted[at - 1]))


def _first(below: int, upto: int, others: int, many: int) -> float:
    """How likely one is first of `many`, the rest drawn of `others`: `below` are farther, up to `upto` as near.

    With t = upto - below: the sum over j of C(t, j) C(below, many - 1 - j) / (j + 1), over C(others, many - 1).
    """
    alike = upto - below + 1
    return (math.comb(upto + 1, many) - math.comb(below, many)) / (alike * math.comb(others, many - 1))


def _ratio(some: int, every: int, drawn: int) -> float:
    """How likely all that are drawn of `every` are among `some` of them: C(some, drawn) / C(every, drawn)."""
    return math.comb(some, drawn) / math.comb(every, drawn) if drawn <= every else math.nan
