"""What a reader must know beside the numbers of a comparison, a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rerail.tell import fields
from rerail.tell.compare import data

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rerail.tell.compare.asked import Asked
    from rerail.tell.compare.course import Course
    from rerail.tell.compare.groups import Group


def remarks(runs: Sequence[Course], grouped: Sequence[Group], asked: Asked) -> list[str]:
    """All that applies."""
    return [*_of_groups(grouped), *_of_samples(runs, asked), *_of_runs(runs), *_of_data(runs)]


def one_size(runs: Sequence[Course]) -> bool:
    """Say whether all runs took as many samples a step: then equal samples are equal steps."""
    sizes = [(run.points[-1].samples, run.points[-1].step) for run in runs]
    known = {round(samples / step, 9) for samples, step in sizes if samples is not None and step}
    return len(known) == 1 and all(samples is not None for samples, _ in sizes)


def _of_groups(grouped: Sequence[Group]) -> Iterator[str]:
    if all(len(group.members) == 1 for group in grouped):
        yield "One run a group: no interval and no test; other seeds alone may differ as much."
    for group in grouped:
        if group.repeats:
            names = fields.listed([run.name for run in group.repeats])
            yield f"{names}: the seed of another run of group {group.label}, so no draw of its own, and not counted."
    if unnamed := [group.label for group in grouped if not group.members[0].config]:
        yield f"{fields.listed(unnamed)}: no settings in the journal, so a group of its own."


def _of_samples(runs: Sequence[Course], asked: Asked) -> Iterator[str]:
    if "samples" not in {at.axis for at in asked.at} and one_size(runs):
        ends = [(run.points[-1].samples or 0.0) / run.points[-1].step for run in runs if run.points[-1].step]
        yield f"All runs take {fields.figure(ends[0])} samples a step: equal samples are equal steps."
    if unknown := [run.name for run in runs if run.end("samples") is None]:
        yield f"Samples a step are not known of {fields.listed(unknown)}: nothing is compared at equal samples."


def _of_runs(runs: Sequence[Course]) -> Iterator[str]:
    if late := [run.name for run in runs if run.points[0].step > 0]:
        yield f"{fields.listed(late)}: began at a later step than 0; samples and time before it are not counted."
    if changed := [run.name for run in runs if any(one.config != run.config for one in run.sessions)]:
        yield f"{fields.listed(changed)}: resumed with other settings; grouped by the first ones."


def _of_data(runs: Sequence[Course]) -> Iterator[str]:
    if not data.sure(runs) and any(name.startswith("eval/") for run in runs for name in run.series):
        yield "Not all runs keep the ids of their held-out samples: that they are the same is read from the settings."
