"""The optimizer of a run, as its settings ask for it, and the course of its learning rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from rerail.extras import need
from rerail.fit.config import FitConfig
from rerail.fit.ema import swapped
from rerail.fit.schedule import FREE
from rerail.guard import fresh

Adams = torch.optim.Adam | torch.optim.AdamW


def scheduled(optimizer: torch.optim.Optimizer, config: FitConfig) -> LambdaLR:
    """Return the schedule of an optimizer's rate, stepped once an optimizer step."""
    return LambdaLR(optimizer, config.rate_at)


def refuse_unrated(config: FitConfig) -> None:
    """Refuse a rate of 0, which stands for that of the network's size, where the trainer knows none.

    Raises:
        ValueError: for it.
    """
    if config.lr == 0:
        raise ValueError("lr: 0 stands for the rate of the network's size, and this trainer knows none; give one")


def optimizer(
    parameters: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
    config: FitConfig,
    usual: type[Adams] = torch.optim.AdamW,
) -> torch.optim.Optimizer:
    """Return the `usual` one, or schedule-free AdamW where that is asked for.

    Raises:
        ModuleNotFoundError: naming the command that installs the latter.
        ValueError: for a rate of 0, which stands for one that the trainer should have known.
    """
    refuse_unrated(config)
    if config.schedule != FREE:
        return usual(parameters, config.lr, weight_decay=config.weight_decay)
    kind = need("schedulefree", extra="schedule-free").AdamWScheduleFree
    made: torch.optim.Optimizer = kind(parameters, config.lr, weight_decay=config.weight_decay)
    made.train()  # type: ignore[attr-defined]
    return made


class FreeAverage:
    """The average that a schedule-free optimizer keeps, to be measured and spoken with (Defazio et al. 2024).

    The model trains at y, between the average x and the fast weights z: y = (1 - b) z + b x, with b the first beta
    (arXiv:2405.15682, section 2). x is computed where it is asked for, and nothing of the run is touched by it. What
    has no z, as under another optimizer, is as it is; so are parameters outside the model. Buffers are those of y:
    whoever normalises by batches should gather the statistics of x anew, as the method's authors advise.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.model, self.optimizer = model, optimizer

    def begin(self) -> None:
        """Take the present weights for the average: the optimizer begins anew."""
        fresh([self.optimizer])

    def update(self) -> None:
        """Do nothing: the optimizer has averaged."""

    @property
    @torch.no_grad()
    def average(self) -> dict[str, Tensor]:
        """The averaged weights, and the buffers as they are."""
        groups = {id(one): group for group in self.optimizer.param_groups for one in group["params"]}
        found = {name: one.detach().clone() for name, one in self.model.state_dict().items()}
        for name, one in self.model.named_parameters(remove_duplicate=False):  # of tied weights every name
            fast = self.optimizer.state[one].get("z") if one in self.optimizer.state else None
            if fast is not None:
                group = groups[id(one)]
                found[name].lerp_(fast, 1.0 - 1.0 / (group["betas"][0] if "betas" in group else group["momentum"]))
        return found

    def swapped(self) -> AbstractContextManager[None]:
        """Have the model hold the average meanwhile."""
        return swapped(self.model, self.average)

    def state_dict(self) -> dict[str, Any]:
        """Return the average, for whoever loads the weights to speak with."""
        return {"average": self.average}

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Do nothing: the optimizer's state says all."""
