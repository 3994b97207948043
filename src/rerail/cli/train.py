"""Train a model under the guard: rerail train tacotron2|xtts --data DIR --run runs/NAME."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from jsonargparse import ArgumentParser, Namespace

from rerail.act.disk import set_aside
from rerail.cli.arguments import (
    CHECKPOINTS_FLAG,
    FAST_FLAG,
    FROM_FLAG,
    add_config,
    configs,
    refuse_changed,
    refuse_cut_short,
)
from rerail.cli.data.bars import bars
from rerail.cli.running import run_under_eyes
from rerail.data.check import check
from rerail.data.progress import Progress
from rerail.fit import FitConfig, Task, oddities, untaken, with_largest_batch
from rerail.guard import claim
from rerail.tasks.speech.corpus import Corpus
from rerail.tasks.tacotron2.presets import PRESETS
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task
from rerail.tasks.xtts.levels import DEFAULT, LEVELS
from rerail.tasks.xtts.settings import XttsConfig
from rerail.tasks.xtts.task import XttsTask
from rerail.tell import printed

SPEAK = """sentences to synthesise at the end, as a list: '["Hello there.", "Good bye."]'"""
SHOWN = 10  # lines of what is odd about the data
RESET = "begin anew; a run that is there is kept beside it, under another name"
XTTS = f"""Train a voice of many speakers and languages on clips with transcripts.

--optimization-level names settings to start from ({", ".join(LEVELS.names)}; default
{DEFAULT}), and {FAST_FLAG} puts those of fast convergence above them. Both stand below --config, and all stand below
what is typed. rerail config xtts writes them out. The guard may leave them, with a proof, and says so.

--epochs counts times through the data, and --steps optimizer steps in its place. Where the batch size is 0, as the
levels have it, micro-batches are as large as the memory of the device suggests; where they do not fit after all they
are halved, and twice as many make a step. --find-batch tries what fits before the first step. A new run looks through
its recordings first, and tells which are silent, clipped, too long, or do not fit their text. --speak says sentences in
the voice and the language of the first clip that is set aside.
"""


class Speech(Task, Protocol):
    """A trainer of speech."""

    @property
    def fit(self) -> FitConfig:
        """The loop's settings."""
        ...

    @property
    def corpus(self) -> Corpus:
        """The clips."""
        ...

    def compute(self, progress: Progress) -> None:
        """Compute the spectrograms that are missing."""
        ...

    def fitted(self) -> Speech:
        """Return the task with the loop's settings as they follow from the machine and the data."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """A trainer on the command line: its name there, what it is, its settings, and how its task is made of them."""

    name: str
    about: str
    short: str
    config: type
    task: Callable[[Any, FitConfig, tuple[str, ...]], Speech]


TRAINERS = {
    one.name: one
    for one in (
        Trainer(
            name="tacotron2",
            about="Train a Tacotron2 on clips with transcripts.",
            short="text to spectrogram, with attention and a stop gate",
            config=Tacotron2Config,
            task=Tacotron2Task,
        ),
        Trainer(
            name="xtts",
            about=XTTS,
            short="many speakers and languages, a voice taken from a recording",
            config=XttsConfig,
            task=XttsTask,
        ),
    )
}


OWN = (
    *("--run", CHECKPOINTS_FLAG, "--resume", FROM_FLAG, "--reset-training", "--speak", "--no-check"),
    *(LEVELS.flag, FAST_FLAG, PRESETS.flag),
)


def refuse_cut_short_flags(arguments: Sequence[str]) -> None:
    """Refuse flags of this command that are not written in full."""
    if len(arguments) > 1 and arguments[0] == "train" and arguments[1] in TRAINERS:
        refuse_cut_short(arguments, (TRAINERS[arguments[1]].config, FitConfig), OWN)


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    trainers = parser.add_subcommands(dest="task")
    for one in TRAINERS.values():
        own = ArgumentParser(description=one.about, exit_on_error=False)
        place = f"runs/{one.name}"
        own.add_argument("--run", CHECKPOINTS_FLAG, type=str, default=place, help="folder of the run; it must be new")
        own.add_argument("--resume", action="store_true", help="go on where this run was left, with its own settings")
        own.add_argument("--resume-from", type=str, default="", help="go on from this checkpoint (a step-* folder)")
        own.add_argument("--reset-training", action="store_true", help=RESET)
        own.add_argument(
            "--no-check", action="store_true", help="do not look through the recordings of a new run first"
        )
        own.add_argument("--speak", type=list[str], default=[], help=SPEAK)
        if one.name == "xtts":
            own.add_argument(LEVELS.flag, type=str, default=DEFAULT, help="settings to start from")
            own.add_argument(FAST_FLAG, action="store_true", help="put those of fast convergence above them")
        else:
            own.add_argument(PRESETS.flag, type=str, default="", help=f"settings by name: {', '.join(PRESETS.names)}")
        add_config(own, (one.config, FitConfig))
        trainers.add_subcommand(one.name, own, help=one.short)


def run(arguments: Namespace) -> int:
    """Train."""
    given, trainer = arguments[arguments.task], TRAINERS[arguments.task]
    config, fit = configs(given, (trainer.config, FitConfig))
    folder, speak = Path(given.run), tuple(given.speak)
    if given.reset_training and (given.resume or given.resume_from):
        raise ValueError("--reset-training begins anew, --resume goes on; give one of the two")
    refuse_changed(folder, (config, fit), resume=given.resume, resume_from=given.resume_from)
    resume = Path(given.resume_from) if given.resume_from else given.resume
    if not given.reset_training:
        claim(folder, resume=resume is not False)  # before an hour of computing spectrograms
    task = trainer.task(config, fit, speak)
    with bars() as progress:
        task.compute(lambda done, total: progress("spectrograms", done, total))
        checks = resume is False and not given.no_check
        odd = check(task.corpus.clips, config.spec(), partial(progress, "checking"))[0] if checks else []
    for line in shortened(odd):
        printed.text(f"data: {line}")
    task = task.fitted()
    if fit.find_batch and resume is False:
        task = with_largest_batch(task)
    for line in oddities(fit, task.fit, getattr(config, "epochs", 0)):
        printed.text(line)
    if given.reset_training and folder.exists():
        kept = set_aside(folder, untaken(folder.with_name(f"{folder.name}-before")))
        printed.text(f"the run that was in {folder} is now in {kept}")
    notes = {f"{len(odd)} recordings or texts are odd": {"odd": odd}} if odd else {}
    return run_under_eyes(task, task.fit, folder, resume=resume, describe=asdict(config), notes=notes).code


def shortened(odd: Sequence[str]) -> list[str]:
    """Return the first lines of what is odd, and how many more there are."""
    rest = len(odd) - SHOWN
    return [*odd[:SHOWN], *([f"and {rest} more, in the run's journal"] if rest > 0 else [])]
