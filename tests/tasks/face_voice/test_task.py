"""The trainer on tiny pairs of which the identity decides the colour of the picture and the pitch of the tone."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import small_pairs
from rerail.fit import FitConfig, train, with_largest_batch
from rerail.fit.ahead import Ahead
from rerail.tasks.face_voice.assess import assess
from rerail.tasks.face_voice.figures import Figure
from rerail.tasks.face_voice.losses import LOSSES, Name, alike
from rerail.tasks.face_voice.model import Matcher
from rerail.tasks.face_voice.pairing import Paired
from rerail.tasks.face_voice.task import FaceVoiceTask, false_negatives, losses_of
from rerail.tasks.face_voice.trained import load
from rerail.tell import journal
from small_matcher import FIT, config, trained

FEW = replace(FIT, steps=6, batch_size=4, evaluate_every=2, checkpoint_every=3)


def figures_of(run: Path) -> dict[str, dict[str, Figure]]:
    return {one.name: {figure.name: figure for figure in one.figures} for one in assess(load(run))}


def readings(run: Path) -> list[Mapping[str, float]]:
    return [one["values"] for one in journal.read(run) if one["kind"] == "reading"]


def saved(run: Path, step: int = 6) -> dict[str, Any]:
    return dict(torch.load(run / f"checkpoints/step-{step:08}/state.pt", weights_only=True))


def test_unseen_recordings_of_persons_that_were_trained_on_are_matched(matching_run: Path) -> None:
    found = figures_of(matching_run)
    assert found["seen"]["AUC"].low > 0.7
    assert found["seen"]["recall@1, picture to voice"].value > found["seen"]["recall@1, picture to voice"].chance
    assert found["unseen"]["AUC"].chance == 0.5


def test_a_batch_is_not_traded_for_micro_batches_which_have_other_negatives(tmp_path: Path) -> None:
    small_pairs.learnable(tmp_path / "pairs", 8, 3)
    task = FaceVoiceTask(config(tmp_path / "pairs"), replace(FEW, batch_size=4, accumulate=2)).fitted()
    found = with_largest_batch(task).fit
    assert (found.batch_size, found.accumulate) == (4, 2)


@pytest.mark.parametrize(
    ("chunk", "told"), [(0, "give --chunk 2,"), (2, "give --chunk 1,"), (1, "give a smaller --batch-size")]
)
def test_where_memory_runs_out_fewer_rows_are_to_be_encoded_at_once(colours: Path, chunk: int, told: str) -> None:
    assert FaceVoiceTask(config(colours, chunk=chunk), FEW).build().undivided.startswith(told)


def test_where_anybody_has_any_colour_nothing_is_learned(tmp_path: Path) -> None:
    small_pairs.learnable(tmp_path / "pairs", 12, 6, shuffled=True)
    trained(config(tmp_path / "pairs"), tmp_path / "run")
    assert not figures_of(tmp_path / "run")["seen"]["AUC"].above_chance
    losses = [one["loss/contrastive"] for one in readings(tmp_path / "run") if "loss/contrastive" in one]
    assert losses[-1] == pytest.approx(math.log(FIT.batch_size), abs=0.3)  # chance level, not success


def test_a_run_measures_what_it_sets_aside_and_shows_it(matching_run: Path) -> None:
    last = [one for one in readings(matching_run) if "eval/rank" in one][-1]
    scores = ("rank", "auc", "eer", "gap", "loss", "recall/1", "recall/5", "recall/10")
    assert all(math.isfinite(last[f"eval/{name}"]) for name in scores)
    assert last["eval/frozen/pictures"] == last["eval/frozen/voices"] == 0.0
    assert list((matching_run / "artifacts").glob("cosines-*.png"))


def test_a_resumed_run_is_bitwise_the_run_that_was_never_stopped(colours: Path, tmp_path: Path) -> None:
    """It is asked to stop within an epoch, between two evaluations."""

    def interrupt(record: Mapping[str, Any]) -> None:
        if record["kind"] == "reading" and record["tick"] == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    whole, parts, own = tmp_path / "whole", tmp_path / "parts", config(colours)
    expected = trained(own, whole, FEW)
    assert trained(own, parts, FEW, listeners=(interrupt,)).reason == "stopped"
    torch.manual_seed(77)  # whatever was drawn since
    found = train(FaceVoiceTask(own, FEW), FEW, run=parts, resume=True)
    assert found.metrics == expected.metrics
    left, right = saved(whole), saved(parts)
    assert left["model"].keys() == right["model"].keys()
    assert all(torch.equal(left["model"][name], right["model"][name]) for name in left["model"])
    assert torch.equal(left["model"]["temperature.log"], right["model"]["temperature.log"])
    assert left["position"] == right["position"]


def test_batches_made_ahead_are_the_same(colours: Path) -> None:
    paired = Paired(config(colours))
    ahead = islice(iter(Ahead(paired.stream(FEW), 1)), 30)
    for one, other in zip(ahead, islice(iter(paired.stream(FEW)), 30), strict=True):
        assert one["id"] == other["id"]
        assert torch.equal(one["image"], other["image"])
        assert torch.equal(one["audio"], other["audio"])


def test_the_temperature_is_learned_and_its_optimizer_remembers_it(matching_run: Path) -> None:
    state = saved(matching_run, FIT.steps)
    begun, learned = math.log(0.1), float(state["model"]["temperature.log"])
    assert learned != pytest.approx(begun, abs=1e-4)
    assert float(load(matching_run).model.temperature.value().detach()) == pytest.approx(math.exp(learned))
    told = [one["signal/temperature"] for one in readings(matching_run) if "signal/temperature" in one]
    assert told[0] == pytest.approx(0.1)
    assert all(0.05 <= one <= 2.0 for one in told)


def test_all_that_is_trained_is_in_the_optimizer_and_no_scalar_is_pulled_to_zero(colours: Path) -> None:
    parts = FaceVoiceTask(config(colours), replace(FIT, weight_decay=0.1)).build()
    held = {id(one): group["weight_decay"] for group in parts.optimizer.param_groups for one in group["params"]}
    assert held.keys() == {id(one) for one in parts.model.parameters()}
    assert {name for name, one in parts.model.named_parameters() if one.dim() > 1 and held[id(one)] != 0.1} == set()
    assert held[id(parts.model.get_parameter("temperature.log"))] == 0.0


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_of_one_identity_is_no_harm(colours: Path, name: Name) -> None:
    own = config(colours, loss=name)
    parts = FaceVoiceTask(own, FIT).build()
    batch = next(iter(parts.data))
    batch["identity"] = torch.zeros_like(batch["identity"])
    assert isinstance(parts.model, Matcher)
    total = losses_of(parts.model, batch, name).components["contrastive"]
    total.backward()  # type: ignore[no-untyped-call]
    assert math.isfinite(float(total.detach()))
    assert all(one.grad is None or bool(one.grad.isfinite().all()) for one in parts.model.parameters())


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_says_its_level_of_chance_where_there_is_one(colours: Path, name: Name) -> None:
    parts = FaceVoiceTask(config(colours, loss=name), FEW).build()
    assert isinstance(parts.model, Matcher)
    signals = losses_of(parts.model, next(iter(parts.data)), name).signals
    assert ("chance" in signals) == (name != "sigmoid")
    assert all(one.dim() == 0 and not one.requires_grad for key, one in signals.items() if key == "chance")


def test_rows_that_are_pushed_away_from_themselves_are_counted() -> None:
    batch: dict[str, Tensor] = {
        "identity": torch.tensor([0, 1, 2, 2]),
        "picture": torch.tensor([5, 5, 6, 6]),
        "sound": torch.tensor([1, 2, 3, 4]),
    }
    assert float(false_negatives(batch, alike(batch["identity"]))) == 0.5
    raw = {"identity": batch["identity"], "image": torch.rand(4, 3, 2, 2), "audio": torch.rand(4, 9)}
    assert float(false_negatives(raw, alike(raw["identity"]))) == 0.0
    raw["audio"][3] = raw["audio"][0]
    assert float(false_negatives(raw, alike(raw["identity"]))) == 0.5


def test_steps_follow_from_epochs_and_the_pairs_are_read_once(colours: Path) -> None:
    task = FaceVoiceTask(config(colours, epochs=3), replace(FIT, batch_size=0))
    pairs = len(task.paired.parts.train)
    fit = task.fitted().fit
    assert task.fitted().paired is task.paired
    assert 1 <= fit.batch_size <= pairs
    assert fit.steps == 3 * (pairs // fit.batch_size)
    assert FaceVoiceTask(config(colours), replace(FIT, batch_size=500)).fitted().fit.batch_size == pairs


def test_a_batch_of_one_row_which_has_nobody_to_be_told_from_is_refused(colours: Path) -> None:
    task = FaceVoiceTask(config(colours), replace(FIT, batch_size=1))
    for refused in (task.build, task.fitted):
        with pytest.raises(ValueError, match=r"batch_size: got 1.*give at least 2, and --chunk 1"):
            refused()


def test_a_run_does_not_go_on_with_pairs_that_it_had_set_aside(
    colours: Path, matching_run: Path, tmp_path: Path
) -> None:
    checkpoint = max((matching_run / "checkpoints").glob("step-*"))
    with pytest.raises(ValueError, match="recordings that the run has set aside would be trained on"):
        train(FaceVoiceTask(config(colours, split_seed=5), FIT), FIT, run=tmp_path / "run", resume=checkpoint)


def test_pretrained_encoders_that_stay_as_they_are_are_no_part_of_the_network(
    colours: Path, encoders: dict[str, str], tmp_path: Path
) -> None:
    """One of the two alone, too: the small one beside it is trained on what is raw."""
    own = config(colours, freeze=True, image_encoder=encoders["vit"], cache=str(tmp_path / "cache"))
    fit: FitConfig = replace(FEW, steps=2)
    task = FaceVoiceTask(own, fit)
    task.compute(lambda *_: None)
    batch = next(iter(task.build().data))
    assert batch["image"].shape == (4, 1, 16)
    assert batch["audio"].shape == (4, 4000)
    trained(own, tmp_path / "run", fit)
    assert not [name for name in saved(tmp_path / "run", 2)["model"] if name.startswith("pictures.encoder")]
    last = [one for one in readings(tmp_path / "run") if "eval/rank" in one][-1]
    assert last["eval/frozen/voices"] == 0.0
    picture = next((colours / "pictures").rglob("*.png"))
    assert float(load(tmp_path / "run").picture(picture).norm()) == pytest.approx(1.0, abs=1e-5)


def test_300_epochs_with_a_resume_in_the_middle_and_cuts_of_the_rate_are_those_without(tmp_path: Path) -> None:
    small_pairs.learnable(tmp_path / "pairs", 12, 3)
    own = config(tmp_path / "pairs", epochs=300)
    fit = replace(FIT, batch_size=64, evaluate_every=50, checkpoint_every=100, plateau_patience=1, plateau_factor=0.5)
    task = FaceVoiceTask(own, fit).fitted()
    assert task.fit.steps == 300  # one batch is all that there is
    middle = 2 * task.fit.steps // 3 + 8  # off the grid of evaluations and of checkpoints

    def interrupt(record: Mapping[str, Any]) -> None:
        if record["kind"] == "reading" and record["tick"] == middle:
            os.kill(os.getpid(), signal.SIGTERM)

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    expected = train(task, task.fit, run=whole, describe=asdict(own))
    assert train(task, task.fit, run=parts, describe=asdict(own), listeners=(interrupt,)).reason == "stopped"
    torch.manual_seed(77)
    found = train(task, task.fit, run=parts, resume=True)
    assert found.metrics == expected.metrics
    left, right = saved(whole, task.fit.steps), saved(parts, task.fit.steps)
    assert all(torch.equal(left["model"][name], right["model"][name]) for name in left["model"])
    cuts = [one["tick"] for one in journal.read(parts) if "rate.lowered" in str(one.get("findings", ""))]
    assert any(tick < middle for tick in cuts)
    assert any(middle < tick <= task.fit.steps for tick in cuts)
