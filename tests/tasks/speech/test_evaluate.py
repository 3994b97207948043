from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from rerail.tasks.speech.evaluate import evaluate, mel_error
from rerail.tasks.speech.losses import losses
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.model import Tacotron2

Batch = dict[str, Any]
MakeBatch = Callable[..., Batch]
ALIGNMENT = ("diagonal_mass", "diagonality", "focus", "monotonicity", "coverage")
NAMES = {f"{name}/{way}" for name in (*ALIGNMENT, "gate_accuracy") for way in ("forced", "free")} | {
    *("gate_precision", "gate_recall", "length_error/free", "mel", "mel_shuffled", "reads_text"),
    *("mel/free", "mel_of_mean", "mcd/free", "quality"),
}


def test_a_fresh_network_gets_a_finite_number_for_every_name(tiny: Tacotron2, batch: Batch) -> None:
    scores = evaluate(tiny, [batch, batch])
    assert set(scores) == NAMES
    assert all(math.isfinite(score) for score in scores.values())


def test_the_same_weights_give_the_same_numbers_and_training_goes_on_undisturbed(batch: Batch) -> None:
    torch.manual_seed(0)
    model = Tacotron2(SIZES["tiny"], 12, bands=8)
    before, weights = torch.get_rng_state(), {name: value.clone() for name, value in model.state_dict().items()}
    assert evaluate(model, [batch]) == evaluate(model, [batch])
    assert model.training
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_clips_weigh_the_same_however_they_are_batched(tiny: Tacotron2, make_batch: MakeBatch) -> None:
    lengths = ((9, 6, 4, 7), (31, 20, 12, 21))
    whole = make_batch(*lengths)
    parts = [{name: value[rows] for name, value in whole.items()} for rows in (slice(0, 2), slice(2, 4))]
    one, two = evaluate(tiny, [whole]), evaluate(tiny, parts)
    for name in ("mel", "diagonality/forced", "gate_accuracy/forced", "gate_precision", "gate_recall"):
        assert one[name] == pytest.approx(two[name], abs=1e-5)


def test_a_network_of_nan_gets_no_score_at_all(tiny: Tacotron2, batch: Batch) -> None:
    with torch.no_grad():
        for parameter in tiny.parameters():
            parameter.fill_(torch.nan)
    scores = evaluate(tiny, [batch])
    assert math.isfinite(scores.pop("mel_of_mean"))  # of the clips alone
    assert all(math.isnan(score) for score in scores.values())
    assert math.isnan(mel_error(tiny, [batch], shuffle_text=True))


def test_a_network_that_ignores_its_text_is_unmoved_by_other_texts_and_one_that_reads_is_not(
    tiny: Tacotron2, make_batch: MakeBatch
) -> None:
    batch = make_batch((8, 8, 8, 8), (48, 48, 48, 48))
    with torch.no_grad():
        tiny.embedding.weight.zero_()  # deaf
    deaf = [mel_error(tiny, [batch], shuffle_text=shuffled) for shuffled in (False, True)]
    assert deaf[0] == pytest.approx(deaf[1])
    torch.nn.init.uniform_(tiny.embedding.weight, -1.0, 1.0)
    optimizer = torch.optim.Adam(tiny.parameters(), lr=5e-3)
    for _ in range(80):
        output = tiny(batch["text"], batch["text_length"], batch["mel"], batch["mel_length"])
        optimizer.zero_grad()
        sum(losses(output, batch["mel"], batch["text_length"]).values()).backward()
        optimizer.step()
    true, shuffled = (mel_error(tiny, [batch], shuffle_text=shuffle) for shuffle in (False, True))
    assert shuffled > 1.1 * true


def test_a_single_clip_is_measured_but_has_no_text_to_trade(tiny: Tacotron2, make_batch: MakeBatch) -> None:
    assert set(evaluate(tiny, [make_batch((5,), (20,))])) == NAMES - {"mel_shuffled", "reads_text"}


def test_nothing_to_evaluate_and_nothing_to_shuffle_are_said_so(tiny: Tacotron2, make_batch: MakeBatch) -> None:
    with pytest.raises(ValueError, match="no batches"):
        evaluate(tiny, [])
    with pytest.raises(ValueError, match="at least 2 clips in a batch, got 1"):
        mel_error(tiny, [make_batch((5,), (20,))], shuffle_text=True)
