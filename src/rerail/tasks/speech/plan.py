"""What is watched in a Tacotron2 run beside what every run is watched for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rerail.core.detectors import Guide, Stage, Stages, Steady
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


def plan(*, moves: bool = True) -> Plan:
    """Return the default plan with the stages of a Tacotron2, its loss at rest, and the weight of guided attention.

    `moves` says whether that weight is moved.
    """
    base = default_plan()
    watched = replace(base, detectors=(*base.detectors, Stages(stages=STAGES), Steady()))
    if not moves:
        return watched
    ladders = {**base.ladders, CODE: guide_ladder("attention")}
    return replace(watched, detectors=(*watched.detectors, Guide()), ladders=ladders)


def plan_as_in(settings: Mapping[str, Any]) -> Plan | None:
    """Return the plan of a run with these settings (its `config.yaml`); None where it is no Tacotron2's."""
    return plan(moves=bool(settings["guide_moves"])) if "guide_moves" in settings else None
