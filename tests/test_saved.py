from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import small_tacotron2
from rerail.saved import NotFinite, newest_saved, saved_settings, set_aside


@pytest.fixture
def run(trained_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained_run, tmp_path / "run"))


def test_a_run_gives_its_newest_checkpoint_and_a_folder_itself(run: Path) -> None:
    found = newest_saved(run)
    assert (found.step, found.health, found.passed) == (14, "unproved", ())
    older = newest_saved(run / "checkpoints/step-00000003")
    assert (older.step, older.health) == (3, "healthy")
    assert saved_settings(run) == saved_settings(older.path)
    assert saved_settings(run)["size"] == "tiny"


def test_what_is_damaged_abandoned_or_not_finite_is_passed_over(trained_run: Path, run: Path, tmp_path: Path) -> None:
    poisoned = small_tacotron2.changed(trained_run, tmp_path / "poisoned", small_tacotron2.poison)
    newest = run / "checkpoints/step-00000014"
    shutil.rmtree(newest)
    shutil.copytree(poisoned / "checkpoints/step-00000014", newest)
    found = newest_saved(run)
    assert found.step < 14
    assert "1 of" in found.passed[0]
    assert "embedding.weight for one" in found.passed[0]
    small_tacotron2.seal(found.path, health="abandoned")
    older = newest_saved(run)
    assert older.step < found.step
    (older.path / "state.pt").write_bytes(b"cut")
    assert newest_saved(run).step < older.step
    assert any("was cut short" in one for one in newest_saved(run).passed)
    assert newest_saved(found.path).step == found.step  # who names it gets it


def test_where_nothing_can_be_taken_the_reason_is_told(trained_run: Path, tmp_path: Path) -> None:
    poisoned = small_tacotron2.changed(trained_run, tmp_path / "poisoned", small_tacotron2.poison)
    with pytest.raises(NotFinite, match="no checkpoint can be used"):
        newest_saved(poisoned)
    with pytest.raises(ValueError, match="no checkpoint is saved there; give a run's folder"):
        newest_saved(tmp_path)
    with pytest.raises(ValueError, match=r"it has no manifest\.json"):
        newest_saved(tmp_path / "checkpoints/step-00000007")
    (poisoned / "config.yaml").unlink()
    with pytest.raises(ValueError, match="without its settings a model cannot be built"):
        saved_settings(poisoned)


def test_a_run_tells_what_it_is_measured_on(run: Path) -> None:
    ids = set_aside(run)
    assert ids is not None
    assert len(ids) == 2
    newest = max((run / "checkpoints").glob("step-*"))
    (newest / "state.pt").write_bytes(b"cut")
    assert set_aside(run) == ids
    shutil.rmtree(run / "checkpoints")
    assert set_aside(run) is None


@pytest.mark.parametrize(
    ("kept", "ids"),
    [({"aside": {"validation": ["a", "b"], "unseen": ["c"]}}, {"a", "b"}), ({"symbols": []}, None), ([1, 2], None)],
)
def test_what_other_trainers_keep(trained_run: Path, tmp_path: Path, kept: Any, ids: set[str] | None) -> None:
    made = small_tacotron2.changed(trained_run, tmp_path / "made", lambda state: state.update(others=[kept]))
    assert set_aside(made) == ids
