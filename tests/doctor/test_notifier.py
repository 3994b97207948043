from __future__ import annotations

from pathlib import Path

import pytest

from bot_api import BotApi
from rerail.doctor.notifier import notifications
from rerail.supervise import config
from supervised import written


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (config.TOKEN, config.CHATS, config.APPRISE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def test_nothing_is_judged_where_nobody_is_to_be_told() -> None:
    (check,) = notifications()
    assert check.passed is None
    assert "rerail notify init" in check.told


def test_a_bot_is_asked_for_its_name_and_nobody_is_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    with BotApi() as api:
        monkeypatch.setenv(config.TOKEN, api.token)
        written(Path("notify.yaml"), api)
        (check,) = notifications()
        assert check.passed
        assert "@rails_bot answers" in check.told
        monkeypatch.setenv(config.TOKEN, api.token[:-1] + "X")
        (check,) = notifications()
        assert check.passed is False
        assert "@BotFather" in check.told
        assert api.messages == []
        assert api.token[12:-1] not in str(check)
    (check,) = notifications()
    assert check.passed is False
    assert "look at the network" in check.told


def test_settings_that_are_wrong_are_named() -> None:
    Path("notify.yaml").write_text("telegram: {tokn: env:A}\n")
    (check,) = notifications()
    assert check.passed is False
    assert "did you mean 'token'?" in check.told
    Path("notify.yaml").write_text("telegram: {token: env:NOWHERE, chats: [1]}\n")
    (check,) = notifications()
    assert "NOWHERE" in check.told
