"""Held-out metrics of a Tacotron2, teacher-forced and free-running, and a control with the texts shuffled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from rerail.tasks.tacotron2 import metrics
from rerail.tasks.tacotron2.model import Output, Tacotron2

Batch = Mapping[str, Any]
LONGEST = 2.0  # times the longest true clip: free-running speech beyond that has not found its end
SHUFFLES = 3


def evaluate(model: Tacotron2, batches: Iterable[Batch]) -> dict[str, float]:
    """Measure held-out batches; every number is a mean over clips, NaN where the model is not finite.

    `.../forced` is teacher-forced, `.../free` free-running. `mel` is the teacher-forced error after the postnet, in
    nepers; `mel_shuffled` the same with each clip given another's text, and `reads_text` how much worse that is, as a
    share: a model that ignores its text has 0. Deterministic; the model is left in evaluation mode.
    """
    model.eval()
    rows: dict[str, list[Tensor]] = {}
    for batch in batches:
        for name, values in _measure(model, batch).items():
            rows.setdefault(name, []).append(values.reshape(-1).float())
    means = {name: float(torch.cat(values).mean()) for name, values in rows.items()}
    return means | {"reads_text": means["mel_shuffled"] / means["mel"] - 1}


@torch.no_grad()
def _measure(model: Tacotron2, batch: Batch) -> dict[str, Tensor]:
    text, text_length, mel, length = (batch[name] for name in ("text", "text_length", "mel", "mel_length"))
    forced = model(text, text_length, mel, length, generator=_fixed())
    free = model.generate(text, text_length, int(LONGEST * int(length.max())), generator=_fixed())
    return (
        _attention(forced, text_length, "forced")
        | _attention(free, text_length, "free")
        | {
            "gate_accuracy/forced": metrics.gate_accuracy(forced.gate_logits, forced.steps),
            "gate_precision": metrics.gate_precision(forced.gate_logits, forced.steps),
            "gate_recall": metrics.gate_recall(forced.gate_logits, forced.steps),
            "gate_accuracy/free": (metrics.length_error(free.mel_length, length) <= metrics.BAND).float(),
            "length_error/free": metrics.length_error(free.mel_length, length),
            "mel": metrics.mel_error(forced.mel_post, mel, length),
            "mel_shuffled": torch.stack([_with_others_text(model, batch, by) for by in range(1, 1 + SHUFFLES)]),
        }
    )


def _attention(output: Output, text_length: Tensor, way: str) -> dict[str, Tensor]:
    measures = (
        metrics.diagonal_mass,
        metrics.diagonality,
        metrics.focus,
        metrics.monotonicity,
        metrics.coverage,
    )
    return {f"{measure.__name__}/{way}": measure(output.alignment, text_length, output.steps) for measure in measures}


def _with_others_text(model: Tacotron2, batch: Batch, by: int) -> Tensor:
    """Return the mel error of each clip, (batch,), when the texts are handed on `by` places."""
    text, text_length = batch["text"].roll(by, 0), batch["text_length"].roll(by, 0)
    output = model(text, text_length, batch["mel"], batch["mel_length"], generator=_fixed())
    return metrics.mel_error(output.mel_post, batch["mel"], batch["mel_length"])


def _fixed() -> torch.Generator:
    return torch.Generator().manual_seed(0)
