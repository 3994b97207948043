"""A tiny matching network trained on pairs that can be learned, and tiny pretrained encoders with drawn weights."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from rerail.fit import FitConfig, Result, train
from rerail.tasks.face_voice.settings import FaceVoiceConfig
from rerail.tasks.face_voice.task import FaceVoiceTask

FIT = FitConfig(steps=60, batch_size=8, lr=2e-3, warmup=5, evaluate_every=60, threads=1, snapshot_every=50)
TINY: dict[str, Any] = {"image_size": 16, "seconds": 0.25, "width": 16, "epochs": 0}
SHARES = {"test_size": 0.2, "validation_size": 0.2, "seen_size": 0.3}
MODEL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
EARS = {
    **MODEL,
    "conv_dim": (8, 8),
    "conv_stride": (20, 16),
    "conv_kernel": (20, 16),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}


def config(pairs: Path, **settings: Any) -> FaceVoiceConfig:
    """Settings for the pairs of `small_pairs.learnable` in a folder."""
    places = {"image_folder": str(pairs / "pictures"), "audio_folder": str(pairs / "sounds")}
    return FaceVoiceConfig(**{"cache": str(pairs / "cache"), **places, **TINY, **SHARES, **settings})


def trained(own: FaceVoiceConfig, run: Path, fit: FitConfig = FIT, **more: Any) -> Result:
    """Train on the CPU."""
    torch.manual_seed(0)
    return train(FaceVoiceTask(own, fit), fit, run=run, describe=asdict(own), **more)


def encoders(folder: Path, transformers: Any) -> dict[str, str]:
    """Save tiny models of transformers; return their folders by the names vit, wav2vec2 and hubert."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a library that we do not change
        made = {
            "vit": transformers.ViTModel(transformers.ViTConfig(image_size=32, patch_size=8, **MODEL)),
            "wav2vec2": transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**EARS)),
            "hubert": transformers.HubertModel(transformers.HubertConfig(**EARS)),
        }
        for name, model in made.items():
            model.save_pretrained(folder / name)
    return {name: str(folder / name) for name in made}
