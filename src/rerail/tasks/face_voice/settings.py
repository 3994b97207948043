"""The settings of a run, beside those of the loop. Presets (`presets/*.yaml`) name values for many of them at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from rerail.tasks.face_voice import heads, losses
from rerail.tasks.face_voice.temperature import BOUNDS

SMALL = "small"  # the encoders that are trained from scratch
FACES, SPEAKER, SPEECH = "dlib", "resemblyzer", "whisper"  # those that stay as they are
HEARD = 16000  # Hz; the only rate of whisper and of the models of transformers
FINE = 112  # pixels; pretrained encoders of pictures see little in smaller ones


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceVoiceConfig:
    """What to match, and with which network."""

    pairs: str = field(
        default="",
        metadata={"help": "list of pairs (image, audio, identity), or a folder with pairs.csv", "fixed": True},
    )
    image_folder: str = field(default="", metadata={"help": "folder of pictures, in place of pairs", "fixed": True})
    audio_folder: str = field(
        default="", metadata={"help": "folder of recordings with the same stems, or of persons", "fixed": True}
    )
    layout: str = field(
        default="", metadata={"help": "folders or voxceleb (default: as the recordings lie)", "fixed": True}
    )
    cache: str = field(default=".cache/pairs", metadata={"help": "folder for decoded pictures and recordings"})
    test_size: float = field(
        default=0.15,
        metadata={"help": "share of the identities that are never trained on", "least": 0, "most": 0.5, "fixed": True},
    )
    seen_size: float = field(
        default=0.1,
        metadata={"help": "share of the recordings set aside of the others", "least": 0, "most": 0.5, "fixed": True},
    )
    validation_size: float = field(
        default=0.1,
        metadata={
            "help": "share of the identities to measure on in training",
            "least": 0.01,
            "most": 0.5,
            "fixed": True,
        },
    )
    seen_validation: bool = field(
        default=False,
        metadata={
            "help": "measure in training on new pictures and recordings of those who are trained on, not on others",
            "fixed": True,
        },
    )
    split_seed: int = field(
        default=0, metadata={"help": "seed of who is set aside, apart from that of the run", "least": 0, "fixed": True}
    )
    image_size: int = field(
        default=64, metadata={"help": "side of a picture, pixels", "least": 16, "most": 1024, "fixed": True}
    )
    seconds: float = field(
        default=3.0,
        metadata={"help": "of each recording", "above": 0, "most": 60, "fixed": True, "also": "audio-duration-sec"},
    )
    sample_rate: int = field(
        default=16000,
        metadata={"help": "that recordings are converted to, Hz", "least": 8000, "most": 48000, "fixed": True},
    )
    image_encoder: str = field(
        default=SMALL,
        metadata={"help": "small, dlib (faces), or a vision transformer by name or folder", "fixed": True},
    )
    audio_encoder: str = field(
        default=SMALL,
        metadata={
            "help": "small, resemblyzer (who speaks), whisper (what is said), or a Wav2Vec2 or HuBERT by name or place",
            "fixed": True,
        },
    )
    freeze: bool = field(
        default=False,
        metadata={"help": "leave pretrained encoders as they are; their features are computed once", "fixed": True},
    )
    width: int = field(
        default=512,
        metadata={
            "help": "dimensions of the shared space",
            "least": 2,
            "most": 8192,
            "fixed": True,
            "also": "embedding-dim",
        },
    )
    head: heads.Name = field(default="simple", metadata={"help": "depth of the projections", "fixed": True})
    start: heads.Start = field(default="xavier", metadata={"help": "how the projections begin", "fixed": True})
    loss: losses.Name = field(default="infonce", metadata={"help": "what pulls a pair together", "fixed": True})
    temperature: float = field(
        default=0.1,
        metadata={"help": "that the learned one begins with", "least": BOUNDS[0], "most": BOUNDS[1], "fixed": True},
    )
    chunk: int = field(
        default=0, metadata={"help": "rows that are encoded at once, to save memory; 0: all of a batch", "least": 0}
    )
    augment: bool = field(default=True, metadata={"help": "change pictures and recordings a little each time"})
    epochs: int = field(
        default=300,
        metadata={"help": "times through the data, in place of steps; 0: steps", "least": 0, "also": "num-epochs"},
    )

    def clashes(self) -> list[str]:
        """Return what cannot be together: what, got, do."""
        if self.pairs and (self.image_folder or self.audio_folder):
            return ["pairs: given beside image_folder or audio_folder; give a list, or two folders"]
        if bool(self.image_folder) != bool(self.audio_folder):
            return ["image_folder, audio_folder: one alone was given; give both"]
        return [*self._wrong_rate(), *self._nothing_to_freeze()]

    def _wrong_rate(self) -> list[str]:
        if self.sample_rate == HEARD or self.audio_encoder in (SMALL, SPEAKER):
            return []
        return [f"sample_rate: got {self.sample_rate} with audio_encoder {self.audio_encoder}; give {HEARD}"]

    def _nothing_to_freeze(self) -> list[str]:
        if self.freeze and self.image_encoder == self.audio_encoder == SMALL:
            return ["freeze: the small encoders know nothing before they are trained; give pretrained ones, or train"]
        return []

    def oddities(self) -> list[str]:
        """Return what a person would want to know of these settings."""
        if self.image_encoder != SMALL and self.image_size < FINE:
            return [f"image_size: {self.image_size} pixels are few for {self.image_encoder}; give --image-size 224"]
        return []
