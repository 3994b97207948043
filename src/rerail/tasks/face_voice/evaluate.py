"""What the network makes of held-out pairs: plain scores for a run, and figures with intervals for people."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor

from rerail.tasks.face_voice.metrics import auc, chance_rank, eer, ranks, recall
from rerail.tasks.face_voice.model import Batch, Embedded, Matcher, gap

AT = (1, 5, 10)
NEVER = 0.0  # share of an encoder that was frozen, where nothing is


class Seen(NamedTuple):
    """Embeddings of pictures and voices, each content once, and whose they are."""

    pictures: Tensor
    voices: Tensor
    of_pictures: Tensor
    of_voices: Tensor

    def cosines(self) -> tuple[Tensor, Tensor]:
        """Return the cosines (pictures, voices), and which belong together, on the CPU, in double precision."""
        similar = self.pictures.double().cpu() @ self.voices.double().cpu().T
        return similar, (self.of_pictures[:, None] == self.of_voices[None, :]).cpu()


def embed(model: Matcher, batches: Iterable[Batch]) -> Seen:
    """Embed held-out batches, the model as it is used: whatever is in several pairs is embedded for its first one."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        found = [(*model(batch), batch["identity"], batch["picture"], batch["sound"]) for batch in batches]
    model.train(was_training)
    pictures, voices, identity, *contents = (torch.cat(parts) for parts in zip(*found, strict=True))
    first = [_first(content) for content in contents]
    return Seen(pictures[first[0]], voices[first[1]], identity[first[0]], identity[first[1]])


def scores(model: Matcher, batches: Iterable[Batch]) -> dict[str, float]:
    """Return the scores of held-out pairs, of both ways the mean.

    rank      mean rank of the first own one over what chance gives: 1 is chance, the smaller the better
    recall/K  share of those whose own one is among the K nearest
    auc, eer  of all pairs, own and others
    loss      cross-entropy of a voice's own pictures among all, at the temperature learned
    gap       distance between the mean picture and the mean voice
    frozen/X  share of that encoder's weights that are not trained
    """
    seen = embed(model, batches)
    similar, same = seen.cosines()
    ways = [(similar, same), (similar.T, same.T)]
    found = {
        "rank": fmean(float(ranks(*way).mean()) / chance_rank(way[1]) for way in ways),
        "auc": auc(similar, same),
        "eer": eer(similar, same),
        "gap": float(gap(Embedded(seen.pictures, seen.voices))),
        "loss": _loss(model, similar, same),
    }
    recalls = {f"recall/{at}": fmean(float(recall(*way, at).mean()) for way in ways) for at in AT}
    return {**found, **recalls, **frozen(model)}


def frozen(model: Matcher) -> dict[str, float]:
    """Return which share of each encoder's weights is not trained; encoders without weights have none."""
    found = {}
    for name, tower in (("pictures", model.pictures), ("voices", model.voices)):
        weights = [(one.numel(), one.requires_grad) for one in tower.encoder.parameters()]
        total = sum(count for count, _ in weights)
        found[f"frozen/{name}"] = sum(count for count, trained in weights if not trained) / total if total else NEVER
    return found


def matrix(model: Matcher, batches: Iterable[Batch], rows: int) -> list[list[float]]:
    """Return the cosines of the first pairs of different identities: pictures by voices, own ones on the diagonal."""
    seen = embed(model, batches)
    similar, _ = seen.cosines()
    sides = [side.tolist() for side in (seen.of_pictures, seen.of_voices)]
    shown = [one for one in dict.fromkeys(sides[0]) if one in sides[1]][:rows]
    places = [torch.tensor([side.index(one) for one in shown]) for side in sides]
    cosines: list[list[float]] = similar[places[0]][:, places[1]].tolist()
    return cosines


def _first(content: Tensor) -> Tensor:
    """The first place of each content."""
    places: dict[int, int] = {}
    for place, one in enumerate(content.tolist()):
        places.setdefault(one, place)
    return torch.tensor(list(places.values()))


def _loss(model: Matcher, similar: Tensor, same: Tensor) -> float:
    with torch.no_grad():
        logits = (similar / model.temperature.value().double().cpu()).T
    own = logits.masked_fill(~same.T, -torch.inf).logsumexp(1)
    return float((logits.logsumexp(1) - own).mean())
