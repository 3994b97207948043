"""Every figure of a matching network with its chance level and the interval that it lies in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rerail.tasks.face_voice.metrics import auc, chance_rank, chance_recall, eer, eers, one_of, ranks, recall, won

DRAWS, DRAWS_OF_EER = 1000, 200
LEVEL = 0.95
AT, OF = (1, 5, 10), (2, 10)  # recall among the nearest, and matching one of so many
PICTURES, VOICES = "picture to voice", "voice to picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure, the 95 % interval of a bootstrap over identities, and what guessing would give."""

    name: str
    value: float
    low: float
    high: float
    chance: float

    @property
    def above_chance(self) -> bool:
        """Whether the whole interval is on the better side of chance (smaller for ranks and error rates)."""
        better_small = self.name.startswith(("mean rank", "EER"))
        return self.high < self.chance if better_small else self.low > self.chance


def figures(
    pictures: Tensor, voices: Tensor, of_pictures: Sequence[str], of_voices: Sequence[str], *, seed: int = 0
) -> list[Figure]:
    """Measure embeddings (pictures, width) and (voices, width), of length 1, of the identities named.

    Every picture is looked for among all voices, and every voice among all pictures. Each should be there once: one
    that is there ten times crowds the gallery, and chance would be another. Intervals are percentiles of a bootstrap in
    which identities are drawn with replacement, so that clips of one are not taken for independent. Draws in which one
    alone came are left out where pairs of strangers are needed.

    Raises:
        ValueError: where there are fewer than two identities: nobody could be told from anybody.
    """
    names = sorted({*of_pictures, *of_voices})
    if len(names) < 2:  # noqa: PLR2004
        raise ValueError(f"matching needs at least 2 identities, got {len(names)}; give more held-out pairs")
    place = {name: number for number, name in enumerate(names)}
    of = [torch.tensor([place[one] for one in identities]) for identities in (of_pictures, of_voices)]
    same = of[0][:, None] == of[1][None, :]
    scores = pictures.double().cpu() @ voices.double().cpu().T
    counts = _drawn(len(names), seed)
    rows, columns = counts[:, of[0]], counts[:, of[1]]
    found = [*_retrieval(scores, same, rows, PICTURES), *_retrieval(scores.T, same.T, columns, VOICES)]
    return [*found, *_verification(scores, same, counts, of)]


def _drawn(names: int, seed: int) -> Tensor:
    """How often each identity is in each draw; (draws, names)."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(names, (DRAWS, names), generator=generator)
    return torch.zeros(DRAWS, names, dtype=torch.float64).scatter_add_(
        1, drawn, torch.ones(DRAWS, names, dtype=torch.float64)
    )


def _retrieval(scores: Tensor, same: Tensor, weights: Tensor, way: str) -> Iterator[Figure]:
    for at in AT:
        yield _mean(f"recall@{at}, {way}", recall(scores, same, at), weights, chance_recall(same, at))
    yield _mean(f"mean rank, {way}", ranks(scores, same), weights, chance_rank(same))
    for many in OF:
        if (~same).sum(1).min() >= many - 1:
            yield _mean(f"right of {many}, {way}", one_of(scores, same, many), weights, 1.0 / many)


def _verification(scores: Tensor, same: Tensor, counts: Tensor, of: Sequence[Tensor]) -> Iterator[Figure]:
    wins, pairs = won(scores, same, of[0])
    drawn = counts[:, : len(wins)]
    areas = ((drawn @ wins) * drawn).sum(1) / ((drawn @ pairs) * drawn).sum(1)
    yield _figure("AUC", auc(scores, same), areas, 0.5)
    weights = (draw[of[0]][:, None] * draw[of[1]] for draw in counts[:DRAWS_OF_EER])
    rates = torch.tensor(list(eers(scores, same, weights)), dtype=torch.float64)
    yield _figure("EER", eer(scores, same), rates, 0.5)


def _mean(name: str, values: Tensor, weights: Tensor, chance: float) -> Figure:
    return _figure(name, float(values.mean()), (weights * values).sum(1) / weights.sum(1), chance)


def _figure(name: str, value: float, draws: Tensor, chance: float) -> Figure:
    tail = (1.0 - LEVEL) / 2
    low, high = torch.nanquantile(draws, torch.tensor([tail, 1.0 - tail], dtype=torch.float64)).tolist()
    return Figure(name=name, value=value, low=low, high=high, chance=chance)
