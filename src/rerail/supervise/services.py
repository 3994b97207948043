"""The services that a configuration names, with their secrets read."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.core.extras import need
from rerail.supervise.config import Bot, Config
from rerail.tell import secrets
from rerail.tell.services import Service
from rerail.tell.services.apprise import Apprise
from rerail.tell.services.telegram import Telegram


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """A bot that hears, on a connection of its own: nothing that is sent keeps it waiting."""

    bot: Telegram
    allowed: frozenset[int]
    token: secrets.Secret


def services(config: Config) -> list[Service]:
    """Return the services to tell, each under a name of its own.

    Raises:
        ValueError: naming every secret that cannot be read.
    """
    read = _secrets(config)
    told: list[Service] = []
    if config.telegram is not None:
        for number, chat in enumerate(config.telegram.chats, 1):
            one = Telegram(read[config.telegram.token], chat, base_url=config.telegram.base_url)
            one.name = _named("telegram", number)
            told.append(one)
    for number, url in enumerate(config.apprise, 1):
        told.append(Apprise(read[url], name=_named("apprise", number)))
    return told


def refuse_unready(config: Config) -> None:
    """Refuse to go on where a secret cannot be read, or a library is not installed.

    Raises:
        ValueError, ModuleNotFoundError: saying what to do.
    """
    for module in ("psutil", *(["telegram"] if config.telegram else []), *(["apprise"] if config.apprise else [])):
        need(module, extra="notify")
    _secrets(config)


def ear(config: Config) -> Ear | None:
    """Return what hears commands; None where nobody may give any."""
    bot: Bot | None = config.telegram
    if bot is None or not bot.allowed:
        return None
    token = secrets.read(bot.token)
    heard = Telegram(token, bot.allowed[0], base_url=bot.base_url)
    return Ear(bot=heard, allowed=frozenset(bot.allowed), token=token)


def _named(kind: str, number: int) -> str:
    return kind if number == 1 else f"{kind}-{number}"


def _secrets(config: Config) -> dict[str, secrets.Secret]:
    sources = [*([config.telegram.token] if config.telegram else []), *config.apprise]
    read = {source: _secret(source) for source in sources}
    if wrong := [one for one in read.values() if isinstance(one, str)]:
        raise ValueError("\n  ".join([f"{len(wrong)} secret(s) cannot be read", *wrong]))
    return {source: one for source, one in read.items() if isinstance(one, secrets.Secret)}


def _secret(source: str) -> secrets.Secret | str:
    try:
        return secrets.read(source)
    except ValueError as error:
        return str(error)
