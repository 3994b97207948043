from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from rerail.tasks.speech.losses import losses
from rerail.tasks.speech.output import Output, first_stop
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.model import Tacotron2

Batch = dict[str, Any]
MakeBatch = Callable[..., Batch]
KEYS = ("text", "text_length", "mel", "mel_length")


def forward(model: Tacotron2, batch: Batch, **changed: Tensor) -> Output:
    return model(*({**batch, **changed}[key] for key in KEYS))


def alone(batch: Batch, row: int) -> Batch:
    """One row of a batch, cut to its true lengths."""
    n, t = int(batch["text_length"][row]), int(batch["mel_length"][row])
    lengths = {"text_length": torch.tensor([n]), "mel_length": torch.tensor([t])}
    return {"text": batch["text"][row : row + 1, :n], "mel": batch["mel"][row : row + 1, :t], **lengths}


def total(model: Tacotron2, batch: Batch) -> Tensor:
    return sum(losses(forward(model, batch), batch["mel"], batch["text_length"]).values())


def test_forward_gives_a_frame_for_a_frame_and_a_gate_and_an_alignment_for_each_step(
    tiny: Tacotron2, batch: Batch
) -> None:
    output = forward(tiny, batch)
    assert output.mel.shape == output.mel_post.shape == (3, 31, 8)
    assert output.gate_logits.shape == (3, 11)
    assert output.alignment.shape == (3, 11, 9)
    assert output.steps.tolist() == [11, 7, 4]


def test_each_valid_step_spreads_one_unit_of_attention_over_the_true_text(tiny: Tacotron2, batch: Batch) -> None:
    alignment = forward(tiny, batch).alignment
    assert torch.allclose(alignment[1, :7].sum(1), torch.ones(7))
    assert alignment[1, :, 6:].abs().max() == 0.0
    assert alignment[1, 7:].abs().max() == 0.0


@pytest.mark.parametrize("row", [0, 1, 2])
def test_padding_changes_nothing_of_a_row(tiny: Tacotron2, batch: Batch, row: int) -> None:
    tiny.eval()
    together, single = forward(tiny, batch), forward(tiny, alone(batch, row))
    t, s, n = int(batch["mel_length"][row]), int(single.steps), int(batch["text_length"][row])
    assert torch.allclose(together.mel_post[row, :t], single.mel_post[0], atol=1e-5)
    assert torch.allclose(together.gate_logits[row, :s], single.gate_logits[0], atol=1e-5)
    assert torch.allclose(together.alignment[row, :s, :n], single.alignment[0], atol=1e-5)
    assert together.mel_post[row, t:].abs().sum() == 0.0


