"""The settings of a run, beside those of the loop. Levels (`levels/*.yaml`) name values for many of them at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rerail.tasks.speech.corpus import CorpusConfig
from rerail.tasks.xtts.losses import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class XttsConfig(CorpusConfig):
    """What to train on and how large a network. Weights are those of the loss components, 0 leaves one out."""

    size: Literal["tiny", "small", "normal", "big"] = field(
        default="small", metadata={"help": "widths of the network", "fixed": True, "also": "model-size"}
    )
    reduction: int = field(
        default=4, metadata={"help": "mel frames a decoder step", "least": 1, "most": 32, "fixed": True}
    )
    reduction_falls: str = field(
        default="", metadata={"help": "fewer frames from a step on, e.g. 1000:3,3000:2", "fixed": True}
    )
    epochs: int = field(default=0, metadata={"help": "times through the data, in place of steps; 0: steps", "least": 0})
    reference_seconds: float = field(
        default=3.0, metadata={"help": "of a recording of the speaker, as a reference", "above": 0}
    )
    balance: float = field(
        default=0.5,
        metadata={
            "help": "0: each clip alike; 1: each speaker of each language alike; between: in between",
            "least": 0,
            "most": 1,
            "fixed": True,
        },
    )
    weight_mel: float = field(default=2.5, metadata={"help": "weight of the mel losses", "least": 0})
    weight_kl: float = field(default=1.8, metadata={"help": "weight of the latent's divergence", "least": 0})
    weight_stop: float = field(default=1.0, metadata={"help": "weight of the stop's loss", "least": 0})
    weight_attention: float = field(default=0.3, metadata={"help": "weight of guided attention", "least": 0})
    weight_speaker: float = field(
        default=0.0,
        metadata={"help": "weight of speaker consistency, by a speaker encoder that must be installed", "least": 0},
    )
    weight_mmi: float = field(
        default=0.0,
        metadata={
            "help": "weight of the text read out of the decoder (CTC); 1: as much as mel",
            "least": 0,
            "fixed": True,
        },
    )
    mmi_most: float = field(
        default=5.0, metadata={"help": "largest factor that brings its gradient to that of mel", "above": 0}
    )
    guide_moves: bool = field(
        default=True,
        metadata={"help": "let the guard raise the weight of guided attention, up to x50, while the text is not read"},
    )
    guide_fades: bool = field(
        default=False,
        metadata={"help": "let the guard lower that weight to 0 once the text is read; free-running it is lost then"},
    )
    guide_width: float = field(default=0.2, metadata={"help": "width g of guided attention", "above": 0})
    huber: float = field(
        default=0.0, metadata={"help": "nepers above which the mel error grows linearly; 0: it is L1", "least": 0}
    )
    smooth_mel: float = field(
        default=0.0, metadata={"help": "share of the mean frame in each target frame", "least": 0, "most": 1}
    )
    smooth_stop: float = field(default=0.0, metadata={"help": "label smoothing of the stop", "least": 0, "most": 1})
    stop_positive: float = field(default=5.0, metadata={"help": "weight of a stop against other steps", "above": 0})
    kl_capacity: float = field(default=0.0, metadata={"help": "nats of divergence that cost nothing", "least": 0})
    kl_capacity_steps: int = field(
        default=0,
        metadata={"help": "steps over which the capacity rises to that from 0; 0: it is there at once", "least": 0},
    )
    kl_warmup: int = field(default=0, metadata={"help": "steps over which the divergence comes to count", "least": 0})

    def shape(self, step: int) -> Shape:
        """Return what the losses look like after so many steps: capacity and warm-up rise along a line."""
        return Shape(
            huber=self.huber,
            smooth_mel=self.smooth_mel,
            smooth_stop=self.smooth_stop,
            stop_positive=self.stop_positive,
            capacity=self.kl_capacity * risen(step, self.kl_capacity_steps),
            annealed=risen(step, self.kl_warmup),
            guide_width=self.guide_width,
        )

    def plain(self) -> Shape:
        """Return the losses that levels are compared by: without smoothing, capacity, or weights for a stop."""
        return Shape(guide_width=self.guide_width, stop_positive=1.0)

    def weights(self) -> dict[str, float]:
        """Return the loss weights by component."""
        own = {"mel": self.weight_mel, "mel_post": self.weight_mel, "kl": self.weight_kl, "stop": self.weight_stop}
        more = {"mmi": self.weight_mmi, "speaker": self.weight_speaker}
        return {**own, "attention": self.weight_attention, **{name: one for name, one in more.items() if one}}


def risen(step: int, steps: int) -> float:
    """Return the share of a line over so many steps that has risen after `step`; all of it where there are none."""
    return min(1.0, (step + 1) / steps) if steps else 1.0
