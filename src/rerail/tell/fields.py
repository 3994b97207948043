"""Journal records as typed values and as safe text: numbers, mappings, one printable line.

A record comes from a file, so its values are objects of unknown type, and its names were chosen by users. What these
functions hand out has a known type, and what they hand out as text never holds a control character.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

Record = Mapping[str, object]

_ENCODED = ("nan", "inf", "-inf")  # JSON has no word for them, so the journal writes strings
_CONTROLS = ("Cc", "Cs", "Zl", "Zp")  # control, lone surrogate, line and paragraph separator
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # these reorder the text around them
_PLAIN_FROM, _PLAIN_TO = 1e-3, 1e6  # outside, figures are written with an exponent


def number(value: object) -> float | None:
    """The number a journal value stands for ("nan", "inf" and "-inf" included); None when it is none."""
    if isinstance(value, (int, float)) or (isinstance(value, str) and value in _ENCODED):
        return float(value)
    return None


def numbers(record: Record, key: str) -> dict[str, float]:
    """The entries of the mapping `record[key]` that are numbers."""
    found = ((name, number(value)) for name, value in mapping(record, key).items())
    return {name: value for name, value in found if value is not None}


def whole(record: Record, key: str) -> int:
    """`record[key]` as a count; 0 when it is missing or not a finite number."""
    value = number(record.get(key))
    return int(value) if value is not None and math.isfinite(value) else 0


def mapping(record: Record, key: str) -> Record:
    """`record[key]` when it is a mapping, else an empty one."""
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}


def leaves(record: Record, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the values of nested mappings, each with the names on the way to it; an empty mapping is a value."""
    for name, value in record.items():
        path = (*above, str(name))
        if isinstance(value, Mapping) and value:
            yield from leaves(value, path)
        else:
            yield path, value


def mappings(record: Record, key: str) -> list[Record]:
    """The mappings in the list `record[key]`."""
    return [item for item in sequence(record, key) if isinstance(item, Mapping)]


def sequence(record: Record, key: str) -> Sequence[object]:
    """`record[key]` when it is a list, else an empty one."""
    value = record.get(key)
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def text(record: Record, key: str, default: str = "") -> str:
    """`record[key]` as one printable line."""
    value = record.get(key)
    return default if value is None else plain(value)


def plain(value: object, limit: int = 300) -> str:
    r"""One printable line: control characters become visible escapes (`\n`, `\x1b`), long text ends in an ellipsis."""
    whole = str(value)
    line = whole[: limit + 1]
    if not line.isprintable():  # all that is made visible is not printable
        line = "".join(_visible(symbol) for symbol in line)
    return line if len(whole) <= limit else line[:limit] + "\u2026"


def writable(lines: str, encoding: str) -> str:
    """What the output's encoding lacks becomes a visible escape, so that no name can stop a display."""
    return lines.encode(encoding, "backslashreplace").decode(encoding)


def _visible(symbol: str) -> str:
    if symbol in _BIDI or unicodedata.category(symbol) in _CONTROLS:
        return symbol.encode("unicode_escape").decode("ascii")
    return symbol


def figure(value: object) -> str:
    """A number to three significant digits: 1.23, 0.0451, 1230, 1.2e-5; anything else as plain text."""
    exact = number(value)
    if exact is None:
        return plain(value)
    if not math.isfinite(exact) or exact == 0:
        return str(exact) if exact else "0"
    if isinstance(value, int) and abs(value) < _PLAIN_TO:
        return str(int(value))
    rounded = float(f"{exact:.3g}")
    if _PLAIN_FROM <= abs(rounded) < _PLAIN_TO:
        return f"{rounded:.6f}".rstrip("0").rstrip(".")
    return f"{exact:.3g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def count(amount: int, noun: str) -> str:
    """`1 tick`, `40 ticks`, `2 batches`."""
    plural = noun + ("es" if noun.endswith(("s", "ch", "x")) else "s")
    return f"{amount} {noun if amount == 1 else plural}"


def listed(items: Sequence[object], shown: int = 8) -> str:
    """`a, b, c and 13 more`, each item cut to a readable length."""
    names = ", ".join(plain(item, 80) for item in items[:shown])
    rest = len(items) - shown
    return f"{names} and {rest} more" if rest > 0 else names


def spans(items: Sequence[object], shown: int = 12) -> str:
    """Row numbers as `3`, `0-2, 4-11`: runs of three and more are joined."""
    rows = sorted({int(value) for item in items if (value := number(item)) is not None and math.isfinite(value)})
    starts = [row for row in rows if row - 1 not in rows]
    ends = [row for row in rows if row + 1 not in rows]
    runs = [_run(first, last) for first, last in zip(starts, ends, strict=True)]
    return listed([one for run in runs for one in run], shown)


def _run(first: int, last: int) -> list[str]:
    return [f"{first}-{last}"] if last - first > 1 else [str(row) for row in range(first, last + 1)]


def sentence(line: str) -> str:
    """A capital first letter and a full stop; nothing stays nothing."""
    return line and f"{capital(line).rstrip('.')}."


def capital(line: str) -> str:
    """A capital first letter, unless the line starts with the name of a signal."""
    return line if line.startswith(("loss/", "grad/", "weight/", "eval/")) else line[:1].upper() + line[1:]
