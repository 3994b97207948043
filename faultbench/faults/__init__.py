"""The faults of the bench, one file a family. Those kept back are for the final count alone."""

from __future__ import annotations

from faultbench.cell import Fault

from . import algebra, architecture, code, data, optimizer, precision, state

FAULTS: tuple[Fault, ...] = (
    *data.FAULTS,
    *algebra.FAULTS,
    *optimizer.FAULTS,
    *state.FAULTS,
    *architecture.FAULTS,
    *precision.FAULTS,
    *code.FAULTS,
)
