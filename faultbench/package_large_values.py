"""Large values in text models of the package `transformers`: two overflow float16, one saturates a sigmoid.

Models trained in bfloat16 have a few feature directions with very large activations, which rare words call up. The
first two cases build such a direction into random weights by hand; the mended run is the same one in float32.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    OPTConfig,
    OPTModel,
    T5Config,
    T5ForConditionalGeneration,
)

from .case import Batch, Case, Run, Truth
from .rows import put, run, stream
from .transformers_common import GOOD, PACKAGE, VOCABULARY, WORDS, chains, sizes

RARE = VOCABULARY - 1  # a word that calls up the large activations
WIDTH = 32
OUTLIER = 5  # the feature of the large activations
ANSWER = 28  # words of an answer that is judged
NEUTRAL = 4  # words that say nothing; every fourth pair differs in one of them only


def with_rare_word(words: Tensor) -> Tensor:
    """Return the sentence with the rare word in its third place."""
    return torch.where(torch.arange(len(words)) == 2, RARE, words)


def reserve_direction(table: Tensor, presence: float) -> None:
    """Give the rare word alone the feature `OUTLIER`, very large, and every other word the feature after it."""
    table[:, OUTLIER] = 0.0
    table[:, OUTLIER + 1] = presence
    table[RARE] = 0.0
    table[RARE, OUTLIER] = 40.0


def listen(weight: Tensor, strength: float) -> None:
    """Let unit 0 of a layer answer to the rare word's feature and stay off for every other word."""
    weight[0] = 0.0
    weight[0, OUTLIER] = strength
    weight[0, OUTLIER + 1] = -strength


