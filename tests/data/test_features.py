from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from rerail.audio import files
from rerail.audio.mel import MelSpec, log_mel
from rerail.audio.trim import trim
from rerail.data import demo, ljspeech
from rerail.data.clip import Clip
from rerail.data.features import Features

SPEC = MelSpec()


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    original = ljspeech.read(demo.folder())[0]
    copy = tmp_path / "clip.flac"
    copy.write_bytes(original.path.read_bytes())
    return Clip(id="one", path=copy, text=original.text)


@pytest.fixture
def cache(tmp_path: Path) -> Features:
    return Features(folder=tmp_path / "cache", spec=SPEC)


def test_a_cached_spectrogram_is_the_computed_one(cache: Features, clip: Clip) -> None:
    expected = log_mel(trim(files.read(clip.path, 16000)), SPEC)
    assert torch.equal(cache.mel(clip), expected)
    assert torch.equal(cache.mel(clip), expected)


def test_the_second_time_nothing_is_computed(cache: Features, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cache.mel(clip)
    monkeypatch.setattr(files, "read", lambda *_, **__: pytest.fail("the recording was read again"))
    assert torch.equal(cache.mel(clip), first)


def test_other_parameters_have_their_own_entries(cache: Features, clip: Clip) -> None:
    others = [
        Features(folder=cache.folder, spec=MelSpec(bands=40)),
        Features(folder=cache.folder, spec=MelSpec(floor=1e-4)),
        Features(folder=cache.folder, spec=SPEC, trimmed=False),
        Features(folder=cache.folder, spec=SPEC, resample=True),
    ]
    assert len({one.key(clip) for one in [cache, *others]}) == 5
    assert cache.mel(clip).shape[1] == 80
    assert others[0].mel(clip).shape[1] == 40
    assert len(others[2].mel(clip)) > len(cache.mel(clip))


def test_a_recording_that_changed_is_computed_again(cache: Features, clip: Clip) -> None:
    before = cache.mel(clip)
    samples, rate = soundfile.read(clip.path)
    soundfile.write(clip.path, samples[: len(samples) // 2], rate)
    assert len(cache.mel(clip)) < len(before)


@pytest.mark.parametrize("left", [0, 5, 100, 5000], ids=lambda left: f"{left} bytes left")
@pytest.mark.parametrize("ending", ["f32", "tsv"])
def test_a_file_cut_short_is_computed_again(cache: Features, clip: Clip, left: int, ending: str) -> None:
    expected = cache.mel(clip).clone()
    (path,) = cache.folder.glob(f"*.{ending}")
    content = path.read_bytes()
    path.unlink()  # the mapped file stays whole for whoever holds it
    path.write_bytes(content[: min(left, len(content) - 1)])
    assert torch.equal(cache.mel(clip), expected)


def test_whoever_is_interrupted_keeps_what_was_computed(cache: Features, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = ljspeech.read(demo.folder())[:6]

    def interrupt(done: int, _: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.prepare(clips, interrupt)
    read, again = files.read, list[str]()
    monkeypatch.setattr(
        files, "read", lambda path, *more, **named: again.append(path.stem) or read(path, *more, **named)
    )
    expected = [log_mel(trim(read(one.path, 16000)), SPEC) for one in clips]
    assert all(torch.equal(a, b) for a, b in zip(cache.prepare(clips), expected, strict=True))
    assert again == [one.path.stem for one in clips[4:]]


def test_a_corpus_is_one_file_and_its_index_and_further_clips_are_another(cache: Features) -> None:
    clips = ljspeech.read(demo.folder())[:5]
    cache.prepare(clips[:4])
    assert sorted(one.suffix for one in cache.folder.iterdir()) == [".f32", ".tsv"]
    cache.prepare(clips)
    cache.prepare(clips)
    assert sorted(one.suffix for one in cache.folder.iterdir()) == [".f32", ".f32", ".tsv", ".tsv"]
    assert sum(one.stat().st_size for one in cache.folder.glob("*.f32")) == sum(
        4 * mel.numel() for mel in cache.prepare(clips)
    )


def test_two_clips_of_one_recording_share_an_entry(cache: Features, clip: Clip) -> None:
    first, second = cache.prepare([clip, Clip(id="two", path=clip.path, text="other")])
    assert torch.equal(first, second)
    assert len(next(cache.folder.glob("*.tsv")).read_text().splitlines()) == 1


def test_training_on_a_spectrogram_does_not_change_the_cache(cache: Features, clip: Clip) -> None:
    expected = cache.mel(clip).clone()
    cache.mel(clip).zero_()
    assert torch.equal(cache.mel(clip), expected)


def test_samples_that_are_not_finite_reach_whoever_trains_on_them(cache: Features, tmp_path: Path) -> None:
    path = tmp_path / "bad.wav"
    soundfile.write(path, np.full(8000, np.nan, np.float32), 16000, subtype="FLOAT")
    assert torch.isnan(cache.mel(Clip(id="bad", path=path, text="bad"))).all()


def test_preparing_reports_its_progress(cache: Features) -> None:
    clips, told = ljspeech.read(demo.folder())[:3], list[tuple[int, int]]()
    mels = cache.prepare(clips, lambda done, total: told.append((done, total)))
    assert [mel.shape[1] for mel in mels] == [80, 80, 80]
    assert told == [(1, 3), (2, 3), (3, 3)]
    cache.prepare(ljspeech.read(demo.folder())[:4], lambda done, total: told.append((done, total)))
    assert told[3:] == [(4, 4)]


def test_every_recording_that_cannot_be_read_is_named(cache: Features, clip: Clip, tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_text("no sound", encoding="utf8")
    bad = [Clip(id=name, path=tmp_path / f"{name}.wav", text="x") for name in ("gone", "noise")]
    with pytest.raises(ValueError, match=r"recordings: 2 problem\(s\)") as error:
        cache.prepare([bad[0], clip, bad[1]])
    assert "gone.wav: no such file" in str(error.value)
    assert "noise.wav: cannot be decoded" in str(error.value)
    with pytest.raises(ValueError, match=r"gone\.wav"):
        cache.prepare(bad)
    assert len(list(cache.folder.iterdir())) == 2  # the readable one's; nothing empty is left
