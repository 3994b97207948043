"""A Bot API server on loopback: answers as https://core.telegram.org/bots/api documents, and as its server words it.

    with BotApi() as api:
        api.answer_with(429, retry_after=7)            # the next request only
        api.answer_with("hang", times=math.inf)        # until `api.answer_with()` ends it
        ...                                            # a Telegram(base_url=api.url, token=api.token, chat=api.chat)
        assert api.messages[0].text == "..."           # the text that a person sees, its tags parsed
        api.push_update(api.chat, "/status")           # somebody writes to the bot

It checks what the real one checks: lengths in UTF-16 units after the tags are parsed, tags, chats, tokens, pictures.
"""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

TEXT, CAPTION, ALBUM, PHOTO_BYTES = 4096, 1024, 10, 10 * 2**20
TAGS = {"a", "b", "strong", "i", "em", "s", "strike", "del", "u", "ins", "tg-spoiler", "tg-emoji", "span", "pre"}
TAGS |= {"code", "blockquote"}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
IMAGES = (b"\x89PNG", b"\xff\xd8\xff")


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message as its reader sees it; an album is one message."""

    chat: int
    text: str
    bold: tuple[str, ...] = ()
    pictures: tuple[bytes, ...] = ()
    sent: str  # the text as it came, with its tags
    method: str
    at: float


class Wrong(Exception):  # noqa: N818
    """An answer that is not ok."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


@dataclass
class _Script:
    """What to answer instead, how many times."""

    what: int | str
    times: float
    retry_after: int | None
    description: str
    seconds: float


