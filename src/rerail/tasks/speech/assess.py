"""A trained Tacotron2 on held-out clips: the scores of `evaluate`, also clip by clip, and what listeners say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from rerail.data.clip import Clip
from rerail.data.features import Features
from rerail.data.problems import listed
from rerail.data.progress import Progress
from rerail.tasks.speech.corpus import Corpus, read, refuse_nonfinite
from rerail.tasks.speech.evaluate import each, summed
from rerail.tasks.speech.listening import Heard, Panel, listen, told
from rerail.tasks.speech.trained import Trained

TOGETHER = 16  # clips a batch, where they are not the run's own
GATE = "gate_counts"  # sums over clips, nothing that one clip has

Batch = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Clips to measure on, and their batches: one for the run's own, as training has it, so that equal numbers come."""

    clips: tuple[Clip, ...]
    batches: tuple[Batch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One clip: its scores, and the words that were heard in each of its sounds."""

    id: str
    text: str
    scores: Mapping[str, float]
    heard: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """The scores over all clips, and clip by clip."""

    scores: Mapping[str, float]
    clips: tuple[Scored, ...]


def held_out(trained: Trained, *, data: str = "", cache: str = "", language: str = "") -> HeldOut:
    """Return all clips of `data`, or those that the run has set aside.

    `language` spells the numbers of clips that name none; `cache` is the folder of spectrograms, the run's by default.

    Raises:
        ValueError: where the data are not here, or clips cannot be used; it names them.
    """
    clips, voices = _others(data, language or trained.config.language) if data else _own(trained)
    texts = _texts(trained, clips, language)
    spec = trained.config.spec()
    features = Features(folder=Path(cache or trained.config.cache), spec=spec)
    asked = trained.asks.of_clips(clips, voices, features.prepare)
    rows = [
        {"id": clip.id, "text": text, "mel": mel, **more}
        for clip, text, mel, more in zip(clips, texts, features.prepare(clips), asked, strict=True)
    ]
    refuse_nonfinite(rows)
    size = TOGETHER if data else len(rows)
    batches = (trained.asks.batch(rows[start : start + size], spec.silence) for start in range(0, len(rows), size))
    return HeldOut(clips=tuple(clips), batches=tuple(batches))


def assess(
    trained: Trained,
    on: HeldOut,
    panel: Panel,
    *,
    threshold: float = 0.5,
    seed: int = 0,
    progress: Progress = lambda *_: None,
) -> Assessed:
    """Measure the model on clips; have the panel listen to each, where it has anybody.

    Raises:
        ValueError: where listeners are to hear a spectrogram that is no sound.
    """
    measured = each(trained.model, on.batches, threshold=threshold, seed=seed)
    scores = summed(trained.model, on.batches, measured, seed=seed)
    heard: list[Heard] = []
    if not panel.empty:
        for one in listen(trained, on.clips, on.batches, panel, threshold=threshold, seed=seed):
            heard.append(one)
            progress(len(heard), len(on.clips))
    rows = tuple(
        Scored(
            id=clip.id,
            text=clip.text,
            scores=_one(measured, number) | told(heard[number : number + 1], panel, heard),
            heard=heard[number].words if heard else {},
        )
        for number, clip in enumerate(on.clips)
    )
    return Assessed(scores={**scores, **told(heard, panel)}, clips=rows)


def _others(data: str, language: str) -> tuple[list[Clip], list[Clip]]:
    clips = [replace(clip, language=clip.language or language) for clip in read(data)]
    return clips, clips


def _own(trained: Trained) -> tuple[list[Clip], list[Clip]]:
    """The clips that the run has set aside, and those that it was trained on."""
    own = trained.config.data
    if not own or not all(Path(one.strip()).exists() for one in own.split(",")):
        raise ValueError(f"{trained.source}: its data are not here ({own or 'none are named'}); give --data DIR")
    corpus = Corpus(trained.config)
    if not trained.held_out:  # a run of an older version
        training, aside = corpus.apart()
        return aside, training
    known = {clip.id: clip for clip in (*corpus.clips, *corpus.validation)}
    if gone := [one for one in trained.held_out if one not in known]:
        raise ValueError(f"{own}: {len(gone)} clips set aside are gone, {gone[0]} for one; give --data")
    return [known[one] for one in trained.held_out], [one for one in corpus.clips if one.id not in trained.held_out]


def _texts(trained: Trained, clips: Sequence[Clip], language: str) -> list[torch.Tensor]:
    texts, problems = list[torch.Tensor](), list[str]()
    for clip in clips:
        try:
            texts.append(torch.tensor(trained.numbers(clip.text, trained.config.language or clip.language or language)))
        except ValueError as error:  # noqa: PERF203 (all of them are named at once)
            problems.append(f"{clip.id}: {error}")
    if problems:
        raise ValueError(listed("texts that the model cannot read", problems))
    return texts


def _one(measured: Mapping[str, torch.Tensor], number: int) -> dict[str, float]:
    return {name: float(values[number]) for name, values in measured.items() if name != GATE}
