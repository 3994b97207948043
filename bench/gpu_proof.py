"""Proofs on a GPU: are replays exact, what do they cost, are the causes right?

    python bench/gpu_proof.py [--out docs/gpu-proof.md]

A transformer of 4.9 M parameters trains on the GPU in bfloat16 and meets, one run each: rows that hold NaN, a formula
at its edge, an overflow in half precision, a learning rate far too high, poisoned weights, a poisoned optimizer state.
The table says what was named, how far an unchanged replay is from the live step (the largest relative difference of
losses and gradient norms), and the time of the proof in steps. Without a GPU it says so and ends.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rerail.guard import Derailed, Guard, Keep
from rerail.tell import journal

VOCABULARY, WIDTH, LENGTH, BATCH, STEPS, FAULT = 256, 256, 64, 16, 60, 36
TOLERANCE = 1e-3  # of atomic sums, whose order a GPU does not keep


class LanguageModel(nn.Module):
    """A causal transformer of 4.9 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, dropout=0.1, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, VOCABULARY)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(LENGTH))

    def forward(self, tokens: Tensor, gain: Tensor) -> Tensor:
        """tokens: (batch, length), gain: (batch,) -> logits (batch, length, vocabulary)."""
        hidden = self.embedding(tokens) * gain[:, None, None]
        logits: Tensor = self.head(self.layers(hidden, mask=self.mask, is_causal=True))
        return logits


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault: what is done to batch `FAULT` or to the run before it, and what must be named."""

    kind: str
    precision: torch.dtype | None = torch.bfloat16
    batch: Callable[[dict[str, Any]], None] | None = None
    run: Callable[[nn.Module, torch.optim.Optimizer], None] | None = None
    also: Callable[[Tensor, dict[str, Any]], Tensor] | None = None
    rate: float = 1.0


def poison_weights(model: nn.Module, _: torch.optim.Optimizer) -> None:
    """Write a NaN into one weight."""
    with torch.no_grad():
        next(model.parameters())[3, 5] = math.nan


def poison_optimizer(_: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Multiply the first moments by a forgotten loss scale."""
    for state in optimizer.state.values():
        state["exp_avg"].mul_(65536.0)


def nan_rows(batch: dict[str, Any]) -> None:
    """Make the gains of two rows NaN."""
    batch["gain"] = batch["gain"].clone()
    batch["gain"][[3, 11]] = math.nan


def quiet_row(batch: dict[str, Any]) -> None:
    """Make one row's level exactly 0."""
    batch["level"] = batch["level"].clone()
    batch["level"][5] = 0.0


def loud(batch: dict[str, Any]) -> None:
    """Make every row's level large."""
    batch["level"] = batch["level"] * 500


FAULTS = {
    "two rows hold NaN": Fault(kind="data", batch=nan_rows),
    "square root at 0": Fault(
        kind="code", batch=quiet_row, also=lambda total, one: (total * one["level"]).sqrt().mean()
    ),
    "half precision overflows": Fault(
        kind="precision",
        precision=torch.float16,
        batch=loud,
        also=lambda total, one: (total.half() * one["level"].half() * 300).float().mean() * 1e-4,
    ),
    "learning rate x300": Fault(kind="step size", rate=300.0),
    "NaN in a weight": Fault(kind="weights", run=poison_weights),
    "first moments x65536": Fault(kind="optimizer", run=poison_optimizer),
}


def batches(device: str) -> list[dict[str, Any]]:
    """Make the batches: counting modulo something, which a small model learns in a few steps."""
    generator = torch.Generator().manual_seed(0)
    made = []
    for step in range(STEPS):
        start, pace = torch.randint(VOCABULARY, (2, BATCH, 1), generator=generator)
        tokens = (start + (1 + pace % 7) * torch.arange(LENGTH + 1)) % VOCABULARY
        level = 0.5 + torch.rand(BATCH, generator=generator)
        batch = {
            "id": [f"{step}:{row}" for row in range(BATCH)],
            "tokens": tokens,
            "gain": torch.ones(BATCH),
            "level": level,
        }
        made.append({name: one.to(device) if isinstance(one, Tensor) else one for name, one in batch.items()})
    return made


