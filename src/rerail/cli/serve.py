"""Show all runs of a folder on a page of this machine: rerail serve runs.

The page is live, and reads only. With --allow-control and a token it can ask a run to pause, to go on and to stop. Only
this machine reaches it, unless --host says otherwise; then it takes the token to read it.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.serve import serve
from rerail.tell import secrets


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("folder", type=str, help="folder with runs, or one run")
    parser.add_argument("--host", type=str, default="127.0.0.1", help="address to listen on; another one needs --token")
    parser.add_argument("--port", type=int, default=8765, help="port to listen on; 0: any that is free")
    parser.add_argument("--token", type=str, default="", help="where the token lies: env:NAME or file:PATH")
    parser.add_argument("--allow-control", action="store_true", help="whoever has the token may pause and stop runs")


def run(arguments: Namespace) -> int:
    """Serve until Ctrl-C."""
    token = secrets.read(arguments.token) if arguments.token else None
    control = arguments.allow_control
    serve(Path(arguments.folder), host=arguments.host, port=arguments.port, token=token, control=control)
    return 0
