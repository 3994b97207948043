"""Judge a run again under another plan: rerail replay RUN [--plan plan.yaml].

Nothing is trained. The journal's readings are judged once more, up to the first decision that differs: what would have
followed it is not in the journal. Without --plan the run's own plan (a trainer's, or the default one) is checked
against what was decided. A plan file names what differs from it:

    detectors:
      spike: {sigmas: 8}
    ladders:
      loss.spike: {window: 50, rungs: [{move: SKIP, times: 2}, {move: REWIND, knobs: {lr_scale: 0.1}, hold: 20}]}
"""

from __future__ import annotations

import sys
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.arguments import yaml_of
from rerail.core.plans import plan_of
from rerail.core.replay import replay
from rerail.tasks.face_voice.plan import plan as matching
from rerail.tasks.speech.plan import plan as speech
from rerail.tell import journal, words

PLANS = {"guide_moves": speech, "image_encoder": matching}  # of trainers, by a setting that no other one has


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("run", type=str, help="folder of the run")
    parser.add_argument("--plan", type=str, default="", help="YAML file of a plan; the run's own where it is empty")


def run(arguments: Namespace) -> int:
    """Print how far the plans agree."""
    run = Path(arguments.run)
    own = run / "config.yaml"
    settings = yaml_of(own) if own.is_file() else {}
    base = next((of(settings) for name, of in PLANS.items() if name in settings), None)
    plan = plan_of(yaml_of(Path(arguments.plan)) if arguments.plan else {}, base)
    found = replay(plan, journal.read(run))
    sys.stdout.write(f"{words.replayed(found)}\n")
    return 0
