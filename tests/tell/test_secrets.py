"""Where secrets come from, and all the places where they must not be found."""

from __future__ import annotations

import copy
import json
import logging
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import quote

import pytest

from bot_api import BotApi
from rerail.core.dispatch import Bundle, Rule, State, Waiting, advance
from rerail.core.notice import Level, Notice
from rerail.tell import secrets
from rerail.tell.outbox import Outbox, deliver
from rerail.tell.secrets import Secret
from rerail.tell.services import Later, Letter, Refused
from rerail.tell.services.apprise import Apprise
from rerail.tell.services.telegram import Telegram
from smtp import Mailbox

TOKEN = "1234567890:AAFakeTokenForTests_-0123456789abcdef"  # noqa: S105
PASSWORD = "pass/word+with%odd signs"  # noqa: S105


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test watches, no other does."""
    monkeypatch.setattr(secrets, "_WATCHED", set())
    make = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(make)


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret(TOKEN, "env:BOT")
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>60}",
        repr([secret]),
        repr({1: secret}),
    ]
    assert not any(TOKEN[-10:] in text for text in shown)
    assert "env:BOT" in repr(secret)
    assert secret.reveal() == TOKEN
    for write in (pickle.dumps, json.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            write(secret)
    assert not hasattr(secret, "__dict__")


def test_a_secret_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERAIL_TEST_TOKEN", f" {TOKEN}\n")
    assert secrets.read("env:RERAIL_TEST_TOKEN") == Secret(TOKEN)
    with pytest.raises(ValueError, match="no variable RERAIL_OTHER; set it"):
        secrets.read("env:RERAIL_OTHER")
    monkeypatch.setenv("RERAIL_TEST_TOKEN", " ")
    with pytest.raises(ValueError, match="env:RERAIL_TEST_TOKEN holds nothing"):
        secrets.read("env:RERAIL_TEST_TOKEN")


def test_a_secret_is_read_from_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    assert secrets.read(f"file:{path}").reveal() == TOKEN
    path.chmod(0o644)
    with pytest.warns(UserWarning, match=r"others can read the secret in .*token; run: chmod 600"):
        assert secrets.read(f"file:{path}").reveal() == TOKEN
    with pytest.raises(ValueError, match="No such file"):
        secrets.read(f"file:{tmp_path / 'none'}")
    path.write_bytes(b"\xff\xfe\x00secret")
    with pytest.raises(ValueError, match="it is not text") as caught:
        secrets.read(f"file:{path}")
    assert caught.value.__cause__ is None


def test_a_secret_is_read_from_a_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    class KeyringError(Exception):
        pass

    def get_password(service: str, user: str) -> str | None:
        if service == "locked":
            raise KeyringError("it is locked")
        return {("rerail/bot", "owner"): TOKEN}.get((service, user))

    ring = ModuleType("keyring")
    ring.get_password, ring.errors = get_password, SimpleNamespace(KeyringError=KeyringError)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", ring)
    assert secrets.read("keyring:rerail/bot/owner").reveal() == TOKEN
    with pytest.raises(ValueError, match="run: keyring set rerail/bot nobody"):
        secrets.read("keyring:rerail/bot/nobody")
    with pytest.raises(ValueError, match="it is locked; unlock it, or use file:PATH"):
        secrets.read("keyring:locked/owner")


@pytest.mark.parametrize("given", [TOKEN, "mailto://user:hunter2secret@example.org", "env:", "hunter2secret", ""])
def test_a_secret_in_the_configuration_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(ValueError, match="give env:NAME, file:PATH or keyring:SERVICE/USER") as caught:
        secrets.read(given)
    told = "".join(traceback.format_exception(caught.value, limit=0))
    assert "hunter2secret" not in told
    assert TOKEN[-10:] not in told
    with pytest.raises(ValueError, match="not repeated here") as caught:
        secrets.read(f"env:{TOKEN}")
    assert TOKEN[-10:] not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"POST https://api.telegram.org/bot{TOKEN}/sendMessage",
        f"https://api.telegram.org/bot{quote(TOKEN, safe='')}/getMe",
        f"GET /bot{quote(TOKEN, safe='').replace('%3A', '%3a')}/getMe",
        f"{TOKEN}{TOKEN}",
        f"the half {TOKEN.partition(':')[2]} of it",
        repr({"token": TOKEN}),
    ],
)
def test_a_token_is_redacted_wherever_it_stands(text: str) -> None:
    told = secrets.redacted(text, [Secret(TOKEN)])
    assert secrets.SHOWN in told
    assert "AAFakeToken" not in told


def test_parts_of_a_url_are_redacted_and_machines_are_not() -> None:
    secret = Secret(f"mailtos://someone:{quote(PASSWORD, safe='')}@smtp.example.org:587/?to=owner@example.org")
    told = secrets.redacted(
        f"login of someone with {PASSWORD} or {quote(PASSWORD, safe='')} at smtp.example.org", [secret]
    )
    assert told == f"login of {secrets.SHOWN} with {secrets.SHOWN} or {secrets.SHOWN} at smtp.example.org"


def test_what_looks_like_a_secret_is_redacted_though_nobody_named_it() -> None:
    assert TOKEN not in secrets.redacted(f"see bot{TOKEN}/getMe")
    assert secrets.redacted("smtp://me:word@host") == f"smtp://{secrets.SHOWN}@host"
    assert secrets.redacted("step 1234567890: loss 0.1, 12:30:15") == "step 1234567890: loss 0.1, 12:30:15"


def test_no_log_record_holds_what_is_watched(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets.watch(Secret(TOKEN))
    stream = logging.StreamHandler(sys.stderr)
    logger = logging.getLogger("somebody.else")
    logger.addHandler(stream)
    try:
        logger.warning("asked %s", f"https://api.telegram.org/bot{TOKEN}/getMe")
        logger.warning("odd %d", TOKEN)  # its arguments do not fit
        logger.error("failed", exc_info=ConnectionError(f"no answer from /bot{TOKEN}/getMe"))
    finally:
        logger.removeHandler(stream)
    everything = caplog.text + capsys.readouterr().err
    assert "AAFakeToken" not in everything
    assert "ConnectionError: no answer from /bot[secret]/getMe" in everything
    assert "asked https://api.telegram.org/bot[secret]/getMe" in everything


ENDS = """
import os, sys, threading
from rerail.tell import secrets
token = secrets.read("env:BOT").reveal()
secrets.cover_tracebacks()
def ends():
    try:
        {}[token]
    except KeyError as error:
        raise ConnectionError(f"https://api.telegram.org/bot{token}/getMe") from error
