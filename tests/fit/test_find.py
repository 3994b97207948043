from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import nn

from rerail.data.batches import Stream
from rerail.fit import FitConfig, Parts, Picture, with_largest_batch


@dataclass(frozen=True)
class Limited:
    """A task on a device that holds so many frames at once."""

    fit: FitConfig
    frames: int
    clips: int = 48
    tried: list[int] = field(default_factory=list)

    def build(self) -> Parts:
        model = nn.Linear(3, 1)
        optimizer = torch.optim.AdamW(model.parameters(), self.fit.lr)

        def losses(batch: torch.Tensor) -> dict[str, torch.Tensor]:
            self.tried.append(len(batch))
            if batch.shape[0] * batch.shape[1] > self.frames:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return {"square": model(batch).square().mean()}

        examples = [{"mel": torch.zeros(frames, 3)} for frames in (10, 2, 3, *[2] * 45)[: self.clips]]
        together = lambda rows: nn.utils.rnn.pad_sequence([one["mel"] for one in rows], batch_first=True)  # noqa: E731
        return Parts(
            model=model,
            optimizer=optimizer,
            scheduler=torch.optim.lr_scheduler.LambdaLR(optimizer, self.fit.rate_at),
            losses=losses,
            data=Stream(examples, self.fit.batch_size, 0, together),
            held_out=[],
        )

    def evaluate(self, _model: nn.Module, _batches: Any) -> dict[str, float]:
        return {}

    def figures(self, _model: nn.Module, _batches: Any, *, last: bool) -> dict[str, Picture]:
        del last
        return {}


@pytest.mark.parametrize(
    ("frames", "expected", "tried"),
    [(10_000, (48, 1), [48]), (240, (24, 2), [48, 24]), (239, (16, 3), [48, 24, 16]), (10, (1, 48), None)],
)
def test_the_largest_micro_batch_of_the_longest_clips_keeps_the_clips_of_a_step(
    frames: int, expected: tuple[int, int], tried: list[int] | None
) -> None:
    task = Limited(FitConfig(batch_size=16, accumulate=3), frames)
    before = torch.get_rng_state()
    fit = with_largest_batch(task).fit
    assert (fit.batch_size, fit.accumulate) == expected
    assert tried in (None, task.tried)
    assert torch.equal(torch.get_rng_state(), before)
    assert fit == replace(task.fit, batch_size=expected[0], accumulate=expected[1])


def test_a_micro_batch_is_never_of_more_clips_than_there_are() -> None:
    fit = with_largest_batch(task := Limited(FitConfig(batch_size=3, accumulate=16), 10_000, clips=3)).fit
    assert (fit.batch_size, fit.accumulate) == (3, 16)
    replace(task, fit=fit).build()


def test_a_clip_that_does_not_fit_by_itself_is_told() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        with_largest_batch(Limited(FitConfig(batch_size=4), 9))