def trained(fault: Fault, device: str) -> tuple[list[dict[str, Any]], float]:
    """Train one run with its fault; return its journal and the median seconds of a healthy step."""
    torch.manual_seed(0)
    model = LanguageModel().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: fault.rate if FAULT <= step < FAULT + 6 else 1.0
    )

    def losses(batch: dict[str, Any]) -> dict[str, Tensor]:
        logits = model(batch["tokens"][:, :-1], batch["gain"])
        each = nn.functional.cross_entropy(
            logits.float().transpose(1, 2), batch["tokens"][:, 1:], reduction="none"
        ).mean(1)
        more = {"also": fault.also(each, batch)} if fault.also else {}
        return {"next": each.mean(), **more}

    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        keep = Keep(snapshot_every=5, probation=3)
        guard = Guard(
            model,
            optimizer,
            losses,
            scheduler=schedule,
            precision=fault.precision,
            clip_norm=1.0,
            run=folder,
            keep=keep,
        )
        for step, batch in enumerate(batches(device)):
            if step == FAULT and fault.batch:
                fault.batch(batch)
            if step == FAULT and fault.run:
                fault.run(model, optimizer)
            began = time.perf_counter()
            try:
                guard.step(batch)
            except Derailed:
                break
            if device == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - began)
        guard.close()
        records = list(journal.read(Path(folder)))
    return records, statistics.median(seconds[10:FAULT])


def row(name: str, fault: Fault, device: str) -> str:
    """Return the table's line of one fault."""
    records, step = trained(fault, device)
    cause = next((one for one in records if one["kind"] == "cause"), {"tick": -1, "cause": "nothing", "samples": []})
    trials = [one for one in records if one["kind"] == "trial" and one["tick"] == cause["tick"]]
    live = next((one["values"] for one in records if one["kind"] == "reading" and one["tick"] == cause["tick"]), {})
    differs = max((_differs(one["values"], live) for one in trials if not one["changed"]), default=math.nan)
    times = [one["time"] for one in records if one["tick"] == cause["tick"]]
    took = (max(times) - min(times)) / step if times else math.nan
    made = (cause.get("operation") or {}).get("name", "")
    right = "yes" if cause["cause"] == fault.kind else "NO"
    passes = sum(one["cost"] for one in trials)
    exact = f"{differs:.1e}{'' if differs <= TOLERANCE else ' (!)'}"
    return (
        f"| {name} | {fault.kind} | {cause['cause']} {made} {' '.join(cause['samples'])} | {right} | {exact} | "
        f"{len(trials)} | {passes} | {took:.1f} |"
    )


def _differs(one: dict[str, Any], live: dict[str, Any]) -> float:
    pairs = [
        (float(value), float(live.get(name, "nan"))) for name, value in one.items() if name.startswith(("loss", "grad"))
    ]
    finite = [(a, b) for a, b in pairs if math.isfinite(a) and math.isfinite(b)]
    gone = [a for a, b in pairs if math.isfinite(a) != math.isfinite(b)]
    return math.inf if gone else max((abs(a - b) / max(abs(b), 1e-12) for a, b in finite), default=0.0)


def main() -> None:
    """Make the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="", help="file to write; standard output where none is given")
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to try the script itself")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        sys.stdout.write("no GPU here: nothing was measured; run this where torch.cuda.is_available()\n")
        return
    where = torch.cuda.get_device_name() if given.device == "cuda" else "CPU"
    lines = [
        f"# Proofs on {where}",
        "",
        f"Made by `python bench/gpu_proof.py --device {given.device}`, torch {torch.__version__}.",
        "",
        "| fault | truth | named | right | replay differs by | replays | passes | proof takes, in steps |",
        "|---|---|---|---|---|---|---|---|",
        *(row(name, fault, given.device) for name, fault in FAULTS.items()),
        "",
    ]
    text = "\n".join(lines)
    Path(given.out).write_text(text, encoding="utf8") if given.out else sys.stdout.write(text)


if __name__ == "__main__":
    main()
