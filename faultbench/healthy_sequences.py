"""Healthy runs on sequences, with several losses, and of generative models."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR

from .case import Run
from .healthy_common import batches, begin, ce, mse
from .state_common import class_rows, mlp

# -- sequences --------------------------------------------------------------------------------------------------------


def _letters(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Sequences of a first-order Markov chain over twelve letters."""
    table = torch.softmax(3.0 * torch.randn(12, 12, generator=torch.Generator().manual_seed(7)), dim=1)
    letters = torch.randint(0, 12, (count, 1), generator=generator)
    for _ in range(12):
        follow = torch.multinomial(table[letters[:, -1]], 1, generator=generator)
        letters = torch.cat([letters, follow], dim=1)
    return {"letters": letters}


class LanguageModel(nn.Module):
    """A GRU that predicts the next letter."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 16)
        self.gru = nn.GRU(16, 32, batch_first=True)
        self.out = nn.Linear(32, 12)

    def loss(self, letters: Tensor) -> Tensor:
        """Give the mean loss of the rows."""
        hidden, _ = self.gru(self.embed(letters[:, :-1]))
        return functional.cross_entropy(self.out(hidden).flatten(0, 1), letters[:, 1:].flatten())


def gru(seed: int) -> Run:
    """Model letters with a GRU."""
    generator = begin(seed)
    model = LanguageModel()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return Run(
        model=model,
        optimizer=optimizer,
        losses=lambda batch: {"ce": model.loss(batch["letters"])},
        **batches(_letters, generator),
    )


class Adder(nn.Module):
    """An Elman network that adds the two marked numbers of a sequence; clipped at nearly each step."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(2, 32, batch_first=True)
        self.out = nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Run the model."""
        hidden, _ = self.rnn(x)
        total: Tensor = self.out(hidden[:, -1])
        return total


def clipped_rnn(seed: int) -> Run:
    """Clip the gradient at nearly each step."""
    generator = begin(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        value = torch.rand(count, 6, generator=generator)
        mark = torch.zeros(count, 6)
        mark[torch.arange(count), torch.randint(0, 3, (count,), generator=generator)] = 1.0
        mark[torch.arange(count), torch.randint(3, 6, (count,), generator=generator)] = 1.0
        return {"x": torch.stack([value, mark], dim=-1), "y": 4.0 * (value * mark).sum(dim=1)}

    model = Adder()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return Run(model=model, optimizer=optimizer, losses=mse(model), clip_norm=0.25, **batches(rows, generator))


class Attention(nn.Module):
    """One causal attention layer whose mask holds minus infinity, and a padding mask that does too."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 24)
        self.place = nn.Parameter(0.1 * torch.randn(16, 24))
        self.project = nn.Linear(24, 72)
        self.out = nn.Linear(24, 12)

    def forward(self, letters: Tensor, length: Tensor) -> Tensor:
        """Run the model."""
        span = letters.shape[1]
        x = self.embed(letters) + self.place[:span]
        query, key, value = self.project(x).chunk(3, dim=-1)
        scores = query @ key.transpose(1, 2) / math.sqrt(24)
        later = torch.ones(span, span, dtype=torch.bool).triu(1)
        padding = torch.arange(span)[None, None, :] >= length[:, None, None]
        scores = scores.masked_fill(later | padding, float("-inf"))  # place 0 is always visible
        logits: Tensor = self.out(x + scores.softmax(dim=-1) @ value)
        return logits


