"""Models of sounds and series of the package `transformers`: rows that should not be in a corpus.

Wav2Vec2 with a text that is too long, HuBERT with silence, an audio spectrogram transformer with the logarithm of
nothing, and a time series transformer with the fill value of a file format.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    ASTConfig,
    ASTForAudioClassification,
    HubertConfig,
    HubertForSequenceClassification,
    TimeSeriesTransformerConfig,
    TimeSeriesTransformerModel,
    Wav2Vec2Config,
    Wav2Vec2ForCTC,
)

from .case import Batch, Case, Run, Truth
from .rows import put, run, stream
from .transformers_common import PACKAGE, sizes

LETTERS = 4
TEXT = 5  # letters of an utterance
SPOKEN = 16  # samples of a letter


def wave_sizes(**other: Any) -> dict[str, Any]:
    """Return the settings of a model of the Wav2Vec2 family, which sees a frame for every four samples."""
    dropout = ("hidden_dropout", "activation_dropout", "attention_dropout", "feat_proj_dropout", "final_dropout")
    return sizes(
        conv_dim=(16, 16),
        conv_kernel=(4, 2),
        conv_stride=(2, 2),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        layerdrop=0.0,
        apply_spec_augment=False,
        **dict.fromkeys(dropout, 0.0),
        **other,
    )


def build_clip_cut_off(seed: int, *, faulty: bool) -> Run:
    """Wav2Vec2 with its CTC loss as the package configures it; one clip is cut off after its first frames."""
    torch.manual_seed(seed)
    sound = torch.randn(LETTERS + 1, SPOKEN, generator=torch.Generator().manual_seed(9))

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        text = torch.randint(1, LETTERS + 1, (rows, TEXT), generator=generator)
        wave = sound[text].flatten(1)
        wave = wave + 0.1 * torch.randn(wave.shape, generator=generator)
        return {"wave": wave, "text": text, "samples": torch.full((rows,), wave.shape[1])}

    data = stream(make, seed, rows=8)
    if faulty:
        put(data[0], 31, 6, samples=14)  # cut off: five letters in three frames
    config = Wav2Vec2Config(**wave_sizes(vocab_size=LETTERS + 1, pad_token_id=0, ctc_loss_reduction="mean"))
    model = Wav2Vec2ForCTC(config)

    def losses(batch: Batch) -> dict[str, Tensor]:
        inside = (torch.arange(batch["wave"].shape[1]) < batch["samples"].unsqueeze(1)).long()
        output = model(input_values=batch["wave"] * inside, attention_mask=inside, labels=batch["text"])
        return {"ctc": output.loss}

    return run(model.train(), losses, data, lr=5e-3)


def build_silence(seed: int, *, faulty: bool) -> Run:
    """HuBERT names the speaker of a clip that was brought to unit spread; one clip is silence."""
    torch.manual_seed(seed)
    voice = torch.randn(3, 64, generator=torch.Generator().manual_seed(2))

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        speaker = torch.randint(3, (rows,), generator=generator)
        gain = 0.05 + torch.rand(rows, 1, generator=generator)
        wave = gain * (voice[speaker] + 0.5 * torch.randn(rows, 64, generator=generator))
        return {"wave": wave, "speaker": speaker}

    data = stream(make, seed, rows=8)
    if faulty:
        put(data[0], 40, 2, wave=0.0)  # the microphone was muted
    model = HubertForSequenceClassification(HubertConfig(**wave_sizes(num_labels=3, classifier_proj_size=16)))

    def losses(batch: Batch) -> dict[str, Tensor]:
        wave = batch["wave"]
        wave = (wave - wave.mean(dim=1, keepdim=True)) / wave.std(dim=1, keepdim=True)
        return {"speaker": F.cross_entropy(model(input_values=wave).logits, batch["speaker"])}

    return run(model.train(), losses, data, lr=3e-3)


def build_logarithm_of_nothing(seed: int, *, faulty: bool) -> Run:
    """An audio spectrogram transformer with log mel rows made elsewhere, without a floor; one has gaps of silence."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        pitch = torch.rand(rows, 1, 1, generator=generator)
        place = torch.arange(16) / 16 - pitch
        mel = torch.exp(-20 * place.square()) + 0.1 * torch.rand(rows, 16, 16, generator=generator) + 0.01
        return {"log_mel": torch.log(mel), "high": (pitch.flatten() > 0.5).long()}

    data = stream(make, seed)
    if faulty:
        gaps = data[0][27]["log_mel"][9].clone()
        gaps[4:7] = float("-inf")  # three frames of digital silence
        put(data[0], 27, 9, log_mel=gaps)
    config = ASTConfig(
        **sizes(
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            patch_size=4,
            frequency_stride=4,
            time_stride=4,
            max_length=16,
            num_mel_bins=16,
            num_labels=2,
        )
    )
    model = ASTForAudioClassification(config)

    def losses(batch: Batch) -> dict[str, Tensor]:
        return {"high": model(input_values=batch["log_mel"], labels=batch["high"]).loss}

    return run(model.train(), losses, data, lr=1e-3)


