"""What is watched in a run that learns to speak beside what every run is watched for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rerail.core.detectors import Adapted, Guide, Stage, Stages, Steady
from rerail.core.detectors.adapted import CODES, adapted_ladder
from rerail.core.detectors.guide import CODE, guide_ladder
from rerail.core.plans import default_plan
from rerail.core.verdict import Plan

DIAGONALITY, GATE, QUALITY = "eval/diagonality/free", "eval/gate_accuracy/free", "eval/quality"
STAGES = (  # steps are optimizer steps; what is measured is held-out and free-running
    Stage(signal=DIAGONALITY, least=0.1, by=500),
    Stage(signal=DIAGONALITY, least=0.3, by=2000),
    Stage(signal=DIAGONALITY, least=0.7, by=5000),
    Stage(signal=GATE, least=0.8, by=5000),
    Stage(signal=QUALITY, least=60.0, by=10_000),
    Stage(signal=QUALITY, least=70.0, by=20_000),
)


def plan(*, moves: bool = True, adapts: bool = False) -> Plan:
    """Return the default plan with the stages of speech, its loss at rest, and the weights that detectors own.

    `moves` says whether that of guided attention is moved, `adapts` whether others are, after trials.
    """
    base = default_plan()
    detectors = [*base.detectors, Stages(stages=STAGES), Steady()]
    ladders = dict(base.ladders)
    if moves:
        detectors.append(Guide())
        ladders[CODE] = guide_ladder("attention")
    if adapts:
        detectors += [Adapted(component=component) for component in CODES]
        ladders |= {code: adapted_ladder(component) for component, code in CODES.items()}
    return replace(base, detectors=tuple(detectors), ladders=ladders)


def plan_as_in(settings: Mapping[str, Any]) -> Plan | None:
    """Return the plan of a run with these settings (its `config.yaml`); None where it is no Tacotron2's."""
    if "guide_moves" not in settings:
        return None
    return plan(moves=bool(settings["guide_moves"]), adapts=bool(settings.get("adapt_every")))
