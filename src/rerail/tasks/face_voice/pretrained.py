"""Encoders of the library transformers, by name or from a folder: ViT for pictures, Wav2Vec2 or HuBERT for voices.

Each is in two parts: `measured`, all that the model itself says of a row, which can be computed once where the model
stays as it is, and `weighed`, which is learned.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rerail.core.extras import need
from rerail.tasks.face_voice.encoders import Weighed

EXTRA = "pretrained"
TAKES = {"image_encoder": "pixel_values", "audio_encoder": "input_values"}
MEAN, DEVIATION = 0.5, 0.5  # of a channel, where the model's folder does not say


class PretrainedPictures(nn.Module):
    """A vision transformer over (batch, 3, height, width) in [0, 1]: its first token."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, place: str) -> None:
        super().__init__()
        self.model = _loaded(place, "image_encoder")
        self.features = int(self.model.config.hidden_size)
        self.weighed = Weighed(1, self.features)
        mean, deviation = _normalisation(place)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(3, 1, 1), persistent=False)

    def measured(self, x: Tensor) -> Tensor:
        """Return (batch, 1, features)."""
        size = self.model.config.image_size
        scaled = nn.functional.interpolate(x, size=(size, size), mode="bilinear", antialias=True, align_corners=False)
        output = self.model(pixel_values=(scaled - self.mean) / self.deviation)
        first: Tensor = output.last_hidden_state[:, :1]
        return first

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, features)."""
        weighed: Tensor = self.weighed(self.measured(x))
        return weighed


class PretrainedVoices(nn.Module):
    """A transformer over sound (batch, samples) at 16 kHz: statistics over the time of all its layers, weighed.

    Layers are not left out at random, since all are weighed, and nothing is masked: the library draws masks from numpy,
    which would be others where a chunk is encoded again on the way back, and refuses sounds under 0.2 s.
    """

    def __init__(self, place: str) -> None:
        super().__init__()
        self.model = _loaded(place, "audio_encoder")
        self.model.config.layerdrop, self.model.config.apply_spec_augment = 0.0, False
        self.features = 2 * int(self.model.config.hidden_size)
        self.weighed = Weighed(int(self.model.config.num_hidden_layers) + 1, self.features)

    def measured(self, x: Tensor) -> Tensor:
        """Return (batch, layers, features): the mean and the deviation over the time."""
        deviation = (x.var(1, keepdim=True, correction=0) + 1e-7).sqrt()
        normal = (x - x.mean(1, keepdim=True)) / deviation
        hidden = torch.stack(self.model(input_values=normal, output_hidden_states=True).hidden_states, 1)
        return torch.cat([hidden.mean(2), (hidden.var(2, correction=0) + 1e-5).sqrt()], 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, features)."""
        weighed: Tensor = self.weighed(self.measured(x))
        return weighed


def _loaded(place: str, setting: str) -> Any:  # noqa: ANN401 (an optional library's)
    """Load the model of a setting, in single precision, in training mode as all that was just built.

    Raises:
        ModuleNotFoundError: naming the command that installs the library.
        ValueError: where there is no such model here and none can be fetched, or it is of another kind.
    """
    transformers = need("transformers", extra=EXTRA)
    try:
        model = transformers.AutoModel.from_pretrained(place, dtype=torch.float32).train()
    except (OSError, ValueError) as error:
        told = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"{place}: no model can be loaded ({told}); give a folder that holds one, or a name"
        ) from error
    takes = str(model.main_input_name)
    if takes != TAKES[setting]:
        kind = f"{place} is a {type(model).__name__}, which takes {takes}"
        raise ValueError(f"{setting}: {kind}; give a model that takes {TAKES[setting]}")
    return model


def _normalisation(place: str) -> tuple[list[float], list[float]]:
    """The mean and deviation of a channel that the model was trained with."""
    if not (Path(place) / "preprocessor_config.json").is_file() and Path(place).is_dir():
        return [MEAN] * 3, [DEVIATION] * 3
    given = need("transformers", extra=EXTRA).AutoImageProcessor.from_pretrained(place)
    return [float(one) for one in given.image_mean], [float(one) for one in given.image_std]
