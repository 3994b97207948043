"""Who is told of a run, and how: a YAML file, or the environment alone. It names where secrets are, and holds none."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timezone, tzinfo
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from rerail.core.dispatch import Rule
from rerail.tell import catalogue
from rerail.tell.fields import plain
from rerail.tell.notices import Cadence

NAME = "notify.yaml"
TOKEN, CHATS, APPRISE = "RERAIL_TELEGRAM_TOKEN", "RERAIL_TELEGRAM_CHATS", "RERAIL_APPRISE"
OFFICIAL = "https://api.telegram.org"
_REFERENCE = re.compile(r"(env|file|keyring):\S.*")
_HOURS = re.compile(r"(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})")
_WHERE = "env:NAME, file:PATH or keyring:SERVICE/NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A Telegram bot: where its token is, the chats that are told, and the chats that may command."""

    token: str
    chats: tuple[int | str, ...]
    allowed: tuple[int, ...]
    base_url: str = OFFICIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that a supervisor is told. Secrets are named (`env:NAME`), not held."""

    telegram: Bot | None = None
    apprise: tuple[str, ...] = ()
    language: str = "en"
    cadence: Cadence = field(default_factory=Cadence)
    budget: int = 40
    quiet_hours: tuple[time, time] | None = None
    zone: tzinfo = timezone.utc

    @property
    def rule(self) -> Rule:
        """How much one service may tell, and when."""
        gap = 60.0 * self.cadence.every_minutes
        return Rule(budget=self.budget, quiet_hours=self.quiet_hours, zone=self.zone, progress_gap=gap)


def sample() -> str:
    """Return a file of settings with a comment for each."""
    return (resources.files(__package__) / NAME).read_text(encoding="utf8")


def find(given: str = "") -> Path | None:
    """Return the file of settings: the one given, else the usual one; None where the environment alone speaks.

    Raises:
        ValueError: where there is neither.
    """
    usual = (Path(NAME), Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "rerail" / NAME)
    found = Path(given) if given else next((path for path in usual if path.is_file()), None)
    if found is not None or set(os.environ) & {TOKEN, APPRISE}:
        return found
    looked = " or ".join(str(path) for path in usual)
    raise ValueError(f"nobody to tell: no {looked}, no {TOKEN}, no {APPRISE}; `rerail notify init {NAME}` writes one")


def load(path: Path | None) -> Config:
    """Read a file of settings; without one, those that the environment implies.

    Raises:
        ValueError: naming everything that is wrong with it. Nothing that may be a secret is repeated.
    """
    if path is None:
        return _built("the environment", _environment(), Path())
    try:
        given = yaml.safe_load(path.read_text(encoding="utf8"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; `rerail notify init {NAME}` writes a file of settings") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = error.problem_mark.line + 1 if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark else 1
        raise ValueError(
            f"{path}: not valid YAML, at line {line}; `rerail notify init` writes a file to copy"
        ) from None
    if not isinstance(given, Mapping):
        raise ValueError(f"{path}: expected `name: value` lines; `rerail notify init` writes a file to copy")
    return _built(str(path), given, path.parent)


def _environment() -> dict[str, Any]:
    told: dict[str, Any] = {}
    if TOKEN in os.environ:
        told["telegram"] = {"token": f"env:{TOKEN}", "chats": [f"env:{CHATS}"]}
    if APPRISE in os.environ:
        told["apprise"] = [f"env:{APPRISE}"]
    return told


def _built(where: str, given: Mapping[Any, Any], folder: Path) -> Config:
    reading = _Reading(folder)
    bot = reading.section("telegram", given.get("telegram"), _BOT)
    top = reading.section("", {key: value for key, value in given.items() if key != "telegram"}, _TOP)
    telegram = None if given.get("telegram") is None else reading.bot(bot)
    if not reading.problems and telegram is None and not top.get("apprise"):
        reading.problems.append("nobody to tell: give telegram (token, chats), or apprise, a list of references")
    cadence = {name: top.pop(name) for name in ("every_steps", "every_minutes") if name in top}
    if reading.problems:
        raise ValueError("\n  ".join([f"{where}: {len(reading.problems)} problem(s)", *reading.problems]))
    return Config(telegram=telegram, cadence=Cadence(**cadence), **{"zone": _local(), **top})


class _Reading:
    """Reads sections key by key, and gathers what is wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.problems = folder, list[str]()

    def section(self, name: str, given: Any, known: Mapping[str, _Reader]) -> dict[str, Any]:  # noqa: ANN401
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            self.problems.append(f"{name}: expected `name: value` lines; give {', '.join(known)}")
            return {}
        read: dict[str, Any] = {}
        for key, value in given.items():
            full = f"{name}.{key}".lstrip(".") if key in known else ""
            try:
                if not full:
                    raise ValueError(_unknown(name, key, known))  # noqa: TRY301 (all problems at once)
                into, reader = known[key]
                read[into] = reader(value, self.folder)
            except ValueError as error:
                self.problems.append(f"{full}: {error}" if full else str(error))
        return read

    def bot(self, read: Mapping[str, Any]) -> Bot | None:
        for name, do in (("token", f"say where it is: {_WHERE}"), ("chats", "give the numbers of the chats to tell")):
            if not read.get(name) and not any(
                one.startswith((f"telegram.{name}:", "telegram:")) for one in self.problems
            ):
                self.problems.append(f"telegram.{name}: missing; {do}")
        if self.problems:
            return None
        allowed = read.get("allowed") or tuple(one for one in read["chats"] if isinstance(one, int))
        return Bot(**{**read, "allowed": allowed})


