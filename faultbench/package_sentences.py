"""Text models of the package `transformers`: labels, masks, weights, optimizer state and a flipped bit.

GPT-2, BERT, RoBERTa, DistilBERT and ELECTRA in tiny configurations, each with a loss that people really use with it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    ElectraConfig,
    ElectraForTokenClassification,
    GPT2Config,
    GPT2LMHeadModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from .case import Batch, Case, Run, Truth
from .rows import put, run, stream
from .state_common import fire_once, once_after
from .transformers_common import GOOD, PACKAGE, VOCABULARY, WORDS, chains, opinions, text_sizes


def build_prompt_fills_window(seed: int, *, faulty: bool) -> Run:
    """GPT-2 learns to answer prompts; in one batch all prompts are so long that truncation leaves no answer."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        words = chains(generator, rows)["words"]
        prompt = torch.randint(3, WORDS - 3, (rows, 1), generator=generator)
        return {"words": words, "labels": words.masked_fill(torch.arange(WORDS) < prompt, -100)}

    data = stream(make, seed, rows=8)
    if faulty:
        data[0][33] = {**data[0][33], "labels": torch.full((8, WORDS), -100)}  # the loss is a mean over nothing
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=VOCABULARY,
            n_positions=WORDS,
            n_embd=32,
            n_layer=2,
            n_head=2,
            resid_pdrop=0.02,
            bos_token_id=0,
            eos_token_id=1,
        )
    )
    model.loss_type = "ForCausalLM"

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"answer": model(input_ids=batch["words"], labels=batch["labels"]).loss}

    return run(model.train(), losses, data, lr=5e-3)


def build_window_mask(seed: int, *, faulty: bool) -> Run:
    """BERT with an own 4D mask: each word sees the mentions near it, and a word far from every mention sees nothing."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        fields = opinions(generator, rows)
        mention = torch.rand(rows, WORDS, generator=generator) < 0.8
        mention[:, ::3] = True
        return {**fields, "mention": mention}

    data = stream(make, seed)
    put(data[0], 38, 4, mention=torch.arange(WORDS) < 3)  # legitimate: the other words are not about anything named
    model = BertForSequenceClassification(BertConfig(**text_sizes(num_labels=2)))
    near = (torch.arange(WORDS).unsqueeze(1) - torch.arange(WORDS)).abs() <= 2

    def losses(batch: Batch) -> dict[str, Tensor]:
        seen = near & batch["mention"].unsqueeze(1)
        if not faulty:
            seen = seen | torch.eye(WORDS, dtype=torch.bool)  # every word sees at least itself
        mask = torch.zeros(seen.shape).masked_fill(~seen, float("-inf")).unsqueeze(1)
        return {"label": model(input_ids=batch["words"], attention_mask=mask, labels=batch["label"]).loss}

    return run(model.train(), losses, data, lr=2e-3)


def build_positions_of_garbage(seed: int, *, faulty: bool) -> Run:
    """RoBERTa gets a longer position table on the way, made with `new_empty`: some of it is NaN."""
    torch.manual_seed(seed)
    model = RobertaForSequenceClassification(RobertaConfig(**text_sizes(num_labels=2, pad_token_id=1)))
    table = model.roberta.embeddings.position_embeddings.weight

    def replace() -> None:
        with torch.no_grad():
            table[:5] = float("nan")  # the rows that were not copied; positions 2 to 4 are in every sentence

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"label": model(input_ids=batch["words"], labels=batch["label"]).loss}

    after = once_after(37, replace) if faulty else None
    return run(model.train(), losses, stream(opinions, seed), lr=1e-3, after_commit=after)


def swap_moments(optimizer: torch.optim.Optimizer) -> None:
    """Exchange the two moments of Adam, as a loader does that takes the flat tensors in the wrong order."""
    for state in optimizer.state.values():
        state["exp_avg"], state["exp_avg_sq"] = state["exp_avg_sq"], state["exp_avg"]


def build_moments_exchanged(seed: int, *, faulty: bool) -> Run:
    """DistilBERT whose optimizer state is restored with the moments exchanged: roots of negative numbers."""
    torch.manual_seed(seed)
    model = DistilBertForSequenceClassification(
        DistilBertConfig(
            vocab_size=VOCABULARY,
            max_position_embeddings=WORDS,
            dim=32,
            hidden_dim=64,
            n_layers=2,
            n_heads=2,
            dropout=0.02,
            seq_classif_dropout=0.02,
            num_labels=2,
            attn_implementation="eager",
        )
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"label": model(input_ids=batch["words"], labels=batch["label"]).loss}

    after = once_after(30, lambda: swap_moments(optimizer)) if faulty else None
    return run(model.train(), losses, stream(opinions, seed), optimizer=optimizer, after_commit=after)


def flipped(values: Tensor) -> Tensor:
    """Return the values with the highest exponent bit of one of them flipped, which makes it NaN."""
    place = int(((values.detach().abs() > 1) & (values.detach().abs() < 2)).flatten().nonzero()[0])
    bad = (values.detach().flatten()[place].view(torch.int32) ^ (1 << 30)).view(torch.float32)
    hit = (torch.arange(values.numel()) == place).view_as(values)
    return torch.where(hit, bad, values)


def build_flipped_bit(seed: int, *, faulty: bool) -> Run:
    """ELECTRA marks the good words; once in the run, a bit of an activation in the memory of the device flips."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        words = opinions(generator, rows)["words"]
        slip = torch.rand(words.shape, generator=generator) < 0.1  # the marks were made by people
        return {"words": words, "good": ((words >= GOOD) ^ slip).long()}

    model = ElectraForTokenClassification(
        ElectraConfig(**text_sizes(embedding_size=16, num_labels=2, classifier_dropout=0.0))
    )

    def losses(batch: Batch) -> dict[str, Tensor]:
        logits = model(input_ids=batch["words"]).logits
        return {"good": F.cross_entropy(logits.flatten(0, 1), batch["good"].flatten())}

    after = fire_once(model.electra.embeddings.LayerNorm, 41, flipped) if faulty else None
    return run(model.train(), losses, stream(make, seed), lr=2e-3, after_commit=after)


