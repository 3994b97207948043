from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rerail.cli import main
from rerail.tell.journal import Journal


def journal(folder: Path, reason: str = "") -> Path:
    book = Journal(folder)
    book.write("note", 0, text="start", data={"config": {"steps": 10}})
    book.write("reading", 1, values={"step": 1, "loss/total": 2.5})
    if reason:
        book.write("note", 1, text="end", data={"reason": reason, "step": 1})
    book.close()
    return folder


def test_once_tells_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", str(journal(tmp_path / "first")), "--once"]) == 0
    assert "step 1/10, tick 1: loss/total 2.5" in capsys.readouterr().out
    assert main(["watch", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("first\ttraining; ")


@pytest.mark.parametrize(("reason", "code"), [("finished", 0), ("halted", 3), ("stopped", 130), ("odd", 1)])
def test_it_ends_as_the_run_does(tmp_path: Path, reason: str, code: int) -> None:
    assert main(["watch", str(journal(tmp_path, reason))]) == code


def test_a_wrong_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", str(tmp_path / "nowhere")]) == 2
    assert "holds no run" in capsys.readouterr().err


def test_ctrl_c_ends_the_watching_quietly(tmp_path: Path) -> None:
    journal(tmp_path)
    heard = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # what runs in the background is deaf
    )
    code = f"{heard}; import sys; from rerail.cli import main; sys.exit(main(['watch', sys.argv[1]]))"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", code, str(tmp_path)], stdout=-1, stderr=-1, text=True
    ) as watching:
        try:
            assert watching.stdout is not None
            watching.stdout.readline()
            time.sleep(0.2)
            watching.send_signal(signal.SIGINT)
            out, err = watching.communicate(timeout=60)
        finally:
            watching.kill()
    assert watching.returncode == 0
    assert out.endswith("no longer watching; the run is not touched\n")
    assert err == ""
