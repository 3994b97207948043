from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from rerail.tasks.speech.losses import from_step, gate_loss, guide, guided_attention_loss, losses, mel_loss
from rerail.tasks.tacotron2.model import Tacotron2

Batch = dict[str, Any]
LENGTHS = torch.tensor([4, 2]), torch.tensor([6, 3])  # text, steps


def test_guide_follows_the_formula_with_each_rows_true_lengths() -> None:
    weight = guide(torch.zeros(2, 6, 4), *LENGTHS, g=0.2)
    assert float(weight[1, 2, 0]) == pytest.approx(1 - math.exp(-((0 / 2 - 2 / 3) ** 2) / (2 * 0.2**2)))
    assert float(weight[0, 3, 2]) == 0.0
    assert weight[1, 3:].abs().sum() == 0.0
    assert weight[1, :, 2:].abs().sum() == 0.0


def test_guided_attention_is_summed_over_text_and_averaged_over_valid_steps() -> None:
    text, steps = LENGTHS
    uniform = torch.zeros(2, 6, 4)
    uniform[0], uniform[1, :3, :2] = 1 / 4, 1 / 2
    weight = guide(uniform, text, steps, g=0.2)
    by_hand = (weight[0].sum() / 4 + weight[1].sum() / 2) / 9
    assert float(guided_attention_loss(uniform, text, steps, g=0.2)) == pytest.approx(float(by_hand))


def test_the_diagonal_costs_less_than_uniform_and_uniform_less_than_reversed() -> None:
    text = steps = torch.tensor([20])
    diagonal = torch.eye(20)[None]
    shapes = diagonal, torch.full((1, 20, 20), 0.05), diagonal.flip(1)
    costs = [float(guided_attention_loss(shape, text, steps, g=0.2)) for shape in shapes]
    assert costs[0] == 0.0
    assert costs == sorted(costs)


def test_mel_loss_ignores_padding_and_averages_over_true_frames() -> None:
    mel = torch.zeros(2, 4, 3)
    predicted = torch.ones(2, 4, 3)
    predicted[1, 1:] = 1e6
    assert float(mel_loss(predicted, mel, torch.tensor([4, 1]))) == 1.0


def test_gate_target_is_true_from_the_last_step_of_what_is_said_on() -> None:
    assert from_step(torch.zeros(2, 4), torch.tensor([4, 2])).tolist() == [[0, 0, 0, 1], [0, 1, 1, 1]]


def test_gate_loss_weighs_the_stop_and_ignores_what_comes_after() -> None:
    logits = torch.zeros(1, 4)
    assert float(gate_loss(logits, torch.tensor([2]), 5.0, torch.tensor([2]))) == pytest.approx(
        (1 + 5) * math.log(2) / 2
    )
    logits[0, 2:] = 99.0
    assert float(gate_loss(logits, torch.tensor([2]), 5.0, torch.tensor([2]))) == pytest.approx(3 * math.log(2))


def test_components_are_named_and_unweighted(tiny: Tacotron2, batch: Batch) -> None:
    output = tiny(batch["text"], batch["text_length"], batch["mel"], batch["mel_length"])
    components = losses(output, batch["mel"], batch["text_length"])
    assert list(components) == ["mel", "mel_post", "gate", "attention"]
    assert all(loss.ndim == 0 and torch.isfinite(loss) for loss in components.values())
    assert torch.equal(components["mel"], mel_loss(output.mel, batch["mel"], batch["mel_length"]))


def test_in_the_tail_the_gate_says_stop_and_no_guide_leads(tiny: Tacotron2, batch: Batch) -> None:
    tail = torch.tensor([9, 9, 9])
    output = tiny(batch["text"], batch["text_length"], batch["mel"], batch["mel_length"])
    here = losses(output, batch["mel"], batch["text_length"], tail=tail)
    said = torch.tensor([8, 4, 1])  # of 11, 7 and 4 steps: 31, 20 and 12 frames less the tail, three a step
    assert here["gate"] == gate_loss(output.gate_logits, output.steps, 5.0, said)
    assert here["attention"] == guided_attention_loss(output.alignment, batch["text_length"], said, 0.2)
    assert here["mel"] == losses(output, batch["mel"], batch["text_length"])["mel"]  # silence is said as well


def test_steps_before_the_end_may_say_stop_too(tiny: Tacotron2, batch: Batch) -> None:
    output = tiny(batch["text"], batch["text_length"], batch["mel"], batch["mel_length"])
    early = losses(output, batch["mel"], batch["text_length"], early=2)
    by_hand = gate_loss(output.gate_logits, output.steps, 5.0, output.steps - 2)
    assert float(early["gate"].detach()) == pytest.approx(float(by_hand.detach()))
    own = losses(output, batch["mel"], batch["text_length"])
    assert torch.equal(early["attention"], own["attention"])  # the guide still leads to the end
    assert not torch.equal(early["gate"], own["gate"])
