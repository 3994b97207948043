"""The fresh workloads: whole runs that were written when every threshold stood, and are kept for the final count."""

from __future__ import annotations

from faultbench.cell import Workload

from . import ctc, diffusion, points, tabular

FRESH_WORKLOADS: tuple[Workload, ...] = (diffusion.WORKLOAD, ctc.WORKLOAD, tabular.WORKLOAD, points.WORKLOAD)
