from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from rerail.cli import main

SERVE = "import sys; from pathlib import Path; from rerail.serve import serve; serve(Path(sys.argv[1]), port=0)"


def test_it_serves_until_ctrl_c_and_ends_quietly(runs: Path) -> None:
    with subprocess.Popen([sys.executable, "-u", "-c", SERVE, str(runs)], stdout=-1, stderr=-1, text=True) as serving:
        assert serving.stdout is not None
        told = serving.stdout.readline()
        address = told.split()[0]
        assert told == f"{address} shows the runs in {runs}; Ctrl-C ends it\n"
        with urllib.request.urlopen(f"{address}api/runs", timeout=60) as answer:  # noqa: S310 (our own server)
            assert b'"first"' in answer.read()
            assert "server" not in {name.lower() for name in answer.headers}
        with socket.create_connection(("127.0.0.1", int(address.split(":")[2].strip("/")))) as half:
            half.sendall(
                f"POST /login HTTP/1.1\r\nHost: {address.split('/')[2]}\r\nContent-Length: 9\r\n\r\nx".encode()
            )
        urllib.request.urlopen(f"{address}api/runs", timeout=60).close()  # noqa: S310 (by now the half one is given up)
        serving.send_signal(signal.SIGINT)
        out, err = serving.communicate(timeout=60)
    assert (serving.returncode, out, err) == (0, "", "")


def refused(*given: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["serve", *given]) == 2
    return capsys.readouterr().err


def test_a_port_that_is_taken_is_told(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refused(str(runs), "--port", str(port), capsys=capsys)
    assert told == f"rerail: port {port} of 127.0.0.1 is taken by another program; give --port 0 for a free one\n"
    assert "--port takes 0 to 65535; got 70000" in refused(str(runs), "--port", "70000", capsys=capsys)


def test_others_reach_the_page_with_a_token_only(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "give --token env:NAME or file:PATH" in refused(str(runs), "--host", "0.0.0.0", capsys=capsys)  # noqa: S104
    assert "--allow-control needs a token" in refused(str(runs), "--allow-control", capsys=capsys)
    monkeypatch.setenv("T", "short")
    told = refused(str(runs), "--host", "0.0.0.0", "--token", "env:T", capsys=capsys)  # noqa: S104
    assert "a token of 5 letters can be found by trying" in told
    assert "short" not in told
    monkeypatch.setenv("T", "long enough for a token")
    away = ("--host", "nowhere.invalid", "--token", "env:T")
    assert "cannot listen on port 8765 of nowhere.invalid" in refused(str(runs), *away, capsys=capsys)


def test_a_token_on_the_command_line_is_not_repeated(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(str(runs), "--token", "hunter2hunter2hunter2", capsys=capsys)
    assert "a secret is named by where it lies" in told
    assert "hunter2" not in told


def test_what_is_no_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "which is none; give one, such as runs" in refused(str(tmp_path / "nowhere"), capsys=capsys)
