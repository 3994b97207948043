from __future__ import annotations

from pathlib import Path

import pytest

from rerail.data.facts import Facts, read


def test_facts_are_read_as_they_were_written(tmp_path: Path) -> None:
    facts = Facts(name="mine", licence="CC0: all of it", credit="Zoë")
    facts.write(tmp_path)
    assert read(tmp_path) == facts


def test_without_a_file_the_folder_names_the_corpus(tmp_path: Path) -> None:
    (tmp_path / "voice").mkdir()
    assert read(tmp_path / "voice") == Facts(name="voice")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("license: MIT\n", "unknown license; known: name, source, licence"),
        ("- a\n", "list"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "corpus.yaml").write_text(content)
    with pytest.raises(ValueError, match=message):
        read(tmp_path)
