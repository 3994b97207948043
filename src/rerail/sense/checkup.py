"""The dear sensors: on a schedule, and at the tick after a finding, one more transfer looks at everything else.

They read what the step has left behind (gradients, optimizer, batch, signals) and the activations of its forward pass.
Nothing is drawn from a random generator, nothing stays on the model. A number that is not finite is left out: others
tell of it, and it must not make a sound step look broken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from rerail.sense.activations import Activations
from rerail.sense.gains import gains
from rerail.sense.inputs import described
from rerail.sense.maps import looked_at
from rerail.sense.memory import memory
from rerail.sense.moments import moments
from rerail.sense.sensors import norms, transfer

NAMED = 4  # parameters that are told by name


class Checkup:
    """Looks at one run: its model, its optimizers, the function that makes its losses.

    Where a look fails (a tensor of a kind that nobody thought of), `failed` is told why and no other is taken: a
    night's run must not die of it.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizers: Sequence[torch.optim.Optimizer],
        losses: Callable[..., Any] | None = None,
        failed: Callable[[str], None] | None = None,
    ) -> None:
        self.model, self.optimizers = model, optimizers
        self._failed, self._off = failed, False
        self._activations = Activations(model, losses)
        self._lookups = {id(one.weight) for one in model.modules() if isinstance(one, nn.Embedding | nn.EmbeddingBag)}

    def watched(self, *, on: bool) -> AbstractContextManager[dict[str, Tensor]]:
        """Watch the activations of a forward pass inside the block; see `Activations.watched`."""
        return self._activations.watched(on=on and not self._off)

    def read(
        self,
        activations: Mapping[str, Tensor],
        signals: Mapping[str, Tensor],
        inputs: Sequence[Sequence[Tensor]],
        clipped: float = 1.0,
    ) -> dict[str, float]:
        """Return the finite numbers of everything that is dear.

        `inputs` are the tensors of each micro-batch: rows are counted over all, and described are those of the first.
        `clipped` is what clipping will multiply the gradient by.
        """
        if self._off:
            return {}
        try:
            return self._read(activations, signals, inputs, clipped)
        except Exception as error:
            if self._failed is None:
                raise
            self._off = True
            self._failed(f"{type(error).__name__}: {error}")
            return {}

    def _read(
        self,
        activations: Mapping[str, Tensor],
        signals: Mapping[str, Tensor],
        inputs: Sequence[Sequence[Tensor]],
        clipped: float,
    ) -> dict[str, float]:
        if self._activations.failed is not None:
            raise self._activations.failed
        found = {**activations, **looked_at(signals), **moments(self.optimizers, clipped), **self._gradients()}
        found |= gains(self.model)
        if inputs:
            found |= described(inputs[0])
        numbers = dict(zip(found, transfer(list(found.values())), strict=True))
        rows = sum(next((one.shape[0] for one in tensors if one.dim()), 0) for tensors in inputs)
        numbers |= {"batch/rows": float(rows)} if rows else {}
        numbers |= {**self._parameters(), **memory(next(self.model.parameters()).device)}
        return {name: value for name, value in numbers.items() if math.isfinite(value)}

    def _gradients(self) -> dict[str, Tensor]:
        """Return the root mean square of the gradient, in all and of the first and last weight matrix, and zeros.

        First and last are meant as registered. Lookup tables are no matrices here: most of their rows have no gradient.
        `grad/zero` is the largest share of exact zeros of a matrix.
        """
        matrices = [one.grad for one in self.model.parameters() if self._is_matrix(one) and one.grad is not None]
        every = [one.grad for one in self.model.parameters() if one.grad is not None and not one.grad.is_sparse]
        if not matrices:
            return {}
        ends = {"grad/rms/first": matrices[0], "grad/rms/last": matrices[-1]}
        sizes = norms([one.detach() for one in every])
        total = torch.stack([size.to(sizes[0].device).double().square() for size in sizes]).sum().sqrt()
        count = sum(one.numel() for one in every)
        zeros = [(one == 0).float().mean().to(sizes[0].device) for one in matrices]
        found = {name: norms([one.detach()])[0] / one.numel() ** 0.5 for name, one in ends.items()}
        return {"grad/rms": total / count**0.5, "grad/zero": torch.stack(zeros).max(), **found}

    def _is_matrix(self, parameter: nn.Parameter) -> bool:
        gradient = parameter.grad
        return (
            parameter.dim() > 1
            and id(parameter) not in self._lookups
            and gradient is not None
            and not gradient.is_sparse
        )

    def _parameters(self) -> dict[str, float]:
        """Count the parameter tensors that are meant to be trained, and those that are not; a few by name."""
        trained = [(name, one) for name, one in self.model.named_parameters() if one.requires_grad]
        groups = (group for optimizer in self.optimizers for group in optimizer.param_groups)
        held = {id(one) for group in groups for one in group["params"]}
        bare = [(name, one) for name, one in trained if one.grad is None]
        loose = [(name, one) for name, one in trained if id(one) not in held]
        found = {"param/total": float(len(trained))}
        for kind, some in (("no_gradient", bare), ("loose", loose)):
            found[f"param/{kind}"] = float(len(some))
            found |= {f"param/{kind}/{name}": float(one.numel()) for name, one in some[:NAMED]}
        return found
