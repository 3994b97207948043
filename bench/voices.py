"""Whose voice is heard: every language of a trained XTTS-style network spoken in the voice of every speaker.

    python bench/voices.py RUN [--texts 6] [--out FOLDER]

It takes a run of two speakers or more, with two clips or more of each in each of their languages. Texts are held-out
clips of the run, voices a recording of each speaker in each of their languages, of those that it was trained on. A cell
of the table is the mean cosine between the speaker vectors (Resemblyzer's) of what is said and of other recordings of
the asked speaker in the asked language, and after the stroke to those of all other speakers. The first text of each
pair is written to FOLDER as a WAV file.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean

from torch import Tensor

from rerail.audio import files
from rerail.audio.trim import trim
from rerail.audio.vocoder import vocoder
from rerail.audio.voiceprint import Voiceprint
from rerail.data.clip import Clip
from rerail.tasks.speech.assess import held_out
from rerail.tasks.speech.corpus import Corpus
from rerail.tasks.speech.speak import Voice, speak
from rerail.tasks.speech.trained import Trained
from rerail.tasks.trained import load

RECORDINGS = 12  # of each voice, to compare with
SECONDS = 4.0  # the shortest recording that a voice is taken from, where there are such

Who = tuple[str, str]  # speaker, language


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A voice: the clip that it is taken from, and the vectors of other recordings of it."""

    reference: Clip
    vectors: Sequence[Tensor]


def voices(trained: Trained, voiceprint: Voiceprint) -> dict[Who, Heard]:
    """Return the voices of the corpora that the run was trained on, where there are enough to compare."""
    rate, by = trained.config.sample_rate, defaultdict[Who, list[Clip]](list)
    for clip in sorted(Corpus(trained.config).clips, key=lambda one: one.id):
        if clip.id not in trained.held_out:
            by[clip.speaker, clip.language].append(clip)
    if single := sorted(f"{speaker} ({language})" for (speaker, language), clips in by.items() if len(clips) == 1):
        raise SystemExit(
            f"one clip alone of {', '.join(single)}: nothing to compare with; give a run with more of them"
        )
    if len(speakers := {speaker for speaker, _ in by}) == 1:
        raise SystemExit(f"one speaker alone, {speakers.pop()!r}: no other to tell apart; give a run of two or more")
    found = {}
    for who, clips in by.items():
        long = [one for one in clips if len(files.read(one.path, rate)) > SECONDS * rate] or clips
        others = [one for one in clips if one.id != long[0].id]
        some = others[:: max(1, len(others) // RECORDINGS)][:RECORDINGS]
        vectors = [voiceprint(trim(files.read(one.path, rate)), rate) for one in some]
        found[who] = Heard(reference=long[0], vectors=vectors)
    return found


def likeness(vector: Tensor, among: Sequence[Tensor]) -> float:
    """Return the mean cosine."""
    return fmean(float(vector @ one) for one in among)


def lines(trained: Trained, texts: int, out: Path | None) -> Iterator[str]:
    """Yield the table."""
    voiceprint, spec = Voiceprint.load(), trained.config.spec()
    known, sound = voices(trained, voiceprint), vocoder("griffin-lim", spec)
    spoken = defaultdict[str, list[str]](list)
    for clip in held_out(trained).clips:
        spoken[clip.language].append(clip.text)
    heading = [f"in the voice of {speaker} ({language})" for speaker, language in known]
    yield "| text | " + " | ".join(heading) + " |\n" + "|---" * (len(known) + 1) + "|"
    for language, sentences in sorted(spoken.items()):
        cells = []
        for who, heard in known.items():
            features = Corpus(trained.config).spectrograms([heard.reference])[0]
            said = speak(trained, list(islice(sentences, texts)), Voice(vocoder=sound, language=language, of=features))
            own, others = [], []
            for number, one in enumerate(said):
                vector = voiceprint(one.samples, spec.sample_rate)
                own.append(likeness(vector, heard.vectors))
                rest = [one for (speaker, _), voice in known.items() if speaker != who[0] for one in voice.vectors]
                others.append(likeness(vector, rest))
                if out and number == 0:
                    files.write(out / f"{language}-as-{who[0]}-{who[1]}.wav", one.samples, spec.sample_rate)
            cells.append(f"{fmean(own):.3f} / {fmean(others):.3f}")
        yield f"| {language} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--texts", type=int, default=6)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
    for line in lines(load(given.run), given.texts, given.out):
        print(line, flush=True)


if __name__ == "__main__":
    main()
