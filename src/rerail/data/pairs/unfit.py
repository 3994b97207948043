"""Why a picture or a recording is not used."""

from __future__ import annotations


class Unfit(ValueError):  # noqa: N818 - said of a file, which is left out
    """A picture or a recording that is left out. `kind` groups reasons: `unreadable`, `huge`, `silent`."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
