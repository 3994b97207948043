from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from jsonargparse import Namespace

from rerail.cli import main, outlets
from rerail.data import demo

pytest.importorskip("tensorboard", reason='pip install "rerail[tensorboard]"')
pytestmark = pytest.mark.filterwarnings("ignore")  # of a library that we do not change

TINY = ["--size", "tiny", "--steps", "2", "--batch-size", "4", "--held-out", "2"]
NOBODY = {"tensorboard_dir": "", "wandb": "", "mlflow": ""}


def test_a_run_from_the_command_line_is_in_tensorboard(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415

    corpus, board = tmp_path / "corpus", tmp_path / "board"
    shutil.copytree(demo.folder(), corpus, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (corpus / "metadata.csv").write_text("\n".join((corpus / "metadata.csv").read_text().splitlines()[:8]))
    places = ["--data", str(corpus), "--cache", str(tmp_path / "f"), "--run", str(tmp_path / "run")]
    assert main(["train", "tacotron2", *places, *TINY, "--no-check", "--tensorboard-dir", str(board)]) == 0
    found = EventAccumulator(str(board))  # type: ignore[no-untyped-call]
    found.Reload()  # type: ignore[no-untyped-call]
    assert [one.step for one in found.Scalars("loss/mel")] == [1, 2]
    (picture,) = found.Images("alignment")
    (file,) = (tmp_path / "run/artifacts").glob("alignment*.png")
    assert picture.encoded_image_string == file.read_bytes()
    assert b"Run finished" in found.Tensors("events")[-1].tensor_proto.string_val[0]
    assert str(board) not in (tmp_path / "run/config.yaml").read_text()


def test_nobody_is_told_who_was_not_asked_for(tmp_path: Path) -> None:
    assert outlets.listeners(Namespace(**NOBODY), tmp_path) == []


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_a_service_whose_library_is_missing_is_refused_before_the_work(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    assert main(["train", "tacotron2", "--data", str(tmp_path), "--run", str(tmp_path / "run"), f"--{name}", "x"]) == 2
    assert f'run: pip install "rerail[{name}]"' in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
