from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from torch import nn

from bot_api import BotApi
from rerail.cli.running import run_under_eyes
from rerail.fit import FitConfig, Parts
from rerail.supervise import config, spawn
from rerail.tell import journal, report
from supervised import written
from toy import Loader, network

FIT = FitConfig(steps=4, evaluate_every=100, checkpoint_every=4, snapshot_every=2, warmup=1)


class Squares:
    def build(self) -> Parts:
        model = network()

        def losses(batch: Mapping[str, Any]) -> dict[str, torch.Tensor]:
            return {"square": (model(batch["x"]) - batch["y"]).square().mean()}

        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
        held_out = [next(iter(Loader(seed=9)))]
        given = {"model": model, "optimizer": optimizer, "scheduler": schedule, "losses": losses}
        return Parts(**given, data=Loader(), held_out=held_out)  # type: ignore[arg-type]

    def evaluate(self, _model: nn.Module, _batches: Any) -> dict[str, float]:
        return {}

    def figures(self, _model: nn.Module, _batches: Any, *, last: bool) -> dict[str, Any]:
        assert last in (True, False)
        return {}


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


def test_a_training_is_told_of_to_its_end_and_no_secret_is_left(
    api: BotApi, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(config.TOKEN, api.token)
    monkeypatch.setenv("RERAIL_APPRISE", "json://someone:hunter2-of-mine@127.0.0.1:9/")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    settings = written(tmp_path / "notify.yaml", api, apprise=["env:RERAIL_APPRISE"])
    run = tmp_path / "run"
    before = psutil.Process().children()
    assert run_under_eyes(Squares(), FIT, run, tell=partial(spawn, config=settings)).code == 0
    assert api.wait_for(lambda api: any("run: finished" in text for text in api.texts), 120)
    assert not any("the process is gone" in text for text in api.texts)
    until = time.monotonic() + 60
    while not any(one["text"] == "failed" for one in journal.read(run / "notify")) and time.monotonic() < until:
        time.sleep(0.05)  # the other service does not answer
    (child,) = set(psutil.Process().children()) - set(before)
    assert child.is_running()  # for a day it tries to tell what matters
    child.kill()
    shown = "".join(capfd.readouterr())
    kept = [path.read_bytes().decode("utf8", "replace") for path in run.rglob("*") if path.is_file()]
    assert any("apprise" in one for one in kept)
    for secret in (api.token.partition(":")[2], "hunter2-of-mine"):
        assert not any(secret in one for one in (shown, *kept))


def test_a_disk_that_takes_no_report_makes_no_failure_of_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "write", full)
    assert run_under_eyes(Squares(), FIT, tmp_path / "run").code == 0
    shown = capsys.readouterr().out
    assert "no report was written ([Errno 28] No space left on device); run: rerail report" in shown
