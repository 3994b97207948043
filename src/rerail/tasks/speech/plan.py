"""What is watched in a run that learns to speak beside what every run is watched for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from rerail.core.detectors import Adapted, Guide, Stage, Stages, Steady, Unused
from rerail.core.detectors.adapted import CODES, adapted_ladder
from rerail.core.detectors.guide import CODE, guide_ladder
from rerail.core.plans import default_plan, lowering
from rerail.core.verdict import Plan

DIAGONALITY, GATE, QUALITY = "eval/diagonality/free", "eval/gate_accuracy/free", "eval/quality"
TARGET = "eval/mel"  # what early stopping, trials and cuts of the rate go by
STAGES = (  # steps are optimizer steps; what is measured is held-out and free-running
    Stage(signal=DIAGONALITY, least=0.1, by=500),
    Stage(signal=DIAGONALITY, least=0.3, by=2000),
    Stage(signal=DIAGONALITY, least=0.7, by=5000),
    Stage(signal=GATE, least=0.8, by=5000),
    Stage(signal=QUALITY, least=60.0, by=10_000),
    Stage(signal=QUALITY, least=70.0, by=20_000),
)


def plan(settings: Mapping[str, Any] = MappingProxyType({})) -> Plan:
    """Return the default plan with what trainers watch beside it, and with the knobs that detectors own.

    That is the stages of speech, a loss at rest, and a device that stands idle. Of a run's settings, `guide_moves` says
    whether the weight of guided attention is moved, `guide_fades` whether also below the run's own, `adapt_every`
    whether others are, after trials, and `plateau_patience` whether the rate is lowered where nothing is gained.
    """
    base = default_plan()
    detectors = [*base.detectors, Stages(stages=STAGES), Steady(), Unused()]
    ladders = dict(base.ladders)
    if settings.get("guide_moves", True):
        detectors.append(Guide() if settings.get("guide_fades", True) else Guide(aligned=math.inf))
        ladders[CODE] = guide_ladder("attention")
    if settings.get("adapt_every"):
        detectors += [Adapted(component=component) for component in CODES]
        ladders |= {code: adapted_ladder(component) for component, code in CODES.items()}
    return lowering(replace(base, detectors=tuple(detectors), ladders=ladders), TARGET, settings)
