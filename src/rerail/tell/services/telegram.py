"""Telegram, by python-telegram-bot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from rerail.tell.secrets import Secret
from rerail.tell.services.service import Letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What somebody wrote to the bot; `user` is a name they chose, to be shown as text only."""

    id: int
    chat: int
    user: str
    text: str


@final
class Telegram:
    """One chat of one bot. May be used from several threads at once: `send` in one, `updates` in another."""

    name: str = "telegram"

    def __init__(self, token: Secret, chat: int | str, *, base_url: str = "https://api.telegram.org/bot") -> None:
        raise NotImplementedError

    def check(self) -> str:
        """The bot's name, asked of the service (getMe). Raises Later, Refused."""
        raise NotImplementedError

    def send(self, letter: Letter) -> int:
        """Send a letter to the chat. Raises Later, Refused."""
        raise NotImplementedError

    def updates(self, offset: int | None = None, wait: float = 25.0) -> list[Update]:
        """What was written since `offset` (the last id plus one); waits up to `wait` seconds. Raises Later, Refused."""
        raise NotImplementedError

    def reply(self, chat: int, letter: Letter) -> int:
        """Send a letter to any chat. Raises Later, Refused."""
        raise NotImplementedError

    def close(self) -> None:
        """End its connections and its thread."""
        raise NotImplementedError
