from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import small_tacotron2
from rerail.tasks.tacotron2.trained import load


@pytest.fixture
def run(trained_run: Path) -> Path:
    return trained_run


def test_a_run_comes_back_as_it_was_trained(run: Path) -> None:
    trained = load(run)
    assert trained.step == 14
    assert (trained.model.frames.most, trained.config.size) == (4, "tiny")
    assert not trained.model.training
    saved = torch.load(trained.source / "state.pt", weights_only=True)["model"]
    loaded = trained.model.state_dict()
    assert all(torch.equal(value, saved[name]) for name, value in loaded.items())
    assert {name.partition(".")[0] for name in saved.keys() - loaded.keys()} == {"recogniser"}  # only trained with
    assert "step 14, unproved" in trained.told()


def test_a_checkpoint_gives_that_step(run: Path) -> None:
    older = load(run / "checkpoints/step-00000003")
    assert (older.source, older.step) == (run / "checkpoints/step-00000003", 3)
    assert "step 3, healthy" in older.told()


def test_the_reduction_is_the_one_that_training_had_come_to(run: Path, tmp_path: Path) -> None:
    def fallen(state: dict[str, Any]) -> None:
        (pace,) = (one for one in state["others"] if "reduction" in one)
        pace["reduction"] = 2

    trained = load(small_tacotron2.changed(run, tmp_path / "fallen", fallen))
    assert (trained.model.frames.reduction, trained.model.frames.most) == (2, 4)


def test_weights_that_are_not_finite_are_refused_with_what_to_do(run: Path, tmp_path: Path) -> None:
    poisoned = small_tacotron2.changed(run, tmp_path / "poisoned", small_tacotron2.poison)
    for place in (poisoned, poisoned / "checkpoints/step-00000014"):
        with pytest.raises(ValueError, match=r"not finite(.|\n)*run: rerail recover tacotron2 --checkpoint") as caught:
            load(place)
        assert str(caught.value).endswith(str(place))


def test_what_is_no_trained_tacotron2_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such run; give a run's folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="has a table of its own; leave it out"):
        load(run, symbols="abc")
    bare = small_tacotron2.changed(run, tmp_path / "bare", lambda state: state.update(others=[]))
    with pytest.raises(ValueError, match="keeps no symbols and no reduction"):
        load(bare)
    other = tmp_path / "other"
    shutil.copytree(run, other)
    settings = yaml.safe_load((other / "config.yaml").read_text())
    (other / "config.yaml").write_text(yaml.safe_dump({**settings, "size": "small"}))
    with pytest.raises(ValueError, match="is of another model than"):
        load(other)
    (other / "config.yaml").write_text(yaml.safe_dump({**settings, "new_setting": 1}))
    with pytest.raises(ValueError, match="knows no new_setting"):
        load(other)


def test_texts_are_spelled_as_in_training(run: Path) -> None:
    trained = load(run)
    assert trained.symbols is not None
    assert trained.numbers("  Please HOLD ", "") == trained.symbols.encode("please hold")
    assert trained.numbers("2 calls.", "en") == trained.symbols.encode("two calls.")
    with pytest.raises(ValueError, match="unknown symbols"):
        trained.numbers("2 calls", "")
    with pytest.raises(ValueError, match="has nothing to say"):
        trained.numbers(" ", "")


def test_the_language_is_that_of_the_run_or_its_data(run: Path, tmp_path: Path) -> None:
    trained = load(run)
    assert trained.language() == ""
    assert trained.language("de") == "de"
    trained = replace(trained, config=replace(trained.config, data=str(small_tacotron2.corpus(tmp_path / "corpus"))))
    table = tmp_path / "corpus/metadata.csv"
    lines = [f"{line}||en" for line in table.read_text().splitlines()]
    table.write_text("\n".join(["id|text|speaker|language", *lines]))
    assert trained.language() == "en"
    table.unlink()
    assert trained.language() == ""
