from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from rerail.cli import main
from rerail.core.plans import default_plan, plan_of
from rerail.core.remedy import Move
from rerail.core.replay import replay
from rerail.guard import Keep
from rerail.tell import journal
from toy import toy


def derailed(folder: Path) -> list[dict[str, Any]]:
    def with_nan(batch: dict[str, Any]) -> dict[str, Any]:
        x = batch["x"].clone()
        x[3] = math.nan
        return {**batch, "x": x}

    def huge(batch: dict[str, Any]) -> dict[str, Any]:
        return {**batch, "y": batch["y"] * 1e4}

    run = toy(faults={12: with_nan, 30: huge, 31: huge}, run=folder, keep=Keep(snapshot_every=5, probation=3))
    run.train(50)
    run.guard.close()
    return list(journal.read(folder))


def test_the_runs_own_plan_decides_the_same_throughout(tmp_path: Path) -> None:
    records = derailed(tmp_path / "run")
    found = replay(default_plan(), records)
    assert found.then is None
    assert found.ticks == sum(1 for one in records if one["kind"] == "reading")
    assert found.told >= 3


def test_another_plan_is_followed_up_to_the_first_decision_that_differs(tmp_path: Path) -> None:
    records = derailed(tmp_path / "run")
    calm = plan_of({"ladders": {"input.far": None, "loss.outlier": None, "loss": None, "gradient.explosion": None}})
    found = replay(calm, records)
    assert found.then is not None
    assert found.now is not None
    assert (found.then["move"], found.now["move"]) == ("SKIP", "COMMIT")
    assert found.tick == found.ticks + 1


def test_a_plan_is_built_from_what_differs() -> None:
    plan = plan_of(
        {"detectors": {"spike": {"sigmas": 9.0}}, "ladders": {"loss.spike": {"window": 5, "rungs": [{"move": "SKIP"}]}}}
    )
    assert [one.sigmas for one in plan.detectors if type(one).__name__ == "Spike"] == [9.0]
    assert plan.ladders["loss.spike"].remedy(0).move is Move.SKIP
    assert plan.ladders["nonfinite"] == default_plan().ladders["nonfinite"]


def test_everything_wrong_with_a_plan_is_named_at_once() -> None:
    wrong = {"detector": {}, "detectors": {"spikes": {}, "idle": {"patience": 1}}, "ladders": {"loss": {"rungs": 3}}}
    with pytest.raises(ValueError, match="4 problem") as raised:
        plan_of(wrong)
    for part in ("unknown part 'detector'", "unknown detector 'spikes'", "unknown patience", "ladder 'loss'"):
        assert part in str(raised.value)


def test_the_command_tells_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    derailed(tmp_path / "run")
    assert main(["replay", str(tmp_path / "run")]) == 0
    assert "The plan decides as the run did" in capsys.readouterr().out
    (tmp_path / "plan.yaml").write_text("ladders: {input.far: null, loss.outlier: null, gradient.explosion: null}\n")
    assert main(["replay", str(tmp_path / "run"), "--plan", str(tmp_path / "plan.yaml")]) == 0
    told = capsys.readouterr().out
    assert "they part" in told
    assert "skip the update" in told
    (tmp_path / "plan.yaml").write_text("nonsense: 1\n")
    assert main(["replay", str(tmp_path / "run"), "--plan", str(tmp_path / "plan.yaml")]) == 2
    assert main(["replay", str(tmp_path)]) == 2
