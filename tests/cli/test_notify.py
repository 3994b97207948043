from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import small_tacotron2
from bot_api import BotApi
from rerail.cli import main, notifying
from rerail.supervise import config
from rerail.tell import journal
from supervised import written

TINY = ["--size", "tiny", "--batch-size", "4", "--held-out", "2", "--reduction", "5", "--steps", "2", "--no-check"]


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


@pytest.fixture
def settings(api: BotApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(config.TOKEN, api.token)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return written(tmp_path / "notify.yaml", api)


def train(folder: Path, *more: str) -> int:
    torch.set_num_threads(1)
    data = str(small_tacotron2.corpus(folder / "corpus"))
    where = ["--data", data, "--cache", str(folder / "f"), "--run", str(folder / "run")]
    return main(["train", "tacotron2", *where, *TINY, *more])


def test_settings_are_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    assert main(["notify", "init", str(file)]) == 0
    assert f"rerail notify test --config {file}" in " ".join(capsys.readouterr().out.split())
    assert file.read_text(encoding="utf8") == config.sample()
    file.write_text("mine")
    assert main(["notify", "init", str(file)]) == 2
    assert main(["notify", "init", str(tmp_path / "nowhere" / "mine.yaml")]) == 2
    assert file.read_text() == "mine"


def test_a_message_is_tried_and_what_came_of_it_is_said(
    api: BotApi, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notify", "test", "--config", str(settings)]) == 0
    assert "telegram: delivered" in capsys.readouterr().out
    assert "this is a test" in api.texts[0]
    api.answer_with(403, times=math.inf)
    assert main(["notify", "test", "--config", str(settings)]) == 1
    told = capsys.readouterr().out
    assert "telegram: not delivered" in told
    assert "unblock the bot" in told


def test_a_token_that_is_not_there_is_named_not_shown(
    api: BotApi, settings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(config.TOKEN, api.token[:-1] + "X")
    assert main(["notify", "test", "--config", str(settings)]) == 1
    told = capsys.readouterr().out
    assert "@BotFather" in told
    assert api.token[12:-1] not in told
    monkeypatch.delenv(config.TOKEN)
    assert main(["notify", "test", "--config", str(settings)]) == 2
    assert config.TOKEN in capsys.readouterr().err


def test_wrong_settings_stop_a_training_before_it_begins(
    tmp_path: Path, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.write_text("telegram: {tokn: env:A}\n")
    assert train(tmp_path, "--notify", str(settings)) == 2
    assert "did you mean 'token'?" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_training_goes_on_where_nobody_can_be_told(
    tmp_path: Path, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifying, "spawn", lambda *_, **__: "no more processes")
    assert train(tmp_path, "--notify", str(settings)) == 0
    notes = {one["text"]: one["data"] for one in journal.read(tmp_path / "run") if one["kind"] == "note"}
    assert notes["nobody is told of this run"] == {"error": "no more processes"}


def test_a_run_is_followed_from_the_outside(
    api: BotApi, settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = journal.Journal(tmp_path / "mine")
    run.write("note", 0, text="start", data={"config": {}, "step": 0})
    run.write("note", 3, text="end", data={"reason": "finished", "step": 3})
    run.close()
    assert main(["notify", "run", str(tmp_path / "mine"), "--config", str(settings)]) == 0
    assert any("mine: finished" in text for text in api.texts)
    assert "notify: sent" in capsys.readouterr().out
    assert main(["notify", "run", str(tmp_path / "other"), "--config", str(settings)]) == 2
