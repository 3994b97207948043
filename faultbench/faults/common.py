"""What the faults share: which workloads they fit, the run's clock, and the three places where a fault is put in.

The clock is the schedule's step count. It counts committed steps and goes back with a rewind, so that a fault "from a
step on" is there again when the step comes again, and replays of earlier steps do not meet it. What is measured
(`model.eval()`) is measured without the fault: the loss function of a faulty run judges the model as the clean one does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from faultbench.case import Run

Components = dict[str, Tensor]
Clock = Callable[[], int]

ALL = frozenset(
    "regression digits-cnn language-model tacotron gan bfloat half lstm vae contrastive".split()  # noqa: SIM905
)
SGD = frozenset({"regression", "half"})
ADAM = ALL - SGD
FLOATS = ALL - {"language-model"}  # those whose inputs are numbers, not tokens
TARGETS = ALL - {"gan", "vae"}
CLASSES = frozenset({"digits-cnn", "language-model", "lstm", "half"})
SEVERAL = frozenset({"tacotron", "gan", "bfloat", "vae"})  # loss components
RELU = frozenset({"regression", "digits-cnn", "gan", "bfloat", "half", "vae", "contrastive"})
NORMED = frozenset({"digits-cnn", "language-model", "bfloat", "half", "contrastive"})
HOOKED = ALL - {"tacotron"}  # its decoder calls no module that a hook could sit on


def among(names: Collection[str]) -> Callable[[str], bool]:
    """Say that a fault fits these workloads."""
    return lambda name: name in names


def drawn(seed: int) -> torch.Generator:
    """Give the generator of a fault's own choices."""
    return torch.Generator().manual_seed(104729 * seed + 13)


# -- the data ---------------------------------------------------------------------------------------------------------


def numbers(batch: Mapping[str, Any]) -> str:
    """Name the column of numbers that the model reads."""
    return "mel" if "mel" in batch else "x"


def targets(batch: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the columns that say what is right."""
    return ("text", "text_length") if "text" in batch else ("y",)


def rows(batch: Mapping[str, Any]) -> int:
    """Count the rows of a batch."""
    return len(batch["id"])


def with_batches(
    run: Run, begin: int, change: Callable[[dict[str, Any]], dict[str, Any]], stretch: float = float("inf")
) -> Run:
    """Change the batches from `begin` on, `stretch` of them."""
    last = begin + stretch
    changed = [change(dict(one)) if begin <= at < last else one for at, one in enumerate(run.batches)]
    return replace(run, batches=changed)


# -- the clock --------------------------------------------------------------------------------------------------------


def clock(run: Run) -> Clock:
    """Give the number of committed steps, as a rewind leaves it."""
    schedule = run.scheduler
    assert schedule is not None
    return lambda: int(schedule.last_epoch)


def after(run: Run, action: Callable[[], None]) -> Run:
    """Call `action` after each committed step, behind what the run itself does there."""
    own = run.after_commit

    def both() -> None:
        if own is not None:
            own()
        action()

    return replace(run, after_commit=both)


def once(run: Run, begin: int, action: Callable[[], None]) -> Run:
    """Let `action` happen once, when `begin` steps are committed; a second passage does not meet it again."""
    now, done = clock(run), False

    def strike() -> None:
        nonlocal done
        if not done and now() == begin:
            done = True
            action()

    if begin == 0:
        action()
        return run
    return after(run, strike)


def kept_at(run: Run, begin: int, action: Callable[[], None]) -> Run:
    """Let `action` happen before each step from `begin` on, whatever a rewind has put back."""
    now = clock(run)

    def again() -> None:
        if now() >= begin:
            action()

    if begin == 0:
        action()
    return after(run, again)


# -- losses and modules -----------------------------------------------------------------------------------------------


def with_losses(run: Run, begin: int, change: Callable[[Components, Mapping[str, Any]], Components]) -> Run:
    """Change the loss components from `begin` on, in training."""
    now, right, model = clock(run), run.losses, run.model

    def losses(batch: Any) -> Mapping[str, Tensor]:
        named = right(batch)
        return change(dict(named.items()), batch) if model.training and now() >= begin else named

    return replace(run, losses=losses)


def leaves(model: nn.Module) -> list[nn.Module]:
    """Give the modules without children that give one tensor, in the order of their names in the model."""
    return [one for one in model.modules() if not list(one.children()) and not isinstance(one, nn.LSTM)]


def trunk(model: nn.Module) -> nn.Module:
    """Give the last module before the output's."""
    return leaves(model)[-2]


def layers(model: nn.Module) -> Iterator[nn.Module]:
    """Give the linear and convolutional layers."""
    return (one for one in model.modules() if isinstance(one, nn.Linear | nn.Conv1d | nn.Conv2d))


def hooked(
    run: Run, module: nn.Module, begin: int, change: Callable[[Tensor], Tensor], *, measured: bool = False
) -> Run:
    """Change the output of a module from `begin` on; where `measured`, in evaluation too."""
    now, model = clock(run), run.model

    def hook(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        active = now() >= begin and (measured or model.training)
        return change(output) if active else output

    module.register_forward_hook(hook)
    return run


def largest(model: nn.Module) -> nn.Parameter:
    """Give the parameter with the most numbers."""
    return max(model.parameters(), key=lambda one: one.numel())
