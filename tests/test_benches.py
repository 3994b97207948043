"""Benches are run by hand, months apart: here each takes a step, so that they do not rot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent.parent / "bench"


def test_the_speed_of_tacotron2_is_still_measured_beside_an_equal_plain_loop() -> None:
    command = [sys.executable, str(BENCH / "tacotron2.py"), "--frames", "4", "--batch", "2", "--pairs", "1"]
    done = subprocess.run(
        [*command, "--precision", "fp32", "--threads", "1", "--coqui", "none"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "| plain, torch" in done.stdout
    assert "| coqui | not measured: none is not there" in done.stdout


def test_what_a_size_of_xtts_costs_is_still_measured() -> None:
    command = [sys.executable, str(BENCH / "xtts.py"), "--sizes", "tiny", "--batch", "2", "--seconds", "0.5"]
    done = subprocess.run([*command, "--steps", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "| tiny | 1.6 M |" in done.stdout
