"""Look through a corpus before training: what is odd about the recordings, and which texts do not fit them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from rerail.audio import files
from rerail.audio.mel import MelSpec
from rerail.data.clip import Clip
from rerail.data.listing import LeftOut
from rerail.data.measure import Measured, measure
from rerail.data.progress import Progress

SECONDS = (0.3, 20.0)
SILENT = 1e-3  # peak
CLIPPED = 1e-3  # more than this share of the samples at full scale is heard
RATE_CLIPS = 16  # from so many clips of a speaker on, a length is odd that is off
MISFIT, FAR = 0.5, 4.0  # by this share of the expected one, and by so many times the spread of the others


def check(clips: Sequence[Clip], spec: MelSpec, progress: Progress | None = None) -> tuple[list[str], bool]:
    """Return one warning a line, none for a sound corpus, and whether training could read every recording.

    None is changed or left out.
    """
    warnings, measured, readable = [], list[Measured](), True
    for number, clip in enumerate(clips, 1):
        try:
            samples = files.read(clip.path, spec.sample_rate)
        except ValueError as error:
            warnings.append(str(error))
            readable = False
        else:
            measured.append(measure(clip, samples, spec.sample_rate))
            warnings += [f"{clip.id}: {one.reason}" for one in faults(measured[-1])]
        if progress:
            progress(number, len(clips))
    return [*warnings, *(f"{one.id}: {one.reason}" for one in misfits(measured))], readable


def faults(one: Measured, seconds: tuple[float, float] = SECONDS) -> Iterator[LeftOut]:
    """Yield what is odd about one recording by itself."""
    name = one.clip.id
    if one.nonfinite:
        told = f"{one.nonfinite} of {one.samples} samples are not finite; restore the recording"
        yield LeftOut(id=name, kind="not finite", reason=told)
        return
    if one.peak < SILENT:
        told = f"silent (peak {one.peak:.1e}); record it again or remove it"
        yield LeftOut(id=name, kind="silent", reason=told)
    if one.full > CLIPPED:
        told = f"clipped ({one.full:.1%} of its samples at full scale); record it more quietly"
        yield LeftOut(id=name, kind="clipped", reason=told)
    if not seconds[0] <= one.seconds <= seconds[1]:
        told = f"{one.seconds:.2f} s long, outside {seconds[0]} to {seconds[1]} s; cut it or remove it"
        yield LeftOut(id=name, kind="length", reason=told)


def misfits(measured: Iterable[Measured]) -> Iterator[LeftOut]:
    """Yield clips whose seconds do not fit their speaker's `start + slope * characters`: mostly wrong transcripts."""
    voices: dict[tuple[str, str], list[Measured]] = {}
    for one in measured:
        voices.setdefault((one.clip.speaker, one.clip.language), []).append(one)
    for voice in voices.values():
        if len(voice) >= RATE_CLIPS:
            yield from _misfits(voice)


def line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Return start and slope of a line that a quarter of wrong points does not move (Theil 1950, far pairs only)."""
    half = len(points) // 2
    pairs = zip(points[:half], points[-half:], strict=True)
    slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairs if x1 > x0]
    slope = median(slopes) if slopes else 0.0
    return median(y - slope * x for x, y in points), slope


def _misfits(voice: Sequence[Measured]) -> Iterator[LeftOut]:
    start, slope = line(sorted((one.characters, one.seconds) for one in voice))
    off = [one.seconds - start - slope * one.characters for one in voice]
    spread = 1.4826 * median(abs(one) for one in off)  # of a normal distribution, the standard deviation
    for one, away in zip(voice, off, strict=True):
        expected = start + slope * one.characters
        if expected <= 0 or (abs(away) > MISFIT * expected and abs(away) > FAR * spread):
            took = f"{one.seconds:.2f} s for {one.characters} characters, expected {expected:.2f} s"
            yield LeftOut(id=one.clip.id, kind="misfit", reason=f"{took}; check its text")
