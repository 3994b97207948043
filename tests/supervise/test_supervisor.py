from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot_api import BotApi
from rerail.core.hang import Hang
from rerail.requests import ask
from rerail.supervise import supervisor
from rerail.supervise.supervisor import Pace
from rerail.tell import journal
from supervised import Watched, written

Begin = Callable[..., Any]
Watch = Callable[..., Watched]


def notes(run: Path) -> list[tuple[str, dict[str, Any]]]:
    return [(one["text"], one["data"]) for one in journal.read(run / "notify")]


def trains(run: Path, tick: int = 5) -> bool:
    return (run / "journal.jsonl").exists() and any(one["tick"] >= tick for one in journal.read(run))


def deaths(api: BotApi) -> list[str]:
    return [text for text in api.texts if "the process is gone" in text.splitlines()[0]]


def test_a_run_is_told_of_from_start_to_end(api: BotApi, train: Begin, watch: Watch, tmp_path: Path) -> None:
    watched = watch()
    train(5, "end").wait()
    assert watched.until(lambda: watched.over)
    titles = [text.splitlines()[0] for text in api.texts]
    assert any("finished" in one for one in titles)
    assert not deaths(api)
    assert ("sent", {"service": "telegram", "codes": ["finished"], "merged": 0, "why": ""}) in notes(tmp_path / "run")


def test_a_killed_run_is_told_of_once_with_what_is_known(
    api: BotApi, train: Begin, watch: Watch, tmp_path: Path
) -> None:
    watched, process = watch(), train()
    assert watched.until(lambda: trains(tmp_path / "run"))
    process.send_signal(signal.SIGKILL)  # nobody waits for it, so it becomes a zombie
    assert watched.until(lambda: watched.over)
    (told,) = deaths(api)
    assert "step 4" in told
    assert "loss/mel" in told
    assert "SIGKILL" in told
    watched.close()
    again = watch()  # the same folder, another supervisor: it is told already
    assert again.until(lambda: again.over)
    assert len(deaths(api)) == 1
    assert len(api.messages) == len(set(api.texts))


def test_a_run_that_broke_off_says_of_what(api: BotApi, train: Begin, watch: Watch) -> None:
    watched = watch()
    train(3, "break off").wait()
    assert watched.until(lambda: watched.over)
    (told,) = deaths(api)
    assert "It broke off: ValueError: a text too long" in told


def test_a_resumed_run_is_followed_on(api: BotApi, train: Begin, watch: Watch, tmp_path: Path) -> None:
    watched, process = watch(pace=Pace(stay=60.0)), train()
    assert watched.until(lambda: trains(tmp_path / "run"))
    process.kill()
    assert watched.until(lambda: deaths(api))
    assert not watched.over
    train(8, "end")
    assert watched.until(lambda: watched.over)
    titles = [text.splitlines()[0] for text in api.texts]
    assert sum("resumed" in one for one in titles) == 1
    assert sum("finished" in one for one in titles) == 1


def test_what_matters_is_told_once_when_the_server_is_back(
    tmp_path: Path, train: Begin, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BotApi() as gone:
        port = gone.port
        monkeypatch.setenv("RERAIL_TELEGRAM_TOKEN", gone.token)
        settings = written(tmp_path / "later.yaml", gone)
    watched, process = watch(settings=settings), train()
    assert watched.until(lambda: trains(tmp_path / "run"))
    process.kill()
    process.wait()
    assert watched.until(lambda: "failed" in [text for text, _ in notes(tmp_path / "run")])
    assert not watched.over
    with BotApi(port=port) as api:
        assert watched.until(lambda: watched.over)
        assert len(deaths(api)) == 1


def test_a_server_that_says_later_for_ever_stops_nothing(
    api: BotApi, train: Begin, watch: Watch, tmp_path: Path
) -> None:
    api.answer_with(429, times=math.inf, retry_after=3600)
    watched = watch()
    assert train(5, "end").wait() == 0
    assert watched.until(lambda: "failed" in [text for text, _ in notes(tmp_path / "run")])
    assert not watched.over
    watched.supervisor._pace = Pace(give_up=0.0)
    assert watched.until(lambda: watched.over)
    assert api.messages == []
    assert sum(method.startswith("send") for method in api.requests) == 1  # it waits as long as it was told to
    (left,) = [data["left"] for text, data in notes(tmp_path / "run") if text == "gave up"]
    assert "finished" in left


def test_what_happened_long_before_is_not_told(api: BotApi, watch: Watch, tmp_path: Path) -> None:
    written_by_hand = journal.Journal(tmp_path / "run")
    written_by_hand.write("note", 0, text="start", data={"config": {}, "step": 0, "process": {"pid": 1}})
    written_by_hand.write("note", 1, text="hang", data={"silent": 400.0, "usual": None, "inside": True, "where": []})
    written_by_hand.write("note", 2, text="end", data={"reason": "finished", "step": 0})
    written_by_hand.close()
    path = tmp_path / "run/journal.jsonl"
    aged = [line.replace(f'"time": {int(time.time())}'[:13], '"time": 12345') for line in path.read_text().splitlines()]
    path.write_text("\n".join(aged) + "\n")
    watched = watch()
    assert watched.until(lambda: watched.over)
    assert api.messages == []


def test_a_silence_is_told_once_and_a_pause_is_none(
    api: BotApi, train: Begin, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "SILENCE", Hang(least=0.4, factor=1.0))
    monkeypatch.setattr(supervisor, "FULL_BYTES", math.inf)
    watched = watch()
    train(5)
    assert watched.until(lambda: any("nothing written for" in text for text in api.texts))
    assert any("The disk of its folder is full" in text for text in api.texts)
    ask(tmp_path / "run", "pause", by="page")
    assert watched.until(lambda: watched.supervisor._paused)
    until = time.monotonic() + 1.0
    watched.until(lambda: time.monotonic() > until)
    assert sum("nothing written for" in text.splitlines()[0] for text in api.texts) == 1


def test_a_run_of_another_machine_is_not_taken_for_dead(
    api: BotApi, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "SILENCE", Hang(least=0.1, factor=1.0, first=1.0))
    there = journal.Journal(tmp_path / "run")
    process = {"pid": 999_999_999, "began": 1.0, "place": "elsewhere"}
    there.write("note", 0, text="start", data={"config": {}, "step": 0, "process": process})
    there.close()
    watched = watch()
    assert watched.until(lambda: any("cannot be seen from here" in text for text in api.texts))
    assert not deaths(api)


def test_no_line_of_a_journal_ends_it(api: BotApi, train: Begin, watch: Watch, tmp_path: Path) -> None:
    watched, process = watch(), train()
    assert watched.until(lambda: trains(tmp_path / "run"))
    values = {"loss/mel": 10**400}
    with (tmp_path / "run/journal.jsonl").open("a") as file:
        file.write("[" * 100_000 + "\n" + json.dumps({"v": 1, "kind": "reading", "tick": 6, "values": values}) + "\n")
    process.kill()
    assert watched.until(lambda: watched.over)
    assert len(deaths(api)) == 1
    (wrong,) = [data["why"] for text, data in notes(tmp_path / "run") if text == "record not understood"]
    assert "OverflowError" in wrong


def test_another_journal_in_the_place_of_the_old_one_is_told_of(
    api: BotApi, train: Begin, watch: Watch, tmp_path: Path
) -> None:
    watched = watch()
    train(30, "end").wait()
    assert watched.until(lambda: watched.over)
    watched.close()
    (tmp_path / "run/journal.jsonl").unlink()
    again = watch()
    train(3)
    assert again.until(lambda: "started" in api.texts[-1])
