"""Failures in models of transformers: tiny encoders with random weights, and the faults that people report of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import transformers as hf
from torch import Tensor, nn
from torch.nn import functional as F

from . import foreign_common as common
from .case import Case, Run, Truth
from .foreign_common import CLASSES, LENGTH, ROWS, WIDTH
from .rows import put, run, scaled, stream
from .transformers_common import PACKAGE

hf.logging.set_verbosity_error()
warnings.filterwarnings("ignore", module="transformers")
_SHAPE: dict[str, Any] = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 50,
    "max_position_embeddings": 32,
    "attn_implementation": "eager",
}


def bert() -> nn.Module:
    return hf.BertModel(hf.BertConfig(**_SHAPE), add_pooling_layer=False)


def roberta() -> nn.Module:
    return hf.RobertaModel(hf.RobertaConfig(**_SHAPE), add_pooling_layer=False)


def electra() -> nn.Module:
    return hf.ElectraModel(hf.ElectraConfig(**_SHAPE, embedding_size=WIDTH))


def albert() -> nn.Module:
    return hf.AlbertModel(hf.AlbertConfig(**_SHAPE, embedding_size=WIDTH), add_pooling_layer=False)


def llama() -> nn.Module:
    return hf.LlamaModel(hf.LlamaConfig(**_SHAPE, pad_token_id=0))


def distilbert() -> nn.Module:
    shape = {"dim": WIDTH, "n_layers": 1, "n_heads": 2, "hidden_dim": 32, "vocab_size": 50}
    return hf.DistilBertModel(hf.DistilBertConfig(**shape, max_position_embeddings=32, attn_implementation="eager"))


def gpt2() -> nn.Module:
    shape = {"n_embd": WIDTH, "n_layer": 1, "n_head": 2, "vocab_size": 50, "n_positions": 32}
    return hf.GPT2Model(hf.GPT2Config(**shape, bos_token_id=0, eos_token_id=0, attn_implementation="eager"))


def opt() -> nn.Module:
    shape = {"hidden_size": WIDTH, "num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 32, "vocab_size": 50}
    more = {"max_position_embeddings": 32, "word_embed_proj_dim": WIDTH, "attn_implementation": "eager"}
    return hf.OPTModel(hf.OPTConfig(**shape, **more))


def t5(feed_forward: str = "relu") -> nn.Module:
    shape = {"d_model": WIDTH, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2, "vocab_size": 50}
    return hf.T5EncoderModel(hf.T5Config(**shape, feed_forward_proj=feed_forward))


# -- rows and formulas ------------------------------------------------------------------------------------------------


class Tagger(nn.Module):
    """Classifies every place of the sequence; places without a label have -100."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = encoder, nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, length, width) -> logits (batch, classes, length)."""
        logits: Tensor = self.head(common.embedded(self.encoder, x)).transpose(1, 2)
        return logits


