"""What the network makes of held-out pairs: plain scores for a run, and figures with intervals for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rerail.tasks.face_voice.losses import alike, infonce
from rerail.tasks.face_voice.metrics import auc, chance_rank, eer, ranks, recall
from rerail.tasks.face_voice.model import Batch, Embedded, Matcher, gap

AT = (1, 5, 10)
NEVER = 0.0  # share of an encoder that was frozen, where nothing is


class Seen(NamedTuple):
    """Embeddings of pairs, and whose they are; rows are pairs."""

    embedded: Embedded
    identity: Tensor


def embed(model: Matcher, batches: Iterable[Batch]) -> Seen:
    """Embed held-out batches, the model as it is used; (pairs, width)."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        found = [(model(batch), batch["identity"]) for batch in batches]
    model.train(was_training)
    pictures, voices = (torch.cat([one[side] for one, _ in found]) for side in (0, 1))
    return Seen(Embedded(pictures, voices), torch.cat([identity for _, identity in found]))


def scores(model: Matcher, batches: Sequence[Batch]) -> dict[str, float]:
    """Return the scores of held-out pairs, of both ways the mean.

    rank      mean rank of the first own one over what chance gives: 1 is chance, the smaller the better
    recall/K  share of those whose own one is among the K nearest
    auc, eer  of all pairs, own and others
    loss      InfoNCE over all pairs at the temperature learned
    gap       distance between the mean picture and the mean voice
    frozen/X  share of that encoder's weights that are not trained
    """
    seen = embed(model, batches)
    same = alike(seen.identity).cpu()
    similar = seen.embedded.pictures.double().cpu() @ seen.embedded.voices.double().cpu().T
    both = torch.cat([ranks(similar, same), ranks(similar.T, same)])
    found = {
        "rank": float(both.mean()) / chance_rank(same),
        "auc": auc(similar, same),
        "eer": eer(similar, same),
        "gap": float(gap(seen.embedded)),
        "loss": _loss(model, seen),
    }
    return {**found, **{f"recall/{at}": float(recall(both, at).mean()) for at in AT}, **frozen(model)}


def frozen(model: Matcher) -> dict[str, float]:
    """Return which share of each encoder's weights is not trained; encoders without weights have none."""
    found = {}
    for name, tower in (("pictures", model.pictures), ("voices", model.voices)):
        weights = [(one.numel(), one.requires_grad) for one in tower.encoder.parameters()]
        total = sum(count for count, _ in weights)
        found[f"frozen/{name}"] = sum(count for count, trained in weights if not trained) / total if total else NEVER
    return found


def matrix(model: Matcher, batches: Sequence[Batch], rows: int) -> list[list[float]]:
    """Return the cosines of the first pairs of different identities: pictures by voices, own ones on the diagonal."""
    seen = embed(model, batches)
    first: dict[int, int] = {}
    for place, identity in enumerate(seen.identity.tolist()):
        first.setdefault(identity, place)
    places = torch.tensor(list(first.values())[:rows])
    similar = seen.embedded.pictures.cpu()[places] @ seen.embedded.voices.cpu()[places].T
    cosines: list[list[float]] = similar.tolist()
    return cosines


def _loss(model: Matcher, seen: Seen) -> float:
    with torch.no_grad():
        scale: Any = 1.0 / model.temperature.value()
        return float(infonce(*seen.embedded, alike(seen.identity), scale, model.temperature.bias))
