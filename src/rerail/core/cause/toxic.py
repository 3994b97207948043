"""Find the rows of a batch that make a step fail: all of them, and no others."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from rerail.core.trial import Swap, Trial

FEW = 4  # rows that are all looked at; of more, three that fail by themselves stand for all

Search = Generator[Swap, Trial, tuple[int, ...]]


def toxic_rows(count: int, named: Sequence[int] = (), *, sure: bool = False) -> Search:
    """Return the toxic rows of `count`; `named` are those that the trace or (then `sure`) the content points at.

    A set of rows is toxic where the step fails with it and no longer without any one of it: a bad row alone, or rows
    that fail only together. All such sets are found, one after the other, until the rest of the batch is healthy
    (after Junker 2004, QuickXplain, whose cost is k log2(B / k) tests for k rows of B). Many named rows are taken as
    they are where the rest is healthy, and three of them fail by themselves or their content is `sure`; so are all rows
    where the content of every one is. Nothing is
    returned where no part of the batch is healthy, or the step does not run on parts of it.
    """
    try:
        return (yield from _search(count, tuple(named), sure=sure))
    except _CannotTell:
        return ()


class _CannotTell(Exception):  # noqa: N818 (no error: it ends a search)
    """The step raises an error on a part of its batch, which says nothing about the rows."""


def _search(count: int, named: tuple[int, ...], *, sure: bool) -> Search:
    rows, suspected = tuple(range(count)), set(named)
    if sure and len(suspected) == count:
        return rows
    innocent = tuple(row for row in rows if row not in suspected)
    if named and innocent and (yield from _healthy(innocent)):
        sample = (named[0], named[len(named) // 2], named[-1])
        if len(named) > FEW and (sure or not (yield from _any_healthy(sample))):
            return tuple(sorted(named))
        return (yield from _within(innocent, named))
    if count <= FEW:
        return (yield from _within((), rows))
    sample = (0, count // 2, count - 1)
    if (yield from _any_healthy(sample)):
        return (yield from _within((), rows))
    rest = yield from _healthy(tuple(row for row in rows if row not in sample))
    return sample if rest else rows


def _any_healthy(sample: tuple[int, ...]) -> Generator[Swap, Trial, bool]:
    for row in sample:
        if (yield from _healthy((row,))):
            return True
    return False


def _within(innocent: tuple[int, ...], suspects: tuple[int, ...]) -> Search:
    """Return the toxic ones of `suspects`; `innocent` rows are healthy by themselves."""
    if len(suspects) == 1:
        return suspects
    toxic: tuple[int, ...] = ()
    while suspects and not (toxic and (yield from _healthy((*innocent, *suspects)))):
        more = yield from _conflict(innocent, suspects, check=False)
        if set(more) == set(suspects) and not innocent and not toxic:
            return ()
        toxic += more
        found = set(more)
        suspects = tuple(row for row in suspects if row not in found)
    return tuple(sorted(toxic))


def _conflict(background: tuple[int, ...], rows: tuple[int, ...], *, check: bool) -> Search:
    """Return a smallest part of `rows` that fails beside `background`; nothing where that fails by itself."""
    if check and not (yield from _healthy(background)):
        return ()
    if len(rows) == 1:
        return rows
    middle = len(rows) // 2
    first, second = rows[:middle], rows[middle:]
    later = yield from _conflict((*background, *first), second, check=True)
    earlier = yield from _conflict((*background, *later), first, check=bool(later))
    return (*earlier, *later)


def _healthy(rows: tuple[int, ...]) -> Generator[Swap, Trial, bool]:
    trial = yield Swap(rows=tuple(sorted(rows)))
    if trial.error:  # a BatchNorm refuses a single row, which says nothing about the row
        trial = yield Swap(rows=tuple(sorted((*rows, *rows))))
    if trial.error:
        raise _CannotTell
    return trial.healthy
