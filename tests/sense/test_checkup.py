from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from rerail.sense.activations import Activations
from rerail.sense.checkup import Checkup
from rerail.sense.inputs import described
from rerail.sense.maps import looked_at
from rerail.sense.moments import moments


def numbers(found: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in found.items()}


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh())
        self.decoder = nn.Linear(8, 1)
        self.unused = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.decoder(self.encoder(x))
        return y


def hooks(net: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in net.modules())


def test_dead_and_saturated_units_are_counted_and_no_hook_stays() -> None:
    net = Net()
    with torch.no_grad():
        net.encoder[0].bias[:6] = -1e3
        net.encoder[2].bias[:4] = 1e3
    sight = Activations(net, None)
    with sight.watched(on=True) as found:
        net(torch.randn(32, 4))
        assert hooks(net) > 0
    assert hooks(net) == 0
    values = numbers(found)
    assert values["act/dead/encoder.1"] >= 0.75
    assert values["act/saturated/encoder.3"] >= 0.5
    assert values["act/rms/encoder"] > 0
    with pytest.raises(RuntimeError, match="user"), sight.watched(on=True):
        raise RuntimeError("user")
    assert hooks(net) == 0


def test_channels_of_a_convolution_are_its_units() -> None:
    net = nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU())
    with torch.no_grad():
        net[0].weight.zero_()
        net[0].bias.copy_(torch.tensor([1.0, -1.0, -1.0, -1.0]))
    with Activations(net, None).watched(on=True) as found:
        net(torch.randn(5, 2, 20))
    assert float(found["act/dead/1"]) == 0.75


def test_few_rows_say_nothing_of_dead_units_and_a_gate_at_the_end_may_be_sure() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid())
    with Activations(net, None).watched(on=True) as found:
        net(torch.randn(3, 4))
    assert not [name for name in found if name.startswith(("act/dead", "act/saturated"))]


def test_compiled_models_are_left_alone() -> None:
    net = Net()
    net.compile(backend="eager")
    with Activations(net, None).watched(on=True) as found:
        assert hooks(net) == 0
    assert found == {}


def test_a_look_draws_no_random_number_and_moves_no_buffer() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.AdamW(net.parameters())
    checkup = Checkup(net, [optimizer])
    x = torch.randn(32, 4)
    with checkup.watched(on=True) as seen:
        net(x).sum().backward()
    before, buffers = torch.get_rng_state(), [one.clone() for one in net.buffers()]
    checkup.read(seen, {"embedding": torch.randn(4, 4)}, [[x]])
    assert not torch.equal(before, torch.get_rng_state())  # the line above draws; the look alone must not
    before = torch.get_rng_state()
    checkup.read(seen, {}, [[x]])
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(buffers, net.buffers(), strict=True))


def test_parameters_without_gradient_or_optimizer_are_counted_and_named() -> None:
    net = Net()
    optimizer = torch.optim.Adam([*net.encoder.parameters(), *net.unused.parameters()])
    net(torch.randn(16, 4)).sum().backward()
    values = Checkup(net, [optimizer]).read({}, {}, [])
    assert values["param/total"] == 8
    assert values["param/no_gradient"] == 2
    assert values["param/no_gradient/unused.weight"] == 9
    assert values["param/loose"] == 2
    assert values["param/loose/decoder.weight"] == 8
    first = net.encoder[0].weight.grad
    assert first is not None
    assert values["grad/rms/first"] == pytest.approx(float(first.square().mean().sqrt()))
    assert values["memory/host"] > 1e6


