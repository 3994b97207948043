"""Where a cosine stands among those of held-out pairs: a number by itself says little."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rerail.data.pairs.split import UNSEEN, VALIDATION
from rerail.tasks.face_voice.evaluate import embed
from rerail.tasks.face_voice.pairing import FEWEST
from rerail.tasks.face_voice.trained import TrainedMatcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Cosines of pairs that were set aside: those that belong together, and all others."""

    own: Tensor
    others: Tensor

    def nearer_than_strangers(self, cosine: float) -> float:
        """Return the share of pairs of strangers that are farther apart."""
        return float((self.others < cosine).double().mean())

    def nearer_than_own(self, cosine: float) -> float:
        """Return the share of pairs that belong together and are farther apart."""
        return float((self.own < cosine).double().mean())


def standing(trained: TrainedMatcher) -> Standing:
    """Measure pairs that were set aside: those of identities that were never seen, where they are of two at least.

    Raises:
        ValueError: where the run's pairs are not here, or have changed.
    """
    unseen = trained.held_out(UNSEEN)
    enough = len({one.pair.identity for one in unseen}) >= FEWEST
    aside = unseen if enough else trained.held_out(VALIDATION)
    seen = embed(trained.model, trained.paired.batches(aside))
    cosines, same = seen.cosines()
    return Standing(own=cosines[same], others=cosines[~same])
