"""Telegram against a Bot API server on loopback: what arrives, and what each of its answers means."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot_api import BotApi, units
from rerail.tell.fields import plain
from rerail.tell.secrets import Secret
from rerail.tell.services import Later, Letter, Refused
from rerail.tell.services.telegram import Telegram

PNG = b"\x89PNG\r\n\x1a\n"
HOSTILE = "<b>x</b> a<b &amp; [l](u) `c` *d* _e_ \x1b[31m \u202e\nnext"
WAIT = 0.3  # seconds until the answer of a server that hangs is given up


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


@pytest.fixture
def telegram(api: BotApi) -> Iterator[Telegram]:
    with closing(Telegram(Secret(api.token), api.chat, base_url=api.url)) as made:
        yield made


def failure(telegram: Telegram, letter: Letter | None = None) -> Later | Refused:
    with pytest.raises((Later, Refused)) as caught:
        telegram.send(letter or Letter(title="t"))
    assert caught.value.__cause__ is None  # no error of the libraries beneath, which may hold the token
    return caught.value


def test_a_letter_arrives_as_text_whatever_it_holds(api: BotApi, telegram: Telegram) -> None:
    assert telegram.send(Letter(title=HOSTILE, lines=(HOSTILE, "line"))) == 1
    [message] = api.messages
    assert message.text == f"{plain(HOSTILE)}\n{plain(HOSTILE)}\nline"
    assert (message.bold, message.chat) == ((plain(HOSTILE),), api.chat)


def test_the_bot_says_its_name(telegram: Telegram) -> None:
    assert telegram.check() == "@rails_bot"


def test_a_long_letter_becomes_several_messages(api: BotApi, telegram: Telegram) -> None:
    lines = tuple("\U0001f600" * 1000 for _ in range(5))
    assert telegram.send(Letter(title="t", lines=lines)) == len(api.messages) == 3
    assert "\n".join(api.texts) == "\n".join(("t", *lines))


def test_pictures_go_with_a_short_text_and_after_a_long_one(api: BotApi, telegram: Telegram, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG + b"a")
    pictures = (tmp_path / "a.png", PNG + b"b", PNG + b"c")
    assert telegram.send(Letter(title="one", pictures=pictures[:1])) == 1
    assert telegram.send(Letter(title="three", pictures=pictures)) == 1
    assert telegram.send(Letter(title="long", lines=("x" * 1500,), pictures=pictures)) == 2
    assert [(message.method, len(message.pictures), units(message.text)) for message in api.messages] == [
        ("sendPhoto", 1, 3),
        ("sendMediaGroup", 3, 5),
        ("sendMessage", 0, 1505),
        ("sendMediaGroup", 3, 0),
    ]
    assert api.messages[1].pictures == (PNG + b"a", PNG + b"b", PNG + b"c")


def test_pictures_that_cannot_go_are_said_and_the_text_goes(api: BotApi, telegram: Telegram, tmp_path: Path) -> None:
    (tmp_path / "huge.png").write_bytes(PNG + bytes(11 * 2**20))
    telegram.send(Letter(title="t", pictures=(tmp_path / "gone.png", tmp_path / "huge.png")))
    telegram.send(Letter(title="u", pictures=(b"no picture",)))
    api.answer_with(413)
    telegram.send(Letter(title="v", pictures=(PNG, PNG)))
    assert [message.pictures for message in api.messages] == [()] * 3
    first, second, third = api.texts
    assert "gone.png left out: No such file" in first
    assert "huge.png left out: more than 10 MiB" in first
    assert second == "u\n[pictures left out: Image_process_failed]"
    assert third.startswith("v\n[pictures left out: ")


def test_tags_that_are_not_read_are_left_out(api: BotApi, telegram: Telegram) -> None:
    api.answer_with(400, description="Bad Request: can't parse entities: Unsupported start tag")
    assert telegram.send(Letter(title="a<b", lines=("c",))) == 1
    assert [(message.text, message.bold) for message in api.messages] == [("a<b\nc", ())]


def test_too_many_requests_says_how_long(api: BotApi, telegram: Telegram) -> None:
    api.answer_with(429, retry_after=37)
    later = failure(telegram)
    assert isinstance(later, Later)
    assert (later.seconds, later.unsure) == (37.0, False)


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_later(code: int, api: BotApi, telegram: Telegram) -> None:
    api.answer_with(code)
    later = failure(telegram)
    assert isinstance(later, Later)
    assert (later.seconds, later.unsure) == (None, False)
    assert telegram.send(Letter(title="t")) == 1


@pytest.mark.parametrize("what", ["hang", "close", "lost", "garbage"])
def test_where_the_answer_is_lost_it_may_have_arrived(what: str, api: BotApi) -> None:
    api.answer_with(what)
    with closing(Telegram(Secret(api.token), api.chat, base_url=api.url, answer=WAIT)) as telegram:
        later = failure(telegram)
    assert isinstance(later, Later)
    assert later.unsure
    assert len(api.messages) == (1 if what == "lost" else 0)


def test_a_slow_answer_is_waited_for(api: BotApi, telegram: Telegram) -> None:
    api.answer_with("slow", seconds=0.5)
    assert telegram.send(Letter(title="t")) == 1


def test_a_server_that_is_not_there_is_asked_later() -> None:
    with BotApi() as api:
        url, token, chat = api.url, api.token, api.chat
    with closing(Telegram(Secret(token), chat, base_url=url)) as telegram:
        later = failure(telegram)
    assert isinstance(later, Later)
    assert not later.unsure


@pytest.mark.parametrize(
    ("token", "chat", "says"),
    [
        (None, 1, "Chat not found; write to the bot once in that chat"),
        (None, 13, "bot was blocked by the user; unblock the bot"),
        ("9876543210:" + "A" * 35, None, "Unauthorized; get the bot's token from @BotFather"),
        ("nonsense", None, "Not Found; get the bot's token"),
    ],
)
def test_what_will_never_go_says_what_to_do(token: str | None, chat: int | None, says: str, api: BotApi) -> None:
    api.blocked.add(13)
    with closing(Telegram(Secret(token or api.token), chat or api.chat, base_url=api.url)) as telegram:
        refused = failure(telegram)
    assert isinstance(refused, Refused)
    assert refused.everything
    assert says in refused.reason


def test_a_single_message_that_is_not_taken_stops_no_other(api: BotApi, telegram: Telegram) -> None:
    api.answer_with(400, times=2, description="Bad Request: something about this message")
    refused = failure(telegram)
    assert isinstance(refused, Refused)
    assert not refused.everything
    assert telegram.send(Letter(title="t")) == 1


def test_a_letter_that_failed_in_its_middle_goes_on_from_there(api: BotApi, telegram: Telegram) -> None:
    letter = Letter(title="t", lines=tuple(str(n) * 3000 for n in range(3)))
    api.answer_with("slow", seconds=0)  # the first message as usual
    api.answer_with(429, retry_after=1)
    assert isinstance(failure(telegram, letter), Later)
    assert telegram.send(letter) == 2
    assert "\n".join(api.texts) == "\n".join((letter.title, *letter.lines))


def test_what_people_write_is_read_once_and_waited_for(api: BotApi, telegram: Telegram) -> None:
    first = api.push_update(api.chat, "/status")
    api.push_update(666, None, user="<b>Mallory\x1b</b>")
    one, two = telegram.updates(None, wait=0)
    assert (one.id, one.chat, one.user, one.text) == (first, api.chat, "Owner", "/status")
    assert (two.chat, two.user, two.text) == (666, "<b>Mallory\\x1b</b>", "")
    threading.Timer(0.2, api.push_update, (api.chat, "/stop")).start()
    assert [update.text for update in telegram.updates(two.id + 1, wait=20)] == ["/stop"]
    assert telegram.updates(two.id + 2, wait=0) == []


def test_a_long_poll_holds_no_message_back(api: BotApi, telegram: Telegram) -> None:
    heard: list[Any] = []
    waiting = threading.Thread(target=lambda: heard.extend(telegram.updates(None, wait=30)))
    waiting.start()
    assert api.wait_for(lambda server: "getUpdates" in server.requests)
    began = time.monotonic()
    telegram.send(Letter(title="meanwhile"))
    assert time.monotonic() - began < 15
    api.push_update(api.chat, "/plot")
    waiting.join()
    assert [update.text for update in heard] == ["/plot"]


def test_an_answer_goes_to_the_chat_that_asked(api: BotApi, telegram: Telegram) -> None:
    api.chats.add(5)
    telegram.reply(5, Letter(title="status"))
    assert [(message.chat, message.text) for message in api.messages] == [(5, "status")]


def test_two_that_poll_with_one_token_are_told_of_each_other(api: BotApi, telegram: Telegram) -> None:
    failed: list[Later] = []

    def poll() -> None:
        try:
            telegram.updates(None, wait=30)
        except Later as later:
            failed.append(later)

    first = threading.Thread(target=poll)
    first.start()
    assert api.wait_for(lambda server: "getUpdates" in server.requests)
    with closing(Telegram(Secret(api.token), api.chat, base_url=api.url)) as second:
        second.updates(None, wait=0)
    first.join()
    assert "only one bot instance" in failed[0].reason


def test_a_server_that_limits_for_ever_costs_nothing_and_ends(api: BotApi, telegram: Telegram) -> None:
    api.answer_with(429, times=math.inf, retry_after=5)
    assert all(isinstance(failure(telegram), Later) for _ in range(5))
    api.answer_with()
    telegram.send(Letter(title="at last"))
    assert api.texts == ["at last"]
