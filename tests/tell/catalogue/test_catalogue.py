"""The texts: complete, filled, alike in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

import told_runs as runs
from rerail.core.notice import Level, Notice
from rerail.tell import catalogue, causes, phrases
from rerail.tell.notices import Cadence, Notices
from rerail.tell.notices.values import PROSE
from told_runs import RUNS

OTHERS = ("fa", "ko", "ru")
SCRIPTS = {"en": "A-Za-z", "fa": "\u0600-\u06ff", "ko": "\uac00-\ud7a3", "ru": "\u0400-\u04ff"}
TERMS = {"NaN", "Inf", "Autocast", "bfloat", "PyTorch", "Python", "eps", "betas", "nan", "to", "num"}
TERMS |= {"guard", "step", "resume", "dev", "shm"}  # of code and trade: as they are in every language
HOSTILE = "<b>x</b> *y* \x1b[31m \u202eevil\u2069\nsecond {step} {0} {run:seen}"


def notices() -> list[Notice]:
    """Everything that may be told, of every journal that is at hand."""
    told = []
    for records, _ in RUNS.values():
        following = Notices("runs/first", Cadence(every_steps=50, every_minutes=0))
        told += [one for record in records for one in following.take(record)]
        told += [*following.rest(), following.progress(), following.silent(time=2e9, seconds=900.0)]
        told += [following.died(time=2e9, signal=name) for name in ("SIGKILL", "SIGUSR1", "")]
        told += [following.died(time=2e9, exit_code=1)]
    return told


TOLD = notices()
CODES = {one.code for one in TOLD}
FOUR = {one.code for one in TOLD if one.level is not Level.PROGRESS}


def needed(language: str, code: str) -> set[str]:
    """The values that a code's texts need, tables included."""
    words = catalogue.language(language)
    given = words.notices[code]
    lines = [given["title"], *(one for line in catalogue.LINES for one in catalogue.sentences(given.get(line, ())))]
    return {name for line in lines for name in _needed(words, line)}


def _needed(words: catalogue.Language, sentence: str) -> Iterator[str]:
    for name, table in catalogue.placeholders(sentence):
        yield name
        for entry in words.tables[table].values() if table else ():
            yield from _needed(words, entry)


def test_there_are_four_languages_and_an_unknown_one_is_refused() -> None:
    assert catalogue.languages() == ("en", "fa", "ko", "ru")
    with pytest.raises(ValueError, match=r"got 'de'; notices are told in en, fa, ko, ru; give one of these"):
        catalogue.text(TOLD[0], "de")
    with pytest.raises(ValueError, match="language: got"):
        catalogue.text(TOLD[0], "../en")


def test_every_code_that_is_told_has_texts_and_every_text_is_told() -> None:
    assert set(catalogue.language("en").notices) == CODES
    for language in OTHERS:
        assert set(catalogue.language(language).notices) == FOUR


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_tells_the_same_values_and_knows_the_same_words(language: str) -> None:
    english, other = catalogue.language("en"), catalogue.language(language)
    for code in FOUR:
        assert needed(language, code) == needed("en", code) - PROSE, code
    for table, entries in other.tables.items():
        if table != "mended":  # what English takes from the journal
            assert set(entries) == set(english.tables[table]), table
    assert set(other.tables) - {"mended"} <= set(english.tables)
    assert set(other.tables["mended"]) >= set(other.tables["kinds"])
    assert tuple(other.labels) == catalogue.LINES
    for name, sentence in english.letters.items():
        assert set(catalogue.placeholders(other.letters[name])) == set(catalogue.placeholders(sentence)), name


@pytest.mark.parametrize("language", catalogue.languages())
def test_every_kind_of_cause_and_every_move_has_words(language: str) -> None:
    tables = catalogue.language(language).tables
    assert set(tables["kinds"]) == {*causes.KINDS, "fault"}
    assert set(tables["decisions"]) == set(phrases.MOVES)
    assert set(tables["moves"]) >= set(phrases.MOVES)


@pytest.mark.parametrize("language", catalogue.languages())
def test_nothing_is_left_unfilled_or_unsaid(language: str) -> None:
    for notice in TOLD:
        assert needed(language, notice.code) <= set(notice.values) if notice.code in FOUR else True, notice.code
        told = catalogue.text(notice, language)
        for text in (told.title, *(text for _, text in told.lines)):
            assert text.strip() == text != ""
            assert not re.search(r"[{}]| \(\)|  ", text), (notice.code, text)
        if notice.level is not Level.PROGRESS:
            assert [label for label, _ in told.lines] == list(catalogue.language(language).labels.values()), notice.code
            assert notice.values["run"] in told.title


