"""A chart of a page: a Vega-Lite specification as a plain mapping, its data as columns, and itself in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

Columns = Mapping[str, Sequence[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hover:
    """What is read off where the pointer is: the rows of `data` whose column `x` is nearest.

    `labels` holds (column, name shown before its value); `marks` names the data set of events, with columns as
    `x`, `number` and `text`, `lost` that of places without a finite value. `index` names shared runs [x, offset], which
    give a line more: `index` is x + offset.
    """

    data: str
    x: str
    labels: Sequence[tuple[str, str]]
    marks: str = ""
    lost: str = ""
    index: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart; `spec` names its data sets and takes colours from the page (`var(--line)`); empty draws nothing."""

    title: str
    description: str
    spec: Mapping[str, object] = field(default_factory=dict)
    data: Mapping[str, Columns] = field(default_factory=dict)
    hover: Hover | None = None
    low: bool = False

    @property
    def payload(self) -> Mapping[str, object]:
        """What the page's script draws from."""
        return {"spec": self.spec, "data": self.data, "hover": self.hover and asdict(self.hover)}
