"""The settings that every trainer has. The help beside each field is what `--help` and the written YAML show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal

from rerail.fit.schedule import FREE, Name, factor


@dataclass(frozen=True, slots=True, kw_only=True)
class FitConfig:
    """Settings of the loop. Steps are optimizer steps.

    A field's metadata: `help`; other spellings of its flag, `also`; the range `least`, `above`, `most`, `below`; and
    `fixed` where a resumed run keeps its own.
    """

    steps: int = field(default=2000, metadata={"help": "optimizer steps to train", "least": 1})
    batch_size: int = field(
        default=16,
        metadata={"help": "clips a micro-batch; 0: by the memory of the device", "least": 0, "fixed": True},
    )
    accumulate: int = field(
        default=1,
        metadata={
            "help": "micro-batches whose gradients add up to a step; 0: by the memory of the device",
            "least": 0,
            "fixed": True,
            "also": "grad-accum",
        },
    )
    find_batch: bool = field(
        default=False,
        metadata={"help": "try which micro-batch the device holds; a step is still made of as many clips"},
    )
    num_workers: int = field(
        default=0, metadata={"help": "batches made ahead, in a thread of their own", "least": 0, "most": 1024}
    )
    lr: float = field(
        default=1e-3,
        metadata={
            "help": "learning rate after the warm-up; 0: by the size of the network, where the trainer knows one",
            "least": 0,
            "fixed": True,
            "also": "learning-rate",
        },
    )
    schedule: Name = field(
        default="cosine",
        metadata={
            "help": "course of the learning rate after the warm-up; schedule-free: the optimizer averages its weights"
        },
    )
    lr_floor: float = field(
        default=0.1, metadata={"help": "share of lr that the schedule never falls below", "least": 0, "most": 1}
    )
    warmup: int = field(default=20, metadata={"help": "steps of linear learning-rate warm-up", "least": 0})
    period: int = field(
        default=0, metadata={"help": "steps of the first cosine of `restarts`; 0: a third of the run", "least": 0}
    )
    period_grows: float = field(
        default=1.0, metadata={"help": "each cosine of `restarts` lasts so many times the one before", "least": 1}
    )
    weight_decay: float = field(
        default=1e-6, metadata={"help": "weight decay of the optimizer", "least": 0, "fixed": True}
    )
    clip_norm: float = field(
        default=1.0,
        metadata={"help": "largest norm of the whole gradient", "above": 0, "also": "grad-clip-norm"},
    )
    precision: Literal["fp32", "bf16", "fp16", "mixed"] = field(
        default="fp32",
        metadata={"help": "format of the forward pass; mixed: fp16 with a scaled loss on CUDA, else fp32"},
    )
    ema: float = field(
        default=0.0,
        metadata={
            "help": "decay of the averaged weights that are measured and spoken with; 0: none",
            "least": 0,
            "below": 1,
            "fixed": True,
        },
    )
    adapt_every: int = field(
        default=0,
        metadata={"help": "steps between trials of other loss weights on forks of the run; 0: none", "least": 0},
    )
    adapt_steps: int = field(default=25, metadata={"help": "steps of such a fork", "least": 1})
    patience: int = field(
        default=0,
        metadata={
            "help": "held-out evaluations without a gain after which the best weights end the run; 0: never",
            "least": 0,
        },
    )
    least_gain: float = field(
        default=0.0, metadata={"help": "what counts as a gain, in the held-out metric's unit", "least": 0}
    )
    plateau_patience: int = field(
        default=0,
        metadata={
            "help": "held-out evaluations without a gain after which the rate is lowered; 0: never",
            "least": 0,
            "fixed": True,
        },
    )
    plateau_factor: float = field(
        default=0.7,
        metadata={
            "help": "what the schedule's rate is multiplied by then, each time",
            "least": 0.01,
            "most": 0.95,
            "fixed": True,
        },
    )
    evaluate_every: int = field(default=100, metadata={"help": "steps between held-out evaluations", "least": 1})
    checkpoint_every: int = field(default=100, metadata={"help": "steps between checkpoints on disk", "least": 1})
    snapshot_every: int = field(default=25, metadata={"help": "steps between snapshots in memory", "least": 1})
    seed: int = field(
        default=0,
        metadata={
            "help": "seed of weights, order of data and dropout",
            "least": 0,
            "most": 2**63 - 1,
            "fixed": True,
            "also": "random-state",
        },
    )
    device: Literal["auto", "cpu", "cuda"] = field(
        default="auto", metadata={"help": "where to train; auto: CUDA where there is one"}
    )
    threads: int = field(default=0, metadata={"help": "CPU threads; 0 leaves it to torch", "least": 0, "most": 1024})
    log_every: int = field(default=10, metadata={"help": "steps between plain lines on the console", "least": 1})

    def clashes(self) -> list[str]:
        """Return what cannot be together: what, got, do."""
        if self.schedule == FREE and self.ema:
            return [f"ema: got {self.ema} with schedule {FREE}, which averages by itself; leave ema at 0"]
        return []

    def rate_at(self, step: int) -> float:
        """Return the share of `lr` at a step."""
        return factor(
            self.schedule,
            steps=self.steps,
            warmup=self.warmup,
            floor=self.lr_floor,
            period=self.period,
            period_grows=self.period_grows,
        )(step)


def problems(configs: Sequence[Any]) -> list[str]:
    """Return every value of these config records that is out of range: what, got, do."""
    ranges = [problem for config in configs for one in fields(config) for problem in _problem(config, one)]
    return ranges + [problem for config in configs for problem in getattr(config, "clashes", list)()]


def changed(configs: Sequence[Any], saved: Mapping[str, Any]) -> list[str]:
    """Return every setting that a resumed run keeps and that differs from `saved`, its own: what, got, do.

    A run that is older than a setting has its default.
    """
    return [
        f"{one.name}: the run has {own!r}, got {getattr(config, one.name)!r}; leave it out, or begin anew"
        for config in configs
        for one in fields(config)
        if one.metadata.get("fixed") and (own := saved.get(one.name, one.default)) != getattr(config, one.name)
    ]


def _problem(config: Any, one: Field[Any]) -> Iterator[str]:  # noqa: ANN401 (any config record)
    value, rule = getattr(config, one.name), one.metadata
    if "least" in rule and not value >= rule["least"]:
        yield f"{one.name}: got {value}; give at least {rule['least']}"
    if "above" in rule and not value > rule["above"]:
        yield f"{one.name}: got {value}; give more than {rule['above']}"
    if "below" in rule and not value < rule["below"]:
        yield f"{one.name}: got {value}; give less than {rule['below']}"
    if "most" in rule and not value <= rule["most"]:
        yield f"{one.name}: got {value}; give at most {rule['most']}"