@dataclass
class BotApi:
    """The server; start and end it as a context manager. `url` is what `base_url` takes."""

    token: str = "1234567890:AAFakeTokenForTests_-0123456789abcdef"  # noqa: S105 (of no bot)
    chat: int = 4711
    chats: set[int] = field(default_factory=set)  # the chats that it knows; `chat` is always one of them
    blocked: set[int] = field(default_factory=set)
    messages: list[Message] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)  # the method of every request, answered or not
    port: int = 0

    def __post_init__(self) -> None:
        self.chats.add(self.chat)
        self._scripts: list[_Script] = []
        self._updates: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._next_update, self._poll, self._ended = 500, 0, threading.Event()

    def __enter__(self) -> BotApi:  # noqa: PYI034 (Self is of Python 3.11)
        api = self
        handler = type("Handler", (_Handler,), {"api": api})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]

    def answer_with(
        self,
        what: int | str | None = None,
        *,
        times: float = 1,
        retry_after: int | None = None,
        description: str = "",
        seconds: float = 0.0,
    ) -> None:
        """Answer the next `times` requests that send something otherwise; without arguments, normally from now on.

        `what` is a code (400, 403, 429, 502, ...), "hang" (no answer), "close" (the connection ends without one),
        "slow" (the normal answer, after `seconds`), "lost" (the message arrives, the connection ends without an
        answer) or "garbage" (an answer that is no JSON).
        """
        with self._changed:
            if what is None:
                self._scripts.clear()
            else:
                self._scripts.append(_Script(what, times, retry_after, description, seconds))
            self._changed.notify_all()

    def push_update(self, chat: int, text: str | None, *, user: str = "Owner", user_id: int = 99) -> int:
        """Let somebody write to the bot (nothing but a sticker where `text` is None), and return the update's id."""
        with self._changed:
            self._next_update += 1
            message: dict[str, Any] = {
                "message_id": self._next_update,
                "date": int(time.time()),
                "chat": {"id": chat, "type": "private", "first_name": user},
                "from": {"id": user_id, "is_bot": False, "first_name": user},
            }
            if text is not None:
                message["text"] = text
            self._updates.append({"update_id": self._next_update, "message": message})
            self._changed.notify_all()
            return self._next_update

    def wait_for(self, ready: Callable[[BotApi], bool], seconds: float = 20.0) -> bool:
        """Wait until something is so, at most `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: ready(self), seconds)

    def scripted(self) -> _Script | None:
        with self._changed:
            while self._scripts and self._scripts[0].times <= 0:
                self._scripts.pop(0)
            if not self._scripts:
                return None
            self._scripts[0].times -= 1
            return self._scripts[0]

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server lives or the script holds."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended.is_set() or not self._scripts, min(seconds, 3600.0))

    def answer(self, method: str, fields: dict[str, str], files: dict[str, bytes]) -> Any:
        """Return the result of one method, or raise Wrong."""
        answers: dict[str, Callable[..., Any]] = {
            "getme": lambda *_: {"id": 1, "is_bot": True, "first_name": "Rails", "username": "rails_bot"},
            "getupdates": self._get_updates,
            "sendmessage": self._send_message,
            "sendphoto": self._send_photo,
            "sendmediagroup": self._send_album,
        }
        if method.lower() not in answers:
            raise Wrong(404, "Not Found")
        return answers[method.lower()](fields, files)

    def _get_updates(self, fields: dict[str, str], _: dict[str, bytes]) -> list[dict[str, Any]]:
        offset, wait = int(fields.get("offset", 0)), float(fields.get("timeout", 0))
        with self._changed:
            self._poll += 1
            mine = self._poll
            self._changed.notify_all()
            self._updates = [update for update in self._updates if update["update_id"] >= offset]
            self._changed.wait_for(lambda: self._updates or self._ended.is_set() or self._poll != mine, wait)
            if self._poll != mine:
                raise Wrong(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )
            return self._updates[: int(fields.get("limit", 100))]

    def _send_message(self, fields: dict[str, str], _: dict[str, bytes]) -> dict[str, Any]:
        return self._deliver("sendMessage", fields, fields.get("text", ""), fields.get("parse_mode"), ())

    def _send_photo(self, fields: dict[str, str], files: dict[str, bytes]) -> dict[str, Any]:
        name = fields.get("photo", "").removeprefix("attach://")
        picture = files.get(name) or files.get("photo")
        if picture is None:
            raise Wrong(400, "Bad Request: there is no photo in the request")
        return self._deliver("sendPhoto", fields, fields.get("caption", ""), fields.get("parse_mode"), (picture,))

    def _send_album(self, fields: dict[str, str], files: dict[str, bytes]) -> list[dict[str, Any]]:
        media = json.loads(fields.get("media", "[]"))
        if not 2 <= len(media) <= ALBUM:
            raise Wrong(400, "Bad Request: wrong number of items in the media group; 2-10 expected")
        pictures = []
        for item in media:
            name = item["media"].removeprefix("attach://")
            if name not in files:
                raise Wrong(400, "Bad Request: wrong file identifier/HTTP URL specified")
            pictures.append(files[name])
        captions = [item for item in media if item.get("caption")]
        first = captions[0] if captions else {}
        text, mode = first.get("caption", ""), first.get("parse_mode")
        return [self._deliver("sendMediaGroup", fields, text, mode, tuple(pictures))] * len(media)

    def _deliver(
        self, method: str, fields: dict[str, str], sent: str, mode: str | None, pictures: tuple[bytes, ...]
    ) -> dict[str, Any]:
        chat = self._chat(fields.get("chat_id", ""))
        _check_pictures(pictures)
        text, bold = parsed(sent) if mode == "HTML" else (sent, ())
        text = text.strip()
        if not text and not pictures:
            raise Wrong(400, "Bad Request: message text is empty")
        if units(text) > (CAPTION if pictures else TEXT):
            raise Wrong(400, f"Bad Request: message {'caption ' if pictures else ''}is too long")
        with self._changed:
            told = Message(
                chat=chat, text=text, bold=bold, pictures=pictures, sent=sent, method=method, at=time.monotonic()
            )
            self.messages.append(told)
            self._changed.notify_all()
            number = len(self.messages)
        return {
            "message_id": number,
            "date": int(time.time()),
            "chat": {"id": chat, "type": "private", "first_name": "Owner"},
            **({"caption": text} if pictures else {"text": text}),
        }

    def _chat(self, given: str) -> int:
        if not given:
            raise Wrong(400, "Bad Request: chat_id is empty")
        if not re.fullmatch(r"-?\d+", given) or int(given) not in self.chats | self.blocked:
            raise Wrong(400, "Bad Request: chat not found")
        if int(given) in self.blocked:
            raise Wrong(403, "Forbidden: bot was blocked by the user")
        return int(given)


def units(text: str) -> int:
    """The length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def parsed(html: str) -> tuple[str, tuple[str, ...]]:
    """The text of Telegram's HTML, and its bold parts; Wrong where the real server refuses it."""
    text, bold, opened, place = "", [], [], 0
    while place < len(html):
        entity = re.match(r"&(?:#x([0-9a-fA-F]+)|#(\d+)|(lt|gt|amp|quot));?", html[place:])
        at = len(html[:place].encode())
        if entity:
            text += _symbol(*entity.groups())
            place += entity.end()
        elif html[place] != "<":
            text, place = text + html[place], place + 1
        elif html.startswith("</", place):
            place = _closed(html, place, at, opened, bold, text)
        else:
            place = _opened(html, place, at, opened, text)
    if opened:
        raise _entities(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return text, tuple(bold)


def _symbol(hexadecimal: str | None, decimal: str | None, name: str | None) -> str:
    return NAMED[name] if name else chr(int(hexadecimal, 16) if hexadecimal else int(decimal or 0))


def _opened(html: str, place: int, at: int, opened: list[tuple[str, int]], text: str) -> int:
    name = re.match(r"<([^\s>]*)", html[place:])
    assert name is not None
    if place + name.end() >= len(html):
        raise _entities(f"Unclosed start tag at byte offset {at}")
    if name.group(1).lower() not in TAGS:
        raise _entities(f'Unsupported start tag "{name.group(1).lower()}" at byte offset {at}')
    end = html.find(">", place)
    if end < 0:
        raise _entities(f"Unclosed start tag at byte offset {at}")
    opened.append((name.group(1).lower(), len(text)))
    return end + 1


def _closed(html: str, place: int, at: int, opened: list[tuple[str, int]], bold: list[str], text: str) -> int:
    if not opened:
        raise _entities(f"Unexpected end tag at byte offset {at}")
    end = html.find(">", place)
    if end < 0:
        raise _entities(f"Unclosed end tag at byte offset {at}")
    name, (expected, begin) = html[place + 2 : end].strip(), opened.pop()
    if name and name != expected:
        raise _entities(f'Unmatched end tag at byte offset {at}, expected "</{expected}>", found "</{name}>"')
    if expected in {"b", "strong"}:
        bold.append(text[begin:])
    return end + 1


def _entities(why: str) -> Wrong:
    return Wrong(400, f"Bad Request: can't parse entities: {why}")


def _check_pictures(pictures: tuple[bytes, ...]) -> None:
    for picture in pictures:
        if len(picture) > PHOTO_BYTES:
            raise Wrong(413, "Request Entity Too Large")
        if not picture.startswith(IMAGES):
            raise Wrong(400, "Bad Request: IMAGE_PROCESS_FAILED")


class _Handler(BaseHTTPRequestHandler):
    api: BotApi
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._work()

    def do_POST(self) -> None:
        self._work()

    def _work(self) -> None:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fields, files = self._fields(body)
        fields = {**dict(parse_qsl(address.query)), **fields}
        token, _, method = unquote(address.path).removeprefix("/bot").partition("/")
        self.api.requests.append(method)
        try:
            self._check(token)
            script = self.api.scripted() if method.startswith("send") else None
            if script is not None and not self._play(script, method, fields, files):
                return
            self._reply(200, {"ok": True, "result": self.api.answer(method, fields, files)})
        except Wrong as wrong:
            told = {"ok": False, "error_code": wrong.code, "description": wrong.description}
            self._reply(wrong.code, told | ({"parameters": wrong.parameters} if wrong.parameters else {}))
        except (BrokenPipeError, ConnectionResetError):  # whoever asked has gone
            self.close_connection = True

    def _check(self, token: str) -> None:
        if not re.fullmatch(r"\d+:[\w-]{30,}", token):
            raise Wrong(404, "Not Found")
        if token != self.api.token:
            raise Wrong(401, "Unauthorized")

    def _play(self, script: _Script, method: str, fields: dict[str, str], files: dict[str, bytes]) -> bool:
        """Answer as the script says; True where the normal answer shall follow."""
        if isinstance(script.what, int):
            raise _wrong(script)
        if script.what == "slow":
            self.api.pause(script.seconds)
            return True
        if script.what == "hang":
            self.api.pause(math.inf)
        elif script.what == "lost":
            self.api.answer(method, fields, files)
        elif script.what == "garbage":
            self._write(200, b"<html>a proxy speaks</html>")
            return False
        self.close_connection = True
        return False

    def _fields(self, body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("application/json"):
            return {name: str(value) for name, value in json.loads(body).items()}, {}
        if not kind.startswith("multipart/form-data"):
            return dict(parse_qsl(body.decode(), keep_blank_values=True)), {}
        fields, files = {}, {}
        for part in message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body).get_payload():
            content = part.get_payload(decode=True)
            name = part.get_param("name", header="content-disposition")
            if part.get_filename() is None:
                fields[name] = content.decode()
            else:
                files[name] = content
        return fields, files

    def _reply(self, code: int, told: dict[str, Any]) -> None:
        self._write(code, json.dumps(told).encode())

    def _write(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _wrong(script: _Script) -> Wrong:
    code = int(script.what)
    if code == 429:
        after = script.retry_after if script.retry_after is not None else 1
        return Wrong(429, f"Too Many Requests: retry after {after}", retry_after=after)
    worded = {400: "Bad Request: chat not found", 403: "Forbidden: bot was blocked by the user", 401: "Unauthorized"}
    worded |= {
        413: "Request Entity Too Large",
        500: "Internal Server Error",
        502: "Bad Gateway",
        504: "Gateway Timeout",
    }
    return Wrong(code, script.description or worded.get(code, "Error"))