CASES: tuple[Case, ...] = (
    Case(
        name="gpt2-prompt-fills-window",
        title="Truncation leaves no answer in a whole batch, so that the mean over its labels is 0 / 0.",
        source="https://github.com/huggingface/trl/issues/6668",
        package=PACKAGE,
        repairable=True,
        truth=Truth(
            kind="data",
            component="answer",
            operation="nll_loss_forward",
            line="loss = nn.functional.cross_entropy(source, target, ignore_index=ignore_index",
            step=33,
        ),
        build=build_prompt_fills_window,
    ),
    Case(
        name="bert-word-sees-nothing",
        title="A custom attention mask leaves some words without any word to attend to.",
        source="https://github.com/pytorch/pytorch/issues/103749",
        package=PACKAGE,
        repairable=False,
        truth=Truth(
            kind="code",
            component="label",
            operation="_softmax",
            line="nn.functional.softmax(attn_weights, dim=-1)",
            samples=("b38r04",),
            step=38,
        ),
        build=build_window_mask,
    ),
    Case(
        name="roberta-positions-of-garbage",
        title="A part of the position table is overwritten with memory that was never set.",
        source="https://github.com/allenai/longformer/issues/115",
        package=PACKAGE,
        repairable=True,
        truth=Truth(kind="weights", component="label", step=37),
        build=build_positions_of_garbage,
    ),
    Case(
        name="distilbert-moments-exchanged",
        title="Adam's two moments are exchanged when its state is restored, and the update is NaN.",
        source="https://github.com/NVIDIA-NeMo/RL/issues/3544",
        package=PACKAGE,
        repairable=True,
        truth=Truth(kind="optimizer", step=30),
        build=build_moments_exchanged,
    ),
    Case(
        name="electra-flipped-bit",
        title="One bit of one activation flips once, and the loss of that step is NaN.",
        source="https://github.com/microsoft/dion/issues/76",
        package=PACKAGE,
        repairable=True,
        truth=Truth(kind="transient", component="good", step=41),
        build=build_flipped_bit,
    ),
)