thread = threading.Thread(target=ends)
thread.start()
thread.join()
ends()
"""


def test_no_traceback_that_a_process_ends_with_holds_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDS], env={**os.environ, "BOT": TOKEN}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.count("ConnectionError: https://api.telegram.org/bot[secret]/getMe") == 2
    assert "AAFakeToken" not in ended.stderr + ended.stdout


def bundle() -> Bundle:
    notice = Notice(level=Level.CRITICAL, code="halt", topic="halt", id="1", time=0, tick=1, step=1)
    chosen = advance(Rule(), State(), [Waiting(notice=notice, first=1, last=1)], 0)
    assert isinstance(chosen, Bundle)
    return chosen


def failures(tmp_path: Path) -> Iterator[str]:
    """Every way in which sending fails, and what is told of each."""
    letter = Letter(title="t", pictures=(b"\x89PNG",))
    with (
        BotApi(token=TOKEN) as api,
        closing(Outbox(tmp_path / "run" / "outbox.sqlite", ("telegram", "mail"))) as outbox,
    ):
        with closing(Telegram(Secret(TOKEN), api.chat, base_url=api.url, answer=0.3)) as telegram:
            for what in ("hang", "close", "garbage", 400, 401, 403, 404, 413, 429, 500, 502):
                api.answer_with(what, times=2)
                yield deliver(outbox, telegram, bundle(), letter) + repr(telegram.__dict__.keys())
                api.answer_with()
            for asked in (telegram.check, telegram.updates):
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(api, "token", "1:" + "x" * 35)
                    yield raised(asked)
        for base in ("http://127.0.0.1:9", "nonsense://x", "http://[bad"):
            with closing(Telegram(Secret(TOKEN), 1, base_url=base)) as telegram:
                yield deliver(outbox, telegram, bundle(), letter)
                yield raised(telegram.check)
        with Mailbox() as mailbox:
            mailbox.refuse = "554 no"
            url = mailbox.url.replace("://", f"://owner:{quote(PASSWORD, safe='')}@")
            yield deliver(outbox, Apprise(Secret(url), name="mail"), bundle(), letter)
        yield deliver(outbox, Apprise(Secret(f"json://127.0.0.1:9/{TOKEN}"), name="mail"), bundle(), letter)
        yield raised(lambda: Apprise(Secret(f"nosuch://{TOKEN}")))
        yield str(outbox.state("telegram", 0)) + outbox.reason("telegram") + outbox.reason("mail")


def raised(call: object) -> str:
    """The traceback of a call that fails, with the names and values of all frames."""
    try:
        call()  # type: ignore[operator]
    except (Later, Refused, ValueError) as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(told.format()) + repr(error.__context__)
    raise AssertionError("it did not fail")


def test_no_failure_of_any_service_leaves_a_secret_anywhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.basicConfig(filename=tmp_path / "all.log", level=logging.DEBUG, force=True)
    try:
        told = list(failures(tmp_path))
    finally:
        logging.getLogger().handlers[0].close()
        logging.basicConfig(force=True)
    assert all(told)
    (tmp_path / "told.txt").write_text("\n".join(told))
    out, err = capfd.readouterr()
    (tmp_path / "printed.txt").write_text(out + err + caplog.text)
    hidden = [TOKEN, TOKEN[11:], quote(TOKEN, safe=""), PASSWORD, quote(PASSWORD, safe="")]
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert content or path.name == "printed.txt"
        assert [secret for secret in hidden if secret.encode() in content] == [], path.name
    assert "bot[secret]/" in (tmp_path / "all.log").read_text()  # the libraries did log it


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("no route to host: https://track.example:5000/api", "no route to host: https://track.example:5000/api"),
        ("see me@example.org and //a/b@c", "see me@example.org and //a/b@c"),
        ("two: ftp://a@h and mysql://u:p%40q@db:3306/t", "two: ftp://[secret]@h and mysql://[secret]@db:3306/t"),
        ("http://me:p@ss@host/x", "http://[secret]@host/x"),
    ],
)
def test_logins_of_addresses_are_replaced(said: str, shown: str) -> None:
    assert secrets.redacted(said) == shown


def test_what_variables_named_like_secrets_hold_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "abcdef")
    monkeypatch.setenv("SOME_PASSWORD", "abcdefgh")
    monkeypatch.setenv("SHORT_KEY", "no")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "visible")
    assert secrets.redacted("abcdefgh, abcdef, no, visible") == "[secret], [secret], no, visible"
