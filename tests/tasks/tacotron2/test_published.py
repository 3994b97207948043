"""The fast network against the published equations written down plainly: outputs and gradients; published files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from plain_tacotron2 import PlainTacotron2, drawn, parts
from rerail.alignment import valid
from rerail.tasks.speech import precision
from rerail.tasks.speech.losses import losses
from rerail.tasks.speech.output import Output
from rerail.tasks.tacotron2.config import SIZES, Size
from rerail.tasks.tacotron2.model import Tacotron2
from rerail.tasks.tacotron2.published import read_symbols
from rerail.tasks.tacotron2.trained import load

Batch = dict[str, Any]
MakeBatch = Callable[..., Batch]
KEYS = ("text", "text_length", "mel", "mel_length")
SIZE = replace(SIZES["tiny"], offset=0.0, scale=1.0, postnet_layers=3, encoder_convolutions=2)
PADDED, EVEN = ((9, 6, 4), (31, 20, 12)), ((7, 7, 7), (24, 24, 24))


def pair(size: Size, reduction: int, attention: Any, dtype: torch.dtype) -> tuple[Tacotron2, PlainTacotron2]:
    torch.manual_seed(0)
    fast = Tacotron2(size, 12, 8, reduction, attention).to(dtype)
    plain = PlainTacotron2(size, 12, 8, reduction, attention).to(dtype)
    plain.load_state_dict(fast.state_dict())
    return fast, plain


def both(fast: Tacotron2, plain: PlainTacotron2, batch: Batch) -> tuple[Output, dict[str, Tensor]]:
    """One training forward pass of each with equal dropout masks."""
    torch.manual_seed(5)
    masks = drawn(fast.size, batch, fast.bands, fast.frames.reduction, batch["mel"].dtype)
    torch.manual_seed(5)
    output = fast(*(batch[key] for key in KEYS))
    named = plain(batch, masks)
    steps, frames = valid(output.steps, output.gate_logits.shape[1]), valid(output.mel_length, output.mel.shape[1])
    named["gate_logits"] = named["gate_logits"] * steps
    named["alignment"] = named["alignment"] * steps[:, :, None]
    named["mel_post"] = named["mel_post"] * frames[:, :, None]
    return output, named


def loss(output: Output, batch: Batch, named: dict[str, Tensor]) -> Tensor:
    return sum(losses(replace(output, **named), batch["mel"], batch["text_length"]).values())


@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize("lengths", [PADDED, EVEN])
@pytest.mark.parametrize("reduction", [1, 2])
@pytest.mark.parametrize("attention", ["location", "forward", "dynamic"])
def test_outputs_and_gradients_equal_those_of_the_published_equations(
    make_batch: MakeBatch,
    attention: str,
    reduction: int,
    lengths: tuple[tuple[int, ...], ...],
    dtype: torch.dtype,
    near: float,
) -> None:
    batch = make_batch(*lengths)
    batch["mel"] = (batch["mel"].to(dtype) + 5.0) / 2.5
    fast, plain = pair(SIZE, reduction, attention, dtype)
    output, named = both(fast, plain, batch)
    for name, value in parts(output):
        assert torch.allclose(value, named[name], atol=near, rtol=near), name
    loss(output, batch, dict(parts(output))).backward()
    loss(output, batch, named).backward()
    theirs = dict(plain.named_parameters())
    for name, mine in fast.named_parameters():
        assert torch.allclose(mine.grad, theirs[name].grad, atol=near, rtol=near), name
    theirs = dict(plain.named_buffers())  # statistics of the batch normalisation
    assert all(torch.allclose(value, theirs[name], atol=near) for name, value in fast.named_buffers() if name in theirs)


def test_a_published_state_dict_loads_strictly_and_says_the_same(make_batch: MakeBatch) -> None:
    """The plain network has NVIDIA's names and shapes (listed in test_model.py); here at the published size."""
    batch = make_batch((5, 5), (4, 4))
    batch["mel"] = torch.randn(2, 4, 80, dtype=torch.float64)
    torch.manual_seed(1)
    plain = PlainTacotron2(SIZES["reference"], 148, 80, 1).double()
    fast = Tacotron2(SIZES["reference"], 148, 80, 1).double()
    fast.load_state_dict(plain.state_dict(), strict=True)
    output, named = both(fast, plain, batch)
    for name, value in parts(output):
        assert torch.allclose(value, named[name], atol=1e-10, rtol=1e-10), name


