"""More failures of language models from packages: fp16 attention scores, padding masks, distance at zero."""

from __future__ import annotations

import torch
from sentence_transformers.sentence_transformer.losses.triplet import TripletDistanceMetric
from torch import Generator, Tensor, nn
from transformers import BertConfig, BertModel, GPTNeoXConfig, GPTNeoXForCausalLM, LlamaConfig, LlamaForCausalLM

from .case import Batch, Case, Run, Truth
from .package_tools import adam, make_batches, replaced, start, with_rows
from .transformers_common import PACKAGE

WORDS = 32
OUTLIER = 1  # a token with a massive first channel, such as the newline of trained models
PADDING = 0
NEOX_STEP, PAD_STEP, TWIN_STEP = 34, 28, 37


def tiny_neox() -> GPTNeoXForCausalLM:
    """One GPT-NeoX block; the outlier token's query and key are about 100 in each of the head's 16 channels."""
    model = GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=WORDS,
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=16,
            attention_dropout=0.0,
            hidden_dropout=0.0,
            attn_implementation="eager",
            use_parallel_residual=False,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    with torch.no_grad():
        model.gpt_neox.embed_in.weight[OUTLIER] = 0.0
        model.gpt_neox.embed_in.weight[OUTLIER, 0] = 8.0
        weight = model.gpt_neox.layers[0].attention.query_key_value.weight
        weight[:32, 0] = 18.0  # query and key of the first head read the first channel
    return model


def counting_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Eight words that count upwards (the outlier token is not among them)."""
    first = torch.randint(0, WORDS - 2, (size, 1), generator=data)
    return {"text": 2 + (first + torch.arange(8)) % (WORDS - 2)}


def build_neox(seed: int, *, faulty: bool) -> Run:
    """Two legitimate rows of one batch contain the outlier token; only fp16 cannot hold their attention scores."""
    data = start(seed)
    model = tiny_neox()
    batches = make_batches(counting_rows, data)
    texts = {row: batches[NEOX_STEP]["text"][row].clone() for row in (1, 6)}
    for text in texts.values():
        text[3] = OUTLIER
    batches = replaced(batches, NEOX_STEP, with_rows(batches[NEOX_STEP], {"text": texts}))

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"text": model(input_ids=batch["text"], labels=batch["text"]).loss}

    return Run(
        model=model,
        optimizer=adam(model, 3e-3),
        losses=losses,
        batches=batches,
        held_out=make_batches(counting_rows, data, count=3, prefix="h"),
        precision=torch.float16 if faulty else None,
    )


def causal_mask(text: Tensor, *, faulty: bool) -> Tensor:
    """A person's own additive mask, batch x 1 x query x key: no word sees a later one, and none sees padding."""
    length = text.shape[1]
    allowed = torch.ones(length, length, dtype=torch.bool).tril() & (text != PADDING)[:, None, :]
    if not faulty:
        allowed = allowed | torch.eye(length, dtype=torch.bool)  # mended: padding sees at least itself
    return torch.zeros(allowed.shape).masked_fill(~allowed, float("-inf"))[:, None]


