"""Losses of speech synthesis and contrastive learning: unbounded log-variances, a temperature of zero, logs, no text.

Loud and quiet rows are legitimate here; the one bad row is the clip whose text is empty.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .case import Batch, Case, Run, Truth
from .rows import mlp, put, run, stream


def build_vae(seed: int, *, faulty: bool) -> Run:
    """A small VAE whose prior is predicted, as in VITS; nothing bounds the prior's log standard deviation."""
    torch.manual_seed(seed)
    loadings = torch.randn(4, 8, generator=torch.Generator().manual_seed(1))

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        text, clarity = torch.randn(rows, 4, generator=generator), 3 * torch.rand(rows, 1, generator=generator) - 1.5
        spectrum = text @ loadings + torch.exp(-clarity) * torch.randn(rows, 8, generator=generator)
        return {"text": text, "clarity": clarity, "spectrum": spectrum}

    data = stream(make, seed)
    # Legitimate: a studio recording, far clearer than all others, so that the prior becomes sure of itself.
    put(data[0], 33, 8, clarity=3000.0, spectrum=data[0][33]["text"][8] @ loadings)
    head = nn.Linear(1, 4)
    nn.init.zeros_(head.weight)
    body = {"posterior": nn.Linear(8, 4), "mean": nn.Linear(4, 4), "decoder": nn.Linear(4, 8)}
    model = nn.ModuleDict({**body, "spread": head})

    def losses(batch: Batch) -> dict[str, Tensor]:
        spectrum = batch["spectrum"]
        place, mean = model["posterior"](spectrum), model["mean"](batch["text"])
        spread = model["spread"](batch["clarity"])
        if not faulty:
            spread = spread.clamp(min=-1)
        rebuilt = model["decoder"](place + 0.1 * torch.randn_like(place))
        divergence = spread + 0.5 * ((place - mean).pow(2) + 0.01) * torch.exp(-2 * spread)  # no bound on the spread
        return {"rebuild": F.mse_loss(rebuilt, spectrum), "kl": divergence.mean()}

    return run(model, losses, data, lr=3e-2, clip_norm=1.0, weights={"rebuild": 1.0, "kl": 0.1})


class Pairs(nn.Module):
    """Two encoders and the learned temperature of their similarities."""

    def __init__(self, faulty: bool) -> None:
        super().__init__()
        self.sound, self.text = mlp(8, 32, 8), mlp(8, 32, 8)
        self.temperature = nn.Parameter(torch.tensor(0.5))
        self.least = 0.0 if faulty else 0.05

    def forward(self, sound: Tensor, text: Tensor) -> Tensor:
        """Return the logits of all pairs."""
        similarity = F.normalize(self.sound(sound), dim=1) @ F.normalize(self.text(text), dim=1).T
        return similarity / self.temperature.clamp(min=self.least)  # nothing keeps it from reaching zero


