from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from rerail.tasks.face_voice.assess import SETS, assess
from rerail.tasks.face_voice.pairing import aside
from rerail.tasks.face_voice.standing import standing
from rerail.tasks.face_voice.trained import load


def altered(run: Path, folder: Path, **settings: float) -> Path:
    shutil.copytree(run, folder)
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | settings))
    return folder


def test_both_sets_are_measured_beside_chance(matching_run: Path) -> None:
    seen, unseen = assess(load(matching_run))
    assert (seen.name, unseen.name) == ("seen", "unseen")
    assert (seen.about, unseen.about) == tuple(SETS.values())
    assert unseen.identities == 2
    assert unseen.pictures == unseen.voices == 12
    assert seen.identities > 2
    assert {one.chance for one in seen.figures if one.name in ("AUC", "EER")} == {0.5}


def test_the_same_seed_gives_the_same_intervals(matching_run: Path) -> None:
    trained = load(matching_run)
    assert assess(trained, seed=3) == assess(trained, seed=3)


def test_one_identity_alone_is_no_set(matching_run: Path) -> None:
    trained = load(matching_run)
    parts = trained.paired.parts
    alone = tuple(one for one in parts.unseen if one.pair.identity == parts.unseen[0].pair.identity)
    trained.paired.__dict__["parts"] = replace(parts, unseen=alone)
    assert [one.name for one in assess(trained)] == ["seen"]
    assert len(standing(trained).others) > 0


def test_where_nothing_was_set_aside_nothing_can_be_measured(matching_run: Path, tmp_path: Path) -> None:
    run = altered(matching_run, tmp_path / "run", test_size=0.0, seen_size=0.0)
    with pytest.raises(ValueError, match="no pairs were set aside by this run; train with --test-size"):
        assess(load(run))


def test_pairs_that_have_changed_are_not_measured_on(matching_run: Path, tmp_path: Path) -> None:
    """Else recordings that were trained on would be told to be unseen."""
    trained = load(altered(matching_run, tmp_path / "run", split_seed=1))
    for measure in (assess, standing):
        with pytest.raises(ValueError, match="were not set aside as that by this run, and they or others"):
            measure(trained)


def test_a_recording_that_was_set_aside_of_somebody_who_was_trained_on_does_not_count_as_of_a_stranger(
    matching_run: Path,
) -> None:
    trained = load(matching_run)
    known, parts = trained.held_out("seen"), trained.paired.parts
    trained.paired.__dict__["parts"] = replace(parts, seen=(), unseen=known)
    with pytest.raises(ValueError, match=f"{len(known)} recordings that would be measured on as unseen were not set"):
        trained.held_out("unseen")
    assert trained.held_out("seen") == ()


def test_a_run_that_kept_no_parts_is_measured_as_it_was() -> None:
    found = aside(["a", "b"])
    assert found["seen"] == found["unseen"] == found["validation"] == {"a", "b"}
