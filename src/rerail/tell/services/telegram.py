"""Telegram, by python-telegram-bot, whose Bot is asynchronous: one event loop in one thread serves all callers.

Whether a message arrived is unknown where the answer to it is lost. So the time to wait for an answer is long (a
minute, not the usual five seconds), and what then still fails is told as `unsure`: it counts in the budget, and what
matters is sent again, as twice is better than never.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, final

from rerail.core.extras import need
from rerail.tell import secrets
from rerail.tell.fields import plain
from rerail.tell.secrets import Secret
from rerail.tell.services import markup
from rerail.tell.services.markup import Part
from rerail.tell.services.service import Later, Letter, Refused

ALBUM, PHOTO_BYTES = 10, 10 * 2**20  # pictures in one message, and bytes of each
_CONNECT, _ANSWER, _ALL = 15.0, 60.0, 180.0  # seconds to connect, for each answer, and for a whole request
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What somebody wrote to the bot; `user` is a name they chose, to be shown as text only.

    `text` is empty for anything but text: such updates are here so that the next offset passes them.
    """

    id: int
    chat: int
    user: str
    text: str


@final
class Telegram:
    """One chat of one bot. May be used from several threads at once: `send` in one, `updates` in another."""

    def __init__(
        self,
        token: Secret,
        chat: int | str,
        *,
        name: str = "telegram",
        base_url: str = "https://api.telegram.org",
        answer: float = _ANSWER,
    ) -> None:
        self.name = name
        secrets.watch(token)
        os.environ.setdefault("PTB_TIMEDELTA", "1")  # else the library warns of its own answer to every 429
        self._telegram: Any = need("telegram", extra="notify")
        request = need("telegram.request", extra="notify").HTTPXRequest
        wait = {"connect_timeout": _CONNECT, "read_timeout": answer, "write_timeout": answer, "pool_timeout": _CONNECT}
        wait["media_write_timeout"] = 2 * answer
        self._requests = (request(connection_pool_size=4, **wait), request(connection_pool_size=2, **wait))
        self._bot = self._telegram.Bot(
            token.reveal(),
            base_url=f"{base_url.rstrip('/').removesuffix('/bot')}/bot",
            request=self._requests[0],
            get_updates_request=self._requests[1],  # a long poll keeps no message waiting
        )
        self._token, self._chat, self._answer = token, chat, answer
        self._gone: tuple[Letter, int] | None = None  # a letter of which the first parts went
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rerail-telegram", daemon=True)
        self._thread.start()

    def check(self) -> str:
        """Return the bot's name, asked of the service. Raises Later, Refused."""
        told = self._wait(self._bot.get_me())
        return plain(f"@{told.username}")

    def send(self, letter: Letter) -> int:
        """Send a letter to the chat. Raises Later, Refused.

        Where a letter of several messages failed in its middle, the same letter goes on from there.
        """
        messages = _messages(letter)
        begin = self._gone[1] if self._gone is not None and self._gone[0] == letter else 0
        for number, (part, pictures) in enumerate(messages[begin:], begin):
            self._gone = (letter, number)
            try:
                self._message(self._chat, part, pictures)
            except (Later, Refused) as failed:
                failed.sent = number - begin
                raise
        self._gone = None
        return len(messages) - begin

    def reply(self, chat: int | str, letter: Letter) -> int:
        """Send a letter to any chat. Raises Later, Refused."""
        messages = _messages(letter)
        for part, pictures in messages:
            self._message(chat, part, pictures)
        return len(messages)

    def updates(self, offset: int | None = None, wait: float = 25.0) -> list[Update]:
        """Return what was written since `offset` (the last id plus one); wait up to `wait` seconds for it.

        Raises:
            Later: also where another program asks with the same token.
            Refused: for ever.
        """
        asked = self._bot.get_updates(
            offset, timeout=timedelta(seconds=wait), allowed_updates=["message"], read_timeout=wait + self._answer
        )
        return [_update(update) for update in self._wait(asked, wait + _ALL)]

    def close(self) -> None:
        """End its connections and its thread."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(_shut(*self._requests), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _message(self, chat: int | str, part: Part, pictures: Sequence[bytes]) -> None:
        """Send one message; where its tags or its pictures are refused, once more without them."""
        try:
            self._wait(self._call(chat, part.html, pictures, "HTML"))
        except _Unfit as unfit:
            lacks = f"\n[pictures left out: {unfit}]" if pictures and not unfit.tags else ""
            text = part.text[: markup.TEXT // 2] + lacks if lacks else part.text
            self._again(chat, text, pictures if unfit.tags else ())

    def _again(self, chat: int | str, text: str, pictures: Sequence[bytes]) -> None:
        try:
            self._wait(self._call(chat, text, pictures, None))
        except _Unfit as unfit:
            refused = Refused(
                f"Telegram does not take this message: {unfit}; it is told in the journal", everything=False
            )
        else:
            return
        raise refused

    def _call(
        self, chat: int | str, text: str, pictures: Sequence[bytes], mode: str | None
    ) -> Coroutine[Any, Any, Any]:
        if not pictures:
            preview = self._telegram.LinkPreviewOptions(is_disabled=True)
            return self._bot.send_message(chat, text, parse_mode=mode, link_preview_options=preview)  # type: ignore[no-any-return]
        if len(pictures) == 1:
            return self._bot.send_photo(chat, pictures[0], caption=text or None, parse_mode=mode)  # type: ignore[no-any-return]
        media = [self._telegram.InputMediaPhoto(picture) for picture in pictures]
        return self._bot.send_media_group(chat, media, caption=text or None, parse_mode=mode)  # type: ignore[no-any-return]

    def _wait(self, asked: Coroutine[Any, Any, T], seconds: float = _ALL) -> T:
        """Wait for an answer in the loop's thread. Errors leave without the library's, which may hold the token."""
        future = asyncio.run_coroutine_threadsafe(self._outcome(asked, seconds), self._loop)
        answer, wrong = future.result()
        if wrong is not None:
            raise wrong
        assert answer is not None
        return answer

    async def _outcome(self, asked: Coroutine[Any, Any, T], seconds: float) -> tuple[T | None, Exception | None]:
        try:
            return await asyncio.wait_for(asked, seconds), None
        except asyncio.TimeoutError:
            return None, Later(f"Telegram gave no whole answer in {seconds:.0f} seconds", unsure=True)
        except self._telegram.error.TelegramError as error:
            return None, self._named(error)

    def _named(self, error: Exception) -> Exception:
        """What an error of the library means for the sender."""
        kinds, why = self._telegram.error, plain(secrets.redacted(str(error), [self._token]))
        if isinstance(error, kinds.RetryAfter):
            seconds: Any = error.__reduce__()[1][0]  # the same number in every version, and without a warning
            return Later(f"Telegram: {why}", float(seconds))
        for kind, advice in _ADVICE.items():
            if isinstance(error, getattr(kinds, kind)):
                return Refused(f"Telegram: {why}; {advice}")
        if isinstance(error, kinds.BadRequest):
            return _bad(why)
        if "too large" in why.lower():
            return _Unfit(why, tags=False)
        return Later(f"Telegram: {why}", unsure=_unsure(error))


_ADVICE = {
    "InvalidToken": "get the bot's token from @BotFather, and put it where the configuration reads it",
    "Forbidden": "unblock the bot, or write to it once in that chat",
    "ChatMigrated": "put that number into the configuration",
}


class _Unfit(Exception):  # noqa: N818
    """The service does not take the tags of a message, or its pictures."""

    def __init__(self, reason: str, *, tags: bool) -> None:
        super().__init__(reason)
        self.tags = tags


def _bad(why: str) -> Exception:
    """What a 400 means: a chat that is none, tags it cannot read, or a message that it does not take."""
    told = why.lower()
    if any(word in told for word in ("chat not found", "chat_id", "peer_id", "not enough rights", "have no rights")):
        return Refused(f"Telegram: {why}; write to the bot once in that chat, and give the chat's number")
    return _Unfit(why, tags="parse entities" in told)


def _unsure(error: Exception) -> bool:
    """Whether a message may have arrived: the request had gone out, and its answer did not come."""
    cause = type(error.__cause__).__name__ if error.__cause__ is not None else ""
    return cause in {"ReadTimeout", "WriteTimeout", "ReadError", "WriteError", "RemoteProtocolError"} or (
        "Invalid server response" in str(error)
    )


def _messages(letter: Letter) -> list[tuple[Part, list[bytes]]]:
    """The messages of a letter: short text beside its pictures, long text before them."""
    pictures, lost = _pictures(letter.pictures)
    given = Letter(title=letter.title, lines=(*letter.lines, *lost), direction=letter.direction, most=letter.most)
    short = markup.parts(given, limit=markup.CAPTION, most=2)
    if pictures and len(short) == 1:
        return [(short[0], pictures)]
    room = max(1, letter.most - (1 if pictures else 0))
    told: list[tuple[Part, list[bytes]]] = [(part, []) for part in markup.parts(given, most=room)]
    return [*told, (Part("", ""), pictures)] if pictures and letter.most > len(told) else told


def _pictures(given: Sequence[Path | bytes]) -> tuple[list[bytes], list[str]]:
    """The pictures that can be sent, at most an album of them; and lines about the others."""
    read = [_picture(picture) for picture in given[:ALBUM]]
    return [content for content, _ in read if content], [why for _, why in read if why]


def _picture(given: Path | bytes) -> tuple[bytes, str]:
    if isinstance(given, bytes):
        return given, ""
    try:
        if given.stat().st_size > PHOTO_BYTES:
            return b"", f"[{plain(given.name)} left out: more than {PHOTO_BYTES // 2**20} MiB]"
        return given.read_bytes(), ""
    except OSError as error:
        return b"", f"[{plain(given.name)} left out: {error.strerror}]"


def _update(update: Any) -> Update:  # noqa: ANN401 (the library is an extra)
    message = update.message
    if message is None:
        return Update(id=update.update_id, chat=0, user="", text="")
    user = message.from_user.full_name if message.from_user is not None else ""
    return Update(id=update.update_id, chat=message.chat.id, user=plain(user), text=message.text or "")


async def _shut(*requests: Any) -> None:  # noqa: ANN401
    for request in requests:
        await request.shutdown()
