"""Both towers as ONNX files that give what torch gives."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import small_pairs
from rerail.tasks.face_voice import export as exporting
from rerail.tasks.face_voice.export import export
from rerail.tasks.face_voice.trained import load

DOCS = Path(__file__).parents[3] / "docs/face-voice.md"


@pytest.fixture(scope="module")
def exported(matching_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    for library in exporting.LIBRARIES:
        pytest.importorskip(library, reason='pip install "rerail[onnx]"')
    folder = tmp_path_factory.mktemp("exported") / "out"
    export(load(matching_run), folder)
    return folder


def test_files_give_the_embeddings_that_torch_gives_in_a_batch_of_any_size(
    exported: Path, matching_run: Path, colours: Path
) -> None:
    runtime: Any = pytest.importorskip("onnxruntime")
    trained = load(matching_run)
    (one, *_) = trained.paired.examined().kept
    session = runtime.InferenceSession(str(exported / "picture.onnx"), providers=["CPUExecutionProvider"])
    pixels = np.repeat(one.picture.numpy()[None].astype(np.float32) / 255, 5, 0)
    (found,) = session.run(None, {"x": pixels})
    assert found.shape == (5, 16)
    assert np.allclose(found[3], trained.picture(one.pair.image).numpy(), atol=1e-4)
    assert one.pair.image.is_relative_to(colours)


def test_it_says_what_the_files_take(exported: Path, matching_run: Path) -> None:
    about = json.loads((exported / "export.json").read_text())
    picture, voice = about["towers"]
    assert (picture["file"], picture["shape"]) == ("picture.onnx", [3, 16, 16])
    assert (voice["file"], voice["shape"]) == ("voice.onnx", [4000])
    assert "16000 Hz" in voice["takes"]
    assert max(picture["difference"], voice["difference"]) < 1e-4
    assert about["step"] == load(matching_run).step
    assert {one.name for one in exported.iterdir()} == {"picture.onnx", "voice.onnx", "export.json"}


@pytest.mark.parametrize("seconds", [0.21, 0.7])
def test_the_code_of_the_docs_gives_the_cosine_that_rerail_match_gives(
    exported: Path, matching_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    (tmp_path / "exported").symlink_to(exported)
    picture = small_pairs.picture(tmp_path / "a.png", size=(50, 9))
    voice = small_pairs.recording(tmp_path / "a.wav", seconds=seconds, channels=2)
    (block,) = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf8"), re.DOTALL)
    (tmp_path / "serve.py").write_text(block, "utf8")
    monkeypatch.chdir(tmp_path)
    found = runpy.run_path("serve.py")
    trained = load(matching_run)
    expected = float(trained.picture(picture) @ trained.voice(voice))
    assert float(found["a"] @ found["b"]) == pytest.approx(expected, abs=1e-3)


def test_a_folder_that_is_there_is_left_alone(exported: Path, matching_run: Path) -> None:
    with pytest.raises(ValueError, match="is there already; nothing was overwritten; choose another folder"):
        export(load(matching_run), exported)


def test_an_export_that_fails_leaves_nothing_in_the_way_of_another(
    matching_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(exporting, "need", lambda *_, **__: None)
    monkeypatch.setattr("torch.onnx.export", fail)
    with pytest.raises(RuntimeError, match="no such operator"):
        export(load(matching_run), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_without_the_libraries_the_command_that_installs_them_is_named(
    matching_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "rerail\[onnx\]"'):
        export(load(matching_run), tmp_path / "out")
    assert not (tmp_path / "out").exists()
