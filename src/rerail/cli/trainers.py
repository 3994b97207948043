"""The trainers on the command line: what each is, its settings, its presets, and how its task is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

from rerail.data.progress import Progress
from rerail.fit import FitConfig, Task
from rerail.fit.presets import Presets
from rerail.tasks.speech.corpus import Corpus
from rerail.tasks.tacotron2.presets import PRESETS as TACOTRON2_PRESETS
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task
from rerail.tasks.xtts.levels import ABOVE, DEFAULT, FAST, LEVELS
from rerail.tasks.xtts.settings import XttsConfig
from rerail.tasks.xtts.task import XttsTask

XTTS = f"""Train a voice of many speakers and languages on clips with transcripts.

--optimization-level names settings to start from ({", ".join(LEVELS.names)}; default
{DEFAULT}), and {ABOVE.flag} puts those of fast convergence above them. Both stand below --config, and all stand below
what is typed. rerail config xtts writes them out. The guard may leave them, with a proof, and says so.

--epochs counts times through the data, and --steps optimizer steps in its place. Where the batch size is 0, as the
levels have it, micro-batches are as large as the memory of the device suggests; where they do not fit after all they
are halved, and twice as many make a step. --find-batch tries what fits before the first step. A new run looks
through its recordings, and tells which are silent, clipped, too long, or do not fit their text. --speak says sentences
in the voice and the language of the first clip that is set aside.
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
    """A trainer: its name, what it is, its settings, and how its task is made of them.

    `presets` are settings by name, `default` the one that is taken where none is named, empty for none. Where
    `switch` is given, a flag of its own puts that one of `above` over the preset.
    """

    name: str
    about: str
    short: str
    config: type
    task: Callable[[Any, FitConfig, tuple[str, ...]], Speech]
    presets: Presets
    default: str = ""
    above: Presets | None = None
    switch: str = ""

    @property
    def counts_epochs(self) -> bool:
        """Whether its settings count times through the data too, which `--steps` switches off."""
        return any(one.name == "epochs" for one in fields(self.config))


TRAINERS = {
    one.name: one
    for one in (
        Trainer(
            name="tacotron2",
            about="Train a Tacotron2 on clips with transcripts.",
            short="text to spectrogram, with attention and a stop gate",
            config=Tacotron2Config,
            task=Tacotron2Task,
            presets=TACOTRON2_PRESETS,
        ),
        Trainer(
            name="xtts",
            about=XTTS,
            short="many speakers and languages, a voice taken from a recording",
            config=XttsConfig,
            task=XttsTask,
            presets=LEVELS,
            default=DEFAULT,
            above=ABOVE,
            switch=FAST,
        ),
    )
}


def trained(arguments: Sequence[str]) -> Trainer | None:
    """Return the trainer that these arguments of `rerail` ask for; None for another command."""
    asked = len(arguments) > 1 and arguments[0] == "train"
    return TRAINERS.get(arguments[1]) if asked else None
