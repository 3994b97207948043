"""A corpus on one page: how much of what there is, in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rerail.audio import files
from rerail.data import facts, ljspeech, readers
from rerail.data.alike import letters
from rerail.data.check import CLIPPED, RATE_CLIPS, SILENT, line
from rerail.data.facts import Facts
from rerail.data.listing import Listing
from rerail.data.measure import Measured, measure, spoken
from rerail.data.progress import Progress
from rerail.data.split import NAMES

MOST, RARE = 12, 5  # so many voices are named; a symbol in fewer clips can hardly be learned


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A measured corpus. `sides` are the clips in each part of a split, `left_out` counts by kind what is not used.

    `lost` names voices that are left out for the most part, with the reasons.
    """

    facts: Facts
    clips: tuple[Measured, ...]
    sides: Mapping[str, int]
    left_out: Mapping[str, int]
    lost: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the page, a fact a line."""
        told = {**self._terms(), **self._amounts(), **self._sounds(), **self._texts()}
        return [f"# Data card: {self.facts.name}", "", *(f"- {key}: {value}" for key, value in told.items() if value)]

    def _terms(self) -> dict[str, str]:
        terms = self.facts
        return {
            "licence": terms.licence or "not known",
            "credit": terms.credit,
            "source": terms.source,
            "changes": terms.changes,
        }

    def _amounts(self) -> dict[str, str]:
        sides = ", ".join(f"{name} {count}" for name, count in self.sides.items())
        left = ", ".join(f"{kind} {count}" for kind, count in sorted(self.left_out.items()))
        return {
            "clips": f"{len(self.clips)}{f' ({sides})' if sides else ''}",
            "left out": f"{sum(self.left_out.values())} ({left})" if left else "",
            "mostly left out": "; ".join(self.lost),
            "minutes": f"{_minutes(self.clips):.1f}",
            "speakers": _shares(self.clips, lambda one: one.clip.speaker),
            "languages": _shares(self.clips, lambda one: one.clip.language),
        }

    def _sounds(self) -> dict[str, str]:
        clips = self.clips
        rates = Counter(one.rate for one in clips)
        ends = [(one.samples - one.end + one.first) / one.rate for one in clips]
        peak = max((one.peak for one in clips), default=0.0)
        clipped, silent = sum(one.full > CLIPPED for one in clips), sum(one.peak < SILENT for one in clips)
        return {
            "sampling rate": ", ".join(f"{rate} Hz ({count})" for rate, count in rates.most_common()),
            "seconds a clip (5, 50, 95 %)": _spread((one.seconds for one in clips), ".2f"),
            "silence at both ends, seconds (5, 50, 95 %)": _spread(ends, ".2f"),
            "quiet frames within, share (5, 50, 95 %)": _spread((one.quiet for one in clips), ".2f"),
            "level, dB of full scale (5, 50, 95 %)": _spread((one.level for one in clips), ".1f"),
            "peak": f"{peak:.3f}; {clipped} clipped, {silent} silent",
            "not finite": f"{bad} clips" if (bad := sum(bool(one.nonfinite) for one in clips)) else "",
        }

    def _texts(self) -> dict[str, str]:
        clips = self.clips
        rate = (one.characters / one.seconds for one in clips if one.seconds)
        texts = Counter(letters(one.clip.text) for one in clips)
        stress = sum("+" in one.clip.text for one in clips)
        return {
            "characters a clip (5, 50, 95 %)": _spread((one.characters for one in clips), ".0f"),
            "characters a second (5, 50, 95 %)": _spread(rate, ".1f"),
            "seconds of a text": _fit(clips),
            "texts": f"{len(texts)} different; {sum(count - 1 for count in texts.values())} clips repeat one",
            "stress marks": f"in {stress} clips (dropped unless asked for)" if stress else "",
            **_symbols(clips),
        }


def card(place: Path, progress: Progress | None = None, layout: str = "") -> Card:
    """Measure a corpus in any known layout. What cannot be read is counted among the left out.

    Raises:
        ValueError: where there is none.
    """
    listing = readers.read(place, layout)
    measured, unreadable = list[Measured](), 0
    for number, clip in enumerate(listing.clips, 1):
        try:
            rate = files.rate_of(clip.path)
            measured.append(measure(clip, files.read(clip.path, rate), rate))
        except ValueError:
            unreadable += 1
        if progress:
            progress(number, len(listing.clips))
    folder = place if place.is_dir() else place.parent
    left = Counter(one.kind for one in listing.left_out) + Counter(unreadable=unreadable)
    return Card(facts=facts.read(folder), clips=tuple(measured), sides=_sides(folder, listing), left_out=left)


def _sides(folder: Path, listing: Listing) -> dict[str, int]:
    ids = {clip.id for clip in listing.clips}
    tables = {name: folder / f"{name}.csv" for name in NAMES}
    if not all(table.is_file() for table in tables.values()):
        return {}
    return {name: sum(one.id in ids for one in ljspeech.sift(table).clips) for name, table in tables.items()}


def _shares(clips: Sequence[Measured], key: Callable[[Measured], str]) -> str:
    """Return clips and minutes of each speaker or language, the largest first."""
    parts = dict[str, list[Measured]]()
    for one in clips:
        parts.setdefault(key(one) or "not named", []).append(one)
    ordered = sorted(parts.items(), key=lambda part: -len(part[1]))
    told = [f"{name} ({len(part)} clips, {_minutes(part):.1f} min)" for name, part in ordered[:MOST]]
    rest = [f"and {len(ordered) - MOST} more"] if len(ordered) > MOST else []
    return f"{len(parts)}: {', '.join([*told, *rest])}" if set(parts) != {"not named"} else ""


def _symbols(clips: Sequence[Measured]) -> dict[str, str]:
    texts = [spoken(one.clip) for one in clips]
    counts = Counter(symbol for text in texts for symbol in text)
    within = Counter(symbol for text in texts for symbol in set(text))
    rare = [symbol for symbol, count in within.items() if count < RARE]
    shown = " ".join(f"{_shown(symbol)}:{count}" for symbol, count in counts.most_common())
    return {
        "symbols": f"{len(counts)}, with counts: {shown}" if counts else "none",
        f"symbols in fewer than {RARE} clips": " ".join(sorted(map(_shown, rare))),
    }


def _shown(symbol: str) -> str:
    return symbol if symbol.isprintable() and not symbol.isspace() else f"U+{ord(symbol):04X}"


def _fit(clips: Sequence[Measured]) -> str:
    if len(clips) < RATE_CLIPS:
        return ""
    start, slope = line(sorted((one.characters, one.seconds) for one in clips))
    return f"{start:.2f} + {slope:.4f} * characters"


def _minutes(clips: Iterable[Measured]) -> float:
    return sum(one.seconds for one in clips) / 60


def _spread(values: Iterable[float], form: str) -> str:
    ordered = sorted(values)
    if not ordered:
        return ""
    return " / ".join(format(ordered[round(share * (len(ordered) - 1))], form) for share in (0.05, 0.5, 0.95))
