"""All services that apprise knows, by its URLs: mail, ntfy, Discord, Matrix and a hundred more."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, final

from rerail.core.extras import need
from rerail.core.notice import Level
from rerail.tell import secrets
from rerail.tell.fields import plain
from rerail.tell.secrets import Secret
from rerail.tell.services.service import Later, Letter, readable

_KIND = {Level.PROGRESS: "info", Level.SUCCESS: "success", Level.CRITICAL: "failure"}
_ANSWER = 30.0  # seconds to wait for an answer, where apprise would wait four: a message may have arrived all the same
_TELLING = ("Socket Exception", "Response Details", "exception", "Exception")  # what its debug lines of errors hold
_heard: ContextVar[list[str] | None] = ContextVar("heard", default=None)


@final
class Apprise:
    """One service by its apprise URL, which is a secret as a whole.

    Raises:
        ValueError: where apprise does not know such a URL; the URL is not repeated.
    """

    def __init__(self, url: Secret, *, name: str = "") -> None:
        secrets.watch(url)
        self._apprise: Any = need("apprise", extra="notify")
        self._url = url
        asset = self._apprise.AppriseAsset(app_id="rerail", app_desc="rerail", async_mode=False)
        self._carrier = self._apprise.Apprise(asset=asset)
        with _listening() as why:
            known = self._carrier.add(url.reveal())
        if not known or len(self._carrier) != 1:
            told = self._reason(why)
            raise ValueError(
                f"apprise does not know the URL in {url.source or 'the secret'}{f' ({told})' if told else ''}; "
                "see https://github.com/caronc/apprise/wiki for how its URLs are written, one a secret"
            )
        for service in self._carrier:
            service.socket_read_timeout = max(service.socket_read_timeout, _ANSWER)
        self.name = name or f"apprise:{url.reveal().partition('://')[0]}"

    def send(self, letter: Letter) -> int:
        """Send a letter. Raises Later: apprise does not tell what will never work from what may."""
        attached, lost = self._attached(letter)
        title = readable(letter.title, letter.direction)
        with _listening() as why:
            gone = self._carrier.notify(
                title=title,
                body="\n".join(readable(line, letter.direction) for line in (*letter.lines, *lost)) or title,
                notify_type=_KIND[letter.level],
                body_format="text",  # so that names are text in services that take HTML or Markdown
                attach=attached or None,
            )
        if not gone:
            told = self._reason(why)
            raise Later(
                f"{self.name}: {told or 'it did not go, and apprise does not say why'}", unsure="timed out" in told
            )
        return 1

    def close(self) -> None:
        """Nothing to end: apprise opens a connection for each message."""

    def _attached(self, letter: Letter) -> tuple[list[Any], list[str]]:
        memory, file = (need(f"apprise.attachment.{name}", extra="notify") for name in ("memory", "file"))
        attached, lost = [], []
        for number, picture in enumerate(letter.pictures):
            if isinstance(picture, Path) and not picture.is_file():
                lost.append(f"[{plain(picture.name)} left out: it is not there]")
            elif isinstance(picture, Path):
                attached.append(file.AttachFile(str(picture)))
            else:
                kind = "jpeg" if picture.startswith(b"\xff\xd8") else "png"
                attached.append(memory.AttachMemory(picture, name=f"picture-{number}.{kind}", mimetype=f"image/{kind}"))
        return attached, lost

    def _reason(self, lines: list[str]) -> str:
        return secrets.redacted(plain("; ".join(dict.fromkeys(lines))), [self._url])


@final
class _Ear(logging.Handler):
    """Hands what apprise logs to whoever sends in this context; its debug lines hold the reasons, and what was sent."""

    def emit(self, record: logging.LogRecord) -> None:
        lines = _heard.get()
        told = record.getMessage()
        if lines is not None and (record.levelno >= logging.WARNING or any(word in told for word in _TELLING)):
            lines.append(told)


_ear, _listeners, _lock = _Ear(logging.DEBUG), 0, threading.Lock()
_before: tuple[int, bool] = (logging.NOTSET, True)


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Hear apprise's log, and let nobody else hear it meanwhile: it tells what is sent, and to which URL."""
    global _listeners, _before  # noqa: PLW0603 (a logger is global)
    logger = logging.getLogger("apprise")
    with _lock:
        if _listeners == 0:
            _before = (logger.level, logger.propagate)
            logger.addHandler(_ear)
            logger.setLevel(logging.DEBUG)
            logger.propagate = False
        _listeners += 1
    lines: list[str] = []
    token = _heard.set(lines)
    try:
        yield lines
    finally:
        _heard.reset(token)
        with _lock:
            _listeners -= 1
            if _listeners == 0:
                logger.removeHandler(_ear)
                logger.setLevel(_before[0])
                logger.propagate = _before[1]