def tagged(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
    """Sequences with a label at some places."""
    x = torch.randn(rows, LENGTH, WIDTH, generator=generator)
    label = torch.randint(CLASSES, (rows, LENGTH), generator=generator)
    x.scatter_add_(2, label[:, :, None], torch.full((rows, LENGTH, 1), 3.0))
    hidden = torch.rand(rows, LENGTH, generator=generator) < 0.4
    hidden[:, 0] = False
    return {"x": x, "label": label.masked_fill(hidden, -100)}


def build_ignored_row(seed: int, *, faulty: bool) -> Run:
    """The loss is averaged within each row first; one prompt was so long that nothing of its answer is left."""
    torch.manual_seed(seed)
    model = Tagger(bert())
    data = stream(tagged, seed, rows=ROWS)
    put(data[0], 33, 4, label=torch.full((LENGTH,), -100))  # legitimate: a row without supervision

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        each = F.cross_entropy(model(batch["x"]), batch["label"], reduction="none").sum(1)
        places = (batch["label"] != -100).sum(1)
        return {"tags": (each / (places if faulty else places.clamp(min=1))).mean()}

    return run(model, losses, data)


def build_ignored_batch(seed: int, *, faulty: bool) -> Run:
    """From one batch on a packed data set gives prompts only: the mean of no label."""
    torch.manual_seed(seed)
    model = Tagger(roberta())
    data = stream(tagged, seed, rows=ROWS)
    for step in range(30, 60) if faulty else ():
        data[0][step] = {**data[0][step], "label": torch.full((ROWS, LENGTH), -100)}

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        return {"tags": F.cross_entropy(model(batch["x"]), batch["label"])}

    return run(model, losses, data)


def build_nan_rows(seed: int, *, faulty: bool) -> Run:
    """Two precomputed embeddings were written by a crashed job and are NaN."""
    result = common.reader_run(seed, gpt2)
    batches = list(result.batches)
    for row in (1, 6) if faulty else ():
        put(batches, 37, row, x=float("nan"))
    return common.replace(result, batches=batches)


def build_vit(seed: int, *, faulty: bool) -> Run:
    """A picture is divided by its own deviation before the transformer; one picture is a single colour."""
    torch.manual_seed(seed)
    shape = {"hidden_size": WIDTH, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = hf.ViTConfig(**shape, image_size=16, patch_size=8, num_channels=1, attn_implementation="eager")
    model = nn.ModuleDict({"vit": hf.ViTModel(config, add_pooling_layer=False), "head": nn.Linear(WIDTH, 2)})

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        label = torch.randint(2, (rows,), generator=generator)
        pixels = torch.randn(rows, 1, 16, 16, generator=generator)
        pixels[:, :, :8] += label[:, None, None, None] * 1.5
        return {"pixels": pixels, "label": label}

    data = stream(make, seed, rows=ROWS)
    if faulty:
        put(data[0], 42, 3, pixels=0.0)  # a camera with its cap on

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        pixels = batch["pixels"]
        spread = pixels.std(dim=(1, 2, 3), keepdim=True)
        states = model["vit"](pixels / spread).last_hidden_state
        return {"class": F.cross_entropy(model["head"](states.mean(1)), batch["label"])}

    return run(model, losses, data, lr=3e-3)


def build_ctc(seed: int, *, faulty: bool) -> Run:
    """A clip gives 18 frames, and one transcript has more letters than that."""
    torch.manual_seed(seed)
    shape = {"hidden_size": WIDTH, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    ears = {"conv_dim": (16, 16), "conv_stride": (5, 4), "conv_kernel": (10, 8), "num_feat_extract_layers": 2}
    more = {"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2, "feat_extract_norm": "layer"}
    quiet = {"mask_time_prob": 0.0, "layerdrop": 0.0, "ctc_zero_infinity": False, "ctc_loss_reduction": "mean"}
    config = hf.Wav2Vec2Config(vocab_size=6, **shape, **ears, **more, **quiet, attn_implementation="eager")
    model = hf.Wav2Vec2ForCTC(config)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        letter = 1 + torch.randint(5, (rows, 1), generator=generator)
        time = torch.arange(400) * letter / 12
        labels = torch.full((rows, 24), -100)
        labels[:, :1] = letter
        return {"wave": torch.sin(time) + 0.1 * torch.randn(rows, 400, generator=generator), "labels": labels}

    data = stream(make, seed, rows=ROWS)
    if faulty:
        put(data[0], 38, 2, labels=torch.arange(24) % 5 + 1)  # the transcript of another, longer clip

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        return {"ctc": model(batch["wave"], labels=batch["labels"]).loss}

    return run(model, losses, data, lr=2e-3)


# -- half precision ---------------------------------------------------------------------------------------------------


def build_t5_half(seed: int, *, faulty: bool, feed_forward: str, step: int, factor: float) -> Run:
    """The last matrix of the feed-forward block sums up to more than float16 holds."""
    result = common.reader_run(seed, partial(t5, feed_forward), precision=torch.float16 if faulty else None)
    batches = list(result.batches)
    block = result.model.encoder.encoder.block[0].layer[-1].DenseReluDense
    switched = {"on": False}
    block.wo.register_forward_pre_hook(lambda _, given: (given[0] * (factor if switched["on"] else 1.0),))

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        switched["on"] = bool(batch["loud"].any())
        return dict(result.losses(batch))

    loud = [{**one, "loud": torch.full((ROWS,), number >= step)} for number, one in enumerate(batches)]
    held = [{**one, "loud": torch.zeros(ROWS, dtype=torch.bool)} for one in result.held_out]
    return common.replace(result, batches=loud, held_out=held, losses=losses)


# -- state ------------------------------------------------------------------------------------------------------------

Strike = Callable[[Run], None]


def build_struck(seed: int, *, faulty: bool, make: Callable[[], nn.Module], step: int, action: Strike) -> Run:
    """A reader whose state is spoilt between two steps."""
    return common.struck(common.reader_run(seed, make), step, action, faulty=faulty)


def build_hot(seed: int, *, faulty: bool, make: Callable[[], nn.Module], step: int, factor: float) -> Run:
    """A reader whose rate is far too high from a step on."""
    return common.hot(common.reader_run(seed, make, lr=2e-3), step, factor, faulty=faulty)


def build_toxic(seed: int, *, faulty: bool) -> Run:
    """A logistic rate on top of BERT: loud vectors pass its exponential once the head has grown."""
    torch.manual_seed(seed)
    model = nn.ModuleDict({"bert": bert(), "rate": nn.Linear(WIDTH, 1), "loudness": nn.Linear(1, 1)})
    nn.init.zeros_(model["loudness"].weight)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        x = torch.randn(rows, LENGTH, WIDTH, generator=generator)
        level = 0.5 + torch.rand(rows, 1, generator=generator)
        return {"x": x, "level": level, "count": torch.poisson((0.5 + 1.5 * level[:, 0]).exp(), generator=generator)}

    data = stream(make, seed, rows=ROWS)
    if faulty:
        scaled(data[0], 41, 5, "level", 4000.0)  # legitimate: a stadium among rooms

    def losses(batch: Mapping[str, Any]) -> dict[str, Tensor]:
        states = model["bert"](inputs_embeds=batch["x"]).last_hidden_state.mean(1)
        log_rate = (model["rate"](states) + model["loudness"](batch["level"])).squeeze(1)
        return {"counts": (torch.exp(log_rate) - batch["count"] * log_rate).mean()}

    return run(model, losses, data, lr=2e-2)


def misread(_: nn.Module, __: object, output: Tensor) -> Tensor:
    """One lane of the vector unit returns infinity."""
    spoilt = output.clone()
    spoilt.view(-1)[5] = float("inf")
    return spoilt


def build_once(seed: int, *, faulty: bool) -> Run:
    """A matrix product of ALBERT comes back wrong, once."""
    result = common.reader_run(seed, albert)

    def arm(run_: Run) -> None:
        handles: list[Any] = []

        def once(module: nn.Module, given: object, output: Tensor) -> Tensor:
            handles.pop().remove()
            return misread(module, given, output)

        handles.append(run_.model.head.register_forward_hook(once))

    return common.struck(result, 29, arm, faulty=faulty)


def _case(
    name: str, title: str, source: str, truth: Truth, build: Callable[..., Run], *, repairable: bool = True
) -> Case:
    return Case(name=name, title=title, source=source, package=PACKAGE, truth=truth, repairable=repairable, build=build)


GITHUB = "https://github.com"
CASES: tuple[Case, ...] = (
    _case(
        "bert-row-without-labels",
        "The mean over the labelled places of a row that has none is 0 / 0.",
        f"{GITHUB}/pytorch/pytorch/issues/116349",
        Truth(kind="code", component="tags", operation="div", line="each / (places", samples=("b33r04",), step=33),
        build_ignored_row,
        repairable=False,
    ),
    _case(
        "roberta-batch-without-labels",
        "A batch of prompts only has no label at all, and the cross-entropy's mean is 0 / 0.",
        f"{GITHUB}/OpenRLHF/OpenRLHF/pull/583",
        Truth(kind="code", component="tags", operation="nll_loss2d_forward", line="F.cross_entropy(model", step=30),
        build_ignored_batch,
        repairable=False,
    ),
    _case(
        "gpt2-nan-embeddings",
        "Two rows of precomputed embeddings are NaN.",
        f"{GITHUB}/KevinMusgrave/pytorch-metric-learning/issues/530",
        Truth(kind="data", component="ce", samples=("b37r01", "b37r06"), step=37),
        build_nan_rows,
    ),
    _case(
        "vit-blank-picture",
        "A picture of a single colour is divided by its deviation of 0.",
        f"{GITHUB}/Po-Hsun-Su/pytorch-ssim/issues/8",
        Truth(kind="data", component="class", operation="div", line="pixels / spread", samples=("b42r03",), step=42),
        build_vit,
    ),
    _case(
        "wav2vec2-text-too-long",
        "A transcript has more letters than the clip has frames, and CTC is infinite.",
        f"{GITHUB}/k2-fsa/icefall/issues/135",
        Truth(kind="data", component="ctc", operation="_ctc_loss", line="ctc_loss(", samples=("b38r02",), step=38),
        build_ctc,
    ),
    _case(
        "t5-half-feed-forward",
        "What T5's feed-forward block hands to its last product does not fit float16.",
        f"{GITHUB}/huggingface/transformers/issues/5651",
        Truth(
            kind="precision",
            component="ce",
            operation="_to_copy",
            line="hidden_states = self.wo(hidden_states)",
            step=31,
        ),
        partial(build_t5_half, feed_forward="relu", step=31, factor=3e4),
    ),
    _case(
        "t5-gated-half",
        "The same in the gated feed-forward block of T5 v1.1.",
        f"{GITHUB}/huggingface/transformers/issues/14189",
        Truth(
            kind="precision",
            component="ce",
            operation="_to_copy",
            line="hidden_states = self.wo(hidden_states)",
            step=36,
        ),
        partial(build_t5_half, feed_forward="gated-gelu", step=36, factor=1e6),
    ),
    _case(
        "bert-loud-rate",
        "A row far louder than all before passes the exponential of a head that has grown to it.",
        f"{GITHUB}/thuml/Time-Series-Library/issues/684",
        Truth(
            kind="toxic", component="counts", operation="exp", line="torch.exp(log_rate)", samples=("b41r05",), step=41
        ),
        build_toxic,
    ),
    _case(
        "albert-once",
        "One matrix product returns an infinity, once.",
        f"{GITHUB}/allenai/OLMo/issues/498",
        Truth(kind="transient", component="ce", step=29),
        build_once,
    ),
    _case(
        "electra-nan-weight",
        "A NaN was written into a matrix between two steps.",
        f"{GITHUB}/jac99/MinkLocMultimodal/issues/11",
        Truth(kind="weights", component="ce", step=28),
        partial(build_struck, make=electra, step=28, action=common.nan_weight),
    ),
    _case(
        "opt-stale-scale",
        "Every matrix comes back 2**70 times too large.",
        f"{GITHUB}/vllm-project/vllm/issues/39764",
        Truth(
            kind="weights", component="ce", operation="native_layer_norm", line="self.self_attn_layer_norm(", step=33
        ),
        partial(build_struck, make=opt, step=33, action=common.huge_weights),
    ),
    _case(
        "distilbert-scaled-momentum",
        "Adam's first moment still carries a loss scale after a restore.",
        f"{GITHUB}/NVIDIA-NeMo/RL/issues/3544",
        Truth(kind="optimizer", step=30),
        partial(build_struck, make=distilbert, step=30, action=common.scaled_momentum),
    ),
    _case(
        "gpt2-negative-moment",
        "Some of Adam's second moments are negative after a transfer; their root is NaN.",
        f"{GITHUB}/pytorch/pytorch/issues/108493",
        Truth(kind="optimizer", step=34),
        partial(build_struck, make=gpt2, step=34, action=common.negative_moment),
    ),
    _case(
        "llama-hot-rate",
        "The rate is a thousand times too high from one step on.",
        f"{GITHUB}/ShihaoZhaoZSH/LaVi-Bridge/issues/13",
        Truth(kind="step size", step=35),
        partial(build_hot, make=llama, step=35, factor=1000.0),
    ),
    _case(
        "distilbert-hot-rate",
        "The rate is a thousand times too high from one step on.",
        f"{GITHUB}/allenai/OLMo/issues/498",
        Truth(kind="step size", step=32),
        partial(build_hot, make=distilbert, step=32, factor=1000.0),
    ),
    _case(
        "roberta-nan-weight",
        "The weights of one matrix are NaN after a broken merge.",
        f"{GITHUB}/ultralytics/ultralytics/pull/24307",
        Truth(kind="weights", component="ce", step=39),
        partial(build_struck, make=roberta, step=39, action=common.nan_weight),
    ),
)