def build_padding(seed: int, *, faulty: bool) -> Run:
    """Two short texts, legitimate ones, are padded on the left: their first query sees no key at all."""
    data = start(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=WORDS,
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=16,
            attn_implementation="eager",
            pad_token_id=PADDING,
        )
    )
    batches = make_batches(counting_rows, data)
    texts = {row: batches[PAD_STEP]["text"][row].clone() for row in (0, 4)}
    for row, text in texts.items():
        text[: 2 + row // 4] = PADDING
    batches = replaced(batches, PAD_STEP, with_rows(batches[PAD_STEP], {"text": texts}))

    def losses(batch: Batch) -> dict[str, Tensor]:
        text = batch["text"]
        labels = text.masked_fill(text == PADDING, -100)
        return {"text": model(input_ids=text, attention_mask=causal_mask(text, faulty=faulty), labels=labels).loss}

    return Run(
        model=model,
        optimizer=adam(model, 3e-3),
        losses=losses,
        batches=batches,
        held_out=make_batches(counting_rows, data, count=3, prefix="h"),
    )


class Encoder(nn.Module):
    """A tiny BERT with mean pooling, as the sentence-transformers package builds its models."""

    def __init__(self) -> None:
        super().__init__()
        self.bert = BertModel(
            BertConfig(
                vocab_size=WORDS,
                hidden_size=32,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=32,
                max_position_embeddings=16,
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
            ),
            add_pooling_layer=False,
        )

    def forward(self, text: Tensor) -> Tensor:
        """One vector a sentence."""
        return self.bert(input_ids=text).last_hidden_state.mean(1)


def triplet_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Sentences of words from one of two topics: anchor and positive share the topic, the negative has the other."""
    topic = torch.randint(0, 2, (size, 1), generator=data)
    half = WORDS // 2 - 2

    def sentence(which: Tensor) -> Tensor:
        return 2 + which * half + torch.randint(0, half, (size, 6), generator=data)

    return {"anchor": sentence(topic), "positive": sentence(topic), "negative": sentence(1 - topic)}


def mended_distance(first: Tensor, second: Tensor) -> Tensor:
    """The distance with a subgradient of 0 at 0 (what the package does from 6.2.0 on)."""
    return torch.linalg.vector_norm(first - second, dim=-1)


def build_twins(seed: int, *, faulty: bool) -> Run:
    """A legitimate pair whose two sentences are the same: their distance is 0, its root has an infinite slope."""
    data = start(seed)
    model = Encoder()
    batches = make_batches(triplet_rows, data)
    twin = {"positive": {3: batches[TWIN_STEP]["anchor"][3]}}
    batches = replaced(batches, TWIN_STEP, with_rows(batches[TWIN_STEP], twin))
    distance = TripletDistanceMetric.EUCLIDEAN if faulty else mended_distance

    def losses(batch: Batch) -> dict[str, Tensor]:
        anchor, positive, negative = (model(batch[key]) for key in ("anchor", "positive", "negative"))
        return {"triplet": nn.functional.relu(distance(anchor, positive) - distance(anchor, negative) + 5.0).mean()}

    return Run(
        model=model,
        optimizer=adam(model, 2e-3),
        losses=losses,
        batches=batches,
        held_out=make_batches(triplet_rows, data, count=3, prefix="h"),
    )


CASES: tuple[Case, ...] = (
    Case(
        name="gpt-neox-fp16-attention-scores",
        title="The product of query and key goes over 65504 in fp16 before it is scaled.",
        source="https://github.com/huggingface/transformers/pull/30199",
        package=PACKAGE,
        truth=Truth(
            kind="precision",
            component="text",
            operation="bmm",
            line="attn_weights = torch.matmul(query, key.transpose(2, 3)) * scaling",
            samples=("b34-1", "b34-6"),
            step=NEOX_STEP,  # fine in fp32; either of them alone overflows in fp16
        ),
        repairable=True,
        build=build_neox,
    ),
    Case(
        name="llama-left-padding-sees-nothing",
        title="A left-padded text's first query may see no key: softmax over minus infinities only.",
        source="https://github.com/unslothai/unsloth/pull/9848",
        package=PACKAGE,
        truth=Truth(
            kind="code",
            component="text",
            operation="_softmax",
            line="nn.functional.softmax(attn_weights, dim=-1, dtype=torch.float32)",
            samples=("b28-0", "b28-4"),
            step=PAD_STEP,  # either of them alone fails
        ),
        repairable=False,
        build=build_padding,
    ),
    Case(
        name="sentence-transformers-same-sentence-twice",
        title="Anchor and positive are the same sentence: the square root's slope at distance 0 is infinite.",
        source="https://github.com/huggingface/sentence-transformers/pull/4033",
        package="sentence-transformers==6.1.0",
        truth=Truth(
            kind="code",
            component="triplet",
            operation="div",  # the backward pass of sqrt: gradient / (2 * root)
            line="torch.sqrt(torch.sum((a - b) ** 2, dim=-1))",
            samples=("b37-3",),
            step=TWIN_STEP,
        ),
        repairable=False,
        build=build_twins,
    ),
)
