"""Which pictures and recordings lie in a folder, and which of one person go together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from rerail.data.listing import LeftOut
from rerail.data.pairs import pictures
from rerail.data.pairs.pair import Pair, Pairing, composed, sifted

SOUNDS = (".wav", ".flac", ".m4a", ".ogg", ".oga", ".opus", ".mp3", ".g722")
Stems = Mapping[str, Sequence[Path]]  # by path below the folder without ending, with `/` between its parts


def images(folder: Path) -> Stems:
    """Return the pictures at or below a folder.

    Raises:
        ValueError: where there is no such folder.
    """
    return _stems(folder, pictures.ENDINGS)


def recordings(folder: Path) -> Stems:
    """Return the recordings at or below a folder.

    Raises:
        ValueError: where there is no such folder.
    """
    return _stems(folder, SOUNDS)


def below(folder: Path, endings: Collection[str]) -> list[Path]:
    """Return the files with these endings at or below a folder, in order; links are followed, hidden files left out.

    Raises:
        ValueError: where there is no such folder.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder; give one with files {', '.join(endings)}")
    found = _walked(folder, frozenset())
    return [one for one in found if one.suffix.lower() in endings and not one.name.startswith(".")]


def of_persons(seen: Stems, heard: Stems, place: str) -> Pairing:
    """Pair within each first folder, with what lies in a folder of the same name below it if there is such a one.

    All that a person has is used: the side with fewer files repeats. A file that lies in no folder is left out.

    Raises:
        ValueError: naming `place`, where no pair is found.
    """
    odd = [*_strays(seen, heard, "no audio"), *_strays(heard, seen, "no picture")]
    both = sorted(persons(seen) & persons(heard))
    found = {person: (_videos(seen, person), _videos(heard, person)) for person in both}
    pairs = [pair for person, (images, sounds) in found.items() for pair in _within(person, images, sounds)]
    return sifted({one.id: one for one in pairs}.values(), odd, place)


def persons(stems: Stems) -> set[str]:
    """Return the names of the first folders."""
    return {stem.partition("/")[0] for stem in stems if "/" in stem}


def repeated(person: str, images: Sequence[tuple[str, Path]], sounds: Sequence[tuple[str, Path]]) -> Iterator[Pair]:
    """Yield pairs of a person's pictures and recordings, each with a name; the fewer repeat until all are used."""
    for number in range(max(len(images), len(sounds)) if images and sounds else 0):
        (image, seen), (sound, heard) = images[number % len(images)], sounds[number % len(sounds)]
        yield Pair(id=f"{image}+{sound}", image=seen, audio=heard, identity=person)


def _stems(folder: Path, endings: Collection[str]) -> Stems:
    stems = defaultdict[str, list[Path]](list)
    for path in below(folder, endings):
        stems[composed(path.relative_to(folder).with_suffix("").as_posix())].append(path)
    return stems


def _walked(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Yield all files; a link back to a folder that it lies in is not followed: that would never end."""
    real = folder.resolve()
    for one in sorted(folder.iterdir()) if real not in above else ():
        if one.is_dir():
            yield from _walked(one, above | {real})
        elif one.is_file():
            yield one


def _videos(stems: Stems, person: str) -> dict[str, list[tuple[str, Path]]]:
    """Return a person's files by the folder that they lie in, an empty name for the person's own."""
    videos = defaultdict[str, list[tuple[str, Path]]](list)
    for stem, paths in stems.items():
        first, *between, _ = stem.split("/") if "/" in stem else ("", "")
        if first == person:
            videos[between[-1] if between else ""] += [(stem, path) for path in paths]
    return videos


def _within(
    person: str, images: Mapping[str, list[tuple[str, Path]]], sounds: Mapping[str, list[tuple[str, Path]]]
) -> Iterator[Pair]:
    every_image, every_sound = ([one for own in sorted(side) for one in side[own]] for side in (images, sounds))
    for video in sorted({*images, *sounds}):
        seen, heard = images.get(video), sounds.get(video)
        if seen and heard:
            yield from repeated(person, seen, heard)
        elif heard:
            yield from repeated(person, every_image[: len(heard)], heard)
        elif seen:
            yield from repeated(person, seen, every_sound[: len(seen)])


def _strays(own: Stems, others: Stems, kind: str) -> Iterator[LeftOut]:
    partner = "recording" if kind == "no audio" else "picture"
    known = persons(others)
    for stem in sorted(own):
        person, below, _ = stem.partition("/")
        if not below:
            told = f"{own[stem][0].name} lies in no person's folder; put it into one"
            yield LeftOut(id=stem, kind="no person", reason=told)
        elif person not in known:
            told = f"{own[stem][0].name} has no {partner} in a folder {person}; add one"
            yield LeftOut(id=stem, kind=kind, reason=told)
