from __future__ import annotations

from pathlib import Path

import pytest

import small_pairs
from rerail.data.pairs import lists


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        small_pairs.picture(tmp_path / f"pics/{name}.png")
        small_pairs.recording(tmp_path / f"wavs/{name}.wav")
    return tmp_path


def rows(folder: Path, text: str) -> list[tuple[str, ...]]:
    (folder / "pairs.csv").write_text(text, encoding="utf-8-sig")
    found = lists.read(folder).pairs
    return [(one.id, one.image.name, one.audio.name, one.identity, one.speaker, one.language) for one in found]


@pytest.mark.parametrize("separator", [",", "\t", "|"])
def test_columns_with_names_may_stand_in_any_order(folder: Path, separator: str) -> None:
    lines = ["identity,audio,image,language,id", "ana,wavs/a.wav,pics/a.png,en,one", "bo,wavs/b.wav,pics/b.png,,two"]
    text = "\n".join(lines).replace(",", separator)
    assert rows(folder, text) == [("one", "a.png", "a.wav", "ana", "", "en"), ("two", "b.png", "b.wav", "bo", "", "")]


def test_lines_without_names_and_ids_are_named_by_their_files(folder: Path) -> None:
    text = f"pics/a.png|wavs/a.wav|ana\n{folder / 'pics/b.png'}|wavs/a.wav|ana\n"
    assert [one[0] for one in rows(folder, text)] == ["pics/a+wavs/a", f"{folder}/pics/b+wavs/a"]


def test_an_identity_is_one_however_its_accents_are_spelled(folder: Path) -> None:
    text = "pics/a.png|wavs/a.wav|Jos\u00e9\npics/b.png|wavs/b.wav|Jose\u0301\n"
    assert [one[3] for one in rows(folder, text)] == ["Jos\u00e9", "Jos\u00e9"]


def test_a_line_that_lacks_a_part_is_left_out_with_its_number(folder: Path) -> None:
    (folder / "pairs.csv").write_text("image,audio,identity\npics/a.png,wavs/a.wav,ana\n\npics/b.png,,bo\nx,y,z,1\n")
    found = lists.read(folder)
    assert [one.id for one in found.left_out] == ["line 4", "line 5"]
    assert found.left_out[0].reason.startswith("3 column(s), of which image, audio and identity must be filled")
    assert len(found.pairs) == 1


def test_what_was_written_is_read_back(folder: Path) -> None:
    (folder / "pairs.csv").write_text('image,audio,identity\npics/a.png,wavs/a.wav,"ana, or bo"\n')
    before = lists.read(folder)
    lists.write(folder / "again.csv", before.pairs)
    assert lists.read(folder / "again.csv") == before
    assert str(folder) not in (folder / "again.csv").read_text()


def test_a_list_that_is_missing_or_of_other_columns_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"pairs\.csv: no such list of pairs"):
        lists.read(folder)
    (folder / "pairs.csv").write_text("image,sound\n")
    with pytest.raises(ValueError, match="no column audio, identity among image, sound; name it in line 1"):
        lists.read(folder)
    (folder / "pairs.csv").write_bytes("é".encode("latin1"))
    with pytest.raises(ValueError, match="not UTF-8 at byte 0"):
        lists.read(folder)
