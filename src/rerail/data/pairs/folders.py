"""A folder of pictures and one of recordings: with the same names, or with a sub-folder a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rerail.data.listing import LeftOut
from rerail.data.pairs import found
from rerail.data.pairs.pair import Pair, Pairing, sifted

MOSTLY = 0.5  # as many of the fewer files must share a name, else the folders are looked at as persons


def read(images: Path, recordings: Path) -> Pairing:
    """Pair files of one name, endings and the two folders aside; the first sub-folder is the identity, or the name.

    Where fewer than half have a partner of that name, and both folders have sub-folders of the same names, each of
    those is a person: a picture and a recording of one person make a pair.

    Raises:
        ValueError: where a folder is missing, or nothing can be paired.
    """
    seen, heard = found.images(images), found.recordings(recordings)
    few = len(seen.keys() & heard.keys()) < MOSTLY * min(len(seen), len(heard))
    place = f"{images}, {recordings}"
    if few and found.persons(seen) & found.persons(heard):
        return found.of_persons(seen, heard, place)
    odd = list[LeftOut]()
    pairs = list(_same_names(seen, heard, odd))  # first: it fills `odd`
    return sifted(pairs, odd, place)


def _same_names(seen: found.Stems, heard: found.Stems, odd: list[LeftOut]) -> Iterator[Pair]:
    for stem in sorted({*seen, *heard}):
        images, sounds = seen.get(stem, ()), heard.get(stem, ())
        if twice := next((one for one in (images, sounds) if len(one) > 1), None):
            told = f"{' and '.join(path.name for path in twice)} have one name; rename or remove one"
            odd.append(LeftOut(id=stem, kind="name twice", reason=told))
        elif not sounds:
            odd.append(LeftOut(id=stem, kind="no audio", reason=f"{images[0].name} has no recording {stem}.*; add it"))
        elif not images:
            odd.append(LeftOut(id=stem, kind="no picture", reason=f"{sounds[0].name} has no picture {stem}.*; add it"))
        else:
            yield Pair(id=stem, image=images[0], audio=sounds[0], identity=stem.partition("/")[0])