@pytest.mark.parametrize("language", OTHERS)
def test_another_language_is_itself_but_for_names_figures_and_terms(language: str) -> None:
    words = catalogue.language(language)
    for text in _texts(words):
        assert re.search(f"[{SCRIPTS[language]}]", text) or re.fullmatch(r"\{[\w:]+\}", text), text
        latin = set(re.findall(r"[A-Za-z]+", re.sub(r"\{[^}]*\}|SIG[A-Z]+", "", text)))
        assert latin <= TERMS, text


def _texts(words: catalogue.Language) -> Iterator[str]:
    yield from words.labels.values()
    yield from words.letters.values()
    for entries in words.tables.values():
        yield from entries.values()
    for given in words.notices.values():
        for line in given.values():
            yield from catalogue.sentences(line)


def test_a_persian_text_isolates_every_value_so_that_none_reorders_the_sentence() -> None:
    notice = next(one for one in TOLD if one.code == "restart")
    told = catalogue.text(notice, "fa")
    assert told.right_to_left
    for text in (told.title, *(text for _, text in told.lines)):
        assert text.count("\u2068") == text.count("\u2069")
        outside = re.sub("\u2068[^\u2068\u2069]*\u2069", "", text)
        assert not re.search(r"\d|loss/", outside)
    assert "\u2068loss/mel\u2069" in told.lines[0][1]
    assert "\u2068" not in str(catalogue.text(notice, "ru"))


def test_progress_is_english_in_every_language() -> None:
    notice = next(one for one in TOLD if one.code == "progress")
    assert {catalogue.text(notice, language) for language in catalogue.languages()} == {catalogue.text(notice, "en")}


def test_what_is_not_known_is_not_spoken_of() -> None:
    cut = next(one for one in TOLD if one.values.get("proof") == "cut")
    told = dict(catalogue.text(cut, "en").lines)
    assert told["Why"] == "The journal ends before a cause was proved (replays: 1)."
    assert told["Done"].startswith("Decided was to skip the update; the journal does not say that it was done.")


def test_values_that_others_fill_in_cannot_break_a_line_or_fill_themselves_in() -> None:
    values = dict.fromkeys(needed("en", "nonfinite"), HOSTILE) | {"step": "7"}
    notice = Notice(level=Level.CRITICAL, code="nonfinite", topic="t", id="i", time=1.0, tick=1, step=7, values=values)
    for language in catalogue.languages():
        told = catalogue.text(notice, language)
        for text in (told.title, *(text for _, text in told.lines)):
            assert re.sub("[\u2068\u2069\u200c]", "", text).isprintable()  # isolates, and what Persian spells with
            assert text.count("\u2068") == text.count("\u2069")
            assert "{step} {0} {run:seen}" in text


def test_a_nan_in_russian_from_start_to_end() -> None:
    notice = next(one for one in TOLD if one.values.get("samples") == "clip-5")
    told = catalogue.text(notice, "ru")
    assert told.title == "runs/first: NaN или Inf на шаге 4"
    assert told.lines[0] == (
        "Что произошло",
        "Шаг 4, тик 5: значение loss/mel не является конечным числом. Значения: nan.",
    )
    assert told.lines[1][1].startswith("Причина доказана повторением шага (повторов: 3): испорченные данные.")
    assert "Исключено: clip-5." in told.lines[2][1]


def test_no_key_of_a_file_is_given_twice() -> None:
    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
        keys = [str(loader.construct_object(key)) for key, _ in node.value]
        assert len(keys) == len(set(keys)), keys
        assert all(key not in ("True", "False", "None") for key in keys), keys  # yes and no must be quoted
        return yaml.SafeLoader.construct_mapping(loader, node, deep=True)

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    for language in catalogue.languages():
        path = catalogue.resources.files("rerail.tell.catalogue") / f"{language}.yaml"
        yaml.load(path.read_text(encoding="utf8"), Loader=Strict)  # noqa: S506 (a safe loader, made stricter)


def test_the_journals_of_real_runs_are_told_in_every_language() -> None:
    assert {"demo", "halted", "unread"} == {path.name.removesuffix(".jsonl.gz") for path in runs.RECORDED.iterdir()}
