"""A mail server on loopback, by aiosmtpd, that keeps what it is sent; `refuse` is what it answers instead."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class _Anywhere(Controller):
    """A controller at whatever port is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


class Mailbox:
    """A handler for aiosmtpd, and its server as a context manager."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse = ""
        self._controller = _Anywhere(self, hostname="127.0.0.1", port=0)

    @property
    def port(self) -> int:
        return self._controller.port

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=run@example.org&to=owner@example.org&mode=insecure"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's)
        if self.refuse:
            return self.refuse
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def __enter__(self) -> Mailbox:  # noqa: PYI034 (Self is of Python 3.11)
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
