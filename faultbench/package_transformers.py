"""Failures of Hugging Face transformers: fp16 overflow, ignored labels, CTC infinities, missing values, step size."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    PatchTSTConfig,
    PatchTSTForPrediction,
    T5Config,
    T5ForConditionalGeneration,
    Wav2Vec2Config,
    Wav2Vec2ForCTC,
)

from .case import Batch, Case, Run, Truth
from .package_tools import adam, jumping_rate, make_batches, replaced, start, with_rows
from .transformers_common import PACKAGE

WORDS = 32  # vocabulary of the text models
PREFIX_TOKEN = 3  # the task prefix that the T5 run meets from batch 31 on
T5_STEP, GPT2_STEP, CTC_STEP, SERIES_STEP, RATE_STEP = 31, 33, 29, 36, 32


def tiny_t5() -> T5ForConditionalGeneration:
    """A T5 whose first feed-forward block has the large "massive activation" weights that trained T5s are known for."""
    model = T5ForConditionalGeneration(
        T5Config(
            vocab_size=WORDS,
            d_model=32,
            d_kv=8,
            d_ff=32,
            num_layers=1,
            num_decoder_layers=1,
            num_heads=2,
            dropout_rate=0.0,
            decoder_start_token_id=0,
        )
    )
    block = model.encoder.block[0].layer[1].DenseReluDense
    with torch.no_grad():
        # Words have a negative first channel, so that the four large units stay off; the prefix switches them on.
        model.shared.weight[:, 0] = -2.0
        model.shared.weight[PREFIX_TOKEN] *= 0.3
        model.shared.weight[PREFIX_TOKEN, 0] = 8.0
        block.wi.weight[:4] = 0.0
        block.wi.weight[:4, 0] = 70.0
        block.wo.weight[0, :4] = 70.0
    return model


def t5_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Copy the second word of the text four times."""
    text = torch.randint(4, WORDS, (size, 6), generator=data)
    return {"text": text, "labels": text[:, 1:2].expand(size, 4).clone()}


def build_t5(seed: int, *, faulty: bool) -> Run:
    """From batch 31 on every row starts with a task prefix whose feed-forward output is about 80,000."""
    data = start(seed)
    model = tiny_t5()
    batches = make_batches(t5_rows, data)
    prefixed = [batch if step < T5_STEP else prefix_all(batch) for step, batch in enumerate(batches)]

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"text": model(input_ids=batch["text"], labels=batch["labels"]).loss}

    return Run(
        model=model,
        optimizer=adam(model, 3e-3),
        losses=losses,
        batches=prefixed,
        held_out=make_batches(t5_rows, data, count=3, prefix="h"),
        precision=torch.float16 if faulty else None,
    )


def prefix_all(batch: Batch) -> Batch:
    """The batch with the first word of each text exchanged for the task prefix."""
    text = batch["text"].clone()
    text[:, 0] = PREFIX_TOKEN
    return {**batch, "text": text}


def tiny_gpt2() -> GPT2LMHeadModel:
    """One GPT-2 block of width 32."""
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=WORDS,
            n_positions=12,
            n_embd=32,
            n_layer=1,
            n_head=2,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=0,
            eos_token_id=0,
        )
    )


def chat_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """A prompt of four words and an answer of four that counts upwards; only the answer has labels."""
    first = torch.randint(0, WORDS, (size, 1), generator=data)
    text = (first + torch.arange(8)) % WORDS
    labels = text.clone()
    labels[:, :4] = -100
    return {"text": text, "labels": labels}


def build_gpt2_ignored(seed: int, *, faulty: bool) -> Run:
    """One row's prompt fills the window, so that truncation leaves no answer: all of its labels are -100."""
    data = start(seed)
    model = tiny_gpt2()
    batches = make_batches(chat_rows, data)
    if faulty:
        bad = with_rows(batches[GPT2_STEP], {"labels": {5: torch.full((8,), -100)}})
        batches = replaced(batches, GPT2_STEP, bad)

    def losses(batch: Batch) -> dict[str, Tensor]:
        # Micro-batches of one row with gradient accumulation, as on a small GPU: each row is its own mean.
        rows = [
            model(input_ids=batch["text"][row : row + 1], labels=batch["labels"][row : row + 1]).loss
            for row in range(len(batch["text"]))
        ]
        return {"answer": torch.stack(rows).mean()}

    return Run(
        model=model,
        optimizer=adam(model, 3e-3),
        losses=losses,
        batches=batches,
        held_out=make_batches(chat_rows, data, count=3, prefix="h"),
    )


