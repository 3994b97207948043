from __future__ import annotations

import math
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from rerail import past
from rerail.core.knobs import Knobs
from rerail.core.plans import default_plan
from rerail.core.remedy import Move, Remedy
from rerail.core.verdict import remember
from rerail.guard import Keep
from toy import toy


def with_nan(batch: dict[str, Any]) -> dict[str, Any]:
    batch["x"][3] = math.nan
    return batch


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("trained") / "run"
    keep = Keep(snapshot_every=5, probation=3, checkpoint_every=10)
    made = toy(faults={20: with_nan}, run=run, keep=keep, config={"lr": 0.01, "clip": math.inf})
    made.train(30)
    made.guard.observe({"eval/mel": 2.0})
    made.train(40)
    made.guard.close()
    return run


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_checkpoints_are_listed_whole_and_damaged(run: Path) -> None:
    steps = [one.step for one in past.saved(run)]
    assert steps == sorted(steps)
    assert {one.health for one in past.saved(run)} == {"healthy"}
    (past.saved(run)[-1].path / "manifest.json").unlink()
    last = past.saved(run)[-1]
    assert last.step == steps[-1]
    assert "has no manifest.json" in last.complaint


def test_its_settings_metrics_and_interventions_are_read(run: Path, tmp_path: Path) -> None:
    assert past.settings(run) == {"lr": 0.01, "clip": "inf"}
    metrics, seconds = past.measured(run)
    assert metrics == [(30, {"mel": 2.0})]
    assert len(seconds) >= 40
    (line,) = past.interventions(run, 3)
    assert "leave out row 3" in line
    assert past.measured(tmp_path) == ([], [])
    with pytest.raises(ValueError, match=r"config\.yaml: no such file"):
        past.settings(tmp_path)


def test_the_newest_run_is_the_one_written_to_last(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no such run"):
        past.newest(tmp_path, having="size")
    other = tmp_path / "other"
    (other / "checkpoints").mkdir(parents=True)
    (other / "config.yaml").write_text("lr: 1\n")
    (other / "journal.jsonl").write_text("")
    os.utime(other / "journal.jsonl", (1, 1))
    assert past.newest(tmp_path, having="lr") == run


def test_a_folder_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    assert past.untaken(tmp_path / "run") == tmp_path / "run"
    (tmp_path / "run").mkdir()
    (tmp_path / "run-2").mkdir()
    assert past.untaken(tmp_path / "run") == tmp_path / "run-3"


def test_what_is_altered_can_be_read_for_a_salvage_and_what_is_cut_short_cannot(run: Path) -> None:
    state = past.saved(run)[-1].path / "state.pt"
    weights = past.load(state.parent)["model"]["0.weight"].numpy().tobytes()
    content = bytearray(state.read_bytes())
    content[content.index(weights) + 7] ^= 0x10
    state.write_bytes(content)
    with pytest.raises(ValueError, match="SHA-256"):
        past.load(state.parent)
    read = past.salvageable(state.parent)
    assert read is not None
    assert set(read["model"]) == set(toy().model.state_dict())
    state.write_bytes(content[: len(content) // 2])
    assert past.salvageable(state.parent) is None


def test_a_state_is_written_as_a_checkpoint_under_a_dose(run: Path, tmp_path: Path) -> None:
    state = past.load(past.saved(run)[-1].path)
    slower = Remedy(move=Move.COMMIT, knobs=Knobs(lr_scale=0.1), hold=10, ramp=10)
    for anew in (True, False):
        memory = past.dosed(state["memory"], [slower], anew=anew)
        path = past.write(tmp_path / f"anew-{anew}", state | {"memory": memory})
        kept = remember(default_plan(), past.load(path)["memory"])
        assert kept.tick == state["memory"]["tick"]
        assert kept.knobs().lr_scale == 0.1
        whole = remember(default_plan(), state["memory"])
        assert (repr(kept.detectors) == repr(whole.detectors)) is not anew  # by their words: NaN is not itself
    state["model"]["0.weight"][0, 0] = math.nan
    with pytest.raises(ValueError, match="not finite"):
        past.write(tmp_path / "bad", state)


def test_the_quarantine_goes_along(run: Path, tmp_path: Path) -> None:
    assert past.keep_quarantine(run, tmp_path / "new") == 1
    assert "20:3" in (tmp_path / "new/quarantine.jsonl").read_text()
    assert past.keep_quarantine(tmp_path / "new" / "none", tmp_path / "newer") == 0
    assert not (tmp_path / "newer").exists()
