"""A notifier beside a run, and a Bot API server on loopback that is well, dead, slow, or asks for patience for ever.

Both are processes of their own. They stand still while another side of the bench trains, so that what they cost is paid
by the run that they belong to.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

TESTS = Path(__file__).parent.parent / "tests"
TOKEN, CHAT = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", 4242
LOOK = 0.5  # seconds between two looks of a notifier: twice as often as of a run, so that a short round has enough
PATIENCE = 1  # seconds that the server asks for, again and again: the least that there is, and so the most work
SLOW = 10.0  # seconds that a slow answer takes
LONGEST = 120.0  # seconds until what waited must have come
CRITICAL = {"level": "critical", "message": "what must not be lost"}
SERVER = """
import json, math, sys
from bot_api import BotApi
with BotApi(token=sys.argv[1], chat=int(sys.argv[2]), port=int(sys.argv[3])) as api:
    what = sys.argv[4]
    if what == "429":
        api.answer_with(429, times=math.inf, retry_after=int(sys.argv[5]))
    elif what == "slow":
        api.answer_with("slow", times=math.inf, seconds=float(sys.argv[5]))
    print(api.url, flush=True)
    for line in sys.stdin:
        api.answer_with()
        print(json.dumps(api.texts), flush=True)
"""
CONFIG = """
telegram: {{token: env:RERAIL_TELEGRAM_TOKEN, chats: [{chat}], base_url: {url}}}
budget: 1000
"""  # all else as usual: progress every 100 steps, at most once in 10 minutes


class Notified:
    """A run's notifier and its server; `how` is `well`, `dead`, `slow` or `429`."""

    def __init__(self, run: Path, how: str, stack: ExitStack) -> None:
        self.how = how
        if how == "dead":
            self._server, url = None, "http://127.0.0.1:9"  # nothing listens at the port for discarding
        else:
            self._server = stack.enter_context(_server(how))
            url = self._line()
        run.mkdir(parents=True)
        settings = run.with_name(f"{run.name}.yaml")
        settings.write_text(CONFIG.format(chat=CHAT, url=url), encoding="utf8")
        os.environ["RERAIL_TELEGRAM_TOKEN"] = TOKEN
        command = [sys.executable, "-m", "rerail.supervise", str(run), "--config", str(settings), "--stay", "0"]
        command += ["--look", str(LOOK)]
        self._notifier = subprocess.Popen(command, start_new_session=True)  # noqa: S603
        stack.callback(self._end)

    def go(self, *, on: bool) -> None:
        """Let both go on, or stand still."""
        for one in filter(None, (self._notifier, self._server)):
            one.send_signal(signal.SIGCONT if on else signal.SIGSTOP)

    def lost(self) -> str:
        """Let the server be well again, wait, and say how often the critical message came."""
        if self._server is None:
            return "nobody to ask"
        self.go(on=True)
        end = time.monotonic() + LONGEST
        while not (came := self._came()) and time.monotonic() < end:
            time.sleep(1.0)
        return {0: "never", 1: "once"}.get(came, f"{came} times")

    def _came(self) -> int:
        return sum(text.count(CRITICAL["message"]) for text in self._texts())

    def _texts(self) -> list[str]:
        assert self._server is not None
        assert self._server.stdin is not None
        self._server.stdin.write("\n")
        self._server.stdin.flush()
        texts: list[str] = json.loads(self._line())
        return texts

    def _line(self) -> str:
        assert self._server is not None
        assert self._server.stdout is not None
        return self._server.stdout.readline().strip()

    def _end(self) -> None:
        self.go(on=True)
        self._notifier.kill()
        self._notifier.wait()


def _server(how: str) -> subprocess.Popen[str]:
    asked = [TOKEN, str(CHAT), "0", how, str(PATIENCE if how == "429" else SLOW)]
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", SERVER, *asked],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
    )
