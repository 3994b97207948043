"""The workloads of the bench, one file each. Those kept back are for the final count alone: nothing is tuned on them."""

from __future__ import annotations

from faultbench.cell import Workload

from . import bfloat, contrastive, digits_cnn, gan, half, language, lstm, regression, tacotron, vae

WORKLOADS: tuple[Workload, ...] = (
    regression.WORKLOAD,
    digits_cnn.WORKLOAD,
    language.WORKLOAD,
    tacotron.WORKLOAD,
    gan.WORKLOAD,
    bfloat.WORKLOAD,
    half.WORKLOAD,
    lstm.WORKLOAD,
    vae.WORKLOAD,
    contrastive.WORKLOAD,
)
