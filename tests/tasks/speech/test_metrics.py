from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rerail import alignment
from rerail.tasks.speech import metrics

Score = Callable[[Tensor, Tensor, Tensor], Tensor]

N, T = torch.tensor([20]), torch.tensor([60])
ALIGNMENT = [
    alignment.diagonal_mass,
    alignment.diagonality,
    metrics.focus,
    metrics.monotonicity,
    metrics.coverage,
]


def perfect(symbols: int = 20, steps: int = 60) -> Tensor:
    return torch.eye(symbols)[torch.arange(steps) * symbols // steps][None]


def stuck() -> Tensor:
    return torch.eye(20)[torch.zeros(60, dtype=torch.long)][None]


@pytest.mark.parametrize("score", ALIGNMENT)
def test_a_perfect_alignment_scores_one(score: Score) -> None:
    assert float(score(perfect(), N, T)) == pytest.approx(1.0)


@pytest.mark.parametrize(("symbols", "steps"), [(2, 2), (2, 9), (3, 40), (7, 8), (40, 41), (31, 200)])
def test_a_perfect_alignment_scores_one_at_any_length(symbols: int, steps: int) -> None:
    score = alignment.diagonality(perfect(symbols, steps), torch.tensor([symbols]), torch.tensor([steps]))
    assert float(score) == pytest.approx(1.0)


@pytest.mark.parametrize(("symbols", "steps"), [(20, 1), (20, 2), (3, 2), (2, 1)])
def test_too_few_steps_to_walk_the_text_are_no_diagonal(symbols: int, steps: int) -> None:
    lengths = torch.tensor([symbols]), torch.tensor([steps])
    assert float(alignment.diagonal_mass(perfect(symbols, steps), *lengths)) == 0.0
    assert -3.0 < float(alignment.diagonality(perfect(symbols, steps), *lengths)) <= 0.0


@pytest.mark.parametrize("steps", [1, 2, 50])
def test_a_text_of_one_symbol_cannot_be_read_wrongly(steps: int) -> None:
    assert float(alignment.diagonality(perfect(1, steps), torch.tensor([1]), torch.tensor([steps]))) == 1.0


def test_a_uniform_alignment_scores_zero_corrected_and_about_a_fifth_raw() -> None:
    uniform = torch.full((1, 60, 20), 1 / 20)
    assert float(alignment.diagonality(uniform, N, T)) == pytest.approx(0.0, abs=1e-6)
    assert float(alignment.diagonal_mass(uniform, N, T)) == pytest.approx(0.19, abs=0.02)
    assert float(metrics.focus(uniform, N, T)) == pytest.approx(1 / 20)


@pytest.mark.parametrize("bad", [stuck(), perfect().flip(1)], ids=["stuck", "reversed"])
def test_stuck_and_reversed_alignments_score_below_zero(bad: Tensor) -> None:
    assert float(alignment.diagonality(bad, N, T)) < 0.0


def test_reversed_is_not_monotone_and_stuck_covers_little() -> None:
    assert float(metrics.monotonicity(perfect().flip(1), N, T)) == pytest.approx(40 / 59)  # 40 steps stay, 19 go back
    assert float(metrics.coverage(stuck(), N, T)) == pytest.approx(1 / 20)


@pytest.mark.parametrize("score", ALIGNMENT)
def test_padding_does_not_count(score: Score) -> None:
    padded = torch.full((2, 70, 30), 0.5)
    padded[0, :60, :20], padded[1, :9, :3] = perfect()[0], perfect(3, 9)[0]
    assert score(padded, torch.tensor([20, 3]), torch.tensor([60, 9])).tolist() == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("score", ALIGNMENT)
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_row_that_is_not_finite_scores_nan_and_leaves_the_others_alone(score: Score, value: float) -> None:
    both = torch.cat([perfect(), perfect()])
    both[1, 5, 5] = value
    scores = score(both, N.expand(2), T.expand(2))
    assert float(scores[0]) == pytest.approx(1.0)
    assert bool(scores[1].isnan())


def gate(first: int | None, *, steps: int = 40, size: int = 50) -> Tensor:
    """Logits that say stop at one step, and again in the padding, where nobody looks."""
    logits = torch.full((1, size), -9.0)
    logits[0, steps:] = 9.0
    if first is not None:
        logits[0, first] = 9.0
    return logits


@pytest.mark.parametrize(("first", "right"), [(39, 1), (35, 1), (34, 0), (0, 0), (None, 0)])
def test_gate_is_right_when_its_first_stop_is_near_the_true_end(first: int | None, right: int) -> None:
    assert float(metrics.gate_accuracy(gate(first), torch.tensor([40]))) == right


def test_gate_counts_tell_precision_from_recall() -> None:
    logits = gate(39)
    logits[0, 10:13] = 9.0
    assert metrics.gate_counts(logits, torch.tensor([40])).tolist() == [[1, 4, 1]]


def test_gate_that_is_not_finite_has_no_score() -> None:
    logits = gate(39)
    logits[0, 3] = torch.nan
    steps = torch.tensor([40])
    assert bool(metrics.gate_accuracy(logits, steps).isnan())
    assert bool(metrics.gate_counts(logits, steps).isnan().all())
    assert bool(metrics.length_error(steps, steps, logits).isnan())


def test_length_error_is_a_share_of_the_true_length() -> None:
    error = metrics.length_error(torch.tensor([90, 120]), torch.tensor([100, 100]), torch.zeros(2, 5))
    assert error.tolist() == pytest.approx([0.1, 0.2])


def test_mel_error_is_the_mean_over_true_frames() -> None:
    predicted, mel = torch.zeros(2, 5, 4), torch.ones(2, 5, 4)
    mel[1, 2:] = 50.0
    assert metrics.mel_error(predicted, mel, torch.tensor([5, 2])).tolist() == [1.0, 1.0]
    predicted[0, 0, 0] = torch.inf
    assert metrics.mel_error(predicted, mel, torch.tensor([5, 2])).isnan().tolist() == [True, False]
