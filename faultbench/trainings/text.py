"""Language models of the packages `transformers` and `x-transformers` on the bytes of real text.

The text is the source of Python's standard library (as installed; PSF licence 2.0), 2 MB of it, or, where a model is
to learn by heart, the two licences of this repository. The last twentieth is held out.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faultbench.trainings.common import measured
from faultbench.trainings.training import Training
from faultbench.workloads.common import HELD_OUT_SEED, constant, seeded, warmup_cosine
from faultbench.workloads.language import text as licences

SPAN, ROWS, BYTES = 64, 16, 2_000_000


def gpt2(seed: int, _: Path) -> Training:
    """Train a GPT-2 for 1600 steps: AdamW, warm-up and cosine."""
    return _trained(_gpt2(seed, dropout=0.1), seed, library(), steps=1600, rate=2e-3)


def decoder_bfloat(seed: int, _: Path) -> Training:
    """Train a decoder of `x-transformers` for 800 steps in bfloat16."""
    from x_transformers import Decoder, TransformerWrapper  # noqa: PLC0415 (only this training needs it)

    seeded(seed)
    layers = Decoder(dim=64, depth=2, heads=4, attn_dim_head=16, rotary_pos_emb=True)
    model = TransformerWrapper(num_tokens=128, max_seq_len=SPAN, attn_layers=layers)
    made = _trained(model, seed, library(), steps=800, rate=1e-3)
    return replace(made, precision=torch.bfloat16)


def gpt2_by_heart(seed: int, _: Path) -> Training:
    """Train a GPT-2 without dropout at a constant rate on little text, until it knows it by heart."""
    made = _trained(_gpt2(seed, dropout=0.0), seed, licences(), steps=2000, rate=2e-3)
    return replace(made, scheduler=constant(made.optimizer), every=50)


def gpt2_rate(seed: int, _: Path) -> Training:
    """Train a GPT-2 with a rate of 0.1 from the end of the warm-up on, 50 times too high."""
    return _trained(_gpt2(seed, dropout=0.1), seed, library(), steps=1600, rate=0.1)


@cache
def library() -> Tensor:
    """Give the standard library's sources, in the order of their names, as 7-bit codes."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    content = b"\n".join(file.read_bytes() for file in files)
    codes = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    return codes[codes < 128][:BYTES].long()


def _gpt2(seed: int, *, dropout: float) -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel  # noqa: PLC0415 (only these trainings need it)

    seeded(seed)
    drops = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), dropout)
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=128,
            n_positions=SPAN,
            n_embd=64,
            n_layer=2,
            n_head=4,
            bos_token_id=0,
            eos_token_id=0,
            **drops,
        )
    )


def _trained(model: nn.Module, seed: int, codes: Tensor, *, steps: int, rate: float) -> Training:
    edge = len(codes) * 19 // 20

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        given = model(batch["x"])
        logits = given if isinstance(given, Tensor) else given.logits
        return {"ce": F.cross_entropy(logits.float().flatten(0, 1), batch["y"].flatten())}

    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.05)
    return Training(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=_batches(codes[:edge], steps, torch.Generator().manual_seed(7919 * seed + 1)),
        steps=steps,
        evaluate=measured(model, losses, _rows(codes[edge:], 64, torch.Generator().manual_seed(HELD_OUT_SEED))),
        shown=("ce",),
        scheduler=warmup_cosine(optimizer, steps, warmup=100),
        clip_norm=1.0,
    )


def _batches(codes: Tensor, steps: int, generator: torch.Generator) -> Iterator[dict[str, Any]]:
    for step in range(steps):
        yield {**_rows(codes, ROWS, generator), "id": [f"row-{step:04d}-{row:02d}" for row in range(ROWS)]}


def _rows(codes: Tensor, count: int, generator: torch.Generator) -> dict[str, Tensor]:
    place = torch.randint(0, len(codes) - SPAN - 1, (count, 1), generator=generator) + torch.arange(SPAN)
    return {"x": codes[place], "y": codes[place + 1]}
