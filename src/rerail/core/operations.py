"""What the usual operations do at the edge of their range, why, and how code is mended: facts, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rerail.core.trial import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Why an operation gives a number that is not finite, and the usual way out.

    `data` says that rows which bring it there are at fault themselves, not the formula.
    """

    why: str
    fix: str
    data: bool = False


_DIVISION = Edge(
    why="a division by zero: a mean over no valid element, or a division by a deviation, norm or length of 0",
    fix="divide by the count clamped to at least 1, or add a small constant to the denominator; leave empty rows out",
)
_LOG = Edge(
    why="the logarithm of 0 is minus infinity", fix="clamp the argument from below, or use log_softmax/logsigmoid"
)
_ROOT = Edge(
    why="a square root has an infinite slope at 0",
    fix="add a small constant inside the root, or leave exact zeros (equal points, constant rows) out of it",
)
_EXP = Edge(
    why="the exponential passes the largest number of its format (88 in single precision, 11 in half)",
    fix="clamp the exponent, or stay with the logarithm (log_softmax, logsumexp, a bounded log-variance)",
)
_SOFTMAX = Edge(
    why="every score of a row is masked with minus infinity, and a softmax over nothing is 0/0",
    fix="leave one score unmasked, or mask the row's result instead",
)
_PRODUCT = Edge(
    why="a sum of products passes the largest number of its format (65504 in half precision)",
    fix="compute it in single precision, or scale the values down before it",
)
_EDGES: Mapping[str, Edge] = {
    "log": _LOG,
    "log2": _LOG,
    "log10": _LOG,
    "log1p": Edge(why="log1p of -1 or less", fix="clamp the argument above -1"),
    "sqrt": Edge(why="the square root of a negative number", fix="clamp the argument from below, by a small constant"),
    "rsqrt": Edge(why="one over the root of 0", fix="add a small constant inside the root"),
    "pow": Edge(
        why="a power with a fractional or negative exponent at 0, a negative base, or a result out of range",
        fix="clamp the base from below by a small constant; for an even power use square",
    ),
    "square": Edge(why="a square passes the largest number of its format", fix="use single precision, or scale down"),
    "div": _DIVISION,
    "reciprocal": _DIVISION,
    "mean": Edge(why="the mean of no element is 0/0", fix="leave empty selections out, or give them no weight"),
    "var": Edge(why="a variance over one value divides by 0", fix="use correction=0, or leave single values out"),
    "std": Edge(why="a deviation over one value divides by 0", fix="use correction=0, or leave single values out"),
    "exp": _EXP,
    "expm1": _EXP,
    "cosh": _EXP,
    "sinh": _EXP,
    "_softmax": _SOFTMAX,
    "_log_softmax": _SOFTMAX,
    "_scaled_dot_product_flash_attention_for_cpu": _SOFTMAX,
    "acos": Edge(
        why="acos of a number outside -1 to 1", fix="clamp the argument a little inside -1 to 1, or use atan2"
    ),
    "asin": Edge(
        why="asin of a number outside -1 to 1", fix="clamp the argument a little inside -1 to 1, or use atan2"
    ),
    "atanh": Edge(why="atanh of a number that reaches -1 or 1", fix="clamp the argument a little inside -1 to 1"),
    "logit": Edge(why="logit of a number that reaches 0 or 1", fix="give eps, or work with logits throughout"),
    "_ctc_loss": Edge(
        why="CTC of a target that is longer than its input has no path, and an infinite loss",
        fix="leave such rows out, lengthen the input, or set zero_infinity=True",
        data=True,
    ),
    "native_batch_norm": Edge(why="batch statistics of one value, or of values out of range", fix="use larger batches"),
    "_to_copy": Edge(
        why="a number does not fit the narrower format (half precision ends at 65504)",
        fix="keep this part in single precision, or use bfloat16",
    ),
    "sum": Edge(why="a sum passes the largest number of its format", fix="sum in single precision"),
    "mm": _PRODUCT,
    "bmm": _PRODUCT,
    "addmm": _PRODUCT,
    "matmul": _PRODUCT,
    "mul": Edge(why="a product passes the largest number of its format, or is 0 times infinity", fix="scale it down"),
}
_NODES: Mapping[str, Edge] = {
    "Sqrt": _ROOT,
    "Pow": _ROOT,
    "LinalgVectorNorm": _ROOT,
    "Norm": _ROOT,
    "Cdist": _ROOT,
    "Std": _ROOT,
    "Log": _LOG,
    "Acos": Edge(why="acos has an infinite slope at -1 and 1", fix="clamp its argument a little inside -1 to 1"),
    "Asin": Edge(why="asin has an infinite slope at -1 and 1", fix="clamp its argument a little inside -1 to 1"),
    "Atan2": Edge(why="atan2 has no slope at (0, 0)", fix="keep the point off the origin by a small constant"),
    "Div": _DIVISION,
    "Exp": _EXP,
}


def edge(operation: Operation) -> Edge | None:
    """Return what is known of this operation's edge; in the backward pass that of the operation it belongs to."""
    if operation.origin != "operation":
        return None
    node = operation.node.rstrip("0123456789").removesuffix("Backward")
    if node in _NODES:
        return _NODES[node]
    return _EDGES.get(operation.name.removesuffix("_"))
