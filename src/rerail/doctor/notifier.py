"""Whether anybody would be told when a run stops."""

from __future__ import annotations

from rerail.doctor.check import Check, absent, failed, found, skipped
from rerail.supervise import config
from rerail.supervise.trying import answers

NAME = "notifications"
TRY = "`rerail notify test` sends a message to each service"


def notifications() -> tuple[Check, ...]:
    """Read the settings, and ask every bot for its name; nothing is judged where nobody is to be told."""
    try:
        path = config.find()
    except ValueError as error:
        return (skipped(NAME, str(error)),)
    try:
        given = config.load(path)
        asked = list(answers(given))
    except ValueError as error:
        return (failed(NAME, " ".join(str(error).split()), f"mend {path or 'the environment'}; then {TRY}"),)
    except ModuleNotFoundError as error:
        return (absent(NAME, str(error), 'pip install "rerail[notify]"'),)
    others = f"{len(given.apprise)} service(s) of apprise, which cannot be asked; {TRY}" if given.apprise else ""
    checks = [_judged(name, bot, why) for name, bot, why in asked]
    return (*checks, skipped(f"{NAME}: apprise", others)) if others else tuple(checks)


def _judged(name: str, bot: str, why: str) -> Check:
    if why:
        return failed(f"{NAME}: {name}", why, f"do what it says; then {TRY}")
    return found(f"{NAME}: {name}", f"{bot} answers; {TRY}")
