"""Reports of runs for the page: made when somebody asks, and again when the journal has grown; no run is written to."""

from __future__ import annotations

import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from rerail.tell import journal, report

_KEPT = 4  # pages, of some megabytes each


class Reports:
    """The newest reports that were asked for. One is made at a time."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._kept: dict[Path, tuple[tuple[int, int], str]] = {}

    def page(self, folder: Path) -> str:
        """The report of a run as one HTML page.

        Raises:
            OSError: where the run is not there any more.
        """
        with self._busy:
            found = (folder / journal.NAME).stat()
            past, page = self._kept.pop(folder, ((0, 0), ""))
            stamp = (found.st_mtime_ns, found.st_size)
            if past != stamp:
                page = _made(folder)
            self._kept[folder] = (stamp, page)
            while len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
            return page


def _made(folder: Path) -> str:
    with TemporaryDirectory() as place:
        return report.write(folder, Path(place) / "report.html").read_text(encoding="utf-8")
