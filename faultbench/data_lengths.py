"""Speech rows that should not be in a corpus: no frames, more text than the clip can hold, dead silence."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .case import Batch, Case, Run, Truth
from .rows import mlp, put, run, stream


def build_ctc(seed: int, *, faulty: bool) -> Run:
    """Speech recognition with CTC, without `zero_infinity`; one clip is too short for its text."""
    torch.manual_seed(seed)
    sound = torch.randn(5, 6, generator=torch.Generator().manual_seed(9))

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        text = torch.randint(1, 5, (rows, 4), generator=generator)
        # Each letter is spoken for two frames and followed by one of silence.
        spoken = torch.stack([text, text, torch.zeros_like(text)], dim=2).flatten(1)
        frames = sound[spoken] + 0.3 * torch.randn(rows, 12, 6, generator=generator)
        return {"frames": frames, "text": text, "frame_length": torch.full((rows,), 12)}

    data = stream(make, seed)
    if faulty:
        put(data[0], 35, 9, frame_length=3)  # cut off: four letters in three frames
    model = mlp(6, 32, 5)

    def losses(batch: Batch) -> dict[str, Tensor]:
        frames, text = batch["frames"], batch["text"]
        letters = F.log_softmax(model(frames), dim=2).transpose(0, 1)
        letter_length = torch.full((len(text),), text.shape[1])
        return {"ctc": F.ctc_loss(letters, text, batch["frame_length"], letter_length, zero_infinity=False)}

    return run(model, losses, data)


def build_no_frames(seed: int, *, faulty: bool) -> Run:
    """The mean over the frames of a phoneme, one of which an aligner gave no frame at all."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        length = 2 + torch.randint(6, (rows,), generator=generator)
        frames = torch.randn(rows, 8, 6, generator=generator)
        inside = (torch.arange(8) < length.unsqueeze(1)).unsqueeze(2)
        mean = (frames * inside).sum(1) / length.unsqueeze(1)
        return {"frames": frames, "length": length, "y": 2 * mean[:, :3]}

    data = stream(make, seed)
    if faulty:
        put(data[0], 37, 1, length=0)
    model = nn.ModuleDict({"frame": nn.Linear(6, 24), "phone": nn.Linear(24, 3)})

    def losses(batch: Batch) -> dict[str, Tensor]:
        hidden, length = torch.tanh(model["frame"](batch["frames"])), batch["length"].unsqueeze(1)
        inside = (torch.arange(hidden.shape[1]) < length).unsqueeze(2)
        pooled = (hidden * inside).sum(1) / length
        return {"phone": F.mse_loss(model["phone"](pooled), batch["y"])}

    return run(model, losses, data)


def build_dead_silence(seed: int, *, faulty: bool) -> Run:
    """Recordings are brought to the same peak before the network; one of them is nothing but zeros."""
    torch.manual_seed(seed)

    def make(generator: torch.Generator, rows: int) -> dict[str, Tensor]:
        pitch = 0.2 + torch.rand(rows, 1, generator=generator)
        shift = 6 * torch.rand(rows, 1, generator=generator)
        gain = 0.1 + torch.rand(rows, 1, generator=generator)
        noise = 0.02 * torch.randn(rows, 40, generator=generator)
        return {"wave": gain * (torch.sin(pitch * torch.arange(40) + shift) + noise), "pitch": pitch.squeeze(1)}

    data = stream(make, seed, rows=32)
    if faulty:
        put(data[0], 25, 30, wave=0.0)  # a recorder without a microphone
    model = nn.Sequential(nn.Conv1d(1, 8, 7), nn.ReLU(), nn.Conv1d(8, 8, 5), nn.ReLU(), nn.Flatten(), nn.Linear(240, 1))

    def losses(batch: Batch) -> dict[str, Tensor]:
        wave = batch["wave"]
        level = wave / wave.abs().amax(dim=1, keepdim=True)
        return {"pitch": F.mse_loss(model(level.unsqueeze(1)).squeeze(1), batch["pitch"])}

    return run(model, losses, data, lr=3e-3)


CASES: tuple[Case, ...] = (
    Case(
        name="ctc-text-too-long",
        title="A clip has fewer frames than its text has letters, so that CTC is infinite.",
        source="https://github.com/FangShancheng/ABINet/issues/65",
        package="",
        repairable=True,
        truth=Truth(
            kind="data", component="ctc", operation="_ctc_loss", line="F.ctc_loss(letters", samples=("b35r09",), step=35
        ),
        build=build_ctc,
    ),
    Case(
        name="phoneme-without-frames",
        title="A phoneme has no frame, and its mean over frames is 0 / 0.",
        source="https://github.com/p1an-lin-jung/WavThruVec_pytorch/issues/1",
        package="",
        repairable=True,
        truth=Truth(
            kind="data",
            component="phone",
            operation="div",
            line="(hidden * inside).sum(1) / length",
            samples=("b37r01",),
            step=37,
        ),
        build=build_no_frames,
    ),
    Case(
        name="dead-silence",
        title="A recording of zeros only is divided by its own peak.",
        source="https://github.com/bshall/hifigan/issues/4",
        package="",
        repairable=True,
        truth=Truth(
            kind="data", component="pitch", operation="div", line="wave / wave.abs().amax", samples=("b25r30",), step=25
        ),
        build=build_dead_silence,
    ),
)
