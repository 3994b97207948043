"""Clean a corpus for training: odd clips out, silence off, three parts that share no text; everything dropped is named.

The result is a folder in LJSpeech layout: `metadata.csv` and the same table in parts (`train.csv`, `validation.csv`,
`test.csv`), 16-bit FLAC in `wavs/`, `left-out.tsv` with a reason for each clip that is not used, `card.md`, and label
files where there were any.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rerail.audio import files
from rerail.data import facts, labels, ljspeech, readers
from rerail.data.alike import letters
from rerail.data.card import Card
from rerail.data.check import SECONDS, faults, misfits
from rerail.data.clip import Clip
from rerail.data.draft import draft
from rerail.data.lay import LABELS, papers, write_left_out
from rerail.data.listing import LeftOut, Listing
from rerail.data.measure import Measured, measure
from rerail.data.progress import Named
from rerail.data.split import NAMES, Sides, sides
from rerail.text.normalise import normalise

CARD = "card.md"
KEEPABLE = ("clipped", "length", "silent", "misfit", "same recording")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareConfig:
    """How a corpus is cleaned."""

    sample_rate: int = field(
        default=16000, metadata={"help": "sampling rate to write, Hz", "least": 8000, "most": 192000}
    )
    resample: bool = field(default=False, metadata={"help": "resample recordings of another rate; else they are out"})
    trim: bool = field(default=True, metadata={"help": "cut the silence before and after speech"})
    shortest: float = field(default=SECONDS[0], metadata={"help": "least seconds of a clip", "above": 0})
    longest: float = field(default=SECONDS[1], metadata={"help": "most seconds of a clip", "above": 0})
    validation: float = field(
        default=0.05, metadata={"help": "share of the clips for validation", "least": 0, "most": 0.5}
    )
    test: float = field(default=0.05, metadata={"help": "share of the clips for testing", "least": 0, "most": 0.4})
    seed: int = field(default=0, metadata={"help": "the same seed gives the same split", "least": 0})
    keep: str = field(
        default="", metadata={"help": f"oddities that are kept, with commas between: {', '.join(KEEPABLE)}"}
    )
    language: str = field(default="", metadata={"help": "language of clips that name none, e.g. en"})
    speaker: str = field(default="", metadata={"help": "speaker of clips that name none"})
    layout: str = field(default="", metadata={"help": "layout of the corpus (default: the one that it looks like)"})

    def kept(self) -> set[str]:
        """Return the kinds of oddities that leave nothing out."""
        return {one.strip() for one in self.keep.split(",") if one.strip()}


def prepare(place: Path, target: Path, config: PrepareConfig, progress: Named) -> Card:
    """Prepare the corpus at `place` into the new folder `target`, which is there complete or not at all.

    Raises:
        ValueError: where there is no corpus, nothing of it can be used, or `target` is taken.
    """
    if odd := sorted(config.kept() - set(KEEPABLE)):
        raise ValueError(f"keep: unknown {', '.join(odd)}; known: {', '.join(KEEPABLE)}")
    listing = readers.read(place, config.layout).within(config.language, config.speaker)
    with draft(target) as folder:
        kept, odd_ones = _clean(listing, folder, config, progress)
        if not kept:
            first = "; ".join(f"{one.id}: {one.reason}" for one in odd_ones[:3])
            raise ValueError(f"{place}: no clip can be used of {len(listing.clips)} ({first})")
        left_out = [*listing.left_out, *odd_ones]
        lost = tuple(_lost(listing, odd_ones))
        parts = _parts([one.clip for one in kept], config)
        source = place if place.is_dir() else place.parent
        card = replace(_card(source, config, kept, parts, left_out), lost=lost)
        _write(folder, parts, [one.clip for one in kept])
        _labels(source, folder, kept)
        papers(source, folder)
        card.facts.write(folder)
        write_left_out(folder, left_out)
        (folder / CARD).write_text("\n".join([*card.lines(), ""]), encoding="utf8")
    return card


def _clean(
    listing: Listing, folder: Path, config: PrepareConfig, progress: Named
) -> tuple[list[Measured], list[LeftOut]]:
    """Write what is sound by itself, then take out again what is not, seen beside the others."""
    kept, odd = list[Measured](), list[LeftOut]()
    for number, clip in enumerate(listing.clips, 1):
        found = _one(clip, folder, config)
        if isinstance(found, LeftOut):
            odd.append(found)
        else:
            kept.append(found)
        progress("recordings", number, len(listing.clips))
    for seen in (_same_recordings, misfits):
        out = {one.id: one for one in seen(kept) if one.kind not in config.kept()}
        for one in kept:
            if one.clip.id in out:
                one.clip.path.unlink()
        kept = [one for one in kept if one.clip.id not in out]
        odd += out.values()
    return kept, odd


def _one(clip: Clip, folder: Path, config: PrepareConfig) -> Measured | LeftOut:
    if problem := _text_problem(clip):
        return LeftOut(id=clip.id, kind="text", reason=problem)
    try:
        samples = files.read(clip.path, config.sample_rate, resample=config.resample)
    except files.WrongRate as error:
        return LeftOut(id=clip.id, kind="rate", reason=f"{error}, or give --resample")
    except ValueError as error:
        return LeftOut(id=clip.id, kind="unreadable", reason=str(error))
    found = measure(clip, samples, config.sample_rate, trimmed=config.trim)
    odd = [one for one in faults(found, (config.shortest, config.longest)) if one.kind not in config.kept()]
    if odd:
        return replace(odd[0], reason="; ".join(one.reason for one in odd))
    path = folder / ljspeech.WAVS / f"{clip.id}.flac"
    files.store(path, files.encode_flac(samples[found.first : found.end], config.sample_rate))
    return replace(found, clip=replace(clip, path=path))


def _text_problem(clip: Clip) -> str:
    try:
        text = normalise(clip.text, language=clip.language)
    except ValueError as error:
        return str(error)
    return "" if letters(text) else f"{clip.text!r} has no letters"


def _same_recordings(kept: Sequence[Measured]) -> Iterator[LeftOut]:
    """Yield all but the first of equal recordings; where their texts differ, all: who knows which is wrong."""
    same = dict[str, list[Measured]]()
    for one in kept:
        same.setdefault(one.digest, []).append(one)
    for first, *others in same.values():
        texts = {letters(one.clip.text) for one in (first, *others)}
        if len(texts) == 1:
            told = f"the same recording as {first.clip.id}, with the same text"
            yield from (LeftOut(id=one.clip.id, kind="same recording", reason=told) for one in others)
        else:
            told = f"one recording under {len(texts)} texts, beside others: {first.clip.id}"
            yield from (LeftOut(id=one.clip.id, kind="same recording", reason=told) for one in (first, *others))


def _lost(listing: Listing, odd: Sequence[LeftOut]) -> Iterator[str]:
    """Yield the voices of which more than half is left out: a fault of theirs, and seldom of single clips."""
    kinds = {one.id: one.kind for one in odd}
    voices = dict[str, list[str]]()
    for clip in listing.clips:
        voices.setdefault(clip.speaker or "not named", []).append(kinds.get(clip.id, ""))
    for speaker, found in sorted(voices.items()):
        if found.count("") < len(found) / 2:
            kind, count = Counter(filter(None, found)).most_common(1)[0]
            yield f"{speaker} ({len(found) - found.count('')} of {len(found)} clips: {count} for {kind})"


def _parts(clips: Sequence[Clip], config: PrepareConfig) -> Sides:
    validation, test = (math.ceil(share * len(clips)) for share in (config.validation, config.test))
    return sides(clips, validation=validation, test=test, seed=config.seed)


def _card(
    source: Path, config: PrepareConfig, kept: Sequence[Measured], parts: Sides, left_out: Sequence[LeftOut]
) -> Card:
    known = facts.read(source)
    cut = "silence at the ends cut, " if config.trim else ""
    done = f"prepared for training: {cut}clips left out and split with seed {config.seed}"
    return Card(
        facts=known
        if done in known.changes
        else replace(known, changes="; ".join(filter(None, (known.changes, done)))),
        clips=tuple(kept),
        sides={name: len(getattr(parts, name)) for name in NAMES},
        left_out=Counter(one.kind for one in left_out),
    )


def _write(folder: Path, parts: Sides, clips: Sequence[Clip]) -> None:
    ljspeech.write(folder / ljspeech.METADATA, clips)
    for name in NAMES:
        ljspeech.write(folder / f"{name}.csv", getattr(parts, name))


def _labels(source: Path, folder: Path, kept: Sequence[Measured]) -> None:
    """Write the label files of the clips, cut as these were."""
    found = labels.found(source)
    for one in kept:
        if path := found.get(one.clip.id):
            phones = labels.cut(labels.read(path), one.first / one.rate, one.end / one.rate)
            files.store(folder / LABELS / f"{one.clip.id}.lab", labels.written(phones).encode())