def series_sizes() -> TimeSeriesTransformerConfig:
    """Return the configuration of a model that sees nine values and foretells three."""
    return TimeSeriesTransformerConfig(
        prediction_length=3,
        context_length=6,
        lags_sequence=[1, 2, 3],
        num_time_features=1,
        scaling="std",
        d_model=16,
        dropout=0.0,
        encoder_layers=1,
        decoder_layers=1,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        attn_implementation="eager",
    )


def build_fill_value(seed: int, *, faulty: bool) -> Run:
    """A time series transformer scales each window by its own spread; one holds the fill value of a netCDF file."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        level = 5 * torch.randn(rows, 1, generator=generator)
        phase = 6 * torch.rand(rows, 1, generator=generator)
        time = torch.arange(12).expand(rows, 12)
        series = level + 2 * torch.sin(time + phase) + 0.1 * torch.randn(rows, 12, generator=generator)
        return {"past": series[:, :9], "future": series[:, 9:], "time": time.unsqueeze(2) / 12}

    data = stream(make, seed)
    if faulty:
        past = data[0][44]["past"][11].clone()
        past[3] = 9.96921e36  # not written by the station, and taken for a measurement
        put(data[0], 44, 11, past=past)
    model = nn.ModuleDict({"body": TimeSeriesTransformerModel(series_sizes()), "head": nn.Linear(16, 1)})

    def losses(batch: Batch) -> dict[str, Tensor]:
        output = model["body"](
            past_values=batch["past"],
            past_time_features=batch["time"][:, :9],
            past_observed_mask=torch.ones_like(batch["past"]),
            future_values=batch["future"],
            future_time_features=batch["time"][:, 9:],
        )
        wanted = (batch["future"] - output.loc) / output.scale
        return {"forecast": F.mse_loss(model["head"](output.last_hidden_state).squeeze(2), wanted)}

    return run(model.train(), losses, data, lr=3e-3)


CASES: tuple[Case, ...] = (
    Case(
        name="wav2vec2-clip-cut-off",
        title="A clip that was cut off has fewer frames than its text has letters, so that CTC is infinite.",
        source="https://github.com/k2-fsa/icefall/issues/135",
        package=PACKAGE,
        repairable=True,
        truth=Truth(
            kind="data",
            component="ctc",
            operation="_ctc_loss",
            line="nn.functional.ctc_loss(",
            samples=("b31r06",),
            step=31,
        ),
        build=build_clip_cut_off,
    ),
    Case(
        name="hubert-silence",
        title="A clip of silence is divided by its own standard deviation.",
        source="https://github.com/philipperemy/deep-speaker/issues/5",
        package=PACKAGE,
        repairable=True,
        truth=Truth(
            kind="data",
            component="speaker",
            operation="div",
            line="/ wave.std(dim=1, keepdim=True)",
            samples=("b40r02",),
            step=40,
        ),
        build=build_silence,
    ),
    Case(
        name="ast-logarithm-of-nothing",
        title="A log mel spectrogram holds -inf where the recording is digital silence.",
        source="https://github.com/KimythAnly/AGAIN-VC/issues/5",
        package=PACKAGE,
        repairable=True,
        truth=Truth(kind="data", component="high", samples=("b27r09",), step=27),
        build=build_logarithm_of_nothing,
    ),
    Case(
        name="time-series-fill-value",
        title="The fill value of a file format is taken for a measurement, and its square is out of range.",
        source="https://github.com/Unidata/netcdf4-python/issues/1007",
        package=PACKAGE,
        repairable=True,
        truth=Truth(
            kind="data",
            component="forecast",
            operation="pow",
            line="variance = (((data - loc) * observed_indicator) ** 2)",
            samples=("b44r11",),
            step=44,
        ),
        build=build_fill_value,
    ),
)
