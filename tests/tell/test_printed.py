from __future__ import annotations

import io

from rich.console import Console as Screen

from rerail.tell import printed

ROWS = [("[red]a[/red]", 3, "bad"), ("b\x1b[31m\n\u043f", 4, "worse")]


def shown(*, terminal: bool, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    printed.table(("Sample", "Tick", "Reason"), ROWS, Screen(file=file, force_terminal=terminal, width=60))
    return raw.getvalue().decode(encoding)


def test_in_a_pipe_there_are_lines_with_tabs() -> None:
    assert shown(terminal=False) == "[red]a[/red]\t3\tbad\nb\\x1b[31m\\n\u043f\t4\tworse\n"
    assert "b\\x1b[31m\\n\\u043f\t4" in shown(terminal=False, encoding="ascii")


def test_on_a_terminal_there_is_a_table_with_markup_as_text() -> None:
    text = shown(terminal=True)
    assert "Sample" in text
    assert "[red]a[/red]" in text
    assert "\u2502" in text


def test_text_is_written_as_it_is() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    printed.text("[b]a[/b] " + "x" * 200 + "\n\u043f", Screen(file=file, width=40))
    assert raw.getvalue().decode() == "[b]a[/b] " + "x" * 200 + "\n\\u043f\n"
