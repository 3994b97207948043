"""A chart of a page: a Vega-Lite specification as a plain mapping, its data as columns, and itself in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Columns = Mapping[str, Sequence[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hover:
    """What is read off where the pointer is: the rows of `data` whose column `x` is nearest.

    `labels` holds (column, name shown before its value); `marks` names the data set of events, with columns as
    `x`, `number` and `text`. `index` names shared runs [x, offset]: a line more, `index` = x + offset.
    """

    data: str
    x: str
    labels: Sequence[tuple[str, str]]
    marks: str = ""
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
        hover = self.hover and {
            "data": self.hover.data,
            "x": self.hover.x,
            "labels": self.hover.labels,
            "marks": self.hover.marks,
            "index": self.hover.index,
        }
        return {"spec": self.spec, "data": self.data, "hover": hover}
