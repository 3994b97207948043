from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

import small_pairs
from rerail.audio import files
from rerail.data.listing import LeftOut
from rerail.data.pairs import pictures
from rerail.data.pairs.caches import Decoded, Examination, Outcome, Pictures, Recordings, examine
from rerail.data.pairs.pair import Pair, Pairing


@pytest.fixture
def seen(tmp_path: Path) -> Pictures:
    return Pictures(folder=tmp_path / "cache", side=8)


@pytest.fixture
def heard(tmp_path: Path) -> Recordings:
    return Recordings(folder=tmp_path / "cache", sample_rate=small_pairs.RATE)


def content(outcome: Outcome) -> Tensor:
    assert isinstance(outcome, Decoded), outcome
    return outcome.content


def test_pictures_are_decoded_once(tmp_path: Path, seen: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [small_pairs.picture(tmp_path / f"{number}.png", number) for number in range(3)]
    first = {path: content(one).clone() for path, one in seen.prepare(paths).items()}
    expected = {path: pictures.read(path, 8) for path in paths}
    monkeypatch.setattr(pictures, "read", lambda *_: pytest.fail("decoded again"))
    again = {path: content(one) for path, one in seen.prepare(paths).items()}
    assert all(torch.equal(again[path], first[path]) and torch.equal(again[path], expected[path]) for path in paths)


def test_files_of_the_same_bytes_are_decoded_once_and_changed_ones_again(
    tmp_path: Path, seen: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, again = pictures.read, list[str]()
    monkeypatch.setattr(pictures, "read", lambda path, side: again.append(path.name) or read(path, side))
    paths = [small_pairs.picture(tmp_path / name) for name in ("a.png", "b.png")]
    seen.prepare(paths)
    assert len(again) == 1
    small_pairs.picture(paths[0], 5)
    seen.prepare(paths)
    Pictures(folder=seen.folder, side=9).prepare(paths[1:])
    assert again[1:] == ["a.png", "b.png"]


def test_whoever_is_interrupted_keeps_what_was_decoded(
    tmp_path: Path, heard: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [small_pairs.recording(tmp_path / f"{number}.wav", number) for number in range(4)]

    def interrupt(done: int, _: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        heard.prepare(paths, interrupt)
    read, again = files.read, list[str]()
    monkeypatch.setattr(
        files, "read", lambda path, *more, **named: again.append(path.name) or read(path, *more, **named)
    )
    assert all(isinstance(one, Decoded) for one in heard.prepare(paths).values())
    assert again == ["3.wav"]


def test_stereo_of_another_rate_is_mixed_and_resampled(tmp_path: Path, heard: Recordings) -> None:
    path = small_pairs.recording(tmp_path / "a.wav", seconds=0.5, rate=44100, channels=2)
    sound = content(heard.prepare([path])[path])
    assert (sound.dtype, sound.ndim) == (torch.int16, 1)
    assert abs(len(sound) - 8000) <= 1
    expected = files.read(path, small_pairs.RATE, resample=True)
    assert (sound.float() / 2**15 - expected).abs().max() < 2**-15


def test_equal_recordings_have_one_key_whatever_their_names_and_formats(tmp_path: Path, heard: Recordings) -> None:
    wav = small_pairs.recording(tmp_path / "a.wav")
    soundfile.write(tmp_path / "b.flac", soundfile.read(wav, dtype="int16")[0], small_pairs.RATE)
    other = small_pairs.recording(tmp_path / "c.wav", 1)
    found = heard.prepare([wav, tmp_path / "b.flac", other])
    keys = [one.key for one in found.values() if isinstance(one, Decoded)]
    assert keys[0] == keys[1] != keys[2]


def examined(folder: Path, seen: Pictures, heard: Recordings) -> Examination:
    picture, sound = small_pairs.picture(folder / "good.png"), small_pairs.recording(folder / "good.wav")
    (folder / "cut.png").write_bytes(picture.read_bytes()[:60])
    (folder / "text.wav").write_text("no sound")
    soundfile.write(folder / "nan.wav", np.array([0.5, np.nan] * 4000, np.float32), 16000, subtype="FLOAT")
    small_pairs.recording(folder / "silent.wav", loud=1e-4)
    small_pairs.recording(folder / "short.wav", seconds=0.1)
    names = [("good.png", "good.wav"), ("cut.png", "good.wav"), ("cut.png", "text.wav")]
    names += [("good.png", f"{name}.wav") for name in ("text", "nan", "silent", "short")]
    pairs = [
        Pair(id=f"{image} {audio}", image=folder / image, audio=folder / audio, identity="ana")
        for image, audio in names
    ]
    before = LeftOut(id="before", kind="no audio", reason="gone")
    assert sound.is_file()
    return examine(Pairing(pairs=tuple(pairs), left_out=(before,)), seen, heard)


def test_what_cannot_be_used_is_left_out_with_its_reason_and_the_rest_goes_on(
    tmp_path: Path, seen: Pictures, heard: Recordings
) -> None:
    found = examined(tmp_path, seen, heard)
    assert [one.pair.id for one in found.kept] == ["good.png good.wav"]
    kinds = ["no audio", "unreadable", "unreadable", "unreadable", "not finite", "silent", "length"]
    assert [one.kind for one in found.left_out] == kinds
    assert found.left_out[4].reason == "nan.wav: 4000 of 8000 samples are not finite; restore the recording"
    assert found.left_out[6].reason == "short.wav: 0.10 s long, under 0.2 s; record more or remove it"
    both = found.left_out[2].reason
    assert "cut.png: cannot be decoded" in both
    assert "; text.wav: cannot be decoded" in both


def test_a_second_look_finds_the_same(tmp_path: Path, seen: Pictures, heard: Recordings) -> None:
    first, second = (examined(tmp_path, seen, heard) for _ in range(2))
    assert first.left_out == second.left_out
    assert first.kept[0].sound_key == second.kept[0].sound_key
    assert torch.equal(first.kept[0].sound, second.kept[0].sound)


def test_a_file_that_may_not_be_read_is_left_out_with_its_reason_and_the_rest_goes_on(
    tmp_path: Path, seen: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, opened = (small_pairs.picture(tmp_path / name, number) for number, name in enumerate(("a.png", "b.png")))
    read = Path.read_bytes

    def guarded(path: Path) -> bytes:
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", guarded)  # whoever runs tests as root may read everything
    found = seen.prepare([closed, opened])
    assert str(found[closed]) == "cannot be read (Permission denied); allow it, or leave the file out"
    assert content(found[opened]).shape[0] == 3
    with pytest.raises(ValueError, match=r"cannot be read \(Permission denied\)"):
        seen.decode(closed)
