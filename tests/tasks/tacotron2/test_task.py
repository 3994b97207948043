from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import small_corpora
from rerail.data import ljspeech
from rerail.fit import FitConfig
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task
from rerail.text.symbols import Symbols


def symbols(folder: Path, text: str, named: str, **settings: object) -> Symbols:
    clips = small_corpora.lj(folder, 1, language=named)
    ljspeech.write(folder / "metadata.csv", [replace(clips[0], text=text)])
    config = Tacotron2Config(data=str(folder), **settings)  # type: ignore[arg-type]
    return Tacotron2Task(config, FitConfig()).symbols


def test_stress_marks_are_symbols_only_where_asked_for(tmp_path: Path) -> None:
    assert "+" not in symbols(tmp_path, "вол+ос", "ru").table  # noqa: RUF001 - Russian is the point
    assert "+" in symbols(tmp_path, "вол+ос", "ru", stress=True).table  # noqa: RUF001


def test_numbers_are_spelled_in_the_language_that_the_data_names(tmp_path: Path) -> None:
    assert set("один") <= set(symbols(tmp_path, "1", "ru").table)
    assert set("eins") <= set(symbols(tmp_path, "1", "ru", language="de").table)
    assert "1" in symbols(tmp_path, "1", "").table