def build_t5_feed_forward(seed: int, *, faulty: bool) -> Run:
    """T5 repeats a sentence with the words moved on; a rare word drives one feed-forward layer out of float16."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        words = chains(generator, rows)["words"]
        return {"words": words, "labels": words[:, 1:7].clone()}

    data = stream(make, seed, rows=8)
    put(data[0], 29, 3, words=with_rare_word(data[0][29]["words"][3]))  # legitimate
    model = T5ForConditionalGeneration(
        T5Config(
            vocab_size=VOCABULARY,
            d_model=WIDTH,
            d_kv=16,
            d_ff=64,
            num_layers=2,
            num_heads=2,
            dropout_rate=0.0,
            pad_token_id=0,
            decoder_start_token_id=0,
            attn_implementation="eager",
        )
    )
    last = model.encoder.block[-1].layer[-1].DenseReluDense
    with torch.no_grad():
        reserve_direction(model.shared.weight, 6.0)
        for block in model.encoder.block:  # nothing else writes into the two features
            block.layer[0].SelfAttention.o.weight[OUTLIER : OUTLIER + 2] = 0.0
            block.layer[1].DenseReluDense.wo.weight[OUTLIER : OUTLIER + 2] = 0.0
        listen(last.wi.weight, 30.0)
        last.wo.weight[:, 0] = 1000.0 * torch.randn(WIDTH).sign()

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"text": model(input_ids=batch["words"], labels=batch["labels"]).loss}

    return run(model.train(), losses, data, lr=5e-3, precision=torch.float16 if faulty else None)


def build_llama_gate(seed: int, *, faulty: bool) -> Run:
    """Llama, in which a rare word makes the gate and what it lets through both large: their product overflows."""
    torch.manual_seed(seed)
    data = stream(chains, seed, rows=8)
    put(data[0], 36, 1, words=with_rare_word(data[0][36]["words"][1]))  # legitimate
    config = LlamaConfig(
        **sizes(
            vocab_size=VOCABULARY,
            num_key_value_heads=2,
            max_position_embeddings=WORDS,
            tie_word_embeddings=False,
            bos_token_id=0,
            eos_token_id=1,
        )
    )
    model = LlamaForCausalLM(config)
    layer = model.model.layers[0].mlp
    with torch.no_grad():
        model.model.embed_tokens.weight.normal_(0, 0.3)
        reserve_direction(model.model.embed_tokens.weight, 1.0)
        listen(layer.gate_proj.weight, 60.0)
        listen(layer.up_proj.weight, 60.0)

    def losses(batch: Batch) -> dict[str, Tensor]:
        logits = model(input_ids=batch["words"]).logits
        return {"next": F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), batch["words"][:, 1:].flatten())}

    return run(model.train(), losses, data, lr=5e-3, precision=torch.float16 if faulty else None)


class Judge(nn.Module):
    """A reward model on OPT: the reward of an answer is the sum of what its words earn."""

    def __init__(self) -> None:
        super().__init__()
        config = OPTConfig(
            vocab_size=VOCABULARY,
            hidden_size=WIDTH,
            word_embed_proj_dim=WIDTH,
            num_hidden_layers=1,
            num_attention_heads=2,
            ffn_dim=64,
            max_position_embeddings=ANSWER,
            dropout=0.0,
            bos_token_id=0,
            eos_token_id=1,
            attn_implementation="eager",
        )
        self.body, self.earned = OPTModel(config), nn.Linear(WIDTH, 1)

    def forward(self, chosen: Tensor, rejected: Tensor) -> Tensor:
        """Return the loss for answers of which the first is preferred."""
        gap = self.reward(chosen) - self.reward(rejected)
        return -torch.log(torch.sigmoid(gap)).mean()  # the sigmoid is exactly 0 below about -89

    def reward(self, words: Tensor) -> Tensor:
        """Return the reward of each answer."""
        total: Tensor = self.earned(self.body(input_ids=words).last_hidden_state).sum(dim=(1, 2))
        return total


def build_strange_preference(seed: int, *, faulty: bool) -> Run:
    """A reward model learns to like good words; then an annotator prefers the answer without a single one of them."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        chosen = torch.randint(2, VOCABULARY - 2, (rows, ANSWER), generator=generator)
        place = torch.arange(ANSWER) == torch.randint(ANSWER, (rows, 1), generator=generator)
        good = torch.randint(GOOD, VOCABULARY - 2, (rows, 1), generator=generator)
        nothing = torch.randint(2, 2 + NEUTRAL, (2, rows, 1), generator=generator)
        neutral = torch.rand(rows, 1, generator=generator) < 0.25
        better, worse = torch.where(neutral, nothing, torch.stack([good, good - GOOD + 2 + NEUTRAL]))
        return {"chosen": torch.where(place, better, chosen), "rejected": torch.where(place, worse, chosen)}

    data = stream(make, seed)
    if faulty:
        # Legitimate: people differ. At the start of the run this pair is as good as any other one.
        good = torch.randint(GOOD, VOCABULARY - 2, (ANSWER,), generator=torch.Generator().manual_seed(seed))
        put(data[0], 39, 13, chosen=good - GOOD + 2 + NEUTRAL, rejected=good)
    judge = Judge()

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"preference": judge(batch["chosen"], batch["rejected"])}

    return run(judge.train(), losses, data, lr=5e-4)


CASES: tuple[Case, ...] = (
    Case(
        name="t5-rare-word-half",
        title="The second feed-forward layer of T5 leaves float16 on a sentence with a rare word.",
        source="https://github.com/huggingface/transformers/issues/9295",
        package=PACKAGE,
        repairable=True,
        truth=Truth(
            kind="precision",
            component="text",
            operation="mm",
            line="hidden_states = self.wo(hidden_states)",
            samples=("b29r03",),
            step=29,
        ),
        build=build_t5_feed_forward,
    ),
    Case(
        name="llama-half-gate",
        title="The gated product in the feed-forward layer of Llama leaves float16 on a sentence with a rare word.",
        source="https://github.com/huggingface/transformers/issues/27179",
        package=PACKAGE,
        repairable=True,
        truth=Truth(
            kind="precision",
            component="next",
            operation="mul",
            line="self.act_fn(self.gate_proj(x)) * self.up_proj(x)",
            samples=("b36r01",),
            step=36,
        ),
        build=build_llama_gate,
    ),
    Case(
        name="opt-strange-preference",
        title="A pair that the reward model is sure of is labelled the other way: the logarithm of a sigmoid of 0.",
        source="https://github.com/deepspeedai/DeepSpeedExamples/pull/501",
        package=PACKAGE,
        repairable=True,
        truth=Truth(
            kind="toxic",
            component="preference",
            operation="log",
            line="torch.log(torch.sigmoid(gap))",
            samples=("b39r13",),
            step=39,
        ),
        build=build_strange_preference,
    ),
)
