"""All services that apprise knows, by its URLs: mail, ntfy, Discord, Matrix and a hundred more."""

from __future__ import annotations

from typing import final

from rerail.tell.secrets import Secret
from rerail.tell.services.service import Letter


@final
class Apprise:
    """One service by its apprise URL, which is a secret as a whole."""

    def __init__(self, url: Secret, *, name: str = "") -> None:
        raise NotImplementedError

    def send(self, letter: Letter) -> int:
        """Send a letter. Raises Later, Refused."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to end."""
