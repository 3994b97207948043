from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from rerail.cli import export as command
from rerail.cli import main
from rerail.tasks.face_voice.export import Exported
from rerail.tasks.face_voice.trained import TrainedMatcher

Out = pytest.CaptureFixture[str]


def test_both_towers_are_told_with_what_they_take(
    matching_run: Path, tmp_path: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    def export(trained: TrainedMatcher, folder: Path) -> list[Exported]:
        assert trained.source.is_relative_to(matching_run)
        assert folder == tmp_path / "out"
        return [Exported(file="picture.onnx", takes="RGB in [0, 1]", shape=(3, 16, 16), difference=5.96e-8)]

    monkeypatch.setattr(command, "export", export)  # the real one, of 5 s, is tried beside its source
    assert main(["export", str(matching_run), "--out", str(tmp_path / "out")]) == 0
    assert "picture.onnx\tRGB in [0, 1]\t3 x 16 x 16\t6.0e-08" in capsys.readouterr().out


@pytest.mark.skipif(find_spec("onnx") is None, reason='pip install "rerail[onnx]"')
def test_a_folder_that_is_there_is_left_alone(matching_run: Path, tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "mine.txt").touch()
    assert main(["export", str(matching_run), "--out", str(tmp_path)]) == 2
    assert "is there already; nothing was overwritten" in capsys.readouterr().err


def test_another_network_is_told(trained_run: Path, tmp_path: Path, capsys: Out) -> None:
    assert main(["export", str(trained_run), "--out", str(tmp_path / "out")]) == 2
    assert "give a checkpoint of a matching network" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
