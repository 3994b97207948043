from __future__ import annotations

from pathlib import Path

import pytest

from rerail.act.quarantine import Quarantine
from rerail.cli import main
from rerail.tell import journal


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "journal.jsonl").touch()
    quarantine = Quarantine(folder / "quarantine.jsonl")
    quarantine.add(["vm-corrupted", "17"], tick=61, reason="bad in every state of the model")
    return folder


def test_the_list_is_plain_lines_in_a_pipe(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quarantine", "list", str(run)]) == 0
    reason = "bad in every state of the model"
    assert capsys.readouterr().out == f"17\t61\t{reason}\nvm-corrupted\t61\t{reason}\n"


def test_a_released_sample_is_gone(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quarantine", "release", str(run), "17"]) == 0
    assert capsys.readouterr().out == "released 17; 1 left in quarantine\n"
    assert Quarantine(run / "quarantine.jsonl").ids == {"vm-corrupted"}
    (told,) = journal.read(run)
    assert (told["text"], told["data"]) == ("released from quarantine", {"ids": ["17"]})
    assert main(["quarantine", "release", str(run), "vm-corrupted"]) == 0
    capsys.readouterr()
    assert main(["quarantine", "list", str(run)]) == 0
    assert capsys.readouterr().out == "no sample is in quarantine\n"


def test_an_unknown_sample_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (run / "quarantine.jsonl").read_bytes()
    assert main(["quarantine", "release", str(run), "17", "18"]) == 2
    assert capsys.readouterr().err == "rerail: not in quarantine: 18; it holds: 17, vm-corrupted\n"
    assert (run / "quarantine.jsonl").read_bytes() == before


@pytest.mark.parametrize("action", [["list"], ["release", "17"]])
def test_a_folder_that_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], action: list[str]
) -> None:
    assert main(["quarantine", action[0], str(tmp_path / "nothing"), *action[1:]]) == 2
    assert "nothing is no run folder: it has no journal.jsonl; give the folder of a run" in capsys.readouterr().err
    assert not (tmp_path / "nothing").exists()


def test_a_run_that_quarantined_nothing_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "journal.jsonl").touch()
    assert main(["quarantine", "list", str(tmp_path)]) == 0
    assert main(["quarantine", "release", str(tmp_path), "a"]) == 2
    assert "it holds: no sample at all" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["quarantine"], ["quarantine", "release"], ["quarantine", "release", "RUN"]])
def test_what_is_missing_is_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "Traceback" not in (error := capsys.readouterr().err)
    assert error.startswith("rerail: ")
    assert any(name in error for name in ("action", "run", "ids"))


@pytest.mark.parametrize("command", [[], ["list"], ["release"]])
def test_help_teaches(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["quarantine", *command, "--help"])
    assert caught.value.code == 0
    assert len(capsys.readouterr().out) > 200
