"""Mail through apprise to a real SMTP server on loopback, and other services of apprise to a real HTTP server."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rerail.core.notice import Level
from rerail.tell.fields import plain
from rerail.tell.secrets import Secret
from rerail.tell.services import Later, Letter
from rerail.tell.services.apprise import Apprise
from smtp import Mailbox

PNG = b"\x89PNG\r\n\x1a\n"
HOSTILE = "<b>x</b> a<b &amp; [l](u) `c` *d* \x1b[31m\nnext"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as made:
        yield made


def body(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize("form", ["", "&format=text"])
def test_a_letter_arrives_by_mail_as_text_whatever_it_holds(form: str, mailbox: Mailbox) -> None:
    service = Apprise(Secret(mailbox.url + form))
    assert service.send(Letter(title="rerail: " + HOSTILE, lines=(HOSTILE, "NaN in loss/mel"))) == 1
    [mail] = mailbox.mails
    assert mail["Subject"] == "rerail: " + plain(HOSTILE)
    html = mail.get_body(("html",))
    if html is not None:
        assert "<b>x</b>" not in html.get_content()
        assert "&lt;b&gt;x&lt;/b&gt;" in html.get_content()
    assert f"{plain(HOSTILE)}\nNaN in loss/mel" in body(mail).replace("\r\n", "\n") or html is not None
    assert (mail["To"], service.name) == ("owner@example.org", "apprise:mailto")


def test_pictures_are_attached_and_missing_ones_are_said(mailbox: Mailbox, tmp_path: Path) -> None:
    (tmp_path / "curve.png").write_bytes(PNG + b"1")
    letter = Letter(title="t", pictures=(tmp_path / "curve.png", PNG + b"2", tmp_path / "gone.png"))
    Apprise(Secret(mailbox.url + "&format=text")).send(letter)
    [mail] = mailbox.mails
    assert [part.get_content() for part in mail.iter_attachments()] == [PNG + b"1", PNG + b"2"]
    assert "[gone.png left out: it is not there]" in body(mail)


@pytest.mark.parametrize("answer", ["451 4.3.0 try again later", "554 5.7.1 no spam here"])
def test_a_mail_server_that_refuses_is_asked_later_and_its_words_are_told(answer: str, mailbox: Mailbox) -> None:
    mailbox.refuse = answer
    with pytest.raises(Later, match=answer[10:]):
        Apprise(Secret(mailbox.url)).send(Letter(title="t"))
    mailbox.refuse = ""
    Apprise(Secret(mailbox.url)).send(Letter(title="t"))  # another one, as apprise pauses between two mails
    assert len(mailbox.mails) == 1


def test_a_mail_server_that_is_not_there_is_asked_later() -> None:
    with Mailbox() as mailbox:
        url = mailbox.url
    with pytest.raises(Later, match="refused"):
        Apprise(Secret(url)).send(Letter(title="t"))


@pytest.mark.parametrize("url", ["nonsense", "nosuch://token-of-somebody", "mailto://", "json://a json://b"])
def test_a_url_that_apprise_does_not_know_is_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="env:URL") as caught:
        Apprise(Secret(url, "env:URL"))
    assert "token-of-somebody" not in str(caught.value)


@contextmanager
def listener(code: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An HTTP server that keeps the JSON it is posted."""
    posted: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}", posted
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("level", "kind"), [(Level.PROGRESS, "info"), (Level.SUCCESS, "success"), (Level.CRITICAL, "failure")]
)
def test_the_level_becomes_the_kind_of_the_message(level: Level, kind: str) -> None:
    with listener() as (address, posted):
        Apprise(Secret(f"json://{address}/")).send(Letter(title="t", lines=("a", "b"), level=level))
    assert (posted[0]["type"], posted[0]["title"], posted[0]["message"]) == (kind, "t", "a\nb")


def test_a_reason_holds_no_part_of_the_url_and_the_log_stays_silent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with listener(500) as (address, _), pytest.raises(Later, match="500") as caught:
        Apprise(Secret(f"json://user:pass-word-77@{address}/token-in-path")).send(Letter(title="a private name"))
    assert "pass-word-77" not in str(caught.value) + caplog.text
    assert "token-in-path" not in str(caught.value) + caplog.text
    assert "a private name" not in caplog.text
    assert logging.getLogger("apprise").propagate
