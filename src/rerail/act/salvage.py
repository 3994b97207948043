"""What is sound of damaged weights, with the rest as in a fresh model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch import Tensor

from rerail.act.wreck import spoilt_rows

MOST = 0.5  # share of rows; past it what is left of a tensor belongs to nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A tensor of which `rows` (all of them where empty), of how many, were taken from a fresh model."""

    name: str
    rows: tuple[int, ...]
    of: int


def salvage(
    model: Mapping[str, Tensor], fresh: Mapping[str, Tensor], spoilt: Collection[str]
) -> tuple[dict[str, Tensor], tuple[Replaced, ...]]:
    """Return the weights with the `spoilt` ones replaced, and what was replaced.

    Only rows (of dimension 0) that are not finite or beyond all proportion are, where they are the fewer ones and
    account for the damage; else the whole tensor.
    """
    kept = {name: tensor.clone() for name, tensor in model.items()}
    replaced = [_mend(kept, name, fresh[name]) for name in model if name in spoilt]
    return kept, tuple(replaced)


def _mend(kept: dict[str, Tensor], name: str, fresh: Tensor) -> Replaced:
    tensor, many = kept[name], len(fresh) if fresh.dim() else 1
    bad = spoilt_rows(tensor, fresh) if fresh.dim() else None
    if bad is None or not bad.any() or float(bad.double().mean()) > MOST:
        kept[name] = fresh.clone()
        return Replaced(name=name, rows=(), of=many)
    tensor[bad] = fresh[bad]
    return Replaced(name=name, rows=tuple(bad.nonzero().flatten().tolist()), of=many)
