from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rerail.tell import journal
from rerail.tell.journal import Journal
from rerail.tell.wandb import WeightsAndBiases

pytest.importorskip("wandb", reason='pip install "rerail[wandb]"')
pytestmark = pytest.mark.filterwarnings("ignore")  # of a library that we do not change

KEY = "0123456789abcdef0123456789abcdef01234567"
NAME = "<b>first & *run*"


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("WANDB_API_KEY", KEY)


def written(folder: Path) -> list[Any]:
    """The records of a .wandb file: LevelDB's log format, blocks of 32 KiB, after a header of 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record  # noqa: PLC0415

    (file,) = folder.glob("wandb/offline-run-*/*.wandb")
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        found = [Record.FromString(one) for one in pieces(file.read_bytes())]
        if found and found[-1].WhichOneof("record_type") == "exit":  # another process writes it
            return found
        time.sleep(0.02)
    pytest.fail(f"{len(found)} records, and no end")


def pieces(log: bytes) -> Iterator[bytes]:
    at, whole = 7, b""
    while at + 7 <= len(log):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
        _, size, kind = struct.unpack_from("<IHB", log, at)
        whole += log[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # whole, or the last of several
            yield whole
            whole = b""


def told(run: Path, records: Iterable[dict[str, Any]]) -> list[Any]:
    with closing(WeightsAndBiases("speech", run=run)) as service:
        for record in records:
            service(record)
    return written(run)


def rows(records: Iterable[Any]) -> list[dict[str, Any]]:
    kept = [record.history for record in records if record.WhichOneof("record_type") == "history"]
    return [{(item.key or "/".join(item.nested_key)): json.loads(item.value_json) for item in one.item} for one in kept]


def test_a_run_arrives_whole(realistic_run: Path, tmp_path: Path) -> None:
    run = tmp_path / NAME
    run.mkdir()
    for name in ("journal.jsonl", "artifacts"):
        (run / name).symlink_to(realistic_run / name)
    records = list(journal.read(run))
    found = told(run, records)
    table = rows(found)
    read = [record for record in records if record["kind"] == "reading"]
    losses = [(row["tick"], row["loss/mel"]) for row in table if "loss/mel" in row]
    assert [tick for tick, _ in losses] == [record["tick"] for record in read]
    assert [str(value).lower() for _, value in losses] == [str(record["values"]["loss/mel"]) for record in read]
    assert [row["nonfinite"] for row in table if row["tick"] in (60, 61, 320) and "nonfinite" in row] == [0, 2, 2]
    assert any("bad data" in row.get("event", "") for row in table if row["tick"] == 61)
    pictures = [row for row in table if row.get("alignment/_type") == "image-file"]
    shown = [record for record in records if record["kind"] == "artifact"]
    (folder,) = run.glob("wandb/offline-run-*/files")
    stored = [((folder / row["alignment/path"]).read_bytes(), row["alignment/caption"]) for row in pictures]
    assert stored == [((run / one["path"]).read_bytes(), one["caption"]) for one in shown[:3]]
    (sound,) = (row["speech/path"] for row in table if row.get("speech/_type") == "audio-file")
    assert (folder / sound).read_bytes() == (run / "artifacts/speech.wav").read_bytes()
    (begun,) = (one.run for one in found if one.WhichOneof("record_type") == "run")
    assert (begun.project, begun.display_name) == ("speech", NAME)
    assert {item.key: json.loads(item.value_json) for item in begun.config.update}["optimizer"] == {
        "name": "AdamW",
        "lr": 1e-3,
    }
    (ended,) = (one.exit for one in found if one.WhichOneof("record_type") == "exit")
    assert ended.exit_code == 0
    everything = [file for file in run.rglob("*") if file.is_file()]
    assert not [file for file in everything if KEY.encode() in file.read_bytes()]


def test_a_halted_run_has_failed_and_a_resumed_one_has_the_same_place(
    tmp_path: Path, make: Callable[..., dict[str, Any]]
) -> None:
    with closing(Journal(tmp_path)) as book:
        book.write("note", 0, text="start", data={})
    begun = []
    for text, reason in (("start", "halted"), ("resume", "finished")):
        records = [make("note", 0, text=text, data={}), make("note", 1, text="end", data={"reason": reason})]
        found = told(tmp_path, records)
        (one,) = (record.run for record in found if record.WhichOneof("record_type") == "run")
        (ended,) = (record.exit for record in found if record.WhichOneof("record_type") == "exit")
        begun.append((one.run_id, ended.exit_code))
        for folder in tmp_path.glob("wandb"):
            folder.rename(tmp_path / f"before-{reason}")
    (first, failed), (second, well) = begun
    assert first == second
    assert (failed, well) == (1, 0)
