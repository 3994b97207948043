"""A Chromium without a window, driven by its own protocol over a pipe: nothing to install, no port, no server.

`with Browser() as browser: page = browser.open("runs/demo/report.html", dark=True)`; then `page.run("document.title")`,
`page.picture()`, `page.complaints`.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 120.0  # seconds for one answer, on a machine that has other things to do
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--remote-debugging-pipe",
)
_TROUBLE = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}


class Page:
    """A tab; `complaints` are what it wrote to the console, and the errors that nobody caught."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self.session = browser, session
        self.complaints: list[str] = []

    def send(self, method: str, **parameters: object) -> Any:  # noqa: ANN401 (the protocol's answers)
        """Send a command of the protocol to this tab; return its result."""
        return self._browser.send(method, self.session, **parameters)

    def run(self, script: str) -> Any:  # noqa: ANN401
        """What an expression gives in the page, after the promise that it may be."""
        done = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise RuntimeError(json.dumps(done["exceptionDetails"])[:2000])
        return done["result"].get("value")

    def scheme(self, *, dark: bool) -> None:
        """Ask for a dark or a light page that moves no more than it must: it is still when it is looked at."""
        asked = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        self.send("Emulation.setEmulatedMedia", features=[{"name": name, "value": asked[name]} for name in asked])

    def picture(self, *, whole: bool = False) -> bytes:
        """A PNG of what is in view, or of the whole page."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(shot["data"])

    def close(self) -> None:
        """Close the tab."""
        self.send("Page.close")


class Browser(contextlib.AbstractContextManager["Browser"]):
    """One browser with a profile of its own, gone when it is closed."""

    def __init__(self) -> None:
        if CHROMIUM is None:
            raise RuntimeError("no chromium, chromium-browser or google-chrome on this machine")
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        (theirs, self._write), (self._read, answers) = _pipe(), _pipe()
        command = [CHROMIUM, *_FLAGS, f"--user-data-dir={self._profile.name}"]

        def placed() -> None:  # the protocol is spoken on descriptors 3 and 4
            os.dup2(theirs, 3)
            os.dup2(answers, 4)

        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, preexec_fn=placed, pass_fds=(3, 4), **quiet)  # noqa: S603, PLW1509
        os.close(theirs)
        os.close(answers)
        self._number, self._rest, self._pages = 0, b"", dict[str, Page]()
        self._loaded: set[str] = set()

    def open(self, page: str | Path, *, width: int = 1280, height: int = 800, dark: bool = False) -> Page:
        """Load a file or an address in a new tab of this size and scheme, and wait until it is there."""
        address = str(page) if "://" in str(page) else Path(page).resolve().as_uri()
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = self._pages[session] = Page(self, session)
        for domain in ("Page", "Runtime", "Log"):
            tab.send(f"{domain}.enable")
        tab.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        tab.scheme(dark=dark)
        tab.send("Page.navigate", url=address)
        self._until_loaded(session)
        return tab

    def send(self, method: str, session: str = "", **parameters: object) -> Any:  # noqa: ANN401
        """Send a command and wait for its result.

        Raises:
            RuntimeError: what the browser answered in its place.
        """
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        line = json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
        while line:
            line = line[os.write(self._write, line) :]
        answer = next(one for one in self._messages() if one.get("id") == self._number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def close(self) -> None:
        """End the browser that was started here."""
        self._process.terminate()
        self._process.wait(timeout=PATIENCE)
        os.close(self._write)
        os.close(self._read)
        self._profile.cleanup()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _until_loaded(self, session: str) -> None:
        while session not in self._loaded:
            next(self._messages())
        self._loaded.discard(session)

    def _messages(self) -> Iterator[dict[str, Any]]:
        """What comes from the browser, one message at a time; events are taken down on their way."""
        end = time.monotonic() + PATIENCE
        while True:
            while b"\0" not in self._rest:
                if not select.select([self._read], [], [], max(0.0, end - time.monotonic()))[0]:
                    raise TimeoutError(f"the browser gave no answer in {PATIENCE:.0f} s")
                if not (more := os.read(self._read, 1 << 20)):
                    raise RuntimeError("the browser has ended")
                self._rest += more
            line, _, self._rest = self._rest.partition(b"\0")
            message: dict[str, Any] = json.loads(line)
            self._note(message)
            yield message

    def _note(self, message: dict[str, Any]) -> None:
        session, method = message.get("sessionId", ""), message.get("method", "")
        if method == "Page.loadEventFired":
            self._loaded.add(session)
        elif method in _TROUBLE and session in self._pages:
            self._pages[session].complaints.append(json.dumps(message["params"])[:1000])


def _pipe() -> tuple[int, int]:
    """A pipe whose descriptors are out of the way of 3 and 4."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return moved[0], moved[1]
