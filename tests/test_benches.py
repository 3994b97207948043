"""Benches are run by hand, months apart: here each takes a step, so that they do not rot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent.parent / "bench"


def test_the_speed_of_tacotron2_is_still_measured_beside_an_equal_plain_loop() -> None:
    command = [sys.executable, str(BENCH / "tacotron2.py"), "--frames", "8", "--batch", "2", "--pairs", "1"]
    done = subprocess.run(
        [*command, "--precision", "fp32", "--threads", "1", "--coqui", "none"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "| plain, torch" in done.stdout
    assert "| coqui | not measured: none is not there" in done.stdout
