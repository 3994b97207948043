"""Optimizer state that was spoilt from outside: forward and gradient are healthy at `truth.step`, the update is not.

No truth here names an operation, a component or a row: nothing non-finite is made in forward or backward of the
faulty step. The loss shows the damage one step later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from .case import Case, Run, Truth
from .state_common import STEPS, class_rows, cut, mlp, once_after, regression_rows

SIZE = 16


def _nothing() -> None:
    """The mended run: nothing happens between the steps."""


def _regression(
    seed: int,
    prefix: str,
    optimizer: Callable[[nn.Module], torch.optim.Optimizer],
    fault: Callable[[torch.optim.Optimizer], None],
    step: int,
    *,
    faulty: bool,
) -> Run:
    """A squared-error run whose optimizer meets `fault` between batch `step - 1` and batch `step`."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = mlp(8, 32, 1)
    chosen = optimizer(model)

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"mse": (model(batch["x"]).squeeze(-1) - batch["y"]).square().mean()}

    return Run(
        model=model,
        optimizer=chosen,
        losses=losses,
        batches=cut(regression_rows(STEPS * SIZE, generator), SIZE, prefix),
        held_out=cut(regression_rows(128, generator), 32, f"{prefix}-held"),
        after_commit=once_after(step, lambda: fault(chosen)) if faulty else _nothing,
    )


# -- eps lost ---------------------------------------------------------------------------------------------------------


def _with_unused_columns(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Class rows plus two indicator columns that no row sets: their weights have no gradient at all."""
    rows = class_rows(count, generator)
    return {**rows, "x": torch.cat([rows["x"], torch.zeros(count, 2)], dim=1)}


def _build_eps_zero(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = mlp(10, 24, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"ce": functional.cross_entropy(model(batch["x"]), batch["label"])}

    def resume() -> None:
        # The run's settings went through half precision: 1e-8 becomes 0, and 0 / (sqrt(0) + 0) is NaN.
        for group in optimizer.param_groups:
            group["eps"] = float(torch.tensor(group["eps"]).half())

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=cut(_with_unused_columns(STEPS * SIZE, generator), SIZE, "eps"),
        held_out=cut(_with_unused_columns(128, generator), 32, "eps-held"),
        after_commit=once_after(28, resume) if faulty else _nothing,
    )


# -- second moment ----------------------------------------------------------------------------------------------------


def _adam(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=0.01)


def _sign_flipped(optimizer: torch.optim.Optimizer) -> None:
    """A botched transfer leaves some second moments negative; their square root is NaN."""
    for state in optimizer.state.values():
        state["exp_avg_sq"].view(-1)[::7].neg_()


def _build_negative_moment(seed: int, *, faulty: bool) -> Run:
    return _regression(seed, "negative", _adam, _sign_flipped, 34, faulty=faulty)


class SmallGradients(nn.Module):
    """A regression whose loss is averaged over many padded places, so that its gradients are tiny."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(8, 64, 1)
        self.places = 50_000  # the real rows are few among the padding

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Give the mean loss of the rows."""
        error: Tensor = self.net(x).squeeze(-1) - y
        return error.square().sum() / self.places


def _build_half_moment(seed: int, *, faulty: bool) -> Run:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = SmallGradients()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.9999), eps=1e-12)

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"mse": model.loss(batch["x"], batch["y"])}

    def load_half_state() -> None:
        # The loader casts the state to half: squares below 6e-8 become 0, while the step counter (here that of the
        # long first run) says that the average is warm, so that no bias correction makes up for it.
        for state in optimizer.state.values():
            state["exp_avg_sq"].copy_(state["exp_avg_sq"].half())
            state["step"].fill_(100_000)

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=cut(regression_rows(STEPS * SIZE, generator), SIZE, "half"),
        held_out=cut(regression_rows(128, generator), 32, "half-held"),
        after_commit=once_after(38, load_half_state) if faulty else _nothing,
    )


# -- first moment -----------------------------------------------------------------------------------------------------


def _scaled_momentum(optimizer: torch.optim.Optimizer) -> None:
    """The first moment still carries the loss scale of 65536, the second one does not."""
    for state in optimizer.state.values():
        state["exp_avg"].mul_(65536.0)


def _build_scaled_momentum(seed: int, *, faulty: bool) -> Run:
    return _regression(seed, "momentum", _adam, _scaled_momentum, 30, faulty=faulty)


def _sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.002, momentum=0.95)


def _converted_buffer(optimizer: torch.optim.Optimizer) -> None:
    """A converter takes the buffer for one that holds lr * gradient and divides it by the rate."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            optimizer.state[parameter]["momentum_buffer"].div_(group["lr"])


def _build_converted_buffer(seed: int, *, faulty: bool) -> Run:
    return _regression(seed, "buffer", _sgd, _converted_buffer, 42, faulty=faulty)


# -- a reset that forgot a part ---------------------------------------------------------------------------------------


def _rmsprop(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(model.parameters(), lr=0.003, alpha=0.9, momentum=0.5)


def _overflowed_buffer(optimizer: torch.optim.Optimizer) -> None:
    """One overflowed step that the loss scaler threw away had already gone into the momentum, and stays there."""
    state = next(iter(optimizer.state.values()))
    state["momentum_buffer"].view(-1)[3] = float("inf")


def _build_overflowed_buffer(seed: int, *, faulty: bool) -> Run:
    return _regression(seed, "poison", _rmsprop, _overflowed_buffer, 26, faulty=faulty)


CASES: tuple[Case, ...] = (
    Case(
        name="adam-eps-lost",
        title="Adam's eps underflows to zero on resume: weights without gradient get 0 / 0.",
        source="https://github.com/google-deepmind/optax/issues/1754",
        package="",
        truth=Truth(kind="optimizer", step=28),
        repairable=True,
        build=_build_eps_zero,
    ),
    Case(
        name="adam-negative-second-moment",
        title="Some of Adam's second moments turn negative, and their square roots are NaN.",
        source="https://github.com/pytorch/pytorch/issues/108493",
        package="",
        truth=Truth(kind="optimizer", step=34),
        repairable=True,
        build=_build_negative_moment,
    ),
    Case(
        name="adam-half-second-moment",
        title="The optimizer state is loaded through half precision: tiny second moments become zero, updates explode.",
        source="https://github.com/facebookresearch/fairseq2/pull/212",
        package="",
        truth=Truth(kind="optimizer", step=38),
        repairable=True,
        build=_build_half_moment,
    ),
    Case(
        name="adam-scaled-first-moment",
        title="Adam's first moment is restored with the loss scale still in it: one step moves 65536 times too far.",
        source="https://github.com/NVIDIA-NeMo/RL/issues/3544",
        package="",
        truth=Truth(kind="optimizer", step=30),
        repairable=True,
        build=_build_scaled_momentum,
    ),
    Case(
        name="sgd-buffer-converted",
        title="A converter divides SGD's momentum buffer by the learning rate, which it never held.",
        source="https://github.com/apache/mxnet/issues/15533",
        package="",
        truth=Truth(kind="optimizer", step=42),
        repairable=True,
        build=_build_converted_buffer,
    ),
    Case(
        name="overflow-kept-in-momentum",
        title="An overflow that the loss scaler discarded stays in the momentum buffer and poisons the next update.",
        source="https://github.com/deepspeedai/DeepSpeed/issues/8432",
        package="",
        truth=Truth(kind="optimizer", step=26),
        repairable=True,
        build=_build_overflowed_buffer,
    ),
)
