from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from rerail.audio.mel import MelSpec
from rerail.data.check import check
from rerail.data.clip import Clip

NOISE = np.random.default_rng(0).normal(0, 0.1, 16000 * 25).astype(np.float32)


def record(folder: Path, name: str, samples: np.ndarray, text: str = "some words", rate: int = 16000) -> Clip:
    path = folder / f"{name}.wav"
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return Clip(id=name, path=path, text=text)


def spoken(folder: Path, number: int, seconds_a_character: float = 0.06) -> Clip:
    characters = 20 + 2 * number
    samples = NOISE[: int(16000 * (0.2 + seconds_a_character * characters))]
    return record(folder, f"clip{number:02}", samples, "x" * characters)


def test_sound_clips_give_no_warning(tmp_path: Path) -> None:
    assert check([spoken(tmp_path, number) for number in range(20)], MelSpec()) == ([], True)


@pytest.mark.parametrize(
    ("samples", "warning"),
    [
        (np.where(np.arange(16000) < 3, np.nan, NOISE[:16000]), "odd: 3 of 16000 samples are not finite"),
        (NOISE[:16000] * 1e-5, "odd: silent (peak"),
        (np.clip(NOISE[:16000] * 20, -1, 1), "odd: clipped ("),
        (NOISE[:1600], "odd: 0.10 s long, outside 0.3 to 20.0 s"),
        (NOISE, "odd: 25.00 s long, outside 0.3 to 20.0 s"),
    ],
    ids=["not finite", "silent", "clipped", "short", "long"],
)
def test_an_odd_recording_is_named(tmp_path: Path, samples: np.ndarray, warning: str) -> None:
    (found,), readable = check([record(tmp_path, "odd", samples)], MelSpec())
    assert readable
    assert found.startswith(warning)


def test_recordings_that_cannot_be_used_are_named_and_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    gone = Clip(id="gone", path=tmp_path / "gone.wav", text="x")
    slow = record(tmp_path, "slow", NOISE[:8000], rate=8000)
    silent = record(tmp_path, "silent", np.zeros(16000))
    (first, second, third), readable = check([gone, slow, silent], MelSpec())
    assert not readable
    assert "gone.wav: no such file" in first
    assert "slow.wav: sampled at 8000 Hz, expected 16000" in second
    assert third.startswith("silent: silent")


def test_texts_that_do_not_fit_their_recordings_are_named_and_no_others(tmp_path: Path) -> None:
    clips = [spoken(tmp_path, number, 0.2 if number in (3, 11) else 0.06) for number in range(20)]
    found, _ = check(clips, MelSpec())
    assert [one.split(":")[0] for one in found] == ["clip03", "clip11"]
    assert "5.40 s for 26 characters, expected 1.76 s; check its text" in found[0]
