"""Tokens and passwords: read from outside the configuration, and never shown."""

from __future__ import annotations

import logging
import os
import re
import stat
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn, final
from urllib.parse import quote, quote_plus, unquote

from rerail.core.extras import need
from rerail.tell.fields import plain

SHOWN = "[secret]"
_SHORTEST = 6  # a shorter part of a URL, or value of a variable, is no secret, but a word that stands everywhere
_TOKEN = 16  # letters; a shorter half of a token would be found in ordinary words
_MACHINE = re.compile(r"localhost|[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}|\d+(\.\d+){3}")  # the name of a machine is no secret
_PATTERNS = (
    re.compile(r"(?<!\d)\d{5,}(?::|%3[Aa])[A-Za-z0-9_-]{30,}"),  # what a token of Telegram looks like
    re.compile(r"(?<=://)[^/\s]+(?=@)"),  # the user and password of a URL, which may hold another @
)
_NAMED = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)S?(_|$)", re.IGNORECASE)  # WANDB_API_KEY


@final
class Secret:
    """A text that no repr, format, pickle or JSON shows; `source` says where it came from."""

    __slots__ = ("_text", "source")

    def __init__(self, text: str, source: str = "") -> None:
        self._text, self.source = text, source

    def reveal(self) -> str:
        """Return the text itself, for the one who sends it."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({self.source or SHOWN})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not written anywhere; got a request to pickle or copy one; pass on its source")


_WATCHED: set[Secret] = set()  # of the whole process, as its log records are


def read(source: str) -> Secret:
    """Read a secret from `env:NAME`, `file:PATH` or `keyring:SERVICE/USER`.

    Raises:
        ValueError: for anything else, without repeating it; and where there is nothing to read.
    """
    kind, separator, place = source.partition(":")
    reader = {"env": _environment, "file": _file, "keyring": _keyring}.get(kind)
    if reader is None or not separator or not place:
        raise ValueError(
            "a secret is named by where it lies; got something else, which is not repeated here, as it may be the "
            "secret itself; give env:NAME, file:PATH or keyring:SERVICE/USER, and change the secret if others could "
            "read it here"
        )
    text = reader(place).strip()
    if not text:
        raise ValueError(f"{plain(source)} holds nothing; put the secret there")
    secret = Secret(text, source)
    watch(secret)
    return secret


def _environment(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("env: takes the name of a variable; got something else, which is not repeated here")
    if name not in os.environ:
        raise ValueError(f"the environment has no variable {name}; set it, in the shell that starts the run")
    return os.environ[name]


def _file(place: str) -> str:
    path = Path(place).expanduser()
    try:
        text, mode = path.read_text(encoding="utf-8"), path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ValueError(f"cannot read a secret from file:{plain(place)}: {why}") from None  # its bytes may be secret
    if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH):
        warnings.warn(f"others can read the secret in {plain(place)}; run: chmod 600 {plain(place)}", stacklevel=3)
    return text


def _keyring(place: str) -> str:
    service, _, user = place.rpartition("/")
    keyring = need("keyring", extra="keyring")
    try:
        found: str | None = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise ValueError(f"cannot read keyring:{plain(place)}: {plain(error)}; unlock it, or use file:PATH") from None
    if found is None:
        raise ValueError(f"keyring:{plain(place)} holds nothing; run: keyring set {plain(service)} {plain(user)}")
    return found


def redacted(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Return the text with every secret in it replaced, in URLs too, and whatever looks like one.

    What the environment holds under a name like `WANDB_API_KEY` is one: services repeat it in their errors.
    """
    forms = {form for secret in (*secrets, *_WATCHED) for form in _forms(secret.reveal())}
    forms |= {value for name, value in os.environ.items() if _NAMED.search(name) and len(value) >= _SHORTEST}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, SHOWN)
    for pattern in _PATTERNS:
        text = pattern.sub(SHOWN, text)
    return text


def _forms(secret: str) -> set[str]:
    """A secret, and its parts, as they may stand in a text: as they are, and in the codes of URLs and Python."""
    codes = {code(part) for part in _parts(secret) for code in (str, quote, _quote_all, quote_plus, _escaped)}
    return codes | {re.sub("%[0-9A-F]{2}", lambda code: code.group().lower(), form) for form in codes}


def _quote_all(part: str) -> str:
    return quote(part, safe="")


def _escaped(part: str) -> str:
    return repr(part)[1:-1]


def _parts(secret: str) -> set[str]:
    """The secret itself; of a token the half after the colon; of a URL all but words and the names of machines."""
    if "://" not in secret:
        return {secret, *(part for part in secret.split(":")[1:] if len(part) >= _TOKEN)}
    pieces = re.split(r"[:/@?&=,]+", secret.partition("://")[2])
    hidden = {piece for piece in pieces if len(piece) >= _SHORTEST and not _MACHINE.fullmatch(piece)}
    given = {unquote(piece) for piece in hidden}
    return {secret, *hidden, *(piece for piece in given if len(piece) >= _SHORTEST)}


def watch(*secrets: Secret) -> None:
    """From now on keep these out of every log record of this process, whichever logger writes it.

    Libraries log the URLs they ask for, and Telegram's hold the token. `read` watches what it reads.
    """
    _WATCHED.update(secrets)
    if not isinstance(logging.getLogRecordFactory(), _Redacting):
        logging.setLogRecordFactory(_Redacting(logging.getLogRecordFactory()))


@final
class _Redacting:
    """Makes log records without secrets: their message and their traceback are text before any logger sees them."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *arguments: Any, **named: Any) -> logging.LogRecord:  # noqa: ANN401 (whatever logging gives)
        record = self._make(*arguments, **named)
        record.msg, record.args = redacted(_message(record)), ()
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = redacted(traced(record.exc_info[1]))
            record.exc_info = None  # a formatter that writes it anew would write it whole
        return record


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (
        TypeError,
        ValueError,
        KeyError,
    ):  # its arguments do not fit; logging would complain later, with all of them
        return f"{record.msg} {record.args}"


def traced(error: BaseException, secrets: Iterable[Secret] = ()) -> str:
    """Return the traceback of an exception, and of those it came from, without secrets."""
    return redacted("".join(traceback.format_exception(error)).rstrip(), secrets)


def cover_tracebacks() -> None:
    """Keep secrets out of the tracebacks that this process, or a thread of it, ends with."""
    sys.excepthook = lambda _, error, __: print(traced(error), file=sys.stderr)  # noqa: T201
    threading.excepthook = _of_thread


def _of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        print(traced(ended.exc_value), file=sys.stderr)  # noqa: T201
