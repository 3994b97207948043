"""The smallest Tacotron2 on real speech: the shortest of the embedded recordings."""

from __future__ import annotations

from functools import cache, partial
from itertools import islice
from typing import Any

import torch

from faultbench.case import Batch, Run
from faultbench.cell import Workload
from rerail.audio import files
from rerail.audio.mel import MelSpec, log_mel
from rerail.audio.trim import trim
from rerail.data import demo, ljspeech
from rerail.data.batches import Stream, collate
from rerail.sense.losses import Losses
from rerail.tasks.speech.losses import losses
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.model import Tacotron2
from rerail.text.symbols import Symbols

from .common import seeded, warmup_cosine

STEPS = 60
CLIPS, HELD_OUT, BANDS, REDUCTION = 40, 6, 40, 4
SPEC = MelSpec(bands=BANDS, hop=320)


@cache
def corpus() -> tuple[tuple[dict[str, Any], ...], int]:
    """Give the shortest clips as examples of `id`, `text` and `mel`, and the number of symbols."""
    clips = sorted(ljspeech.read(demo.folder()), key=lambda clip: (clip.path.stat().st_size, clip.id))[:CLIPS]
    symbols = Symbols.of([clip.text for clip in clips])
    examples = tuple(
        {
            "id": clip.id,
            "text": torch.tensor(symbols.encode(clip.text)),
            "mel": log_mel(trim(files.read(clip.path, SPEC.sample_rate)), SPEC),
        }
        for clip in sorted(clips, key=lambda clip: clip.id)
    )
    return examples, len(symbols)


def build(seed: int) -> Run:
    """Build the run."""
    seeded(seed)
    examples, symbols = corpus()
    together = partial(collate, silence=SPEC.silence)
    model = Tacotron2(SIZES["tiny"], symbols, BANDS, REDUCTION)
    optimizer = torch.optim.Adam(model.parameters(), lr=6e-3)

    def named(batch: Batch) -> Losses:
        drawn = None if model.training else torch.Generator().manual_seed(0)  # the prenet drops out when measured too
        output = model(batch["text"], batch["text_length"], batch["mel"], batch["mel_length"], drawn)
        return Losses({}, **losses(output, batch["mel"], batch["text_length"]))

    return Run(
        model=model,
        optimizer=optimizer,
        losses=named,
        batches=list(islice(Stream(examples[HELD_OUT:], 8, seed, together), STEPS)),
        held_out=[together(examples[:HELD_OUT])],
        scheduler=warmup_cosine(optimizer, STEPS, warmup=10),
        clip_norm=1.0,
    )


WORKLOAD = Workload(name="tacotron", title="The smallest Tacotron2 on real speech, Adam.", steps=STEPS, build=build)
