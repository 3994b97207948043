"""How large the weights of each layer are beside what keeps a signal at its size."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LAYERS = (nn.Linear, nn.modules.conv._ConvNd, nn.RNNBase, nn.RNNCellBase)  # noqa: SLF001 (all convolutions)


def gains(model: nn.Module) -> dict[str, Tensor]:
    """Return `weight/gain`, 0-d: the largest of rms(W) sqrt(fan in) over the weight matrices of layers.

    By this factor a layer makes the root mean square of independent inputs larger: 0.58 with torch's own start, 1 with
    that of Glorot, 1.41 with that of He. Transposed convolutions count their inputs alike.
    """
    layers = [one for one in model.modules() if isinstance(one, LAYERS)]
    held = [one for layer in layers for one in layer.parameters(recurse=False) if one.dim() > 1 and one.numel()]
    if not held:
        return {}
    sizes = torch.stack([_gain(one.detach()) for one in held])
    return {"weight/gain": sizes.max()}


def _gain(weight: Tensor) -> Tensor:
    size: Tensor = torch.linalg.vector_norm(weight, dtype=torch.float32).div(weight.shape[0] ** 0.5)
    return size