@pytest.mark.parametrize("attention", ["location", "forward", "dynamic"])
def test_where_half_precision_pays_products_are_half_and_states_and_softmax_are_not(
    make_batch: MakeBatch, monkeypatch: pytest.MonkeyPatch, attention: Any
) -> None:
    """Told that this processor has the instructions, it is slow but must be right."""
    monkeypatch.setattr(precision, "pays", lambda *_: True)
    batch = make_batch()
    batch["mel"] = (batch["mel"] + 5.0) / 2.5
    fast, _ = pair(replace(SIZE, attention_rnn=64, decoder_rnn=64), 2, attention, torch.float32)
    results = []
    for enabled in (False, True):
        torch.manual_seed(5)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            output = fast(*(batch[key] for key in KEYS))
            total = loss(output, batch, dict(parts(output)))
        fast.zero_grad()
        total.backward()
        results.append((total.detach(), fast.decoder.decoder_rnn.weight_hh.grad.clone()))
    (full, exact), (half, rough) = results
    assert output.alignment.dtype == output.mel.dtype == rough.dtype == torch.float32
    assert not torch.equal(full, half)  # it was half precision
    assert torch.allclose(full, half, rtol=0.02)
    assert torch.nn.functional.cosine_similarity(exact.flatten(), rough.flatten(), dim=0) > 0.99


@pytest.mark.skipif(precision.pays("cpu", torch.bfloat16), reason="this processor has bf16 instructions")
def test_where_half_precision_does_not_pay_autocast_changes_nothing(make_batch: MakeBatch) -> None:
    batch = make_batch()
    fast, _ = pair(SIZE, 1, "location", torch.float32)
    results = []
    for enabled in (False, True):
        torch.manual_seed(5)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            results.append(fast(*(batch[key] for key in KEYS)).mel_post)
    assert torch.equal(*results)


PUBLISHED = "_-!'(),.:;? ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "tacotron2_statedict.pt"
    torch.manual_seed(0)
    torch.save({"iteration": 7, "state_dict": PlainTacotron2(SIZES["reference"], 148, 80, 1).state_dict()}, path)
    return path


def test_a_published_file_loads_and_its_table_is_the_users(file: Path, tmp_path: Path) -> None:
    trained = load(file, symbols=PUBLISHED)
    assert (trained.step, trained.config.sample_rate, trained.model.frames.reduction) == (7, 22050, 1)
    assert trained.numbers("Hi, you!", "") == [PUBLISHED.index(one) for one in "hi, you!"]
    with pytest.raises(ValueError, match="unknown symbols '7'"):
        trained.numbers("7", "")
    (tmp_path / "table.txt").write_text(PUBLISHED + "\n")
    assert load(file, symbols=str(tmp_path / "table.txt")).symbols == trained.symbols
    with pytest.raises(ValueError, match="holds no symbol table; give the published one by --symbols"):
        load(file).numbers("hi", "")


@pytest.mark.parametrize(
    ("given", "message"),
    [("abca", "'a' stands there twice"), (PUBLISHED, "64 characters, and the model has 12 symbols")],
)
def test_a_table_that_cannot_be_right_is_refused(given: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_symbols(given, 12)


def test_other_files_are_refused_with_the_reason(file: Path, tmp_path: Path) -> None:
    state = torch.load(file, weights_only=True)["state_dict"]

    def refused(content: object, reason: str) -> None:
        torch.save(content, tmp_path / "other.pt")
        with pytest.raises(ValueError, match=reason):
            load(tmp_path / "other.pt")

    refused({"model": state}, "holds no `state_dict`")
    refused({"state_dict": {}}, r"has no embedding\.weight")
    refused({"state_dict": {**state, "one.more": torch.ones(1)}}, "no Tacotron2 of the published size(.|\n)*one.more")
    refused({"state_dict": {**state, "decoder.gate_layer.linear_layer.bias": torch.tensor([torch.nan])}}, "not finite")
    (tmp_path / "junk.pt").write_bytes(b"junk")
    with pytest.raises(ValueError, match="cannot be read as weights alone"):
        load(tmp_path / "junk.pt")
    with pytest.raises(ValueError, match="no such file"):
        load(tmp_path / "nowhere.pt")
