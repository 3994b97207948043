"""Real trainings, sound ones and failing ones, whose journals are kept under `faultbench/recorded/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from faultbench.trainings import digits, speech, text
from faultbench.trainings.training import Training

TRAININGS: Mapping[str, Callable[[int, Path], Training]] = {
    "tacotron2": speech.healthy,
    "tacotron2-hot": speech.hot,
    "vit": digits.vit,
    "vit-rate-grows": digits.vit_rate_grows,
    "perceptron": digits.perceptron,
    "resnet-half": digits.resnet_half,
    "gpt2": text.gpt2,
    "decoder-bfloat": text.decoder_bfloat,
    "tacotron2-three-faults": speech.three_faults,
    "tacotron2-half": speech.half,
    "tacotron2-rate": speech.rate,
    "tacotron2-unread": speech.unread,
    "vit-nan-late": digits.vit_nan_late,
    "vit-labels": digits.vit_labels,
    "resnet-scale-dies": digits.resnet_scale_dies,
    "perceptron-dead": digits.perceptron_dead,
    "gpt2-by-heart": text.gpt2_by_heart,
    "gpt2-rate": text.gpt2_rate,
}