def build_gpt2_rate(seed: int, *, faulty: bool) -> Run:
    """The second phase of the schedule asks for a learning rate of 0.3, with Adam (0.03 would still do)."""
    data = start(seed)
    model = tiny_gpt2()
    optimizer = adam(model, 2e-3)

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"answer": model(input_ids=batch["text"], labels=batch["labels"]).loss}

    return Run(
        model=model,
        optimizer=optimizer,
        losses=losses,
        batches=make_batches(chat_rows, data),
        held_out=make_batches(chat_rows, data, count=3, prefix="h"),
        # The update of the batch before RATE_STEP is the first with the high rate.
        scheduler=jumping_rate(optimizer, RATE_STEP - 1, 150.0 if faulty else 0.5),
    )


def tiny_wav2vec2() -> Wav2Vec2ForCTC:
    """Two convolutions (stride 10 in all) and one transformer block; `ctc_zero_infinity` is off, the default."""
    return Wav2Vec2ForCTC(
        Wav2Vec2Config(
            vocab_size=6,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            conv_dim=(16, 16),
            conv_kernel=(10, 2),
            conv_stride=(5, 2),
            num_conv_pos_embeddings=4,
            num_conv_pos_embedding_groups=2,
            mask_time_prob=0.0,
            layerdrop=0.0,
            hidden_dropout=0.0,
            attention_dropout=0.0,
            activation_dropout=0.0,
            feat_proj_dropout=0.0,
            final_dropout=0.0,
            ctc_loss_reduction="mean",
            pad_token_id=0,
            feat_extract_norm="layer",
            conv_bias=True,
        )
    )


def speech_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Three tones of 60 samples; the letter is the tone's pitch. Labels are padded with -100."""
    letters = torch.randint(1, 6, (size, 3), generator=data)
    time = torch.arange(60) / 60
    tones = torch.sin(2 * torch.pi * 3 * letters[:, :, None] * time)
    noise = 0.05 * torch.randn(size, 180, generator=data)
    labels = torch.cat([letters, torch.full((size, 21), -100)], dim=1)
    return {"sound": tones.reshape(size, 180) + noise, "labels": labels}


def build_ctc(seed: int, *, faulty: bool) -> Run:
    """One row's transcript has 24 letters, yet its recording gives 17 frames: there is no alignment."""
    data = start(seed)
    model = tiny_wav2vec2()
    batches = make_batches(speech_rows, data)
    if faulty:
        wrong = torch.randint(1, 6, (24,), generator=data)
        batches = replaced(batches, CTC_STEP, with_rows(batches[CTC_STEP], {"labels": {2: wrong}}))

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"ctc": model(input_values=batch["sound"], labels=batch["labels"]).loss}

    return Run(
        model=model,
        optimizer=adam(model, 3e-3),
        losses=losses,
        batches=batches,
        held_out=make_batches(speech_rows, data, count=3, prefix="h"),
    )


def tiny_series() -> nn.Module:
    """A PatchTST that sees ten values in patches of two and predicts four, with mean squared error."""
    return PatchTSTForPrediction(
        PatchTSTConfig(
            num_input_channels=1,
            context_length=10,
            prediction_length=4,
            patch_length=2,
            patch_stride=2,
            d_model=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            ffn_dim=16,
            loss="mse",
            scaling="std",
            attention_dropout=0.0,
            ff_dropout=0.0,
            head_dropout=0.0,
            path_dropout=0.0,
            positional_dropout=0.0,
            do_mask_input=False,
        )
    )


