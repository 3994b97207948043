"""Measure a trained model on held-out clips: rerail evaluate tacotron2 RUN_OR_CHECKPOINT [--cer] [--mos]."""

from __future__ import annotations

import json
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.audio.asr import whisper
from rerail.audio.mos import distilled
from rerail.audio.vocoder import Name, vocoder
from rerail.audio.voiceprint import WEIGHTS, Voiceprint
from rerail.cli.arguments import new_file
from rerail.cli.data.bars import bars
from rerail.cli.face_voice import evaluate as matching
from rerail.core import plain
from rerail.data.get import cache_folder
from rerail.tasks.speech.assess import Assessed, assess, held_out
from rerail.tasks.speech.listening import Panel
from rerail.tasks.speech.table import HEADINGS, made_of, rows
from rerail.tasks.speech.trained import Trained
from rerail.tasks.trained import load
from rerail.tell import printed

SCORES = f"""These are the clips that the run has set aside, or all of --data. Teacher-forced means that each step is
given the true frames before it, free-running that the model goes on from its own. The table has a line a score; the
JSON file of --out has the scores of each clip, too.

Quality is 100 x sound x (0.7 x reading + 0.3 x ending), in percent, free-running. Reading: is the text read, in order
and whole? Ending: the share of utterances that stop within 10 % of the true end. Sound: 1 where the mel error is half
that of the mean mel; another recording of the same words comes about as near.

The mel error is the mean absolute difference of log mel magnitudes, free-running along the warping path (DTW). The
mel-cepstral distortion is 10 / ln 10 x sqrt(2 x the sum of the squared differences of cepstra 1 to 13), the mean along
the same path, in dB (Kubichek 1993). It is 0 between equal spectrograms.

--cer gives the share of characters that a recogniser (Whisper base) hears wrong, --mos what people would think of the
sound, from 1 to 5, as DistillMOS estimates it. Both are also given for the recording, which shows what the listener
itself gets wrong, and for the recording's spectrogram through the vocoder alone, which shows what that costs. --cer
needs pip install "rerail[asr]", --mos pip install "rerail[mos]" (or, without torchaudio, which is not used, pip install
--no-deps distillmos==0.9.1 xls-r-sqa==0.1.0).

--speaker gives how near the speaker vector of what is said (Resemblyzer's, of length 1) comes to those of recordings of
its speaker, and of the other speakers of these clips. It needs {WEIGHTS.get}.
"""
TACOTRON2 = f"""Measure a Tacotron2 on clips that it never saw.

{SCORES}
A published NVIDIA checkpoint (a *.pt file with a state_dict of the reference names) holds no symbol table. With --data
and --symbols it is measured; without them it is only said whether it loads.
"""
XTTS = f"""Measure an XTTS-style network on clips that it never saw, each in the voice of another clip of its speaker.

{SCORES}"""
PLACE = "folder of a run (its newest sound checkpoint), a checkpoints/step-* folder, or a published *.pt file"
SYMBOLS = "table of a published file: its characters in their order, or a file that holds them"
LANGUAGE = "language of clips that name none, e.g. en: to spell numbers, and for the recogniser"


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    trainers = parser.add_subcommands(dest="task")
    for name, about, short in (
        ("tacotron2", TACOTRON2, "text to spectrogram, with attention and a stop gate"),
        ("xtts", XTTS, "many speakers and languages, a voice taken from a recording"),
    ):
        own = ArgumentParser(description=about, exit_on_error=False)
        _fill(own)
        trainers.add_subcommand(name, own, help=short)
    own = ArgumentParser(description=matching.ABOUT, exit_on_error=False)
    matching.fill(own)
    trainers.add_subcommand("face-voice", own, help="pictures and the voices that belong to them")


def _fill(parser: ArgumentParser) -> None:
    parser.add_argument("place", type=str, help=PLACE)
    parser.add_argument("--data", type=str, default="", help="other clips to measure on, in LJSpeech layout")
    parser.add_argument("--cache", type=str, default="", help="folder for computed spectrograms (default: the run's)")
    parser.add_argument("--language", type=str, default="", help=LANGUAGE)
    parser.add_argument("--symbols", type=str, default="", help=SYMBOLS)
    parser.add_argument("--cer", action="store_true", help="have a recogniser listen; 2 to 4 s a sound on a core")
    parser.add_argument("--mos", action="store_true", help="have the mean opinion score estimated; 1 s a sound")
    parser.add_argument("--speaker", action="store_true", help="have the voice compared with those of recordings")
    parser.add_argument("--vocoder", type=Name, default="griffin-lim", help="what they are to hear")
    parser.add_argument("--hifigan", type=str, default="", help="file of HiFi-GAN's generator")
    parser.add_argument("--threshold", type=float, default=0.5, help="the gate says stop above this probability")
    parser.add_argument("--seed", type=int, default=0, help="seed of the prenet's dropout")
    parser.add_argument("--out", type=str, default="", help="JSON file for all scores; it must be new")


def run(arguments: Namespace) -> int:
    """Print the scores; write them where that is asked for."""
    given = arguments[arguments.task]
    out = new_file(given.out) if given.out else None
    if arguments.task == "face-voice":
        return matching.run(given, out)
    trained = load(Path(given.place), given.symbols)
    printed.text(trained.told())
    if trained.symbols is None:
        printed.text("its keys are those of the published network; to measure it give --symbols and --data")
        return 0
    assessed = _assessed(trained, given)
    printed.text(f"{len(assessed.clips)} clips of {given.data or trained.config.data}")
    printed.table(HEADINGS, rows(assessed.scores))
    printed.text(made_of(assessed.scores))
    if out:
        about = {"checkpoint": str(trained.source), "step": trained.step, **vars(given)}
        out.write_text(json.dumps(plain.dump({**about, **plain.dump(assessed)}), indent=1, ensure_ascii=False), "utf8")
    return 0


def _assessed(trained: Trained, given: Namespace) -> Assessed:
    panel = Panel(
        vocoder=vocoder(given.vocoder, trained.config.spec(), given.hifigan),
        ear=whisper(cache_folder()) if given.cer else None,
        opinion=distilled() if given.mos else None,
        speaker=Voiceprint.load() if given.speaker else None,
        language=given.language or trained.config.language,
    )
    on = held_out(trained, data=given.data, cache=given.cache, language=given.language)
    with bars() as progress:
        return assess(
            trained,
            on,
            panel,
            threshold=given.threshold,
            seed=given.seed,
            progress=lambda done, total: progress("listening", done, total),
        )
