from __future__ import annotations

from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rerail.supervise import config

TOKEN = "123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi"  # noqa: S105 (nobody's)
ENVIRONMENT = (config.TOKEN, config.CHATS, config.APPRISE, "XDG_CONFIG_HOME")


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def loaded(text: str) -> config.Config:
    Path("notify.yaml").write_text(text, encoding="utf8")
    return config.load(Path("notify.yaml"))


def refused(text: str) -> str:
    with pytest.raises(ValueError, match=r"problem|expected|YAML") as caught:
        loaded(text)
    return str(caught.value)


def test_the_sample_is_a_file_of_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(config.CHATS, "5, -100200")
    given = loaded(config.sample())
    assert given.telegram == config.Bot(token=f"env:{config.TOKEN}", chats=(5, -100200), allowed=(5, -100200))
    assert given.rule == config.Config(telegram=given.telegram, zone=given.zone).rule
    assert (given.cadence.every_steps, given.cadence.every_minutes, given.language) == (100, 10, "en")


def test_every_setting_is_read(tmp_path: Path) -> None:
    given = loaded(
        'telegram: {token: "file:../secret", chats: ["@news", 7], allowed: [7, 8], base_url: "http://127.0.0.1:8081/"}\n'
        "apprise: [env:A, keyring:rerail/mail]\nlanguage: fa\nevery_steps: 50\nevery_minutes: 2.5\nbudget: 12\n"
        'quiet_hours: "23:00-7:30"\ntime_zone: Asia/Seoul\n'
    )
    assert given.telegram is not None
    assert Path(given.telegram.token.removeprefix("file:")).resolve() == (tmp_path / "secret").resolve()
    assert (given.telegram.chats, given.telegram.allowed) == (("@news", 7), (7, 8))
    assert given.telegram.base_url == "http://127.0.0.1:8081"
    assert given.apprise == ("env:A", "keyring:rerail/mail")
    rule = given.rule
    assert (rule.budget, rule.quiet_hours, rule.progress_gap) == (12, (time(23), time(7, 30)), 150.0)
    assert rule.zone == ZoneInfo("Asia/Seoul")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = refused(
        "telegram: {token: env:A, chats: [x y], alowed: [1], base_url: 'https://me:pw@host/'}\nlangage: en\n"
        "language: xx\nevery_steps: -1\nevery_minutes: soon\nbudget: 0\nquiet_hours: '25:00-07:00'\ntime_zone: Mars\n"
    )
    assert told.startswith("notify.yaml: 10 problem(s)")
    for part in (
        "telegram.chats: got something else than chats",
        "unknown setting 'alowed' in telegram; did you mean 'allowed'?",
        "telegram.base_url: got no plain http(s) address",
        "unknown setting 'langage'; did you mean 'language'?",
        "language: got 'xx'; give one of en, fa, ko, ru",
        "every_steps: got '-1'; give a number from 0",
        "every_minutes: got 'soon'",
        "budget: got '0'; give a number from 1",
        "quiet_hours: got '25:00-07:00'",
        "time_zone: got 'Mars'; give a name like Europe/Berlin",
    ):
        assert part in told
    assert "pw" not in told


@pytest.mark.parametrize(
    "text",
    [
        f"telegram: {{token: '{TOKEN}', chats: [1]}}",
        f"telegram: {{token: [{TOKEN}], chats: [1]}}",
        f"apprise: ['tgram://{TOKEN}/1']",
        f"apprise: mailto://me:{TOKEN}@example.org",
        f"telegram: {{token: env:A, chats: ['{TOKEN}']}}",
        f"telegram: {TOKEN}",
        f"'{TOKEN}'",
        f"telegram: {{token: '{TOKEN}\n",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(text: str) -> None:
    told = refused(text)
    assert "AAaaBB" not in told
    assert "give" in told or "rerail notify init" in told


def test_nothing_to_tell_with_is_refused() -> None:
    assert "nobody to tell: give telegram (token, chats), or apprise" in refused("language: ru\n")
    assert "telegram.token: missing" in refused("telegram: {chats: [1]}\n")
    assert "telegram.chats: missing" in refused("telegram: {token: env:A}\n")
    assert "telegram.chats: missing" in refused("telegram: {token: env:A, chats: []}\n")
    with pytest.raises(ValueError, match="No such file or directory; `rerail notify init"):
        config.load(Path("nowhere.yaml"))


def test_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"nobody to tell: no notify.yaml or .*, no RERAIL_TELEGRAM_TOKEN"):
        config.find()
    monkeypatch.setenv(config.TOKEN, TOKEN)
    assert config.find() is None
    at_home = tmp_path / "home/.config/rerail/notify.yaml"
    at_home.parent.mkdir(parents=True)
    at_home.touch()
    assert config.find() == at_home
    Path("notify.yaml").touch()
    assert config.find() == Path("notify.yaml")
    assert config.find("other.yaml") == Path("other.yaml")


def test_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(config.TOKEN, TOKEN)
    with pytest.raises(ValueError, match=r"the environment: 1 problem\(s\)\n.*RERAIL_TELEGRAM_CHATS is not set"):
        config.load(None)
    monkeypatch.setenv(config.CHATS, "12")
    monkeypatch.setenv(config.APPRISE, "json://localhost")
    given = config.load(None)
    assert given.telegram is not None
    assert given.telegram.chats == (12,)
    assert given.apprise == (f"env:{config.APPRISE}",)


def test_a_chat_that_is_named_twice_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(config.TOKEN, TOKEN)
    monkeypatch.setenv(config.CHATS, "12, 13 12")
    given = config.load(None)
    assert given.telegram is not None
    assert given.telegram.chats == (12, 13)
