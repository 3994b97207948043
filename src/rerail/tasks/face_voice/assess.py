"""The figures of a trained network on what its run has set aside."""

from __future__ import annotations

from dataclasses import dataclass

from rerail.data.pairs.batches import numbered
from rerail.data.pairs.split import SEEN, UNSEEN
from rerail.data.progress import Named
from rerail.tasks.face_voice.evaluate import embed
from rerail.tasks.face_voice.figures import Figure, figures
from rerail.tasks.face_voice.pairing import FEWEST
from rerail.tasks.face_voice.trained import TrainedMatcher

SETS = {SEEN: "unseen recordings of identities that were trained on", UNSEEN: "identities that were never seen"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """The figures of one set of held-out pairs, and how many different pictures and recordings are in it."""

    name: str
    about: str
    pictures: int
    voices: int
    identities: int
    figures: tuple[Figure, ...]


def assess(trained: TrainedMatcher, *, seed: int = 0, progress: Named | None = None) -> list[Assessed]:
    """Measure each set that has at least two identities.

    Raises:
        ValueError: where the run's pairs are not here or have changed, or there is no such set.
    """
    trained.paired.examined(progress)
    found = list[Assessed]()
    for name, about in SETS.items():
        kept = trained.held_out(name)
        if (count := len({one.pair.identity for one in kept})) < FEWEST:
            continue
        seen = embed(trained.model, trained.paired.batches(kept))
        names = {number: identity for identity, number in numbered(kept).items()}
        whose = [[names[one] for one in side.tolist()] for side in (seen.of_pictures, seen.of_voices)]
        told = tuple(figures(seen.pictures, seen.voices, *whose, seed=seed))
        sizes = {"pictures": len(seen.pictures), "voices": len(seen.voices), "identities": count}
        found.append(Assessed(name=name, about=about, **sizes, figures=told))
    if not found:
        raise ValueError("no pairs were set aside by this run; train with --test-size or --seen-size above 0")
    return found
