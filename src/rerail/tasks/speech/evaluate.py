"""What the network does on held-out clips: teacher-forced, free-running, and with the texts shuffled.

Deterministic: the same weights and clips give the same numbers, and the global RNG is left alone. A network that is
not finite gives NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from rerail import alignment
from rerail.alignment import valid
from rerail.audio.distance import distance
from rerail.tasks.speech import metrics
from rerail.tasks.speech.output import Batch, Output, Speaker
from rerail.tasks.speech.quality import quality

ALIGNMENT = {
    "diagonal_mass": alignment.diagonal_mass,
    "diagonality": alignment.diagonality,
    "focus": metrics.focus,
    "monotonicity": metrics.monotonicity,
    "coverage": metrics.coverage,
}
ROTATIONS = 5  # shuffled texts: how many other texts each clip is tried with
OF_TEXT = ("text", "text_length", "language")  # what changes with a text
PAIR = 2  # clips in a batch that can trade their texts
LIMIT = 2  # free running ends at this many times the longest true length


def evaluate(model: Speaker, batches: Iterable[Batch], *, threshold: float = 0.5, seed: int = 0) -> dict[str, float]:
    """Return means over all clips. Names in `/forced` are teacher-forced, names in `/free` free-running.

    `mel` is the teacher-forced error after the postnet, `mel/free` the free-running one along the warping path,
    `mel_of_mean` that of the mean frame of these clips, `mcd/free` the mel-cepstral distortion in dB, `quality` the
    score of `quality.py` in percent. `mel_shuffled` is `mel` with other clips' texts, and `reads_text` by what share
    that is worse: 0 where the text is ignored. A batch of one clip has neither.
    """
    batches = list(batches)
    return summed(model, batches, each(model, batches, threshold=threshold, seed=seed), seed=seed)


def summed(model: Speaker, batches: Sequence[Batch], clips: Mapping[str, Tensor], *, seed: int = 0) -> dict[str, float]:
    """Return the scores of `evaluate` from what `each` has measured."""
    means = _averaged(clips)
    pairs = [one for one in batches if len(one["text"]) >= PAIR]
    if not pairs:
        return means
    shuffled = mel_error(model, pairs, shuffle_text=True, seed=seed)
    paired = torch.cat([torch.full((len(one["text"]),), len(one["text"]) >= PAIR) for one in batches])
    own = float(clips["mel"][paired].mean())
    worse = shuffled / own - 1.0 if own else math.nan  # of no error there is no share
    return means | {"mel_shuffled": shuffled, "reads_text": worse}


def each(model: Speaker, batches: Sequence[Batch], *, threshold: float = 0.5, seed: int = 0) -> dict[str, Tensor]:
    """Measure every clip; a value a clip, (clips,), and (clips, 3) for `gate_counts`.

    Raises:
        ValueError: where there are no batches.
    """
    if not batches:
        raise ValueError("evaluate got no batches; give at least one held-out batch")
    mean = _mean_frame(batches)
    with judged(model):
        rows = [
            _forced(model, one, threshold, seed) | _free(model, one, threshold, seed) | _flat(one, mean)
            for one in batches
        ]
    return {name: torch.cat([row[name] for row in rows]).double() for name in rows[0]}


def _averaged(clips: Mapping[str, Tensor]) -> dict[str, float]:
    """Return the means of what was measured clip by clip, with the gate's precision and recall, and the quality."""
    hits, said, last = clips["gate_counts"].sum(0)
    means = {name: float(values.mean()) for name, values in clips.items() if name != "gate_counts"}
    gate = {"gate_precision": float(hits / said.clamp(min=1)), "gate_recall": float(hits / last)}
    return {**means, **gate, "quality": quality(means).percent}


