"""What is watched in a run that learns to match beside what every run is watched for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rerail.core.detectors import Beyond, Chance, Steady, Unused
from rerail.core.plans import default_plan, lowering
from rerail.core.verdict import Plan

TARGET = "eval/rank"  # what early stopping and cuts of the rate go by
SOONER = 140  # ticks at chance that are told: a matcher that learns leaves ln(rows) within its first hundred


NEGATIVES = Beyond(code="negatives.false", signal="signal/false_negatives", most=0.05, ticks=100, readings=20)
APART = Beyond(code="embedding.apart", signal="eval/gap", most=1.2, ticks=200, readings=3)
FROZEN = Beyond(code="encoder.frozen", signal="eval/frozen", most=0.0, ticks=1, readings=2)


def plan(settings: Mapping[str, Any]) -> Plan:
    """Return the default plan, sooner with chance, and with the beliefs about matching; `settings` are a run's."""
    base = default_plan()
    sooner = Chance(ticks=SOONER, readings=SOONER // Chance().block)
    detectors = (sooner if isinstance(one, Chance) else one for one in base.detectors)
    more = (NEGATIVES, APART, Steady(), Unused(), *(() if settings.get("freeze") else (FROZEN,)))
    return lowering(replace(base, detectors=(*detectors, *more)), TARGET, settings)
