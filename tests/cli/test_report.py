from __future__ import annotations

from pathlib import Path

import pytest

from rerail.cli import main
from written_runs import falling, run


@pytest.mark.parametrize(
    ("out", "said"), [("none/a.html", "there is no folder"), (".", "is there already"), ("taken/a.html", "no folder")]
)
def test_a_place_that_takes_no_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str, said: str
) -> None:
    (tmp_path / "taken").write_text("a file")
    assert main(["report", str(run(tmp_path / "run", falling(1.0))), "--out", str(tmp_path / out)]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "give another" in told
    assert (tmp_path / "taken").read_text() == "a file"


def test_a_folder_that_takes_no_page_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    made = run(tmp_path / "run", falling(1.0))
    monkeypatch.setattr("os.fsync", full)
    assert main(["report", str(made)]) == 2
    told = capsys.readouterr().err
    assert "run cannot be written: [Errno 28] No space left on device; give --out" in told
