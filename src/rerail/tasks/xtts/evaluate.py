"""What the network does on held-out clips: the scores of any trainer of speech, and the plain losses."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from rerail.tasks.speech.evaluate import evaluate as scores
from rerail.tasks.speech.evaluate import judged
from rerail.tasks.speech.output import Batch
from rerail.tasks.xtts.losses import Shape, losses
from rerail.tasks.xtts.model import Xtts


def evaluate(model: Xtts, batches: Sequence[Batch], shape: Shape, *, seed: int = 0) -> dict[str, float]:
    """Return the scores, and `loss/mel`, `loss/kl`, `loss/stop`, ...: teacher-forced and unweighted.

    They are means over batches, by their clips; within a batch they are over its frames, as in training.

    They are the same at every level of settings: the latent at its mean, no smoothing, no capacity.
    """
    sums, rows = dict[str, float](), 0
    with judged(model):
        for batch in batches:
            generator = torch.Generator(batch["text"].device).manual_seed(seed)
            for name, value in losses(model(batch, generator), batch, shape).items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(batch["text"])
            rows += len(batch["text"])
    return {**scores(model, batches, seed=seed), **{f"loss/{name}": value / rows for name, value in sums.items()}}
