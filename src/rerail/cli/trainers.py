"""The trainers on the command line: what each is, its settings, its presets, and how its task is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

from rerail.data.progress import Named
from rerail.fit import FitConfig, Task
from rerail.fit.presets import Presets
from rerail.tasks.face_voice.presets import DEFAULT as USUAL
from rerail.tasks.face_voice.presets import PRESETS as FACE_VOICE_PRESETS
from rerail.tasks.face_voice.settings import FaceVoiceConfig
from rerail.tasks.face_voice.task import FaceVoiceTask
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

FACE_VOICE = f"""Train two towers that bring pictures and the voices that belong to them near to each other.

Pairs come from a list (--pairs FILE: a CSV with image,audio,identity, or image|audio|identity lines), or from two
folders (--image-folder, --audio-folder) of files with the same stems, a folder a person, or in VoxCeleb's layout. What
cannot be used is named and left out; whatever shares a picture or a recording is one identity. Some identities are set
aside for good, and some recordings of the others: rerail evaluate face-voice measures on both.

--preset names settings to start from ({", ".join(FACE_VOICE_PRESETS.names)}; default {USUAL}); they stand below
--config, and both below what is typed. --epochs counts times through the data, --steps optimizer steps in its place.

Encoders are small ones that are trained from scratch, or pretrained ones by name: transformers' (pip install
"rerail[pretrained]"), resemblyzer, whisper, dlib. With --freeze true, features are computed once.
"""


class Trainable(Task, Protocol):
    """A task that is trained from the command line."""

    @property
    def fit(self) -> FitConfig:
        """The loop's settings."""
        ...

    def odd(self, progress: Named) -> list[str]:
        """Look through the data; return what is odd about them, a line each."""
        ...

    def compute(self, progress: Named) -> None:
        """Check everything, then compute what is missing of what the data are made into."""
        ...

    def fitted(self) -> Trainable:
        """Return the task with the loop's settings as they follow from the machine and the data."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """A trainer: its name, what it is, its settings, and how its task is made of them.

    `presets` are settings by name, `default` the one that is taken where none is named, empty for none. Where
    `switch` is given, a flag of its own puts that one of `above` over the preset. `speaks` says whether it can be given
    sentences to say, `compares` whether its loss compares the rows of a batch.
    """

    name: str
    about: str
    short: str
    config: type
    task: Callable[[Any, FitConfig, tuple[str, ...]], Trainable]
    presets: Presets
    default: str = ""
    above: Presets | None = None
    switch: str = ""
    speaks: bool = True
    compares: bool = False

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
        Trainer(
            name="face-voice",
            about=FACE_VOICE,
            short="pictures and the voices that belong to them",
            config=FaceVoiceConfig,
            task=lambda config, fit, _speak: FaceVoiceTask(config, fit),
            presets=FACE_VOICE_PRESETS,
            default=USUAL,
            speaks=False,
            compares=True,
        ),
    )
}


def trained(arguments: Sequence[str]) -> Trainer | None:
    """Return the trainer that these arguments of `rerail` ask for; None for another command."""
    asked = len(arguments) > 1 and arguments[0] == "train"
    return TRAINERS.get(arguments[1]) if asked else None
