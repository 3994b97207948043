"""One side of `bench/tacotron2.py`, in a process of its own: takes steps when told to, and says how long they took.

    python bench/tacotron2_sides.py NAME '{"batch": 16, "frames": 200, "symbols": 35, "precision": "fp32", ...}'

Each line on standard input is one training step (forward and backward of the whole network); the answer is one line of
JSON: seconds of the whole step, of its decoder alone, and by how many bytes memory has ever grown past the built model.
The graph is cut at the decoder's borders, so that its two passes are timed by themselves; nothing is computed twice.
"""

from __future__ import annotations

import importlib.machinery
import json
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

SYMBOLS, BANDS = 148, 80
Batch = dict[str, Tensor]
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


class Side(NamedTuple):
    """A network in three parts, all over the same batch."""

    encode: Callable[[], Tensor]  # -> memory
    decode: Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]  # -> mel (batch, frames, bands), gate, alignment
    polish: Callable[[Tensor], Tensor]  # mel -> mel after the postnet


def batch_of(given: dict[str, Any]) -> Batch:
    """Make up speech; all rows are equally long, so that no side gains by its treatment of padding."""
    torch.manual_seed(0)
    rows, frames, symbols = given["batch"], given["frames"], given["symbols"]
    return {
        "text": torch.randint(SYMBOLS, (rows, symbols)),
        "text_length": torch.full((rows,), symbols),
        "mel": torch.randn(rows, frames, BANDS),
        "mel_length": torch.full((rows,), frames),
    }


def rerail(batch: Batch) -> Side:
    """Ours, at the reference's size."""
    from rerail.tasks.speech.precision import settled  # noqa: PLC0415
    from rerail.tasks.tacotron2.config import SIZES  # noqa: PLC0415 (the rival's environment lacks it)
    from rerail.tasks.tacotron2.model import Tacotron2  # noqa: PLC0415

    model = Tacotron2(SIZES["reference"], SYMBOLS, BANDS, reduction=1)
    mask, frames = torch.ones_like(batch["text"], dtype=torch.bool), torch.ones(batch["mel"].shape[:2]).bool()

    def encode() -> Tensor:
        with settled(batch["mel"]):
            encoded: Tensor = model.encoder(model.embedding(batch["text"]), batch["text_length"])
        return encoded

    def decode(memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with settled(batch["mel"]):
            decoded = model.decoder(memory, mask, batch["mel"], None)
        return decoded.mel, decoded.gate, decoded.alignment

    def polish(mel: Tensor) -> Tensor:
        with settled(batch["mel"]):
            more: Tensor = mel + model.postnet(mel, frames)
        return more

    return Side(encode, decode, polish)


def plain(batch: Batch) -> Side:
    """Make the published equations, written down plainly."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from plain_tacotron2 import Drop, PlainTacotron2  # noqa: PLC0415
    from rerail.tasks.tacotron2.config import SIZES  # noqa: PLC0415

    model = PlainTacotron2(SIZES["reference"], SYMBOLS, BANDS, reduction=1)
    drop = Drop(model.size, None, training=True)
    padding = torch.zeros_like(batch["text"], dtype=torch.bool)
    return Side(
        lambda: model.encode(batch, drop),
        lambda memory: model.decoder(memory, padding, batch["mel"], drop),
        lambda mel: model.polish(mel, batch["mel_length"].tolist(), drop),
    )


def coqui(batch: Batch) -> Side:
    """Make coqui-tts's Tacotron2: location-sensitive attention with a softmax, one frame a step."""
    empty = types.ModuleType("torchaudio")  # imported, not used here
    empty.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
    sys.modules["torchaudio"] = empty
    from TTS.tts.layers.tacotron.tacotron2 import Decoder, Encoder, Postnet  # noqa: PLC0415

    embedding, encoder, postnet = torch.nn.Embedding(SYMBOLS, 512), Encoder(512), Postnet(BANDS)
    attention = ("original", False, "softmax")  # kind, window, norm
    decoder = Decoder(512, BANDS, 1, *attention, "original", True, False, False, False, True, None, False, 10000)
    for part in (encoder, decoder, postnet):
        part.train()
    mask = torch.ones_like(batch["text"], dtype=torch.bool)

    def decode(memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mel, alignment, gate = decoder(memory, batch["mel"], mask)
        return mel.transpose(1, 2), gate.flatten(1), alignment

    return Side(
        lambda: encoder(embedding(batch["text"]).transpose(1, 2), batch["text_length"]),
        decode,
        lambda mel: mel + postnet(mel.transpose(1, 2)).transpose(1, 2),
    )


SIDES: dict[str, Callable[[Batch], Side]] = {"rerail": rerail, "plain": plain, "coqui": coqui}


def step(side: Side, batch: Batch, clock: Callable[[], float], *, half: bool) -> dict[str, float]:
    """Take one training step without an optimizer; losses are in fp32."""
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        began = clock()
        memory = side.encode()
        cut = memory.detach().requires_grad_()
        before = clock()
        outputs = side.decode(cut)
        forward = clock() - before
        cuts = [output.detach().requires_grad_() for output in outputs]
        post = side.polish(cuts[0])
    _loss(cuts, post, batch["mel"]).backward()  # type: ignore[no-untyped-call]
    before = clock()
    torch.autograd.backward(outputs, [one.grad for one in cuts])
    backward = clock() - before
    memory.backward(cut.grad)  # type: ignore[no-untyped-call]
    return {"step": clock() - began, "decoder": forward + backward}


def _loss(outputs: list[Tensor], post: Tensor, mel: Tensor) -> Tensor:
    before, gate, alignment = (output.float() for output in outputs)
    ends = torch.zeros_like(gate)
    ends[:, -1] = 1.0
    stop = functional.binary_cross_entropy_with_logits(gate, ends)
    return functional.l1_loss(before, mel) + functional.l1_loss(post.float(), mel) + stop + alignment.square().mean()


def memory(field: str) -> int:
    """Bytes of this process in memory: VmRSS now, VmHWM at most so far (getrusage would tell the parent's, too)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def main() -> None:
    """Build the side, then take a step for each line."""
    name, given = sys.argv[1], json.loads(sys.argv[2])
    torch.set_num_threads(given["threads"])
    batch = batch_of(given)
    side = SIDES[name](batch)
    built = memory("VmRSS")
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for _ in sys.stdin:
        took = step(side, batch, CLOCKS[given["clock"]], half=given["precision"] == "bf16")
        print(json.dumps({**took, "memory": memory("VmHWM") - built}), flush=True)


if __name__ == "__main__":
    main()
