from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rerail.act.checkpoints import Checkpoints, load
from rerail.guard import Keep
from rerail.tell import journal
from toy import same, toy

OFTEN = Keep(snapshot_every=5, probation=3, checkpoint_every=10)


def test_a_resumed_run_is_bitwise_the_run_that_was_never_stopped(tmp_path: Path) -> None:
    whole = toy(run=tmp_path / "whole", keep=OFTEN)
    whole.train(60)
    first = toy(run=tmp_path / "parts", keep=OFTEN)
    first.train(37)
    first.guard.save()
    first.guard.close("stopped")
    torch.rand(5)  # whatever was drawn meanwhile
    second = toy(run=tmp_path / "parts", keep=OFTEN, resume=True)
    assert second.guard.steps == 37
    second.train(60)
    assert same(whole.weights(), second.weights())
    assert whole.schedule.state_dict()["_last_lr"] == second.schedule.state_dict()["_last_lr"]
    left, right = whole.optimizer.state_dict()["state"], second.optimizer.state_dict()["state"]
    assert all(torch.equal(left[one][name], right[one][name]) for one in left for name in left[one])
    assert torch.equal(torch.get_rng_state(), torch.get_rng_state())


def test_a_run_goes_on_where_its_loss_is_scaled_no_more_or_is_from_now_on(tmp_path: Path) -> None:
    first = toy(run=tmp_path / "run", scaler=torch.amp.GradScaler("cpu", init_scale=8.0))
    first.train(5)
    first.guard.save()
    first.guard.close("stopped")
    kept = torch.amp.GradScaler("cpu", init_scale=4.0)
    toy(run=tmp_path / "other", resume=tmp_path / "run/checkpoints/step-00000005", scaler=kept)
    assert kept.get_scale() == 8.0
    second = toy(run=tmp_path / "run", resume=True)
    second.train(10)
    second.guard.save()
    second.guard.close("stopped")
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    assert toy(run=tmp_path / "run", resume=True, scaler=scaler).guard.steps == 10
    assert scaler.get_scale() == 4.0  # its own: the run before had none


def test_a_resume_from_an_older_healthy_checkpoint_is_bitwise_too(tmp_path: Path) -> None:
    whole = toy(run=tmp_path / "whole", keep=OFTEN)
    whole.train(60)
    (path, manifest), *_ = Checkpoints(tmp_path / "whole/checkpoints").list()
    assert manifest.health == "healthy"
    assert 0 < manifest.step < 60
    again = toy(run=tmp_path / "again", keep=OFTEN, resume=path)
    assert again.guard.steps == manifest.step
    again.train(60)
    assert same(whole.weights(), again.weights())


