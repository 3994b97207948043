"""What the guard costs: the same training loop with and without it, in interleaved pairs.

    python bench/overhead.py [--pairs 30] [--steps 20] [--threads 2]

Both loops train equal models on equal batches. The plain loop clips with `clip_grad_norm_`; the guarded one is
`guard.step` with snapshots, journal and all sensors on. Each pair runs `steps` steps of one and then of the other, the
order changing from pair to pair; the ratio of a pair is guarded over plain. Set-up is not timed.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import torch
from torch import Tensor, nn

from rerail.guard import Guard

VOCABULARY, WIDTH, LENGTH, BATCH = 256, 256, 64, 16


class LanguageModel(nn.Module):
    """A causal transformer of 4.9 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, VOCABULARY)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(LENGTH))

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: (batch, length) -> logits (batch, length, vocabulary)."""
        logits: Tensor = self.head(self.layers(self.embedding(tokens), mask=self.mask, is_causal=True))
        return logits


def loss_of(model: nn.Module, tokens: Tensor) -> Tensor:
    """Return the next-token cross-entropy; tokens: (batch, length + 1)."""
    logits = model(tokens[:, :-1])
    return nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())


def built() -> tuple[nn.Module, torch.optim.Optimizer]:
    """Make the model and its optimizer, always the same."""
    torch.manual_seed(0)
    model = LanguageModel()
    return model, torch.optim.AdamW(model.parameters(), 1e-4)


def plain() -> Callable[[Tensor], None]:
    """Return a step of the loop that people write."""
    model, optimizer = built()

    def step(tokens: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss_of(model, tokens).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def guarded(run: Path) -> Callable[[Tensor], None]:
    """Return a step under the guard, with its defaults and a run folder."""
    model, optimizer = built()
    guard = Guard(model, optimizer, lambda tokens: {"ce": loss_of(model, tokens)}, clip_norm=1.0, run=run)

    def step(tokens: Tensor) -> None:
        guard.step(tokens)

    return step


def timed(step: Callable[[Tensor], None], batches: list[Tensor]) -> float:
    """Return the seconds that the batches take."""
    began = time.perf_counter()
    for tokens in batches:
        step(tokens)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--steps", type=int, default=25, help="steps a side of a pair; 25 holds one snapshot")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as folder:
        sides = {"plain": plain(), "guarded": guarded(Path(folder) / "run")}
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for pair in range(-1, given.pairs):  # the first pair warms up and is thrown away
            torch.manual_seed(pair + 1)
            batches = [torch.randint(VOCABULARY, (BATCH, LENGTH + 1)) for _ in range(given.steps)]
            for name in sorted(sides, reverse=pair % 2 == 0):
                seconds[name].append(timed(sides[name], batches))
    ratios = [guard / bare for guard, bare in zip(seconds["guarded"][1:], seconds["plain"][1:], strict=True)]
    low, _, high = quantiles(ratios, n=4)
    size = sum(parameter.numel() for parameter in LanguageModel().parameters()) / 1e6
    print(f"{size:.1f} M parameters, {given.pairs} pairs of {given.steps} steps, {given.threads} threads,")
    print(f"torch {torch.__version__}, {platform.system()} {platform.machine()}, Python {platform.python_version()}\n")
    print("| loop | ms a step (median) | ratio (median) | quartiles | range |")
    print("|---|---|---|---|---|")
    step_ms = {name: 1000 * median(values[1:]) / given.steps for name, values in seconds.items()}
    print(f"| plain, clip_grad_norm_ | {step_ms['plain']:.1f} | 1 | | |")
    spread = f"{low:.3f} to {high:.3f} | {min(ratios):.3f} to {max(ratios):.3f}"
    print(f"| guard.step | {step_ms['guarded']:.1f} | {median(ratios):.3f} | {spread} |")


if __name__ == "__main__":
    main()
