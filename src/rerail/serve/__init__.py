"""A page on a port of this machine over all runs of a folder: live, read-only unless a token says otherwise."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from pathlib import Path

from rerail.core.extras import need
from rerail.tell import fields, printed
from rerail.tell.secrets import Secret

__all__ = ["serve"]

_LAST_PORT = 65535
_LEAST = 16  # letters of a token that cannot be found by trying


def serve(
    folder: Path, *, host: str = "127.0.0.1", port: int = 8765, token: Secret | None = None, control: bool = False
) -> None:
    """Serve until Ctrl-C; the address is printed. Port 0 takes any that is free.

    Raises:
        ValueError: for a folder that is none, a port that is taken, or a page that others would reach without a token.
    """
    need("starlette", extra="serve")
    uvicorn = need("uvicorn", extra="serve")
    from rerail.serve.access import Rules  # noqa: PLC0415 (an extra)
    from rerail.serve.app import application  # noqa: PLC0415 (an extra)
    from rerail.serve.watched import Watched  # noqa: PLC0415 (beside the others)

    if not folder.is_dir():
        raise ValueError(
            f"a folder of runs is served; got {fields.plain(folder)}, which is none; give one, such as runs"
        )
    _refuse(token, local=Rules(host=host).local, control=control)
    with _bound(host, port) as listening:
        there = listening.getsockname()[1]
        app = application(Watched(folder), Rules(host=host, port=there, token=token, control=control))
        config = uvicorn.Config(
            app, log_level="error", access_log=False, lifespan="off", server_header=False, timeout_graceful_shutdown=1
        )
        address = f"http://{f'[{host}]' if ':' in host else host}:{there}/"
        printed.text(f"{address} shows the runs in {fields.plain(folder)}; Ctrl-C ends it")
        with suppress(KeyboardInterrupt):  # that is how it ends
            uvicorn.Server(config).run(sockets=[listening])


def _refuse(token: Secret | None, *, local: bool, control: bool) -> None:
    if token is None and not local:
        raise ValueError("other machines would read this page; give --token env:NAME or file:PATH, or --host 127.0.0.1")
    if token is None and control:
        raise ValueError("--allow-control needs a token, so that not every program here can stop a run; give --token")
    if token is not None and len(token.reveal()) < _LEAST:
        raise ValueError(
            f"a token of {len(token.reveal())} letters can be found by trying; give one of {_LEAST} or more: "
            'python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )


def _bound(host: str, port: int) -> socket.socket:
    if not 0 <= port <= _LAST_PORT:
        raise ValueError(f"--port takes 0 to {_LAST_PORT}; got {port}; give 0 for one that is free")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ValueError(
                f"port {port} of {host} is taken by another program; give --port 0 for a free one"
            ) from None
        raise ValueError(f"cannot listen on port {port} of {fields.plain(host)}: {error}; give others") from None
