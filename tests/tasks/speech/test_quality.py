"""The contract of the quality score, on real clips: the truth, the mean mel, and a network that is not finite."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rerail.alignment import valid
from rerail.audio import files
from rerail.audio.mel import MelSpec, log_mel
from rerail.audio.trim import trim
from rerail.data import demo, ljspeech
from rerail.data.batches import collate
from rerail.tasks.speech.evaluate import evaluate
from rerail.tasks.speech.output import Output
from rerail.tasks.speech.quality import NEEDED, quality
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.model import Tacotron2
from rerail.text.normalise import normalise
from rerail.text.symbols import Symbols

Batch = dict[str, Any]
REDUCTION = 3
GOOD = {f"{name}/free": 1.0 for name in NEEDED} | {"mel/free": 0.0, "mel_of_mean": 1.4}


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Eight real clips."""
    clips = ljspeech.read(demo.folder())[:8]
    texts = [normalise(clip.text) for clip in clips]
    symbols = Symbols.of(texts)
    mels = [log_mel(trim(files.read(clip.path, 16000)), MelSpec()) for clip in clips]
    rows = [
        {"id": clip.id, "text": torch.tensor(symbols.encode(text)), "mel": mel}
        for clip, text, mel in zip(clips, texts, mels, strict=True)
    ]
    return collate(rows, MelSpec().silence)


class Says(nn.Module):
    """Says `mel` for a batch, whatever it is asked, and ends in time; reads the text by `read`."""

    def __init__(self, batch: Batch, mel: Tensor, read: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        length, steps = batch["mel_length"], -(-batch["mel_length"] // REDUCTION)
        most = int(steps.max())
        ends = torch.arange(most) == steps[:, None] - 1
        frames = valid(length, mel.shape[1])[:, :, None]
        self.said = Output(
            mel=mel * frames,
            mel_post=mel * frames,
            gate_logits=torch.where(ends, 9.0, -9.0) * valid(steps, most),
            alignment=read(steps, batch["text_length"]),
            mel_length=length,
            steps=steps,
            hidden=torch.zeros(len(mel), most, 1),
            reduction=REDUCTION,
        )

    def forced(self, *_: Any, **__: Any) -> Output:
        return self.said

    def free(self, *_: Any, **__: Any) -> Output:
        return self.said


def straight(steps: Tensor, symbols: Tensor) -> Tensor:
    """(batch, steps, symbols): along the diagonal."""
    step = (torch.arange(int(steps.max())) + 0.5) / steps[:, None]
    at = (step * symbols[:, None]).long().clamp(max=int(symbols.max()) - 1)
    read = nn.functional.one_hot(at, int(symbols.max())).float()
    return read * valid(steps, read.shape[1])[:, :, None]


def uniform(steps: Tensor, symbols: Tensor) -> Tensor:
    """(batch, steps, symbols): everywhere at once."""
    inside = valid(symbols, int(symbols.max()))[:, None] * valid(steps, int(steps.max()))[:, :, None]
    return inside / symbols[:, None, None]


def score(batch: Batch, mel: Tensor, read: Callable[[Tensor, Tensor], Tensor]) -> float:
    return evaluate(Says(batch, mel, read), [batch])["quality"]


def mean_mel(batch: Batch) -> Tensor:
    frames = batch["mel"][valid(batch["mel_length"], batch["mel"].shape[1])]
    return frames.mean(0).expand_as(batch["mel"])


def test_the_truth_fed_back_scores_95_at_least(batch: Batch) -> None:
    assert 95.0 <= score(batch, batch["mel"], straight) <= 100.0


def test_the_mean_mel_scores_20_at_most_however_well_the_text_is_read(batch: Batch) -> None:
    assert score(batch, mean_mel(batch), uniform) <= 20.0
    assert score(batch, mean_mel(batch), straight) <= 20.0
    others = torch.cat([mean_mel(batch)[:, :, :40], mean_mel(batch)[:, :, 40:] + 0.1], 2)  # as of other clips
    assert score(batch, others, straight) <= 20.0


def test_other_words_in_the_same_voice_score_20_at_most(batch: Batch) -> None:
    swapped = batch["mel"].roll(1, 0)
    assert score(batch, swapped, uniform) <= 20.0


def test_the_truth_by_a_model_that_does_not_read_is_worth_little(batch: Batch) -> None:
    assert score(batch, batch["mel"], uniform) <= 35.0


def test_a_network_that_is_not_finite_has_no_score(batch: Batch) -> None:
    model = Tacotron2(SIZES["tiny"], int(batch["text"].max()) + 1, 80, REDUCTION)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(torch.nan)
    assert math.isnan(evaluate(model, [batch])["quality"])
    bad = batch["mel"].clone()
    bad[3, 5, 7] = torch.nan
    assert math.isnan(score(batch, bad, straight))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, 100.0),
        ({"diagonality/free": -0.2}, 30.0),  # reversed: nothing is read
        ({"gate_accuracy/free": 0.0}, 70.0),
        ({"mel/free": 0.7}, 100.0),  # as near as another recording of the same words
        ({"mel/free": 1.05}, 50.0),
        ({"mel/free": 1.4}, 0.0),
        ({"mel/free": 2.0}, 0.0),
        ({"coverage/free": 0.25, "diagonality/free": 0.95}, 70 * math.sqrt(0.95 * 0.75) + 30),
        *(({f"{name}/free": math.nan}, math.nan) for name in NEEDED),
        ({"mel_of_mean": math.nan}, math.nan),
        ({"mel/free": math.inf}, math.nan),
    ],
)
def test_the_formula(changed: dict[str, float], expected: float) -> None:
    assert quality({**GOOD, **changed}).percent == pytest.approx(expected, nan_ok=True)