def series_rows(data: Generator, size: int) -> dict[str, Tensor]:
    """Sine waves of a common period and random phase and height."""
    phase = 6.28 * torch.rand(size, 1, generator=data)
    height = 1 + 2 * torch.rand(size, 1, generator=data)
    values = height * (1.5 + torch.sin(phase + 0.8 * torch.arange(14))) + 0.02 * torch.randn(size, 14, generator=data)
    return {"values": values, "seen": torch.ones(size, 14)}


def build_series(seed: int, *, faulty: bool) -> Run:
    """One row's missing values are NaN and marked as not observed, but the model multiplies by the mask: 0 * NaN."""
    data = start(seed)
    model = tiny_series()
    batches = make_batches(series_rows, data)
    values, seen = batches[SERIES_STEP]["values"][4].clone(), torch.ones(14)
    seen[3:5] = 0.0
    values[3:5] = float("nan") if faulty else 0.0  # mended: missing values filled with zero, as the documents ask
    changes = {"values": {4: values}, "seen": {4: seen}}
    batches = replaced(batches, SERIES_STEP, with_rows(batches[SERIES_STEP], changes))

    def losses(batch: Batch) -> dict[str, Tensor]:
        values, seen = batch["values"][..., None], batch["seen"][..., None]
        result = model(past_values=values[:, :10], past_observed_mask=seen[:, :10], future_values=values[:, 10:])
        return {"forecast": result.loss}

    return Run(
        model=model,
        optimizer=adam(model, 5e-3),
        losses=losses,
        batches=batches,
        held_out=make_batches(series_rows, data, count=3, prefix="h"),
    )


CASES: tuple[Case, ...] = (
    Case(
        name="t5-feed-forward-fp16-overflow",
        title="The second matrix product of T5's feed-forward block goes over 65504 in fp16.",
        source="https://github.com/huggingface/transformers/issues/5651",
        package=PACKAGE,
        truth=Truth(
            kind="precision",
            component="text",
            operation="mm",
            line="hidden_states = self.wo(hidden_states)",
            step=T5_STEP,
        ),
        repairable=True,
        build=build_t5,
    ),
    Case(
        name="gpt2-answer-truncated-away",
        title="All labels of one row are -100 after truncation, so that its mean cross entropy is 0/0.",
        source="https://github.com/nvidia-cosmos/cosmos-rl/pull/155",
        package=PACKAGE,
        truth=Truth(
            kind="data",
            component="answer",
            operation="nll_loss_forward",
            line="nn.functional.cross_entropy(source, target",
            samples=("b33-5",),
            step=GPT2_STEP,
        ),
        repairable=True,
        build=build_gpt2_ignored,
    ),
    Case(
        name="wav2vec2-transcript-longer-than-frames",
        title="A transcript with more letters than frames has no CTC alignment: its loss is infinite.",
        source="https://github.com/huggingface/transformers/pull/28582",
        package=PACKAGE,
        truth=Truth(
            kind="data",
            component="ctc",
            operation="_ctc_loss",
            line="nn.functional.ctc_loss(",
            samples=("b29-2",),
            step=CTC_STEP,
        ),
        repairable=True,
        build=build_ctc,
    ),
    Case(
        name="patchtst-nan-under-mask",
        title="Missing values are left as NaN under a mask of 0, and the model multiplies them with the mask.",
        source="https://github.com/gzerveas/mvts_transformer/issues/41",
        package=PACKAGE,
        # No operation makes it from finite inputs: the row itself holds NaN.
        truth=Truth(kind="data", component="forecast", samples=("b36-4",), step=SERIES_STEP),
        repairable=True,
        build=build_series,
    ),
    Case(
        name="gpt2-learning-rate-jump",
        title="The schedule's second phase sets Adam's learning rate to 0.3; a GPT-2 does not bear that.",
        source="https://github.com/OpenNMT/OpenNMT-tf/issues/744",
        package=PACKAGE,
        # The update after batch 31 is the first with the high rate; the loss of batch 32 shows it.
        truth=Truth(kind="step size", step=RATE_STEP),
        repairable=True,
        build=build_gpt2_rate,
    ),
)
