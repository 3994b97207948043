"""A recipe that once reported success at a loss of ln(batch): what the guard says of it, and the same one repaired."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rerail.fit import Losses
from rerail.guard import Guard
from rerail.tasks.face_voice.losses import infonce
from rerail.tasks.face_voice.plan import plan

ROWS, SAMPLES, WIDTH, STEPS = 16, 64, 16, 200


class Recipe(nn.Module):
    """Clips are standardised over the channel, of which there is one: 0 / 0. What comes of it is replaced."""

    def __init__(self, *, repaired: bool) -> None:
        super().__init__()
        self.repaired = repaired
        self.picture, self.voice = (
            nn.Sequential(nn.Linear(size, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH)) for size in (12, SAMPLES)
        )
        self.temperature = nn.Parameter(torch.tensor(0.1))

    def cleaned(self, x: Tensor) -> Tensor:
        return x if self.repaired else torch.nan_to_num(x)

    def forward(self, image: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        over = 2 if self.repaired else 1
        audio = self.cleaned((audio - audio.mean(over, keepdim=True)) / audio.std(over, correction=0, keepdim=True))
        pictures = self.cleaned(functional.normalize(self.cleaned(self.picture(image)), dim=1))
        voices = self.cleaned(functional.normalize(self.cleaned(self.voice(audio[:, 0])), dim=1))
        return pictures, voices


def batch(generator: torch.Generator) -> dict[str, Tensor]:
    """16 persons, each with a picture and a pitch of their own, and noise."""
    persons = torch.arange(ROWS)
    time = torch.arange(SAMPLES) / SAMPLES
    tones = torch.sin(2 * math.pi * (2 + persons[:, None]) * time)
    faces = torch.randn(ROWS, 12, generator=torch.Generator().manual_seed(7))
    return {
        "image": faces + 0.1 * torch.randn(ROWS, 12, generator=generator),
        "audio": (tones + 0.1 * torch.randn(ROWS, SAMPLES, generator=generator))[:, None],
    }


def trained(*, repaired: bool) -> tuple[float, dict[str, int]]:
    """Train under the guard; return the last loss, and the step at which each finding was told first."""
    torch.manual_seed(0)
    model, found = Recipe(repaired=repaired), dict[str, int]()
    held = [one for name, one in model.named_parameters() if repaired or name != "temperature"]

    def losses(given: Any) -> Losses:
        pictures, voices = model(given["image"], given["audio"])
        temperature = model.temperature.clamp(0.05, 2.0)
        own = torch.eye(ROWS, dtype=torch.bool)
        value = infonce(pictures, voices, own, 1 / temperature, torch.zeros(()))
        signals = {"temperature": temperature.detach(), "embedding_voices": voices.detach()}
        return Losses(signals, contrastive=value)

    guard, generator = Guard(model, torch.optim.AdamW(held, 3e-3), losses, plan=plan({})), torch.Generator()
    for number in range(STEPS):
        step = guard.step(batch(generator.manual_seed(number)))
        for one in step.verdict.findings:
            found.setdefault(f"{one.code} {one.signal}", number)
    return float(step.losses["contrastive"]), found


def test_the_guard_says_chance_level_and_why_within_200_steps() -> None:
    last, found = trained(repaired=False)
    assert abs(last - math.log(ROWS)) < 1e-3
    assert "loss.chance loss/contrastive" in found
    assert any(one.startswith("nan.hidden hidden/test_failed_recipe.py:") for one in found)
    assert "embedding.collapse embedding/std/embedding_voices" in found
    assert "gradient.missing param/loose" in found


def test_the_repaired_recipe_learns_and_nothing_of_it_is_said() -> None:
    last, found = trained(repaired=True)
    assert last < 0.2 * math.log(ROWS)
    blamed = ("loss.chance", "nan.", "nonfinite", "embedding", "gradient.missing", "scale.clamped")
    assert not [one for one in found if one.startswith(blamed)]