def build_temperature(seed: int, *, faulty: bool) -> Run:
    """InfoNCE with a learned temperature that falls as long as that lowers the loss, down to zero."""
    torch.manual_seed(seed)
    mixing = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(0)))[0]

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        sound = torch.randn(rows, 8, generator=generator)
        return {"sound": sound, "text": sound @ mixing + 0.05 * torch.randn(rows, 8, generator=generator)}

    model = Pairs(faulty)
    body = [*model.sound.parameters(), *model.text.parameters()]
    # Frozen for 35 batches, the temperature is then learned ten times as fast as the rest; without memory Adam takes
    # steps of one size, so that five of them, 0.11 each, lead it below zero.
    groups = [{"params": body, "lr": 1e-2}, {"params": [model.temperature], "lr": 0.11, "betas": (0.0, 0.0)}]
    optimizer = torch.optim.Adam(groups)
    warm_up = [lambda step: 1.0, lambda step: float(step >= 35)]
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_up)

    def losses(batch: Batch) -> dict[str, Tensor]:
        logits = model(batch["sound"], batch["text"])
        own = torch.arange(len(logits))
        return {"pairs": (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2}

    return run(model, losses, stream(make, seed), optimizer=optimizer, scheduler=scheduler)


class Aligner(nn.Module):
    """Frames attend to letters."""

    def __init__(self) -> None:
        super().__init__()
        self.letters, self.query, self.out = nn.Embedding(12, 16), nn.Linear(8, 16), nn.Linear(16, 4)

    def forward(self, text: Tensor, text_length: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mel frames and the attention of each frame to each letter."""
        where = torch.arange(text.shape[1])
        keys = self.letters(text) + torch.sin(where.unsqueeze(1) * torch.arange(1, 17) / 6)
        scores = torch.einsum("btd,bnd->btn", self.query(place), keys)
        attention = torch.softmax(scores.masked_fill((where >= text_length.unsqueeze(1)).unsqueeze(1), -1e4), dim=2)
        return self.out(attention @ self.letters(text)), attention


def guide(text_length: Tensor, letters: int, frames: int) -> Tensor:
    """Return how far each pair of frame and letter is from the diagonal, from 0 to 1."""
    across = torch.arange(letters) / text_length.unsqueeze(1)  # 0 / 0 for an empty text
    along = torch.arange(frames) / frames
    return 1 - torch.exp(-(across.unsqueeze(1) - along.unsqueeze(1)).pow(2) / 0.08)


def build_guided(seed: int, *, faulty: bool) -> Run:
    """Guided attention measures places in the text by its length; the text of one clip is empty."""
    torch.manual_seed(seed)
    sound = torch.randn(12, 4, generator=torch.Generator().manual_seed(12))
    place = torch.sin(torch.arange(10).unsqueeze(1) * torch.arange(1, 9) / 5)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        text = torch.randint(1, 12, (rows, 5), generator=generator)
        length = 3 + torch.randint(3, (rows,), generator=generator)
        spoken = (torch.arange(10) * length.unsqueeze(1)) // 10
        mel = sound[text.gather(1, spoken)]
        return {"text": text, "length": length, "mel": mel, "place": place.expand(rows, 10, 8)}

    data = stream(make, seed, rows=12)
    if faulty:
        put(data[0], 39, 7, text=0, length=0)
    model = Aligner()

    def losses(batch: Batch) -> dict[str, Tensor]:
        mel, attention = model(batch["text"], batch["length"], batch["place"])
        distance = guide(batch["length"], attention.shape[2], attention.shape[1])
        return {"mel": F.mse_loss(mel, batch["mel"]), "guided": (attention * distance).mean()}

    return run(model, losses, data, lr=2e-2, weights={"mel": 1.0, "guided": 2.0})


CASES: tuple[Case, ...] = (
    Case(
        name="vae-log-variance",
        title="The KL of a VAE takes the exponential of a log-variance without a bound.",
        source="https://github.com/vanderschaarlab/synthcity/issues/331",
        package="",
        repairable=False,
        truth=Truth(
            kind="toxic", component="kl", operation="exp", line="torch.exp(-2 * spread)", samples=("b33r08",), step=33
        ),
        build=build_vae,
    ),
    Case(
        name="temperature-zero",
        title="A learned temperature of a contrastive loss falls to zero and divides.",
        source="https://github.com/openai/CLIP/issues/46",
        package="",
        repairable=False,
        truth=Truth(
            kind="code", component="pairs", operation="div", line="self.temperature.clamp(min=self.least)", step=40
        ),
        build=build_temperature,
    ),
    Case(
        name="guided-attention-no-text",
        title="Guided attention divides by the length of an empty text.",
        source="https://github.com/TensorSpeech/TensorFlowTTS/issues/194",
        package="",
        repairable=True,
        truth=Truth(
            kind="data",
            component="guided",
            operation="div",
            line="torch.arange(letters) / text_length",
            samples=("b39r07",),
            step=39,
        ),
        build=build_guided,
    ),
)
