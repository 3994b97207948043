from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from rerail.audio.mel import MelSpec
from rerail.tasks.face_voice import heads
from rerail.tasks.face_voice.encoders import SmallPictures, SmallVoices
from rerail.tasks.face_voice.losses import alike, infonce
from rerail.tasks.face_voice.model import Embedded, Matcher, gap

Batch = dict[str, Tensor]


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    return {
        "image": torch.rand(7, 3, 64, 64, generator=generator),
        "audio": 0.1 * torch.randn(7, 8000, generator=generator),
        "identity": torch.arange(7),
    }


def matcher(**given: float) -> Matcher:
    torch.manual_seed(0)
    return Matcher(SmallPictures((16, 32)), SmallVoices(MelSpec(), (32, 48)), width=24, **given)  # type: ignore[arg-type]


def loss(model: Matcher, batch: Batch) -> Tensor:
    embedded = model(batch)
    return infonce(*embedded, alike(batch["identity"]), 1 / model.temperature.value(), model.temperature.bias)


def test_embeddings_have_length_one_and_every_weight_is_pulled_at(batch: Batch) -> None:
    model = matcher()
    embedded = model(batch)
    assert embedded.pictures.shape == embedded.voices.shape == (7, 24)
    assert torch.allclose(embedded.pictures.norm(dim=1), torch.ones(7), atol=1e-5)
    loss(model, batch).backward()
    still = [name for name, one in model.named_parameters() if one.grad is None or not one.grad.abs().sum() > 0]
    assert not still


def test_a_bias_is_learned_where_a_loss_asks_for_one() -> None:
    assert "temperature.bias" not in dict(matcher().named_parameters())
    assert dict(matcher(bias=-10.0).named_parameters())["temperature.bias"] == -10.0


@pytest.mark.parametrize("chunk", [1, 3, 6])
def test_a_batch_in_chunks_has_the_gradient_of_the_whole_also_with_dropout(batch: Batch, chunk: int) -> None:
    whole, parted = matcher(), matcher(chunk=chunk)
    whole.eval()
    loss(whole, batch).backward()
    parted.train()
    for layer in parted.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    loss(parted, batch).backward()
    for one, other in zip(whole.parameters(), parted.parameters(), strict=True):
        if one.grad is not None:
            assert other.grad is not None
            assert torch.allclose(one.grad, other.grad, rtol=1e-3, atol=1e-5)


def test_dropout_on_the_way_back_is_that_of_the_way_there(batch: Batch) -> None:
    gradients = []
    for _ in range(2):
        model = matcher(chunk=3).train()
        torch.manual_seed(3)
        loss(model, batch).backward()
        gradients.append([one.grad for one in model.parameters() if one.grad is not None])
    assert all(map(torch.equal, *gradients))


def test_a_row_does_not_depend_on_what_it_is_encoded_beside(batch: Batch) -> None:
    model = matcher().eval()
    with torch.no_grad():
        alone = model({name: value[:1] for name, value in batch.items()})
        beside = model(batch)
    assert torch.allclose(alone.pictures, beside.pictures[:1], atol=1e-5)
    assert torch.allclose(alone.voices, beside.voices[:1], atol=1e-5)


@pytest.mark.parametrize("name", ["linear", "simple", "deep"])
@pytest.mark.parametrize("start", ["xavier", "kaiming"])
def test_heads_are_as_deep_as_their_names_say(name: heads.Name, start: heads.Start) -> None:
    torch.manual_seed(0)
    made = heads.head(name, 10, 8, start)
    layers = [one for one in made if isinstance(one, nn.Linear)]
    assert [one.out_features for one in layers] == {"linear": [8], "simple": [8, 8], "deep": [16, 8, 8]}[name]
    assert sum(isinstance(one, nn.Dropout) for one in made) == len(layers) - 1
    if start == "xavier":
        bound = heads.GAIN * math.sqrt(6 / (layers[0].in_features + layers[0].out_features))
        assert float(layers[0].weight.detach().abs().max()) <= bound
    assert float(made.eval()(torch.randn(4, 10)).detach().std(0).min()) > 0  # different inputs begin apart


def test_the_gap_between_the_means() -> None:
    one, other = torch.eye(2), -torch.eye(2)
    assert float(gap(Embedded(one, one))) == 0.0
    assert float(gap(Embedded(one, other))) == pytest.approx(math.sqrt(2))
