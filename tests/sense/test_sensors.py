from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from rerail.sense.losses import Losses
from rerail.sense.sensors import Sensors, nonfinite_rows, norms, transfer
from rerail.sense.updates import update_ratio, weights_of


def model() -> nn.Module:
    net = nn.Sequential()
    net.add_module("encoder", nn.Sequential(nn.Linear(4, 8), nn.ReLU()))
    net.add_module("decoder", nn.Linear(8, 1))
    return net


def read(net: nn.Module, factor: float = 1.0, tick: int = 2, **inputs: torch.Tensor) -> dict[str, float]:
    x = torch.randn(3, 4)
    loss = net(x).square().mean() * factor
    loss.backward()
    return dict(
        Sensors(net, weights_every=10).read(tick, {"loss/total": loss}, {"step": 0.0}, [list(inputs.values())]).values
    )


def test_norms_are_torchs_own_in_total_and_per_module() -> None:
    net = model()
    values = read(net)
    total = torch.nn.utils.get_total_norm([p.grad for p in net.parameters() if p.grad is not None])
    assert values["grad/norm"] == pytest.approx(float(total), rel=1e-6)
    decoder = torch.nn.utils.get_total_norm([p.grad for p in net.decoder.parameters() if p.grad is not None])
    assert values["grad/norm/decoder"] == pytest.approx(float(decoder), rel=1e-6)
    assert values["grad/norm/encoder"] ** 2 + values["grad/norm/decoder"] ** 2 == pytest.approx(
        values["grad/norm"] ** 2
    )
    assert "weight/norm" not in values


def test_one_transfer_in_a_healthy_step(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    stack = torch.stack
    monkeypatch.setattr(torch, "stack", lambda tensors: calls.append(len(tensors)) or stack(tensors))
    read(model())
    assert calls == [1 + 4]  # one loss and four gradients, together


def test_weights_are_read_on_schedule_and_on_suspicion() -> None:
    assert "weight/norm/encoder" in read(model(), tick=10)
    assert "weight/norm/encoder" in read(model(), factor=math.nan)


def test_a_parameter_that_is_not_finite_is_named() -> None:
    net = model()
    net.decoder.bias.register_hook(lambda gradient: gradient * math.nan)
    values = read(net)
    assert math.isfinite(values["loss/total"])
    bad = {name for name, value in values.items() if not math.isfinite(value)}
    assert bad == {"grad/norm", "grad/norm/decoder", "grad/norm/decoder.bias"}


def test_large_norms_add_up_without_overflow() -> None:
    values = Sensors(model()).read(1, {}, {}).values
    assert values["grad/norm"] == 0.0
    big = norms([torch.full((4,), 1e15), torch.full((4,), 2e15)])
    assert transfer(big) == pytest.approx([2e15, 4e15])


def test_rows_are_counted_on_through_the_micro_batches() -> None:
    one, two = torch.zeros(3, 2), torch.zeros(2, 5)
    one[1, 0], two[0, :2] = math.nan, math.inf
    assert nonfinite_rows([[one, torch.arange(3)], [two]]) == {"input/nonfinite/1": 1.0, "input/nonfinite/3": 2.0}


def test_minus_infinity_is_a_mask() -> None:
    mask = torch.zeros(3, 4)
    mask[0, 2:] = -math.inf  # the rows differ in length, the last has no padding at all
    assert nonfinite_rows([[mask, torch.ones(3)]]) == {}
    mask[1, 0] = math.nan
    assert nonfinite_rows([[mask]]) == {"input/nonfinite/1": 1.0}


def test_inputs_are_looked_at_only_on_suspicion() -> None:
    bad = torch.full((3, 2), math.nan)
    assert not [name for name in read(model(), x=bad) if name.startswith("input")]
    assert [name for name in read(model(), factor=math.nan, x=bad) if name.startswith("input")]


def test_the_update_ratio_is_how_far_the_weights_moved() -> None:
    net = nn.Linear(2, 1, bias=False)
    nn.init.constant_(net.weight, 2.0)
    before = weights_of(net)
    with torch.no_grad():
        net.weight *= 1.01
    assert update_ratio(net, before)["update/ratio"] == pytest.approx(0.01, rel=1e-4)


def test_losses_are_named_scalars() -> None:
    losses = Losses.of({"a": torch.tensor(1.0), "b": torch.tensor(2.0)})
    assert dict(losses.items()).keys() == {"a", "b"}
    assert float(losses.total({"b": 10.0})) == 21.0
    assert list(Losses.of(torch.tensor(3.0))) == ["loss"]
    with pytest.raises(ValueError, match=r"loss 'a' must be a scalar tensor, got shape \(2,\)"):
        Losses.of({"a": torch.zeros(2)})
    with pytest.raises(ValueError, match="at least one component"):
        Losses()


def test_a_bf16_and_an_fp32_component_add_up_in_fp32() -> None:
    total = Losses(a=torch.tensor(1.0, dtype=torch.bfloat16), b=torch.tensor(1e-4)).total({})
    assert total.dtype == torch.float32
    assert float(total) == pytest.approx(1.0001)


def test_an_odd_number_elsewhere_does_not_make_the_batch_suspect() -> None:
    net = model()
    net(torch.randn(3, 4)).sum().backward()
    bad = torch.full((3, 2), math.nan)
    values = Sensors(net).read(1, {}, {"eval/pesq": math.nan}, [[bad]]).values
    assert not [name for name in values if name.startswith("input")]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_large_finite_gradient_is_finite(dtype: torch.dtype) -> None:
    net = nn.Linear(40, 40, bias=False).to(dtype)
    net.weight.grad = torch.full_like(net.weight, 1e25 if dtype is torch.float32 else 6e4)
    norm = Sensors(net).read(1, {}, {}).values["grad/norm"]
    assert norm == pytest.approx(40 * float(net.weight.grad[0, 0]), rel=1e-2)


def test_parameters_thawed_later_or_held_outside_the_model_are_read() -> None:
    net, temperature = nn.Linear(2, 1), nn.Parameter(torch.ones(()))
    net.weight.requires_grad_(False)
    sensors = Sensors(net, lambda: [*net.named_parameters(), ("loose.0", temperature)])
    net.weight.requires_grad_(True)
    net.weight.grad = torch.full_like(net.weight, math.nan)
    temperature.grad = torch.tensor(3.0)
    values = sensors.read(1, {}, {}).values
    assert math.isnan(values["grad/norm/weight"])
    assert values["grad/norm/loose"] == 3.0


def test_a_scalar_at_its_clamp_has_lost_nothing_a_matrix_of_zeros_has() -> None:
    net = model()
    net.add_module("scale", nn.Sequential())
    net.scale.register_parameter("temperature", nn.Parameter(torch.tensor(9.0)))
    x = torch.randn(3, 4)
    loss = net.decoder(net.encoder(x)).square().mean() * net.scale.temperature.clamp(max=2.0)
    loss.backward()
    sensors = Sensors(net, weights_every=10)
    assert sensors.read(2, {}, {}).values["grad/lost"] == 0.0
    assert net.decoder.weight.grad is not None
    net.decoder.weight.grad.zero_()
    assert sensors.read(3, {}, {}).values["grad/lost"] == 1.0
