"""The settings of a Tacotron2 run, beside those of the loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rerail.tasks.speech.corpus import CorpusConfig
from rerail.tasks.tacotron2.attention import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Tacotron2Config(CorpusConfig):
    """What to train on and how large a network. Weights are those of the loss components, 0 leaves one out."""

    size: Literal["tiny", "small", "reference"] = field(
        default="small", metadata={"help": "widths of the network", "fixed": True}
    )
    reduction: int = field(
        default=3, metadata={"help": "mel frames a decoder step", "least": 1, "most": 32, "fixed": True}
    )
    reduction_falls: str = field(
        default="", metadata={"help": "fewer frames from a step on, e.g. 1000:2,3000:1", "fixed": True}
    )
    attention: Kind = field(
        default="location",
        metadata={"help": "location: as published; forward: only onward; dynamic: by convolutions", "fixed": True},
    )
    compiled: bool = field(
        default=False, metadata={"help": "let torch compile the attention's step; for CUDA, needs a compiler"}
    )
    weight_mel: float = field(default=1.0, metadata={"help": "weight of the mel losses", "least": 0})
    weight_gate: float = field(default=1.0, metadata={"help": "weight of the stop gate's loss", "least": 0})
    weight_attention: float = field(default=1.0, metadata={"help": "weight of guided attention", "least": 0})
    guide_moves: bool = field(
        default=True,
        metadata={"help": "let the guard move that weight: up to x50 while the text is not read, 0 once it is"},
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
    gate_positive: float = field(default=5.0, metadata={"help": "weight of a stop against other steps", "above": 0})
    gate_early: int = field(
        default=0,
        metadata={"help": "decoder steps before the end that say stop too; a few are easier to learn", "least": 0},
    )
    tail: float = field(
        default=0.0,
        metadata={"help": "seconds of silence after each clip, in which to learn to stop", "least": 0, "fixed": True},
    )
    guide_width: float = field(default=0.2, metadata={"help": "width g of guided attention", "above": 0})
    frame_drop: float = field(
        default=0.0, metadata={"help": "share of fed-back frames blanked in training", "least": 0, "most": 1}
    )

    def tail_frames(self) -> int:
        """Return how many frames of silence are put after each clip."""
        return round(self.spec().frames(self.tail))

    def weights(self) -> dict[str, float]:
        """Return the loss weights by component."""
        mel, gate, attention = self.weight_mel, self.weight_gate, self.weight_attention
        return {"mel": mel, "mel_post": mel, "gate": gate, "attention": attention, **self._mutual()}

    def _mutual(self) -> dict[str, float]:
        return {"mmi": self.weight_mmi} if self.weight_mmi else {}
