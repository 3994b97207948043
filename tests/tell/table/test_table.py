from __future__ import annotations

import csv
import math
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerail.tell import journal, table

Make = Callable[..., dict[str, Any]]
Write = Callable[[Iterable[dict[str, Any]]], Path]


def from_csv(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf8") as file:
        return list(csv.reader(file))


def from_parquet(path: Path) -> Any:
    return pytest.importorskip("pyarrow.parquet", reason='pip install "rerail[parquet]"').read_table(path)


def bits(value: float | None) -> bytes | None:
    return None if value is None else struct.pack("<d", value)


def expected(run: Path, name: str) -> list[float | None]:
    found = [record["values"].get(name) for record in journal.read(run) if record["kind"] == "reading"]
    return [None if value is None else float(value) for value in found]


def test_csv_has_the_very_numbers_of_the_journal(realistic_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "readings.csv"
    assert table.write(realistic_run, out) == 431
    header, *rows = from_csv(out)
    assert header[:5] == ["tick", "time", "step", "lr", "time/step"]
    assert [int(row[0]) for row in rows] == list(range(1, 432))
    for name in ("loss/mel", "grad/norm/encoder", "eval/mel", "loss/energy"):
        cells = [row[header.index(name)] for row in rows]
        assert [bits(float(cell) if cell else None) for cell in cells] == [
            bits(y) for y in expected(realistic_run, name)
        ]
    assert rows[60][header.index("loss/mel")] == "nan"
    assert rows[319][header.index("loss/energy")] == "inf"
    assert sum(cell != "" for cell in (row[header.index("eval/mel")] for row in rows)) == 8


def test_parquet_has_the_very_numbers_and_their_types(realistic_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "readings.parquet"
    assert table.write(realistic_run, out) == 431
    found = from_parquet(out)
    for name in ("loss/mel", "grad/norm/encoder", "eval/mel", "loss/energy"):
        read = found.column(name).to_pylist()
        assert [bits(value) for value in read] == [bits(y) for y in expected(realistic_run, name)]
    types = {name: str(found.schema.field(name).type) for name in ("tick", "time", "step", "loss/mel")}
    assert types == {"tick": "int64", "time": "double", "step": "int64", "loss/mel": "double"}


@given(st.lists(st.floats(), min_size=1, max_size=5))
def test_any_number_comes_back_bit_for_bit(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    folder = tmp_path_factory.mktemp("run")
    book = journal.Journal(folder)
    for tick, value in enumerate(values):
        book.write("reading", tick, values={"x": value})
    book.close()
    table.write(folder, folder / "x.csv")
    read = [float(row[2]) for row in from_csv(folder / "x.csv")[1:]]
    assert all(math.isnan(b) if math.isnan(a) else bits(a) == bits(b) for a, b in zip(values, read, strict=True))


def test_signals_are_chosen_by_pattern_and_in_their_own_order(realistic_run: Path, tmp_path: Path) -> None:
    table.write(realistic_run, tmp_path / "a.csv", signals=["grad/norm/*", "loss/mel"])
    header, *_ = from_csv(tmp_path / "a.csv")
    modules = [f"grad/norm/{name}" for name in ("encoder", "decoder", "postnet")]
    assert header == ["tick", "time", "loss/mel", *modules]
    with pytest.raises(ValueError, match=r"no signal fits los/\*; this run gives: eval/"):
        table.write(realistic_run, tmp_path / "b.csv", signals=["loss/mel", "los/*"])


def test_a_column_is_whole_only_where_all_its_numbers_are(journal: Write, make: Make, tmp_path: Path) -> None:
    values = [{"a": 1, "b": 1, "c": 2**80}, {"a": 2, "b": 0.5}, {"a": 3, "b": 7}]
    run = journal(make("reading", tick, values=each) for tick, each in enumerate(values))
    table.write(run, tmp_path / "x.parquet")
    found = from_parquet(tmp_path / "x.parquet")
    assert found.column("a").to_pylist() == [1, 2, 3]
    assert found.column("b").to_pylist() == [1.0, 0.5, 7.0]
    assert found.column("c").to_pylist() == [float(2**80), None, None]
    table.write(run, tmp_path / "x.csv")
    assert [row[2:] for row in from_csv(tmp_path / "x.csv")[1:]] == [
        ["1", "1.0", repr(float(2**80))],
        ["2", "0.5", ""],
        ["3", "7.0", ""],
    ]


def test_a_spreadsheet_computes_no_text_and_a_terminal_obeys_none(journal: Write, make: Make, tmp_path: Path) -> None:
    names = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(1)", "\u202eback", "\x1b[31mred", "a,b\nc", "tick"]
    run = journal([make("reading", 1, values=dict.fromkeys(names, -1.5)), make("note", 1, text="=1+1", data={})])
    table.write(run, tmp_path / "a.csv")
    header, row = from_csv(tmp_path / "a.csv")
    quoted = ['\'=HYPERLINK("http://x")', "'+1", "'-1", "'@SUM(1)"]
    assert header[2:] == [*quoted, "\\u202eback", "\\x1b[31mred", "a,b\\nc", "tick (2)"]
    assert row[2:] == ["-1.5"] * 8  # numbers stay numbers
    table.write(run, tmp_path / "b.csv", what="events")
    assert from_csv(tmp_path / "b.csv")[1] == ["1", "", row[1], "note", "'=1+1"]
    table.write(run, tmp_path / "a.parquet")
    assert from_parquet(tmp_path / "a.parquet").column('=HYPERLINK("http://x")').to_pylist() == [-1.5]


def test_interventions_say_what_was_seen_proved_done_and_what_came_of_it(realistic_run: Path, tmp_path: Path) -> None:
    for out in (tmp_path / "a.csv", tmp_path / "a.parquet"):
        assert table.write(realistic_run, out, what="interventions") == 3
    header, *rows = from_csv(tmp_path / "a.csv")
    first, second, third = (dict(zip(header, row, strict=True)) for row in rows)
    assert [row["tick"] for row in (first, second, third)] == ["61", "180", "320"]
    assert [row["move"] for row in (first, second, third)] == ["SKIP", "REWIND", "SKIP"]
    assert (first["cause"], first["component"], first["proved"]) == ("data", "mel", "True")
    assert (second["cause"], second["proved"], second["codes"]) == ("unknown", "False", "loss.spike")
    assert "went back from step" in second["done"]
    assert third["recovered"] == "True"
    assert from_parquet(tmp_path / "a.parquet").column("proved").to_pylist() == [True, False, True]


def test_trials_and_events_are_a_row_each(realistic_run: Path, tmp_path: Path) -> None:
    assert table.write(realistic_run, tmp_path / "t.csv", what="trials") == 9
    header, *rows = from_csv(tmp_path / "t.csv")
    assert dict(zip(header, rows[2], strict=True))["changed"] == '{"rows": [0, 2]}'
    assert [row[header.index("healthy")] for row in rows[:3]] == ["False", "True", "True"]
    count = table.write(realistic_run, tmp_path / "e.parquet", what="events")
    texts = from_parquet(tmp_path / "e.parquet").column("text").to_pylist()
    assert len(texts) == count
    assert texts[0] == "Run started."
    assert texts[-1].startswith("Run finished")


def test_a_run_without_readings_is_a_table_without_rows(journal: Write, make: Make, tmp_path: Path) -> None:
    run = journal([make("note", 0, text="start", data={})])
    for ending in ("csv", "parquet"):
        assert table.write(run, tmp_path / f"a.{ending}") == 0
    assert from_csv(tmp_path / "a.csv") == [["tick", "time"]]
    assert from_parquet(tmp_path / "a.parquet").column_names == ["tick", "time"]


def test_what_cannot_be_written_is_refused_and_leaves_nothing(realistic_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the ending says what to write; give one of \.csv, \.parquet"):
        table.write(realistic_run, tmp_path / "a.xlsx")
    with pytest.raises(ValueError, match="there is no table 'losses' of a run; give one of readings"):
        table.write(realistic_run, tmp_path / "a.csv", what="losses")
    with pytest.raises(ValueError, match="signals are columns of the readings, and trials have none"):
        table.write(realistic_run, tmp_path / "a.csv", what="trials", signals=["loss/*"])
    with pytest.raises(ValueError, match="is no run folder"):
        table.write(tmp_path, tmp_path / "a.csv", what="events")
    assert list(tmp_path.iterdir()) == []


def test_progress_reaches_the_end_of_both_passes(realistic_run: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    table.write(realistic_run, tmp_path / "a.csv", progress=lambda *words: told.append(words))
    size = (realistic_run / "journal.jsonl").stat().st_size
    assert told == [("columns", size, size), ("rows", size, size)]


def test_a_run_that_trains_on_meanwhile_gives_what_there_was(make: Make) -> None:
    records = [make("reading", tick, values={"a": tick}) for tick in range(3)]
    later = make("reading", 3, values={"a": 0.5, "b": 1})
    found = table.TABLES["readings"](lambda: records, ())
    assert found.columns == {"tick": int, "time": float, "a": int}
    assert [row[2] for row in found.rows([*records, later])] == [0, 1, 2]
