"""Matching of pictures and voices as a task of the training loop: parts, held-out scores, a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from rerail.data.progress import Named
from rerail.fit import FitConfig, Losses, Parts, Picture, Sound, fitted, refuse_unrated, scheduled
from rerail.fit import optimizer as made
from rerail.tasks.face_voice.evaluate import matrix, scores
from rerail.tasks.face_voice.losses import LOSSES, Name, alike, chance
from rerail.tasks.face_voice.model import Batch, Matcher, gap
from rerail.tasks.face_voice.pairing import Apart, Paired
from rerail.tasks.face_voice.plan import plan
from rerail.tasks.face_voice.settings import FaceVoiceConfig
from rerail.tasks.face_voice.towers import matcher

SHOWN = 24  # pairs of the picture
ROWS = 2  # of a batch at least: one by itself has nobody to be told from


@dataclass(frozen=True)  # without slots: the pairs are read once and kept
class FaceVoiceTask:
    """Trains the network."""

    config: FaceVoiceConfig
    fit: FitConfig
    read: Paired | None = None  # what another task of these settings has read already

    def build(self) -> Parts:
        """Read the pairs, make the network.

        Raises:
            ValueError: for whatever is wrong with all pairs, or with too many, and for a batch of a single row.
        """
        refuse_alone(self.fit)
        config, fit, paired = self.config, self.fit, self.paired
        model = matcher(config, paired.extractors)
        optimizer = made(groups(model, fit.weight_decay), fit)

        def losses(batch: Batch) -> Losses:
            return losses_of(model, batch, config.loss)

        return Parts(
            model=model,
            optimizer=optimizer,
            scheduler=scheduled(optimizer, fit),
            losses=losses,
            data=paired.stream(fit),
            held_out=paired.batches(paired.parts.validation),
            plan=plan(asdict(config) | asdict(fit)),
            state=(Apart.of(paired.parts),),
            target="rank",
            undivided=roomier(config.chunk or fit.batch_size),
        )

    @cached_property
    def paired(self) -> Paired:
        """The pairs, read once."""
        return self.read or Paired(self.config)

    def odd(self, progress: Named) -> list[str]:
        """Decode everything, compute features; return what was left out and why, and odd settings, a line each."""
        self.paired.examined(progress)
        return [*self.config.oddities(), *self.paired.odd()]

    def compute(self, progress: Named) -> None:
        """Compute what is missing of the features of encoders that stay as they are; check that enough can be used."""
        refuse_unrated(self.fit)
        self.paired.examined(progress)
        _ = self.paired.parts

    def fitted(self) -> FaceVoiceTask:
        """Return the task with batches by memory and steps by epochs, where that is asked for; nothing is read anew.

        Raises:
            ValueError: for a batch of a single row.
        """
        pairs = len(self.paired.parts.train)
        fit = fitted(self.fit, clips=pairs, taken=pairs, epochs=self.config.epochs)
        refuse_alone(fit)
        return replace(self, fit=fit, read=self.paired)

    def evaluate(self, model: nn.Module, batches: Iterable[Any]) -> Mapping[str, float]:
        """Measure retrieval and verification on pairs that were set aside for that."""
        assert isinstance(model, Matcher)
        return scores(model, batches)

    def figures(self, model: nn.Module, batches: Iterable[Any], *, last: bool) -> Mapping[str, Picture | Sound]:
        """Draw how near pictures and voices are: own ones stand on the diagonal."""
        del last
        assert isinstance(model, Matcher)
        values = matrix(model, batches, SHOWN)
        caption = f"cosines of {len(values)} held-out pairs of different identities"
        return {"cosines": Picture(values=values, x="voice", y="picture", caption=caption)}


def refuse_alone(fit: FitConfig) -> None:
    """Refuse batches of a single row, whose loss is 0 whatever is learned.

    Raises:
        ValueError: for them.
    """
    if fit.batch_size < ROWS:
        raise ValueError(
            f"batch_size: got {fit.batch_size}, and a row has only the others of its batch to be told from; give at "
            f"least {ROWS}, and --chunk 1 where memory is short"
        )


def roomier(rows: int) -> str:
    """Return what to do where memory runs out with so many rows encoded at once."""
    if rows > 1:
        return f"give --chunk {rows // 2}, to encode so many rows at once"
    return "give a smaller --batch-size, or smaller encoders"


def losses_of(model: Matcher, batch: Batch, name: Name) -> Losses:
    """Return the contrastive loss of a batch, and what the guard watches beside it."""
    embedded, same, temperature = model(batch), alike(batch["identity"]), model.temperature.value()
    value = LOSSES[name](embedded.pictures, embedded.voices, same, 1.0 / temperature, model.temperature.bias)
    signals = {
        "temperature": temperature.detach(),
        "gap": gap(embedded).detach(),
        "false_negatives": false_negatives(batch, same),
        "embedding_pictures": embedded.pictures.detach(),
        "embedding_voices": embedded.voices.detach(),
    }
    if (level := chance(name, same)) is not None:
        signals["chance"] = level
    return Losses(signals, contrastive=value)


def false_negatives(batch: Batch, same: Tensor) -> Tensor:
    """Return the share of rows that another row has the picture or the recording of, and which is not of its identity.

    Such a row is pushed away from itself. Contents are compared as they are, or as they were before augmentation where
    the batch has their numbers, `picture` and `sound`.
    """
    equal = torch.zeros_like(same)
    for raw, number in (("image", "picture"), ("audio", "sound")):
        mark = batch[number] if number in batch else batch[raw].flatten(1).double().sum(1)
        equal |= mark[:, None] == mark[None, :]
    return (equal & ~same).any(1).float().mean()


def groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return the weights in two groups: what is a scalar or a bias is not pulled to zero."""
    trained = [one for one in model.parameters() if one.requires_grad]
    return [
        {"params": [one for one in trained if one.dim() > 1], "weight_decay": weight_decay},
        {"params": [one for one in trained if one.dim() <= 1], "weight_decay": 0.0},
    ]
