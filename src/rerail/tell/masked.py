"""What services say of errors, without what must not be shown: they like to repeat an address with its password."""

from __future__ import annotations

import os
import re

MASK = "***"
_LOGIN = re.compile(r"(?<=://)[^/\s]+(?=@)")
_NAMED = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
_SHORTEST = 6  # characters; shorter values are words that occur everywhere


def masked(text: str) -> str:
    """Return a text without the logins of addresses, and without what variables like `WANDB_API_KEY` hold."""
    held = {value for name, value in os.environ.items() if _NAMED.search(name) and len(value) >= _SHORTEST}
    for value in sorted(held, key=len, reverse=True):
        text = text.replace(value, MASK)
    return _LOGIN.sub(MASK, text)
