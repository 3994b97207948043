from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rerail.tasks.speech.mutual import Recogniser, Scaled, balance, fits, mmi_loss

SYMBOLS = 5
TEXT = torch.tensor([[1, 2, 3, 0], [4, 4, 0, 0]])
LENGTH = torch.tensor([3, 2])


def spoken(rows: list[list[int]], size: float = 20.0) -> Tensor:
    return size * functional.one_hot(torch.tensor(rows), SYMBOLS + 1).float()


def test_a_text_that_is_read_out_costs_nothing() -> None:
    blank = SYMBOLS
    said = spoken([[1, blank, 2, 2, 3, blank], [4, blank, 4, blank, blank, blank]])
    assert mmi_loss(said, torch.tensor([6, 6]), TEXT, LENGTH) < 1e-6
    assert mmi_loss(said.roll(1, 0), torch.tensor([6, 6]), TEXT, LENGTH) > 10


def test_it_is_minus_the_logarithm_of_all_paths_together() -> None:
    logits = torch.randn(1, 3, 3, generator=torch.Generator().manual_seed(0))
    text, blank, total = torch.tensor([[0, 1]]), 2, 0.0
    chances = logits.softmax(2)[0]
    for path in torch.cartesian_prod(*3 * [torch.arange(3)]).tolist():
        collapsed = [one for one, after in pairwise([*path, -1]) if one not in (after, blank)]
        if collapsed == [0, 1]:
            total += float(torch.stack([chances[step, one] for step, one in enumerate(path)]).prod())
    expected = -torch.tensor(total).log() / 2  # a symbol
    assert mmi_loss(logits, torch.tensor([3]), text, torch.tensor([2])) == pytest.approx(float(expected), rel=1e-5)


def test_a_row_without_frames_enough_counts_nothing() -> None:
    assert fits(torch.tensor([3, 2]), TEXT, LENGTH).tolist() == [1.0, 0.0]  # 4 4 needs a blank between
    logits = torch.randn(2, 6, SYMBOLS + 1, generator=torch.Generator().manual_seed(0)).requires_grad_()
    alone = mmi_loss(logits[:1], torch.tensor([6]), TEXT[:1], LENGTH[:1])
    both = mmi_loss(logits, torch.tensor([6, 2]), TEXT, LENGTH)
    assert float(both.detach()) == pytest.approx(float(alone.detach()))
    (gradient,) = torch.autograd.grad(both, logits)
    assert gradient[1].abs().sum() == 0
    assert mmi_loss(logits, torch.tensor([1, 1]), TEXT, LENGTH) == 0


def test_what_is_not_finite_stays_so() -> None:
    logits = torch.full((2, 6, SYMBOLS + 1), torch.nan)
    assert mmi_loss(logits, torch.tensor([6, 6]), TEXT, LENGTH).isnan()


@pytest.mark.parametrize(("most", "share"), [(1e9, 1.0), (1e-3, None)])
def test_its_gradient_in_the_decoder_is_brought_to_that_of_the_spectrogram(most: float, share: float | None) -> None:
    torch.manual_seed(0)
    recogniser = Recogniser(8, SYMBOLS, reduction=2)
    hidden = torch.randn(2, 3, 8).requires_grad_()
    states, factor = hidden * 1.0, torch.ones(())
    heard = Scaled.apply(states, factor)  # type: ignore[no-untyped-call]
    mel = 7 * states.square().mean()
    mmi = mmi_loss(recogniser(heard, 2), torch.tensor([6, 6]), TEXT, LENGTH)
    balance(factor, mel, mmi, states, heard, most)
    (of_mel,) = torch.autograd.grad(mel, hidden, retain_graph=True)
    (of_mmi,) = torch.autograd.grad(mmi, hidden, retain_graph=True)
    (raw,) = torch.autograd.grad(mmi, heard, retain_graph=True)
    if share is None:
        assert float(factor) == pytest.approx(most)
        torch.testing.assert_close(of_mmi, raw * most)
    else:
        assert float(of_mmi.norm() / of_mel.norm()) == pytest.approx(share, rel=1e-5)
    mmi.backward()  # type: ignore[no-untyped-call]
    assert recogniser.linear.weight.grad is not None  # its own gradient is as it is


def test_fewer_frames_a_step_use_its_first_classes() -> None:
    recogniser = Recogniser(8, SYMBOLS, reduction=3)
    hidden = torch.randn(2, 4, 8)
    assert recogniser(hidden, 3).shape == (2, 12, SYMBOLS + 1)
    torch.testing.assert_close(recogniser(hidden, 1), recogniser(hidden, 3)[:, ::3])
