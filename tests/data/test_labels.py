from __future__ import annotations

from pathlib import Path

import pytest

from rerail.data.labels import Phone, cut, found, read, written

PHONES = (Phone(name="pau", end=0.5), Phone(name="a", end=1.0), Phone(name="b", end=1.5), Phone(name="pau", end=2.0))


def test_a_file_with_a_header_is_read_and_written_again(tmp_path: Path) -> None:
    path = tmp_path / "lab/one.lab"
    path.parent.mkdir()
    path.write_text("separator ;\n#\n0.50000 125 pau\n1.00000 125 a\n1.5 125 b\n2.0 125 pau\n")
    assert read(path) == PHONES
    path.write_text(written(PHONES))
    assert read(path) == PHONES
    assert found(tmp_path) == {"one": path}


def test_labels_of_a_clip_that_was_cut_keep_their_places() -> None:
    assert cut(PHONES, 0.4, 1.6) == tuple(
        Phone(name=name, end=pytest.approx(end)) for name, end in [("pau", 0.1), ("a", 0.6), ("b", 1.1), ("pau", 1.2)]
    )
    assert [one.name for one in cut(PHONES, 0.5, 1.5)] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("#\n0.5 125\n", "line 2 is '0.5 125', expected `end colour phone`"),
        ("#\nsoon 125 a\n", "line 2 is 'soon 125 a'"),
        ("#\n0.5 125 a\n0.4 125 b\n", "phones end before those ahead of them"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "one.lab").write_text(content)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "one.lab")
