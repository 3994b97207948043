"""Shared pieces of the cases whose model is from the package `transformers`: tiny sizes, and rows a tiny model learns.

The configurations are tiny and the weights random: nothing is downloaded. Attention is the eager one, whose single
operations can be seen and named.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

PACKAGE = "transformers==5.23.0"
VOCABULARY = 50
WORDS = 12  # of a sentence
GOOD = 25  # words from this number on speak for label 1
CHAIN = 24  # words that follow one another in a fixed order


def sizes(**other: Any) -> dict[str, Any]:
    """Return the settings that most configurations of the package share, with `other` ones added."""
    return {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "attn_implementation": "eager",
        **other,
    }


def text_sizes(**other: Any) -> dict[str, Any]:
    """Return the settings of a text model of the BERT family."""
    dropout = {"hidden_dropout_prob": 0.02, "attention_probs_dropout_prob": 0.02}
    return sizes(vocab_size=VOCABULARY, max_position_embeddings=WORDS + 4, **dropout, **other)


def opinions(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
    """Return sentences that lean to one side, and their labels: 1 for mostly words from `GOOD` on, one in ten wrong."""
    share = 0.2 + 0.6 * torch.rand(rows, 1, generator=generator).round()
    good = (torch.rand(rows, WORDS, generator=generator) < share).long()
    words = torch.randint(2, GOOD, (rows, WORDS), generator=generator) + good * (GOOD - 2)
    wrong = (torch.rand(rows, generator=generator) < 0.1).long()  # keeps the gradient from fading to nothing
    return {"words": words, "label": (good.sum(1) > WORDS // 2).long() ^ wrong}


def chains(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
    """Return sentences in which each word tells the next one."""
    follower = 2 + torch.randperm(CHAIN, generator=torch.Generator().manual_seed(6))
    words = torch.randint(2, CHAIN + 2, (rows, 1), generator=generator)
    for _ in range(WORDS - 1):
        words = torch.cat([words, follower[words[:, -1:] - 2]], dim=1)
    return {"words": words}
