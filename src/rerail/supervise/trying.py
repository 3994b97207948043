"""Tries every service that is configured, with one real message each, or without any."""

from __future__ import annotations

from collections.abc import Iterator

from rerail.core.notice import Level
from rerail.supervise.config import Config
from rerail.supervise.services import services
from rerail.tell.services import Later, Letter, Refused, Service
from rerail.tell.services.telegram import Telegram

HELLO = Letter(
    title="rerail: this is a test",
    lines=("What arrives here arrives when a run needs somebody.", "Commands: /help"),
    level=Level.SUCCESS,
    most=1,
)
NOT_NOW = "look at the network, the proxy and the address; rerail tries again by itself while a run is told of"


def attempts(config: Config) -> Iterator[tuple[str, str]]:
    """Send one message to each service; yield its name, and why it did not go with what to do, empty where it did.

    Raises:
        ValueError: for secrets that cannot be read.
    """
    for service in services(config):
        yield service.name, _attempt(service)
        service.close()


def answers(config: Config) -> Iterator[tuple[str, str, str]]:
    """Ask each bot for its name; yield the service, that name, and why there is none. The others cannot be asked."""
    for service in services(config):
        if isinstance(service, Telegram):
            yield service.name, *_asked(service)
        service.close()


def _attempt(service: Service) -> str:
    try:
        service.send(HELLO)
    except Later as error:
        return f"{error.reason}; {NOT_NOW}"
    except Refused as error:
        return error.reason
    return ""


def _asked(bot: Telegram) -> tuple[str, str]:
    try:
        return bot.check(), ""
    except Later as error:
        return "", f"{error.reason}; {NOT_NOW}"
    except Refused as error:
        return "", error.reason
