from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot_api import BotApi, Wrong
from rerail.supervise import hearing
from rerail.supervise.supervisor import Pace
from rerail.tell import journal, plots
from supervised import Watched, written

Begin = Callable[..., Any]
Watch = Callable[..., Watched]
STRANGER = 666


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "LOCK_SECONDS", 0.05)
    monkeypatch.setattr(hearing, "WAIT_SECONDS", 0.5)


def notes(run: Path, text: str) -> list[dict[str, Any]]:
    return [one["data"] for one in journal.read(run / "notify") if one["text"] == text]


def asked(run: Path) -> list[str]:
    return [one["data"]["wish"] for one in journal.read(run) if one.get("text") == "asked"]


def hears(watched: Watched) -> None:
    heard = watched.supervisor._hearing
    assert heard is not None
    assert watched.until(lambda: heard.listening)
    assert watched.until(watched.supervisor.trains)


def answered(watched: Watched, api: BotApi, text: str, word: str) -> str:
    """What is answered to a text: the next message with a word."""
    before = len(api.messages)
    api.push_update(api.chat, text)
    assert watched.until(lambda: any(word in one for one in api.texts[before:])), api.texts
    return next(one for one in api.texts[before:] if word in one)


def test_what_allowed_chats_ask_for(api: BotApi, train: Begin, watch: Watch, tmp_path: Path) -> None:
    watched, process = watch(hears=True), train()
    hears(watched)
    assert "State: training." in answered(watched, api, "/status", "State")
    assert "/quiet HOURS" in answered(watched, api, "/help@rails_bot", "commands")
    answered(watched, api, "/plot", "run: step")
    assert api.messages[-1].pictures[0].startswith(b"\x89PNG")
    assert "did not step in" in answered(watched, api, "/explain", "did not")
    assert "/explain failed" in answered(watched, api, "/explain 3", "tick 3")
    answered(watched, api, "/pause", "Waits between two steps")
    assert "State: paused." in answered(watched, api, "/status run", "State")
    answered(watched, api, "/resume", "Goes on")
    assert "/stop run yes" in answered(watched, api, "/stop", "within a minute")
    assert asked(tmp_path / "run") == ["pause", "resume"]
    answered(watched, api, "/stop run yes", "Stops")
    assert process.wait() == 0
    assert watched.until(lambda: watched.over)
    assert [one["said"] for one in notes(tmp_path / "run", "command")][:2] == ["/status", "/help@rails_bot"]


def test_what_others_write_is_ignored_and_written_down(api: BotApi, train: Begin, watch: Watch, tmp_path: Path) -> None:
    watched = watch(hears=True)
    train()
    hears(watched)
    before = len(api.messages)
    for text in ("/stop yes", "/pause", "\x1b[31m/stop\nyes"):
        api.push_update(STRANGER, text)
    for text in ("/stop yes", "/restart", "good morning", "/pause@other_bot"):  # a stop that nobody asked for first
        api.push_update(api.chat, text)
    assert "State" in answered(watched, api, "/status", "State")
    assert asked(tmp_path / "run") == []
    ignored = notes(tmp_path / "run", "ignored")
    assert [one["why"] for one in ignored] == ["no allowed chat"] * 3 + ["no command"] * 2
    assert ignored[2]["said"] == r"\x1b[31m/stop\nyes"
    assert {one.chat for one in api.messages[before:]} == {api.chat}


def test_quiet_hours_by_command(api: BotApi, train: Begin, watch: Watch) -> None:
    watched = watch(hears=True)
    process = train(3, "end")
    process.wait()
    heard = watched.supervisor._hearing
    assert heard is not None
    assert watched.until(lambda: heard.listening)
    assert "for 2 hours only" in answered(watched, api, "/quiet 2", "quiet")
    assert "takes hours" in answered(watched, api, "/quiet nan", "quiet takes")
    assert "off" in answered(watched, api, "/quiet off", "is off")
    assert "not training" in answered(watched, api, "/pause", "not training")


def test_what_was_written_before_is_not_done(api: BotApi, train: Begin, watch: Watch, tmp_path: Path) -> None:
    for text in ("/pause", "/stop", "/stop yes"):
        api.push_update(api.chat, text)
    watched = watch(hears=True)
    train()
    hears(watched)
    assert "State" in answered(watched, api, "/status", "State")
    assert asked(tmp_path / "run") == []
    assert [one["said"] for one in notes(tmp_path / "run", "ignored")] == ["/pause", "/stop", "/stop yes"]


def test_two_runs_of_one_bot_are_told_apart(api: BotApi, train: Begin, watch: Watch, tmp_path: Path) -> None:
    first = watch("one", hears=True)
    train(run="one")
    hears(first)
    second = watch("two", hears=True)
    train(run="two")
    assert second.until(second.supervisor.trains)
    api.push_update(api.chat, "/pause")
    assert first.until(lambda: any("say which: /pause one, /pause two" in text for text in api.texts))
    api.push_update(api.chat, "/pause two")
    assert second.until(lambda: asked(tmp_path / "two") == ["pause"])
    first.until(lambda: True)
    assert asked(tmp_path / "one") == []
    assert sum(method.lower() == "getupdates" for method in api.requests) > 0


def test_another_machine_with_the_same_bot_is_said_once(
    api: BotApi, train: Begin, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conflict(*_: Any) -> None:
        raise Wrong(409, "Conflict: terminated by other getUpdates request")

    monkeypatch.setattr(api, "_get_updates", conflict)
    watched = watch(hears=True, pace=Pace(stay=0.0))
    train()
    assert watched.until(lambda: notes(tmp_path / "run", "cannot hear"))
    (told,) = notes(tmp_path / "run", "cannot hear")
    assert "each machine needs a bot of its own" in told["why"]


def test_a_chat_that_is_told_need_not_be_one_that_commands(
    api: BotApi, train: Begin, watch: Watch, tmp_path: Path
) -> None:
    told = {"token": "env:RERAIL_TELEGRAM_TOKEN", "chats": [api.chat], "allowed": [1], "base_url": api.url}
    watched = watch(hears=True, settings=written(tmp_path / "other.yaml", api, telegram=told))
    train()
    hears(watched)
    api.push_update(api.chat, "/pause")
    assert watched.until(lambda: notes(tmp_path / "run", "ignored"))
    assert asked(tmp_path / "run") == []


def test_an_answer_that_fails_ends_nothing_and_shows_no_secret(
    api: BotApi, train: Begin, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError(f"no font at {api.token}")

    monkeypatch.setattr(plots, "plot", broken)
    watched = watch(hears=True)
    train()
    hears(watched)
    assert "no font at [secret]" in answered(watched, api, "/plot", "/plot failed")
    assert "State" in answered(watched, api, "/status", "State")


def test_numbers_of_updates_may_begin_anew_as_they_do_after_a_quiet_week(
    api: BotApi, train: Begin, watch: Watch
) -> None:
    watched = watch(hears=True)
    train()
    hears(watched)
    answered(watched, api, "/status", "State")
    polls = api.requests.count("getUpdates")
    assert watched.until(lambda: api.requests.count("getUpdates") > polls + 1)
    api._next_update = 7
    assert "/quiet HOURS" in answered(watched, api, "/help", "commands")
