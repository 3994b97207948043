from __future__ import annotations

import subprocess
import sys

import pytest

import rerail

LAZY = """
import sys
import rerail
assert "torch" not in sys.modules
assert set(rerail.__all__) < set(dir(rerail))
print(rerail.guard.Guard is rerail.Guard, rerail.doctor.examine is rerail.examine)
from rerail import *
assert Guard is rerail.Guard and Requests is rerail.Requests
"""


def test_everything_is_there_when_it_is_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True True\n", "")


def test_what_there_is_not_is_named() -> None:
    with pytest.raises(AttributeError, match="module 'rerail' has no attribute 'gaurd'"):
        _ = rerail.gaurd
    assert not hasattr(rerail, "__wrapped__")
