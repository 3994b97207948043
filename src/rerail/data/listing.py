"""What a reader found in a corpus: the clips, and whatever it left out with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rerail.data.clip import Clip

UNWRITABLE = "|\n\r"  # no metadata.csv can hold these inside a text


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A clip, or a file without one, that is not used. `kind` groups reasons: `no audio`, `silent`, `misfit`."""

    id: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A corpus as a reader found it. `left_out` names everything that is not among `clips`."""

    clips: tuple[Clip, ...]
    left_out: tuple[LeftOut, ...] = ()

    def within(self, language: str, speaker: str) -> Listing:
        """Fill in the language and the speaker of the clips that name none."""
        clips = (replace(one, language=one.language or language, speaker=one.speaker or speaker) for one in self.clips)
        return replace(self, clips=tuple(clips))


def sifted(clips: Iterable[Clip], audio: Mapping[str, Path], left_out: Iterable[LeftOut] = ()) -> Listing:
    """Keep the clips that have a recording and a text of their own; name the others, and recordings without a clip.

    `audio` are all recordings there, by the id each would have. One whose id `left_out` names is not named twice.
    """
    kept, odd, claimed = dict[str, Clip](), list(left_out), set[Path]()
    for clip in clips:
        claimed.add(clip.path)
        if problem := _problem(clip, kept):
            kind, reason = problem
            odd.append(LeftOut(id=clip.id, kind=kind, reason=reason))
        else:
            kept[clip.id] = clip
    known = {one.id for one in odd}
    stray = sorted(name for name, path in audio.items() if path not in claimed and name not in known)
    odd += [LeftOut(id=name, kind="no text", reason="a recording that no text belongs to") for name in stray]
    return Listing(clips=tuple(kept.values()), left_out=tuple(odd))


def flat(path: Path, folder: Path) -> str:
    """Return a path below `folder`, without its ending, as one name: `digits/1.wav` is `digits_1`."""
    return "_".join(path.relative_to(folder).with_suffix("").parts)


def _problem(clip: Clip, kept: dict[str, Clip]) -> tuple[str, str] | None:
    """Return the kind of what is wrong with a clip, and the reason."""
    if clip.id in kept:
        return "id twice", "another clip has this id; only the first is used"
    if not clip.text.strip():
        return "no text", "empty text"
    if any(one in clip.text for one in UNWRITABLE):
        return "text", "its text holds `|` or a line break"
    if not clip.path.is_file():
        return "no audio", f"{clip.path.name} is missing"
    return None if clip.path.stat().st_size else ("no audio", f"{clip.path.name} is empty (0 bytes)")
