from __future__ import annotations

import os
from pathlib import Path

import pytest

from rerail.requests import NAME, Inbox, ask


def test_a_wish_reaches_the_run_once(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    assert inbox.take() is None
    asked = ask(tmp_path, "pause", by="telegram")
    assert inbox.take() == asked
    assert inbox.take() is None


def test_the_newest_wish_counts(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    ask(tmp_path, "pause", by="page")
    newest = ask(tmp_path, "stop", by="page")
    assert inbox.take() == newest


def test_what_was_asked_before_the_run_began_is_not_meant_for_it(tmp_path: Path) -> None:
    ask(tmp_path, "stop", by="page")
    assert Inbox(tmp_path).take() is None


def test_an_unknown_wish_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"pause, resume, stop; got 'explode'"):
        ask(tmp_path, "explode", by="page")
    assert not (tmp_path / NAME).exists()


OTHERS = (
    *("", "[]", "{}", '{"wish": "explode", "by": "x", "time": 1}', '{"wish": ["pause"], "by": "x", "time": 1}'),
    *("[" * 3000, "[" * 300_000, '{"wish": "stop", "by": "x", "time": 1' + "0" * 400 + "}", "\x00"),
    '{"wish": "stop", "by": "' + 10**6 * "x" + '", "time": 1}',
)


@pytest.mark.parametrize("content", OTHERS, ids=range(len(OTHERS)))
def test_a_file_of_other_hands_asks_nothing(tmp_path: Path, content: str) -> None:
    inbox = Inbox(tmp_path)
    (tmp_path / NAME).write_text(content, encoding="utf8")
    assert inbox.take() is None


def test_without_a_folder_nobody_can_ask() -> None:
    assert Inbox(None).take() is None


def test_what_is_no_file_asks_nothing_and_holds_up_nobody(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    os.mkfifo(tmp_path / NAME)
    assert inbox.take() is None
    (tmp_path / NAME).unlink()
    (tmp_path / NAME).mkdir()
    assert inbox.take() is None


def test_who_asks_is_one_printable_line(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    (tmp_path / NAME).write_text('{"wish": "stop", "by": "\\ud800\\n\\u001b[31m", "time": 1}', encoding="utf8")
    asked = inbox.take()
    assert asked is not None
    assert asked.by == "\\ud800\\n\\x1b[31m"
