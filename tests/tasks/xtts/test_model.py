from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from rerail.tasks.xtts.config import SIZES
from rerail.tasks.xtts.decoder import AHEAD, BACK
from rerail.tasks.xtts.model import Xtts

Batch = dict[str, Any]
MakeBatch = Callable[..., Batch]


@pytest.mark.parametrize(("size", "millions"), [("tiny", 1.5), ("small", 12), ("normal", 49), ("big", 138)])
def test_each_size_has_about_the_parameters_that_it_is_known_by(size: str, millions: float) -> None:
    with torch.device("meta"):
        model = Xtts(SIZES[size], 80, 6)
    assert sum(one.numel() for one in model.parameters()) / 1e6 == pytest.approx(millions, rel=0.1)


def test_padding_changes_nothing(tiny: Xtts, make_voiced: MakeBatch) -> None:
    tiny.eval()
    batch = make_voiced()
    row = {name: value[1:2] for name, value in batch.items()}
    symbols, frames = int(row["text_length"]), int(row["mel_length"])
    alone = {**row, "text": row["text"][:, :symbols], "mel": row["mel"][:, :frames]}
    one, other = tiny.forced(batch), tiny.forced({**alone, "reference": batch["reference"][1:2]})
    assert torch.allclose(one.mel_post[1, :frames], other.mel_post[0], atol=1e-4)
    assert torch.allclose(one.alignment[1, : int(one.steps[1]), :symbols], other.alignment[0], atol=1e-5)
    assert not one.alignment[1, int(one.steps[1]) :].any()


def test_free_running_with_kept_keys_says_what_the_whole_decoder_says_of_its_own_frames(
    tiny: Xtts, voiced: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rerail.tasks.xtts.decoder.AHEAD", 99)
    monkeypatch.setattr("rerail.tasks.xtts.decoder.BACK", 99)
    tiny.eval()
    said = tiny.free(voiced, 30, threshold=1.1)
    latent = tiny.reference.manner(tiny.frames.inner(voiced["reference"]), voiced["reference_length"])
    again = tiny.decoder(tiny._told(voiced, latent.mean), tiny.frames.groups(said.mel), None)
    assert torch.allclose(again.mel[:, :30], tiny.frames.inner(said.mel), atol=1e-4)
    assert torch.allclose(again.alignment[:, :10], said.alignment, atol=1e-5)


def test_guided_heads_never_jump_in_free_running_speech(tiny: Xtts, make_voiced: MakeBatch) -> None:
    batch = make_voiced((11, 11), (60, 60))
    said = tiny.eval().free(batch, 60, threshold=1.1)
    place = said.alignment.argmax(2)
    for row, steps in zip(place, said.steps.tolist(), strict=True):
        moves = row[1:steps] - row[: steps - 1]
        assert int(moves.max()) <= AHEAD
        assert int(moves.min()) >= -BACK


def test_the_attention_starts_near_the_diagonal(voiced: Batch) -> None:
    torch.manual_seed(0)
    model = Xtts(SIZES["tiny"], 12, 3, bands=8, reduction=3).eval()
    model.decoder.rate.fill_(9 / 31)
    weights = model.forced(voiced).alignment[0].detach()
    place = (weights * torch.arange(weights.shape[1])).sum(1)
    assert float(place[-1]) > float(place[0]) + 1.0


def test_another_language_voice_or_text_is_heard(tiny: Xtts, voiced: Batch) -> None:
    tiny.eval()

    def heard(**changed: Tensor) -> Tensor:
        return tiny.free({**voiced, **changed}, 30, threshold=1.1).mel_post

    own = heard()
    assert torch.equal(own, heard())
    assert not torch.allclose(own, heard(language=voiced["language"].flip(0)))
    assert not torch.allclose(own, heard(reference=voiced["reference"] + 1.0))
    assert not torch.allclose(own, heard(text=voiced["text"].clamp(max=3)))
    assert torch.equal(own, heard(mel=voiced["mel"] * 0.0))  # it speaks without a look at the truth


def test_it_learns_what_it_is_shown(tiny: Xtts, voiced: Batch) -> None:
    from rerail.tasks.xtts.losses import Shape, losses  # noqa: PLC0415

    optimizer = torch.optim.Adam(tiny.parameters(), 2e-3)
    seen = []
    for _ in range(60):
        optimizer.zero_grad()
        total = sum(losses(tiny(voiced), voiced, Shape()).values())
        assert isinstance(total, Tensor)
        total.backward()
        optimizer.step()
        seen.append(float(total.detach()))
    assert seen[-1] < 0.4 * seen[0]
