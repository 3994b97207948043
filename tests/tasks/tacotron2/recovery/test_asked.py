from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from rerail.tasks.tacotron2.recovery.asked import Asked, wreck


def test_without_a_word_it_is_the_newest_run_and_its_own_settings(run: Path, tmp_path: Path) -> None:
    older = shutil.copytree(run, tmp_path / "older")
    os.utime(older / "journal.jsonl", (1, 1))
    found = wreck(Asked(), runs=tmp_path)
    assert found.run == run
    assert (found.config.size, found.config.reduction, found.fit.lr, found.fit.steps) == ("tiny", 8, 0.01, 60)
    assert [one.step for one in found.saved] == [10, 30, 40, 50, 60]


def test_what_is_asked_for_takes_the_place_of_the_runs_own(run: Path) -> None:
    found = wreck(Asked(run=str(run), data="elsewhere", steps=99))
    assert (found.config.data, found.fit.steps) == ("elsewhere", 99)


def test_a_runs_folder_is_as_good_as_a_checkpoint(run: Path) -> None:
    assert wreck(Asked(checkpoint=str(run))) == wreck(Asked(run=str(run)))


def test_a_setting_of_another_version_is_named(run: Path) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump(config | {"banana": 1, "clip_norm": "inf"}))
    found = wreck(Asked(run=str(run)))
    assert found.unknown == ("banana",)
    assert found.fit.clip_norm == float("inf")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"run": "run", "checkpoint": "run/checkpoints/step-00000060"}, "give one of both"),
        ({"checkpoint": "run/checkpoints/step-00000099"}, "no such folder"),
        ({"checkpoint": "run/checkpoints"}, "lies in no run"),
        ({"run": "nowhere"}, "has no checkpoints to recover from"),
        ({}, "holds no such run with checkpoints"),
    ],
)
def test_what_cannot_be_found_is_refused(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run.exists()
    with pytest.raises(ValueError, match=message):
        wreck(Asked(**given))  # type: ignore[arg-type]
