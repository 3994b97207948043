"""What a service that carries messages to people must do, whichever it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from rerail.core.notice import Level
from rerail.tell.fields import plain

_ANY = 1_000_000  # how long a line may be before it is split
_ISOLATES = re.compile("([\u2068\u2069])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message in words: everything in it is plain text, which each service escapes for itself.

    `pictures` are files, or their bytes (PNG or JPEG). A service may split it into `most` messages; what is longer is
    cut, and says so.
    """

    title: str
    lines: tuple[str, ...] = ()
    pictures: tuple[Path | bytes, ...] = ()
    direction: Literal["ltr", "rtl"] = "ltr"
    level: Level = Level.PROGRESS
    most: int = 4


def readable(line: str, direction: str) -> str:
    """One printable line. In a letter from right to left the marks stay with which the catalogue isolates values.

    The values themselves are plain already, so that no mark of theirs is among these.
    """
    if direction != "rtl":
        return plain(line, _ANY)
    return "".join(one if _ISOLATES.fullmatch(one) else plain(one, _ANY) for one in _ISOLATES.split(line))


class Later(Exception):  # noqa: N818 (it says when, as Refused says that)
    """Not now: try again, after `seconds` where the service says so. `unsure`: it may have arrived all the same.

    `sent` is how many messages of the letter went before this one.
    """

    def __init__(self, reason: str, seconds: float | None = None, *, unsure: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.seconds, self.unsure, self.sent = reason, seconds, unsure, 0


class Refused(Exception):  # noqa: N818
    """Never, with what to do. `everything`: no other letter will go either until somebody has done it."""

    def __init__(self, reason: str, *, everything: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.everything, self.sent = reason, everything, 0


class Service(Protocol):
    """Carries letters."""

    @property
    def name(self) -> str:
        """What it is called in the outbox and the journal; holds no secret."""

    def send(self, letter: Letter) -> int:
        """Send a letter and return how many messages it became.

        Raises:
            Later: try again.
            Refused: never.
        """

    def close(self) -> None:
        """End its connections."""