def masked_attention(seed: int) -> Run:
    """Mask later and padded places with minus infinity."""
    generator = begin(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        length = torch.randint(4, 12, (count,), generator=generator)
        return {**_letters(count, generator), "length": length}

    model = Attention()

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        letters, length = batch["letters"], batch["length"]
        logits = model(letters[:, :-1], length)
        inside = torch.arange(letters.shape[1] - 1) < length[:, None]
        return {"ce": functional.cross_entropy(logits[inside], letters[:, 1:][inside])}

    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    return Run(model=model, optimizer=optimizer, losses=losses, **batches(rows, generator))


def sparse_embedding(seed: int) -> Run:
    """An embedding bag with sparse gradients under SparseAdam: most rows get none in most steps."""
    generator = begin(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        label = torch.randint(0, 4, (count,), generator=generator)
        words = 100 * label[:, None] + (torch.rand(count, 8, generator=generator).pow(3) * 180).long()
        return {"x": words % 400, "label": label}

    model = nn.EmbeddingBag(400, 4, sparse=True)
    optimizer = torch.optim.SparseAdam(list(model.parameters()), lr=0.05)
    return Run(model=model, optimizer=optimizer, losses=ce(model), **batches(rows, generator))


# -- several losses, generative models --------------------------------------------------------------------------------


class Vae(nn.Module):
    """A small VAE; the log-variance is bounded as good code does it."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = mlp(12, 32, 8)
        self.decode = mlp(4, 32, 12)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Run the model."""
        mean, log_var = self.encode(x).chunk(2, dim=-1)
        log_var = log_var.clamp(-8, 8)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_var)
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(dim=-1).mean()
        return (self.decode(z) - x).square().sum(dim=-1).mean(), kl


def vae_warmup(seed: int) -> Run:
    """The KL term counts from nothing up to its full weight: the total rises while the model learns."""
    generator = begin(seed)
    mix = torch.randn(3, 12, generator=torch.Generator().manual_seed(5))

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        return {
            "x": torch.randn(count, 3, generator=generator) @ mix + 0.2 * torch.randn(count, 12, generator=generator)
        }

    model, done = Vae(), 0

    def count() -> None:
        nonlocal done
        done += 1

    def losses(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        reconstruction, kl = model(batch["x"])
        return {"reconstruction": reconstruction, "kl": min(1.0, done / 80) * kl}

    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    return Run(model=model, optimizer=optimizer, losses=losses, after_commit=count, **batches(rows, generator))


class Contrast(nn.Module):
    """Two towers with a learned temperature that is kept below a hundred."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = mlp(8, 32, 8), mlp(8, 32, 8)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def loss(self, x: Tensor, pair: Tensor) -> Tensor:
        """Give the mean loss of the rows."""
        left = functional.normalize(self.left(x), dim=-1)
        right = functional.normalize(self.right(pair), dim=-1)
        logits = self.logit_scale.clamp(max=math.log(100)).exp() * left @ right.t()
        target = torch.arange(len(logits))
        return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.t(), target)) / 2


def contrastive(seed: int) -> Run:
    """Pull pairs together with a learned temperature."""
    generator = begin(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        x = torch.randn(count, 8, generator=generator)
        return {"x": x, "pair": x.flip(1) + 0.2 * torch.randn(count, 8, generator=generator)}

    model = Contrast()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    scheduler = LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 20))
    return Run(
        model=model,
        optimizer=optimizer,
        losses=lambda batch: {"nce": model.loss(batch["x"], batch["pair"])},
        scheduler=scheduler,
        **batches(rows, generator),
    )


class Detector(nn.Module):
    """Class, box and a hinge: three losses of very different size."""

    def __init__(self) -> None:
        super().__init__()
        self.body = mlp(8, 48, 48)
        self.label, self.box, self.margin = nn.Linear(48, 4), nn.Linear(48, 4), nn.Linear(48, 1)

    def losses(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give the named losses of a batch."""
        hidden = self.body(batch["x"]).relu()
        side = 2.0 * (batch["label"] < 2).float() - 1.0
        return {
            "class": functional.cross_entropy(self.label(hidden), batch["label"]),
            "box": (self.box(hidden) - batch["box"]).square().sum(dim=-1).mean(),
            "hinge": (0.5 - side * self.margin(hidden).squeeze(-1)).relu().mean(),  # soon exactly zero
        }


def three_losses(seed: int) -> Run:
    """The box error is in pixels (a thousand times the rest), and the hinge becomes exactly zero."""
    generator = begin(seed)

    def rows(count: int, generator: torch.Generator) -> dict[str, Tensor]:
        clean = class_rows(count, generator)
        clean["x"] = clean["x"] + 3.0 * functional.one_hot(clean["label"], 8)
        return {**clean, "box": 30.0 * clean["x"][:, :4].sin()}

    model = Detector()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return Run(
        model=model,
        optimizer=optimizer,
        losses=model.losses,
        clip_norm=10.0,
        weights={"class": 1.0, "box": 0.001, "hinge": 0.5},
        **batches(rows, generator),
    )