def _unknown(section: str, key: object, known: Mapping[str, _Reader]) -> str:
    shown = plain(key, 40)
    place = f" in {section}" if section else ""
    names = [*known, *([] if section else ["telegram"])]
    near = get_close_matches(shown, names, n=1)
    return f"unknown setting {shown!r}{place}; " + (
        f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
    )


def _reference(value: object, folder: Path) -> str:
    if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
        raise ValueError(f"got something else than a reference, which is not repeated here; give {_WHERE}")
    kind, _, rest = value.partition(":")
    return value if kind != "file" else f"file:{(folder / Path(rest.strip()).expanduser()).absolute()}"


def _references(value: object, folder: Path) -> tuple[str, ...]:
    return tuple(_reference(one, folder) for one in (value if isinstance(value, list) else [value]))


def _chats(value: object, _: Path) -> tuple[int | str, ...]:
    return tuple(dict.fromkeys(chat for one in (value if isinstance(value, list) else [value]) for chat in _chat(one)))


def _chat(value: object) -> tuple[int | str, ...]:
    if isinstance(value, str) and value.startswith("env:"):
        name = value.removeprefix("env:")
        told = os.environ.get(name, "").replace(",", " ").split()
        if not told:
            raise ValueError(f"{name} is not set; export {name}=NUMBER, or give the number here")
        return tuple(chat for one in told for chat in _chat(one))
    if isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return (int(value),)
    if isinstance(value, str) and re.fullmatch(r"@\w+", value):
        return (value,)
    raise ValueError("got something else than chats; give numbers (-100123), @channel, or env:NAME")


def _allowed(value: object, folder: Path) -> tuple[int, ...]:
    chats = _chats(value, folder)
    if not all(isinstance(one, int) for one in chats):
        raise ValueError("got a name; only numbers of chats may command")
    return tuple(one for one in chats if isinstance(one, int))


def _url(value: object, _: Path) -> str:
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise ValueError(f"got no plain http(s) address; give {OFFICIAL}, or that of your own Bot API server")
    return str(value).rstrip("/")


def _language(value: object, _: Path) -> str:
    known = catalogue.languages()
    if value not in known:
        raise ValueError(f"got {plain(value, 20)!r}; give one of {', '.join(known)}")
    return str(value)


def _number(least: float, kind: type[int | float]) -> Callable[[object, Path], float]:
    def read(value: object, _: Path) -> float:
        if isinstance(value, bool) or not isinstance(value, int | kind) or not least <= value < float("inf"):
            raise ValueError(f"got {plain(value, 20)!r}; give a number from {least:g}")
        return value

    return read


def _hours(value: object, _: Path) -> tuple[time, time] | None:
    if value in ("", None):
        return None
    found = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if found is None:
            raise ValueError  # noqa: TRY301 (both ways of being wrong are told alike)
        begin, end = (time.fromisoformat(one.zfill(len("00:00"))) for one in found.groups())
    except ValueError:
        raise ValueError(f'got {plain(value, 20)!r}; give "23:00-07:00" in quotes, or "" for none') from None
    return begin, end


def _zone(value: object, _: Path) -> tzinfo:
    if value in ("", None):
        return _local()
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"got {plain(value, 40)!r}; give a name like Europe/Berlin or UTC") from None


def _local() -> tzinfo:
    return datetime.now().astimezone().tzinfo or timezone.utc


_Reader = tuple[str, Callable[[Any, Path], Any]]
_BOT: Mapping[str, _Reader] = {
    "token": ("token", _reference),
    "chats": ("chats", _chats),
    "allowed": ("allowed", _allowed),
    "base_url": ("base_url", _url),
}
_TOP: Mapping[str, _Reader] = {
    "apprise": ("apprise", _references),
    "language": ("language", _language),
    "every_steps": ("every_steps", _number(0, int)),
    "every_minutes": ("every_minutes", _number(0, float)),
    "budget": ("budget", _number(1, int)),
    "quiet_hours": ("quiet_hours", _hours),
    "time_zone": ("zone", _zone),
}