def test_what_stands_in_the_padding_changes_neither_loss_nor_statistics(tiny: Tacotron2, batch: Batch) -> None:
    other = {**batch, "text": batch["text"].clone(), "mel": batch["mel"].clone()}
    for row in range(3):
        other["text"][row, int(batch["text_length"][row]) :] = 3
        other["mel"][row, int(batch["mel_length"][row]) :] = 77.0
    twin = Tacotron2(tiny.size, 12, bands=8)
    twin.load_state_dict(tiny.state_dict())
    assert torch.allclose(total(tiny, batch), total(twin, other))
    for mine, theirs in zip(tiny.buffers(), twin.buffers(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)


def test_every_parameter_gets_a_finite_gradient(tiny: Tacotron2, batch: Batch) -> None:
    total(tiny, batch).backward()
    for name, parameter in tiny.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert "bias" in name or parameter.grad.abs().max() > 0.0, name


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_mixed_precision_gives_nearly_the_same_loss_and_finite_gradients(
    tiny: Tacotron2, batch: Batch, dtype: torch.dtype
) -> None:
    full = total(tiny, batch)
    with torch.autocast("cpu", dtype=dtype):
        mixed = total(tiny, batch)
    mixed.backward()
    assert float(mixed.detach()) == pytest.approx(float(full.detach()), rel=0.02)
    assert all(torch.isfinite(parameter.grad).all() for parameter in tiny.parameters() if parameter.grad is not None)


def test_a_nan_in_one_clip_reaches_the_loss(tiny: Tacotron2, batch: Batch) -> None:
    batch["mel"][1, 3, 2] = torch.nan
    assert not torch.isfinite(total(tiny, batch))


def test_a_few_steps_on_one_batch_are_enough_to_learn_and_align_it(tiny: Tacotron2, make_batch: MakeBatch) -> None:
    batch = make_batch((9, 8, 7), (60, 54, 48))
    optimizer = torch.optim.Adam(tiny.parameters(), lr=5e-3)
    first = None
    for _ in range(120):
        components = losses(forward(tiny, batch), batch["mel"], batch["text_length"])
        first = first or {name: loss.item() for name, loss in components.items()}
        optimizer.zero_grad()
        sum(components.values()).backward()
        torch.nn.utils.clip_grad_norm_(tiny.parameters(), 1.0)
        optimizer.step()
    assert components["mel_post"] < 0.4 * first["mel_post"]
    assert components["attention"] < 0.3 * first["attention"]
    tiny.eval()
    spoken = tiny.generate(batch["text"], batch["text_length"], max_frames=150)
    assert (spoken.mel_length - batch["mel_length"]).abs().max() <= 9


def test_generation_ends_each_row_at_its_first_stop(tiny: Tacotron2, batch: Batch) -> None:
    tiny.eval()
    gate = tiny.decoder.gate_layer.linear_layer
    with torch.no_grad():
        gate.bias.fill_(50.0)
    output = tiny.generate(batch["text"], batch["text_length"], max_frames=90)
    assert output.mel_length.tolist() == [3, 3, 3]
    assert output.mel.shape == (3, 3, 8)
    with torch.no_grad():
        gate.bias.fill_(-50.0)
    output = tiny.generate(batch["text"], batch["text_length"], max_frames=31)
    assert output.mel_length.tolist() == [31, 31, 31]
    assert output.mel_post.shape == (3, 31, 8)


def test_generation_of_a_row_does_not_depend_on_its_company(tiny: Tacotron2, batch: Batch) -> None:
    tiny.eval()
    together = tiny.generate(batch["text"], batch["text_length"], max_frames=30)
    single = tiny.generate(batch["text"][2:, :4], batch["text_length"][2:], max_frames=30)
    t = int(single.mel_length)
    assert int(together.mel_length[2]) == t
    assert torch.allclose(together.mel_post[2, :t], single.mel_post[0], atol=1e-5)


def test_free_running_repeats_the_teacher_when_fed_its_own_frames(tiny: Tacotron2, batch: Batch) -> None:
    tiny.eval()
    spoken = tiny.generate(batch["text"], batch["text_length"], max_frames=30, threshold=1.0)
    forced = forward(tiny, batch, mel=spoken.mel, mel_length=spoken.mel_length)
    assert torch.allclose(forced.mel, spoken.mel, atol=1e-4)
    assert torch.allclose(forced.alignment, spoken.alignment, atol=1e-5)


def test_prenet_dropout_stays_on_at_synthesis_and_is_repeatable_by_its_generator(batch: Batch) -> None:
    torch.manual_seed(0)
    model = Tacotron2(SIZES["tiny"], 12, bands=8).eval()

    def mel(seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return model.generate(batch["text"], batch["text_length"], 30, 1.0, generator=generator).mel

    assert torch.equal(mel(1), mel(1))
    assert not torch.equal(mel(1), mel(2))
    before = torch.get_rng_state()
    mel(1)
    assert torch.equal(before, torch.get_rng_state())


def test_without_a_generator_the_global_seed_decides(batch: Batch) -> None:
    model = Tacotron2(SIZES["tiny"], 12, bands=8)
    torch.manual_seed(3)
    first = total(model, batch)
    torch.manual_seed(3)
    assert torch.equal(first, total(model, batch))
    assert not torch.equal(first, total(model, batch))


def test_input_scale_is_invisible_outside(tiny: Tacotron2, batch: Batch) -> None:
    """Twice the scale and a zeroed network: the mel is the offset either way."""
    model = Tacotron2(replace(tiny.size, offset=-4.0, scale=7.0), 12, bands=8).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert torch.allclose(forward(model, batch).mel[0], torch.full((31, 8), -4.0))


def test_reference_size_has_the_published_parameters() -> None:
    with torch.device("meta"):
        model = Tacotron2(SIZES["reference"], symbols=148, bands=80, reduction=1)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    published = {
        "embedding.weight": (148, 512),
        "encoder.convolutions.0.0.conv.weight": (512, 512, 5),
        "encoder.convolutions.2.1.running_mean": (512,),
        "encoder.lstm.weight_ih_l0": (1024, 512),
        "encoder.lstm.weight_hh_l0_reverse": (1024, 256),
        "decoder.prenet.layers.0.linear_layer.weight": (256, 80),
        "decoder.prenet.layers.1.linear_layer.weight": (256, 256),
        "decoder.attention_rnn.weight_ih": (4096, 768),
        "decoder.attention_layer.query_layer.linear_layer.weight": (128, 1024),
        "decoder.attention_layer.memory_layer.linear_layer.weight": (128, 512),
        "decoder.attention_layer.v.linear_layer.weight": (1, 128),
        "decoder.attention_layer.location_layer.location_conv.conv.weight": (32, 2, 31),
        "decoder.attention_layer.location_layer.location_dense.linear_layer.weight": (128, 32),
        "decoder.decoder_rnn.weight_ih": (4096, 1536),
        "decoder.linear_projection.linear_layer.weight": (80, 1536),
        "decoder.gate_layer.linear_layer.bias": (1,),
        "postnet.convolutions.0.0.conv.weight": (512, 80, 5),
        "postnet.convolutions.4.0.conv.bias": (80,),
        "postnet.convolutions.4.1.num_batches_tracked": (),
    }
    assert published.items() <= shapes.items()
    assert len(shapes) == 84
    assert sum(parameter.numel() for parameter in model.parameters()) == 28_193_153


def test_first_stop_counts_the_stopping_step_and_falls_back_to_all() -> None:
    logits = torch.tensor([[-9.0, 9.0, -9.0], [-9.0, -9.0, -9.0], [9.0, 9.0, 9.0]])
    assert first_stop(logits).tolist() == [2, 3, 1]


def test_a_text_that_was_read_to_its_end_ends_without_a_stop(tiny: Tacotron2) -> None:
    text, length = torch.tensor([[3, 0, 0], [3, 4, 5]]), torch.tensor([1, 3])  # of one symbol, the first is the last
    output = tiny.eval().generate(text, length, max_frames=150, threshold=1.0)
    assert output.mel_length[0] == 33  # half a second of 32 frames, in steps of three
    assert output.alignment[0, :, 1:].abs().sum() == 0