def test_one_look_is_one_transfer(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net()
    net(torch.randn(16, 4)).sum().backward()
    calls = []
    monkeypatch.setattr("rerail.sense.checkup.transfer", lambda many: calls.append(len(many)) or [0.0] * len(many))
    Checkup(net, [torch.optim.Adam(net.parameters())]).read({}, {}, [[torch.randn(16, 4)]])
    assert len(calls) == 1


def test_a_look_that_fails_is_told_once_and_not_tried_again() -> None:
    said: list[str] = []
    net = Net()
    checkup = Checkup(net, [torch.optim.Adam(net.parameters())], None, said.append)
    odd: Any = [["no tensor"]]
    assert checkup.read({}, {}, odd) == {}
    assert checkup.read({}, {}, odd) == {}
    assert len(said) == 1
    assert "AttributeError" in said[0]


def test_numbers_that_are_not_finite_are_left_out() -> None:
    net = Net()
    x = torch.full((16, 4), -math.inf)
    values = Checkup(net, [torch.optim.Adam(net.parameters())]).read({}, {}, [[x]])
    assert "input/mean/0" not in values
    assert values["batch/rows"] == 16


def test_the_second_moment_fits_the_gradient_it_was_made_of() -> None:
    weight = nn.Parameter(torch.zeros(100))
    optimizer = torch.optim.Adam([weight], betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(0)
    for _ in range(300):
        weight.grad = torch.randn(100, generator=generator)
        optimizer.step()
    assert float(moments([optimizer])["optimizer/rms"]) == pytest.approx(1.0, abs=0.2)
    weight.grad = weight.grad * 100
    found = numbers(moments([optimizer]))
    assert found["optimizer/rms"] > 50
    assert found["optimizer/largest"] > 5000
    assert moments([torch.optim.SGD([weight], lr=0.1)]) == {}


def test_attention_maps() -> None:
    diagonal = torch.eye(10).repeat_interleave(3, 0)[None]
    uniform = torch.full((2, 30, 10), 0.1)
    stuck = torch.zeros(1, 30, 10).index_fill_(2, torch.tensor([4]), 1.0)
    found = {
        name: numbers(looked_at({"attention": one}))
        for name, one in (("diagonal", diagonal), ("uniform", uniform), ("stuck", stuck))
    }
    assert found["diagonal"]["attention/diagonal/attention"] == pytest.approx(1.0)
    assert found["diagonal"]["attention/entropy/attention"] == pytest.approx(0.0)
    assert found["uniform"]["attention/entropy/attention"] == pytest.approx(1.0)
    assert found["uniform"]["attention/diagonal/attention"] == pytest.approx(0.0, abs=1e-5)
    assert found["stuck"]["attention/stuck/attention"] == 1.0
    scores = numbers(looked_at({"attention_scores": torch.full((2, 5, 5), 3.0)}))
    assert all(math.isnan(scores[f"attention/{one}/attention_scores"]) for one in ("entropy", "diagonal", "stuck"))


def test_embeddings_and_gates() -> None:
    generator = torch.Generator().manual_seed(0)
    spread = numbers(looked_at({"embedding": torch.randn(64, 8, generator=generator)}))
    line = numbers(looked_at({"embedding": torch.arange(64.0)[:, None] * torch.ones(8)}))
    point = numbers(looked_at({"embedding": torch.ones(64, 8)}))
    assert spread["embedding/rank/embedding"] > 0.9
    assert line["embedding/rank/embedding"] == pytest.approx(1 / 8, abs=1e-3)
    assert point["embedding/std/embedding"] == 0.0
    assert looked_at({"embedding": torch.full((4, 4), math.nan)}) == {}
    assert numbers(looked_at({"gate": torch.full((3, 9), -40.0)}))["gate/mean/gate"] < 1e-9
    assert numbers(looked_at({"stop": torch.full((3, 9), 0.25)}))["gate/mean/stop"] == 0.25
    assert looked_at({"mel": torch.ones(3, 4, 5), "gate": torch.tensor(1.0)}) == {}


def test_inputs_are_described_by_their_place_in_the_batch() -> None:
    x = torch.randn(8, 20, generator=torch.Generator().manual_seed(0))
    x[3], x[5] = 0.0, x[6]
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
    values = numbers(described([x, labels, torch.ones(8, 20), torch.zeros(100)]))
    assert values["input/constant/0"] == 1 / 8
    assert values["input/constant/2"] == 0.0  # a mask without padding
    assert values["input/twice"] == 2 / 8
    assert values["label/classes/1"] == 3
    assert values["label/entropy/1"] == pytest.approx(1.5 * math.log(2))
    assert "input/mean/3" not in values