def mel_error(model: Speaker, batches: Iterable[Batch], *, shuffle_text: bool, seed: int = 0) -> float:
    """Teacher-forced mean absolute mel error, of every clip with its own text or with those of other clips.

    A network that reads its text does clearly worse with the texts shuffled.
    """
    errors: list[Tensor] = []
    with judged(model):
        for batch in batches:
            for text in _rotated(batch) if shuffle_text else [batch]:
                output = model.forced(text, _generator(text, seed))
                errors.append(metrics.mel_error(output.mel_post, text["mel"], text["mel_length"]))
    return float(torch.cat(errors).double().mean())


def _rotated(batch: Batch) -> Iterator[Batch]:
    """The batch with each clip's text replaced by that of another clip, in several ways."""
    rows = len(batch["text"])
    if rows < PAIR:
        raise ValueError(f"shuffling texts needs at least {PAIR} clips in a batch, got {rows}; use larger batches")
    for by in range(1, min(rows, ROTATIONS + 1)):
        yield {**batch, **{name: batch[name].roll(by, 0) for name in OF_TEXT if name in batch}}


def _forced(model: Speaker, batch: Batch, threshold: float, seed: int) -> dict[str, Tensor]:
    output = model.forced(batch, _generator(batch, seed))
    gate = output.gate_logits
    return {
        **_alignment(output, batch, "/forced"),
        "mel": metrics.mel_error(output.mel_post, batch["mel"], batch["mel_length"]),
        "gate_accuracy/forced": metrics.gate_accuracy(gate, output.steps, threshold),
        "gate_counts": metrics.gate_counts(gate, output.steps, threshold),
    }


def free_running(model: Speaker, batch: Batch, threshold: float = 0.5, seed: int = 0) -> Output:
    """Have the model say the texts of a batch by itself, as `evaluate` hears it."""
    limit = LIMIT * int(batch["mel_length"].max())
    with judged(model):
        return model.free(batch, limit, threshold, _generator(batch, seed))


def unpadded(mel: Tensor, length: Tensor) -> Iterator[Tensor]:
    """mel: (batch, frames, bands) -> a (frames, bands) for each row, without what is past its length."""
    return (row[:frames] for row, frames in zip(mel, length.tolist(), strict=True))


def _free(model: Speaker, batch: Batch, threshold: float, seed: int) -> dict[str, Tensor]:
    output = free_running(model, batch, threshold, seed)
    error = metrics.length_error(output.mel_length, batch["mel_length"], output.gate_logits)
    reach = valid(output.steps, output.gate_logits.shape[1])
    stopped = ((torch.sigmoid(output.gate_logits) > threshold) & reach).any(1)  # by its gate, not since all was read
    right = torch.where(error.isnan(), error, ((error <= metrics.NEAR_END) & stopped).float())
    spoken, true = unpadded(output.mel_post, output.mel_length), unpadded(batch["mel"], batch["mel_length"])
    far = [distance(one, other) for one, other in zip(spoken, true, strict=True)]
    return {
        **_alignment(output, batch, "/free"),
        "length_error/free": error,
        "gate_accuracy/free": right,
        "mel/free": torch.tensor([one.mel for one in far]),
        "mcd/free": torch.tensor([one.cepstral for one in far]),
    }


def _flat(batch: Batch, mean: Tensor) -> dict[str, Tensor]:
    """What a model would get that emits `mean` (bands,) in every frame."""
    return {"mel_of_mean": metrics.mel_error(mean.expand_as(batch["mel"]), batch["mel"], batch["mel_length"])}


def _mean_frame(batches: Sequence[Batch]) -> Tensor:
    return torch.cat([mel for one in batches for mel in unpadded(one["mel"], one["mel_length"])]).mean(0)


def _alignment(output: Output, batch: Batch, suffix: str) -> dict[str, Tensor]:
    scores = {name: score(output.alignment, batch["text_length"], output.steps) for name, score in ALIGNMENT.items()}
    return {name + suffix: score for name, score in scores.items()}


def _generator(batch: Batch, seed: int) -> torch.Generator:
    return torch.Generator(batch["text"].device).manual_seed(seed)


@contextmanager
def judged(model: Speaker) -> Iterator[None]:
    """Evaluation mode without gradients meanwhile; the mode is put back afterwards."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)
