from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rerail.cli import main

Out = pytest.CaptureFixture[str]


def rows(out: str) -> list[list[str]]:
    return [line.split("\t") for line in out.splitlines() if "\t" in line]


def test_a_cosine_a_pair_and_where_it_stands(matching_run: Path, colours: Path, capsys: Out) -> None:
    images = [str(colours / f"pictures/{person}/0.png") for person in ("p00", "p06")]
    sounds = [str(colours / f"sounds/{person}/1.wav") for person in ("p00", "p06")]
    assert main(["match", str(matching_run), "--image", *images, "--audio", *sounds]) == 0
    out = capsys.readouterr().out
    found = {(image, audio): (float(cosine), *told) for image, audio, cosine, *told in rows(out)}
    assert found.keys() == {(image, audio) for image in images for audio in sounds}
    assert found[images[0], sounds[0]][0] > found[images[1], sounds[0]][0]
    assert all(told.endswith("%") for _, *shares in found.values() for told in shares)
    assert "matching" in out


def test_without_the_pairs_of_the_run_it_says_so_and_matches(
    matching_run: Path, colours: Path, tmp_path: Path, capsys: Out
) -> None:
    shutil.copytree(matching_run, tmp_path / "run")
    config = tmp_path / "run/config.yaml"
    config.write_text(config.read_text().replace(str(colours / "pictures"), "/nowhere"))
    image, audio = str(colours / "pictures/p00/0.png"), str(colours / "sounds/p00/0.wav")
    assert main(["match", str(tmp_path / "run"), "--image", image, "--audio", audio]) == 0
    out = capsys.readouterr().out
    assert "the run's pairs cannot be compared with: /nowhere: no such folder" in out
    assert [row[:2] for row in rows(out)] == [[image, audio]]


def test_what_is_wrong_is_told(
    matching_run: Path, trained_run: Path, colours: Path, tmp_path: Path, capsys: Out
) -> None:
    image, audio = str(colours / "pictures/p00/0.png"), str(colours / "sounds/p00/0.wav")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    for place, picture, told in (
        (matching_run, str(tmp_path / "broken.png"), "broken.png: cannot be decoded"),
        (matching_run, "nowhere.png", "nowhere.png: no such file; give another"),
        (trained_run, image, "give a checkpoint of a matching network"),
        (tmp_path / "nothing", image, "there is no such run"),
    ):
        assert main(["match", str(place), "--image", picture, "--audio", audio]) == 2
        error = capsys.readouterr().err
        assert told in error
        assert "Traceback" not in error
