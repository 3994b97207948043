from __future__ import annotations

import io

from rich.console import Console

from rerail.cli.data.bars import bars


def test_each_thing_has_a_bar_of_its_own_on_a_terminal() -> None:
    shown = io.StringIO()
    with bars(Console(file=shown, force_terminal=True, width=100)) as told:
        told("festvox.deb", 50, 100)
        told("recordings", 1, 4)
        told("recordings", 4, 4)
    last = shown.getvalue()[-600:]
    assert "festvox.deb" in last
    assert "50%" in last
    assert "100%" in last


def test_a_pipe_gets_no_bar() -> None:
    shown = io.StringIO()
    with bars(Console(file=shown)) as told:
        told("recordings", 1, 4)
    assert shown.getvalue().strip() == ""