def test_a_dose_in_force_survives_the_process(tmp_path: Path) -> None:
    def huge(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {**batch, "y": batch["y"] * 1e5}

    faults = {20: huge, 21: huge, 22: huge, 23: huge}
    keep = replace(OFTEN, proof_replays=0)
    whole = toy(run=tmp_path / "whole", keep=keep, faults=faults)
    whole.train(60)
    first = toy(run=tmp_path / "parts", keep=keep, faults=faults)
    first.train(30)
    assert first.guard.step(next(iter(first.loader))).verdict.knobs.lr_scale < 1
    first.guard.save()
    first.guard.close("stopped")
    second = toy(run=tmp_path / "parts", keep=keep, faults=faults, resume=True)
    second.train(60)
    assert same(whole.weights(), second.weights())
    assert whole.guard.tick == second.guard.tick


def test_a_run_folder_is_never_overwritten(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run")
    run.train(3)
    run.guard.close()
    before = (tmp_path / "run/journal.jsonl").read_bytes()
    with pytest.raises(ValueError, match="already holds a run; choose another, or resume it"):
        toy(run=tmp_path / "run")
    assert (tmp_path / "run/journal.jsonl").read_bytes() == before


def test_resuming_where_nothing_is_starts_a_run(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "new", resume=True)
    run.train(2)
    assert run.guard.steps == 2


KILLED = """
import sys
from toy import toy
from rerail.guard import Keep
run = toy(run=sys.argv[1], keep=Keep(snapshot_every=5, probation=3, checkpoint_every=10), resume=True)
for batch in run.loader:
    run.guard.step(batch)
    print(run.guard.steps, flush=True)
"""


def test_a_killed_run_loses_at_most_the_last_line_and_goes_on(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "run")], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 47:
            process.send_signal(signal.SIGKILL)
            break
    process.stdout.close()
    process.wait()
    seen = [record for record in journal.read(tmp_path / "run") if record["kind"] == "reading"]
    assert [record["tick"] for record in seen][:47] == list(range(1, 48))
    lived = seen[-1]["tick"]
    run = toy(run=tmp_path / "run", keep=OFTEN, resume=True)
    assert run.guard.steps == 40
    assert run.guard.tick == lived  # the guard remembers what it lived through after the checkpoint
    run.train(60)
    clean = toy()
    clean.train(60)
    assert same(run.weights(), clean.weights())


def test_a_torn_line_is_told_and_the_rest_is_kept(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run", keep=OFTEN)
    run.train(20)
    run.guard.close()
    path = tmp_path / "run/journal.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    again = toy(run=tmp_path / "run", keep=OFTEN, resume=True)
    again.train(25)
    again.guard.close()
    kinds = [record.get("text") for record in journal.read(tmp_path / "run") if record["kind"] == "note"]
    assert kinds == ["start", "torn line", "resume", "end"]


@pytest.mark.parametrize("damage", ["cut", "altered", "no state", "no manifest", "manifest cut"])
def test_a_damaged_checkpoint_is_refused_with_a_clear_error(tmp_path: Path, damage: str) -> None:
    run = toy(run=tmp_path / "run", keep=OFTEN)
    run.train(20)
    path = run.guard.save()
    assert path is not None
    content = (path / "state.pt").read_bytes()
    if damage == "cut":
        (path / "state.pt").write_bytes(content[: len(content) // 2])
    elif damage == "altered":
        (path / "state.pt").write_bytes(content[:-9] + b"x" + content[-8:])
    elif damage == "no state":
        (path / "state.pt").unlink()
    elif damage == "no manifest":
        (path / "manifest.json").unlink()
    else:
        (path / "manifest.json").write_text((path / "manifest.json").read_text()[:30])
    expected = {"cut": "was cut short", "altered": "was altered", "no state": "lost its state.pt"}
    with pytest.raises(ValueError, match=expected.get(damage, "manifest.json")):
        toy(resume=path)


def test_a_damaged_newest_checkpoint_makes_room_for_the_one_before(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run", keep=OFTEN)
    run.train(40)
    run.guard.close()
    found = Checkpoints(tmp_path / "run/checkpoints").list()
    newest = found[-1][0] / "state.pt"
    newest.write_bytes(newest.read_bytes()[:100])
    again = toy(run=tmp_path / "run", keep=OFTEN, resume=True)
    assert again.guard.steps == found[-2][1].step
    again.guard.close()
    notes = [record for record in journal.read(tmp_path / "run") if record["kind"] == "note"]
    assert any("was cut short" in json.dumps(note) for note in notes)


def test_a_checkpoint_loads_with_weights_only_and_without_rerail(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run", keep=OFTEN)
    run.train(20)
    path = run.guard.save()
    assert path is not None
    state = torch.load(path / "state.pt", weights_only=True)
    run.model.load_state_dict(state["model"])
    assert load(path)["step"] == 20
    assert json.loads((path / "manifest.json").read_text())["health"] == "unproved"


def test_a_poisoned_state_is_never_saved(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run", keep=OFTEN)
    run.train(20)
    before = [path for path, _ in Checkpoints(tmp_path / "run/checkpoints").list()]
    with torch.no_grad():
        run.model[4].bias[0] = math.nan
    with pytest.raises(ValueError, match="the state is not finite, so it was not saved"):
        run.guard.save()
    assert [path for path, _ in Checkpoints(tmp_path / "run/checkpoints").list()] == before


def test_the_last_healthy_checkpoints_are_never_deleted(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    state = {"model": {"w": torch.zeros(2)}, "buffers": {}, "loose": [], "optimizers": [], "others": []}
    for step in range(10, 60, 10):
        checkpoints.save(state, step=step, tick=step, healthy=step <= 30)
        time.sleep(0)
    kept = {manifest.step: manifest.health for _, manifest in checkpoints.list()}
    assert kept[30] == kept[20] == "healthy"
    assert kept[50] == "unproved"


def test_where_no_checkpoint_is_whole_nothing_starts_anew(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run", keep=OFTEN)
    run.train(20)
    run.guard.close()
    files = list((tmp_path / "run/checkpoints").glob("*/state.pt"))
    for file in files:
        file.write_bytes(file.read_bytes()[:100])
    before = (tmp_path / "run/journal.jsonl").read_bytes()
    with pytest.raises(ValueError, match="no checkpoint is whole"):
        toy(run=tmp_path / "run", keep=OFTEN, resume=True)
    assert (tmp_path / "run/journal.jsonl").read_bytes() == before
    assert all(file.stat().st_size == 100 for file in files)


@pytest.mark.parametrize("damage", ["state.pt", "manifest.json"])
def test_a_damaged_checkpoint_is_written_again_when_its_step_comes(tmp_path: Path, damage: str) -> None:
    run = toy(run=tmp_path / "run", keep=OFTEN)
    run.train(40)
    run.guard.close()
    path = Checkpoints(tmp_path / "run/checkpoints").list()[-1][0]
    (path / damage).write_bytes(b"{bad")
    again = toy(run=tmp_path / "run", keep=OFTEN, resume=True)
    again.train(60)
    assert load(path)["step"] == int(path.name[-8:])


def test_going_on_from_an_older_checkpoint_keeps_the_new_course(tmp_path: Path) -> None:
    run = toy(run=tmp_path / "run", keep=OFTEN)
    run.train(45)
    run.guard.save()
    run.guard.close()
    older = Checkpoints(tmp_path / "run/checkpoints").list()[0][0]
    again = toy(run=tmp_path / "run", keep=OFTEN, resume=older)
    again.train(again.guard.steps + 3)
    path = again.guard.save()
    again.guard.close()
    assert path is not None
    assert path.exists()
    third = toy(run=tmp_path / "run", keep=OFTEN, resume=True)
    assert third.guard.steps == again.guard.steps


RESUMED = """
import sys
from pathlib import Path
from toy import toy
toy(run=Path(sys.argv[1]), resume=True).train(6)
"""


def test_another_process_is_kept_out_of_a_run_that_goes_on(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    here = toy(run=tmp_path / "run")
    here.train(3)
    command = [sys.executable, "-c", RESUMED, str(tmp_path / "run")]
    meanwhile = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert meanwhile.returncode == 1
    assert "another process trains there now; stop it first" in meanwhile.stderr
    here.guard.save()
    here.guard.close("stopped")
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    assert [one["data"]["step"] for one in journal.read(tmp_path / "run") if one.get("text") == "resume"][-1] == 3
