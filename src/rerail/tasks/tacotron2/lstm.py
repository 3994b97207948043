"""LSTM cells unrolled over many steps, with a backward pass written by hand.

Three things make it faster than the same loop of `nn.LSTMCell`, at equal results up to rounding:
- Only the product with the last hidden state has to wait for its step. Whatever else the gates hear comes in as
  `drive`, computed for all steps at once.
- A weight's gradient is the sum of one small product a step. Stacked, that is one large product after the loop, which
  runs at several times the speed, and no sum of matrices of the weight's size is ever formed.
- The products that are left, of a few rows and a large matrix, go block by block (`product`).

Gates stand in torch's order: input, forget, cell, output. `drive` is used up: the gates are written over it, and going
back their gradients over them, unless the graph is kept.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from rerail.tasks.speech.precision import exactly, fast


class Kept(NamedTuple):
    """What dropout leaves of the hidden states: `mask` (batch, steps, hidden), true where kept, and their `scale`."""

    mask: Tensor
    scale: float

    def at(self, step: int, states: Tensor) -> Tensor:
        """states: (batch, hidden), before dropout or going back -> the same after it."""
        return states * self.mask[:, step] * self.scale


Keep = Kept | None
BLOCK = 256  # outputs of one block; from 128 to 512 it makes no difference


def sequence(drive: Tensor, weight: Tensor, keep: Keep) -> Tensor:
    """All hidden states of a cell whose other inputs are known: `gates = drive[t] + weight hidden`.

    drive: (batch, steps, 4 hidden); weight: (4 hidden, hidden) -> (batch, steps, hidden).
    """
    hidden: Tensor = _Sequence.apply(drive, weight, fast(weight.detach()), keep)  # type: ignore[no-untyped-call]
    return hidden


class Reader:
    """A cell that also hears what is read from a memory: `gates = drive[t] + weight hidden + reading keyed`.

    drive: (batch, steps, 4 hidden); weight: (4 hidden, hidden); keyed: (batch, symbols, 4 hidden), the memory as the
    gates hear it. Reading is linear, so the gates' share of the memory can be worked out before it is known what will
    be read; a step is then a sum of few vectors instead of a product with a large matrix.
    """

    def __init__(self, drive: Tensor, weight: Tensor, keyed: Tensor, keep: Keep) -> None:
        self._tape = _Tape(drive.detach(), fast(weight.detach()), keyed.detach(), keep)
        self._thread: Tensor = _Thread.apply(drive, weight, keyed, self._tape)  # type: ignore[no-untyped-call]

    def step(self, number: int, hidden: Tensor, cell: Tensor, reading: Tensor) -> tuple[Tensor, Tensor]:
        """hidden, cell: (batch, hidden) and reading: (batch, symbols) before this step -> hidden, cell after it."""
        after: tuple[Tensor, Tensor]
        after = _Step.apply(hidden, cell, reading, self._thread, self._tape, number)  # type: ignore[no-untyped-call]
        return after


def product(x: Tensor, weight: Tensor) -> Tensor:
    """`x weight^T` for few rows; x: (rows, inputs); weight: (outputs, inputs), contiguous -> (rows, outputs).

    A processor's library copies the whole of a large matrix into another order before it multiplies, which for a few
    rows takes longer than the product. Given as many smaller products, it does not.
    """
    outputs, inputs = weight.shape
    rows = x.to(weight.dtype)
    if x.device.type != "cpu" or outputs % BLOCK:
        return (rows @ weight.t()).to(x.dtype)
    blocks = weight.view(-1, BLOCK, inputs).transpose(1, 2)
    return torch.bmm(rows.expand(len(blocks), -1, -1), blocks).transpose(0, 1).reshape(len(x), outputs).to(x.dtype)


def advance(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """gates: (batch, 4 hidden), overwritten by their activations; cell: (batch, hidden) -> hidden, cell."""
    width = cell.shape[1]
    i, f, g, o = gates.chunk(4, 1)
    gates[:, : 2 * width].sigmoid_()
    g.tanh_()
    o.sigmoid_()
    cell = torch.addcmul(f * cell, i, g)
    hidden: Tensor = o * torch.tanh(cell)
    return hidden, cell


def _retreat(into: Tensor, gates: Tensor, cells: tuple[Tensor, Tensor], ahead: tuple[Tensor, Tensor]) -> Tensor:
    """Go back through `advance`: write the gradient of the gates into `into`, give that of the cell before.

    `into` may be the gates themselves.

    cells are those before and after the step; ahead are the gradients of hidden and cell after it.
    """
    (before, after), (hidden, cell) = cells, ahead
    gates = gates.clone() if into.data_ptr() == gates.data_ptr() else gates
    i, f, g, o = gates.chunk(4, 1)
    di, df, dg, do = into.chunk(4, 1)
    tanh = torch.tanh(after)
    cell = cell + torch.ops.aten.tanh_backward(hidden * o, tanh)
    _through_sigmoid(cell * g, i, grad_input=di)
    _through_sigmoid(cell * before, f, grad_input=df)
    torch.ops.aten.tanh_backward.grad_input(cell * i, g, grad_input=dg)
    _through_sigmoid(hidden * tanh, o, grad_input=do)
    back: Tensor = cell * f
    return back


_through_sigmoid = torch.ops.aten.sigmoid_backward.grad_input


def _graph_is_kept() -> bool:
    """Whether another backward pass may follow over the graph; torch has no public way to ask, and no answer is yes."""
    return bool(getattr(torch._C._autograd, "_get_current_graph_task_keep_graph", lambda: True)())  # noqa: SLF001


class _Sequence(torch.autograd.Function):
    """See `sequence`."""

    @staticmethod
    @exactly
    def forward(ctx: Any, drive: Tensor, _: Tensor, weight: Tensor, keep: Keep) -> Tensor:  # noqa: ANN401
        gates, (batch, steps, _gates) = drive.detach(), drive.shape
        hidden = drive.new_empty(batch, steps, weight.shape[1])
        cells = drive.new_zeros(steps + 1, batch, weight.shape[1])
        state = cells[0]
        for step in range(steps):
            row = gates[:, step]
            row += product(state, weight)
            state, cells[step + 1] = advance(row, cells[step])
            if keep is not None:
                state = keep.at(step, state)
            hidden[:, step] = state
        ctx.save_for_backward(weight, gates, hidden, cells)
        ctx.keep = keep
        return hidden

    @staticmethod
    @exactly
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:  # noqa: ANN401
        (weight, gates, hidden, cells), keep = ctx.saved_tensors, ctx.keep
        into, back = torch.empty_like(gates) if _graph_is_kept() else gates, weight.t().contiguous()
        state, cell = torch.zeros_like(cells[0]), torch.zeros_like(cells[0])
        for step in reversed(range(gates.shape[1])):
            state = state + gradient[:, step]
            if keep is not None:
                state = keep.at(step, state)
            cell = _retreat(into[:, step], gates[:, step], (cells[step], cells[step + 1]), (state, cell))
            state = product(into[:, step], back)
        before = functional.pad(hidden[:, :-1], (0, 0, 1, 0))
        return into, _stacked(into, before), None, None


class _Tape:
    """What the steps of a `Reader` share: each leaves here what the stacked products after the loop need."""

    def __init__(self, gates: Tensor, weight: Tensor, keyed: Tensor, keep: Keep) -> None:
        self.gates, self.weight, self.keyed, self.keep = gates, weight, keyed, keep
        self.hidden = gates.new_zeros(*gates.shape[:2], weight.shape[1])  # before each step, as is the reading
        self.reading = gates.new_zeros(*gates.shape[:2], keyed.shape[1])
        self.into: Tensor | None = None  # going back: the gradients of the gates,
        self.back: Tensor | None = None  # the weight the other way round,
        self.gone: set[int] = set()  # and the steps that were gone through


class _Thread(torch.autograd.Function):
    """Goes through all steps of a `Reader`; on the way back it comes last, when every step has left its gradient."""

    @staticmethod
    def forward(ctx: Any, drive: Tensor, weight: Tensor, keyed: Tensor, tape: _Tape) -> Tensor:  # noqa: ANN401, ARG004
        ctx.tape = tape
        return drive.new_empty(0)

    @staticmethod
    @exactly
    @once_differentiable
    def backward(ctx: Any, _: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:  # noqa: ANN401
        tape: _Tape = ctx.tape
        into, tape.into, tape.back = tape.into, None, None
        assert into is not None
        for step in set(range(into.shape[1])) - tape.gone:  # not part of the loss
            into[:, step] = 0.0
        tape.gone = set()
        return into, _stacked(into, tape.hidden), torch.bmm(tape.reading.transpose(1, 2), into), None


class _Step(torch.autograd.Function):
    """One step of a `Reader`. Rows of the tape are no saved tensors: others are written after them."""

    @staticmethod
    @exactly
    def forward(
        ctx: Any,  # noqa: ANN401
        hidden: Tensor,
        cell: Tensor,
        reading: Tensor,
        _: Tensor,
        tape: _Tape,
        number: int,
    ) -> tuple[Tensor, Tensor]:
        tape.hidden[:, number], tape.reading[:, number] = hidden, reading
        gates = tape.gates[:, number]
        gates += product(hidden, tape.weight)
        gates += torch.bmm(reading[:, None], tape.keyed)[:, 0]
        state, after = advance(gates, cell)
        ctx.tape, ctx.number = tape, number
        ctx.save_for_backward(cell, after)
        return state if tape.keep is None else tape.keep.at(number, state), after

    @staticmethod
    @exactly
    @once_differentiable
    def backward(ctx: Any, hidden: Tensor, cell: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        tape, number = ctx.tape, ctx.number
        if tape.into is None:
            tape.into = torch.empty_like(tape.gates) if _graph_is_kept() else tape.gates
            tape.back = tape.weight.t().contiguous()
        into = tape.into[:, number]
        tape.gone.add(number)
        if tape.keep is not None:
            hidden = tape.keep.at(number, hidden)
        cell = _retreat(into, tape.gates[:, number], ctx.saved_tensors, (hidden, cell))
        reading = torch.bmm(into[:, None], tape.keyed.transpose(1, 2))[:, 0]
        return product(into, tape.back), cell, reading, into.new_zeros(0), None, None


def _stacked(into: Tensor, hidden: Tensor) -> Tensor:
    """The weight's gradient, all steps in one product; (batch, steps, 4 hidden), (batch, steps, hidden)."""
    return into.flatten(0, 1).t() @ hidden.flatten(0, 1)
