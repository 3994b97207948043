from __future__ import annotations

from pathlib import Path

import pytest
import torch

import small_pairs
from rerail.tasks.face_voice.index import PICTURE, VOICE, Index, build, kinds_of
from rerail.tasks.face_voice.trained import load


@pytest.fixture(scope="module")
def indexed(colours: Path, matching_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("index")
    for person in ("p00", "p06"):
        (folder / person).mkdir()
        (folder / person / "a.png").symlink_to(colours / "pictures" / person / "0.png")
        (folder / person / "a.wav").symlink_to(colours / "sounds" / person / "0.wav")
    apart = (folder / "p06").rename(tmp_path_factory.mktemp("apart") / "p06")
    (folder / "p06").symlink_to(apart)  # followed as a folder is
    (folder / "p06" / "up").symlink_to(folder)
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no matter")
    index, odd = build(load(matching_run), folder)
    assert odd == [one for one in odd if "broken.jpg: cannot be decoded" in one] != []
    return index


def test_each_file_is_embedded_as_it_is_alone(indexed: Index, matching_run: Path, colours: Path) -> None:
    trained = load(matching_run)
    assert indexed.kinds == (PICTURE, VOICE) * 2
    assert torch.allclose(indexed.embeddings[0], trained.picture(colours / "pictures/p00/0.png"))
    assert torch.allclose(indexed.embeddings[3], trained.voice(colours / "sounds/p06/0.wav"))
    assert torch.allclose(indexed.embeddings.norm(dim=1), torch.ones(4))


def test_the_nearest_come_first_and_only_of_the_kind_asked_for(indexed: Index, colours: Path) -> None:
    query = indexed.embeddings[1]
    (first, cosine), (_, less) = indexed.nearest(query, VOICE, 10)
    assert Path(first).resolve() == (colours / "sounds/p00/0.wav").resolve()
    assert cosine == pytest.approx(1.0)
    assert less < cosine
    assert len(indexed.nearest(query, PICTURE, 1)) == 1
    assert Path(indexed.nearest(query, PICTURE, 1)[0][0]).parent.name == "p00"


def test_it_is_read_as_it_was_written(indexed: Index, tmp_path: Path) -> None:
    indexed.save(tmp_path / "x.npz")
    again = Index.load(tmp_path / "x.npz")
    assert (again.files, again.kinds, again.checkpoint) == (indexed.files, indexed.kinds, indexed.checkpoint)
    assert torch.equal(again.embeddings, indexed.embeddings)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"plain text"])
def test_another_file_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.npz: not an index \(.*\); rerail index makes one"):
        Index.load(tmp_path / "x.npz")
    with pytest.raises(ValueError, match="no such file; rerail index makes one"):
        Index.load(tmp_path / "y.npz")


def test_a_folder_without_anything_is_refused(matching_run: Path, tmp_path: Path) -> None:
    trained = load(matching_run)
    with pytest.raises(ValueError, match="no picture or recording can be used"):
        build(trained, tmp_path)
    with pytest.raises(ValueError, match=r"no such folder; give one with files \.png"):
        build(trained, tmp_path / "nowhere")


def test_kinds_go_by_names(tmp_path: Path) -> None:
    small_pairs.picture(tmp_path / "a.png")
    assert kinds_of([Path("a.png"), Path("b.WAV"), Path("c")]) == [PICTURE, VOICE, PICTURE]
