"""What people would rather see or hear of a network that speaks: its alignment, and its speech."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch

from rerail.audio.files import encode_wav
from rerail.audio.griffin_lim import griffin_lim
from rerail.audio.mel import MelSpec
from rerail.fit import Picture, Sound
from rerail.tasks.speech.output import Batch, Output, Speaker

SECONDS_A_SYMBOL = 0.25  # free-running speech that goes on for longer has not found its end
LOUDEST = 0.9  # of full scale


VOICE = ("language", "reference", "reference_length")  # of a clip, where the network asks for them


def figures(
    model: Speaker, batches: Iterable[Batch], spec: MelSpec, sentences: Mapping[str, Sequence[int]]
) -> dict[str, Picture | Sound]:
    """Draw the alignment of the first held-out clip, and speak sentences, given by their symbols, in its voice."""
    first = next(iter(batches))
    shown: dict[str, Picture | Sound] = {"alignment": alignment(model, first, spec)}
    voice = {name: first[name][:1] for name in VOICE if name in first}
    for number, (sentence, symbols) in enumerate(sentences.items(), 1):
        text = torch.tensor([symbols], device=first["text"].device)
        asked = {**voice, "text": text, "text_length": torch.full_like(text[:, 0], text.shape[1])}
        shown[f"speech-{number}"] = speech(model, asked, spec, sentence)
    return shown


def alignment(model: Speaker, batch: Batch, spec: MelSpec) -> Picture:
    """Draw the free-running alignment of a batch's first clip."""
    first = {name: value[:1] for name, value in batch.items()}
    output = said(model, first, spec)
    values = output.alignment[0, :, : int(first["text_length"])].T.tolist()
    return Picture(values=values, x="decoder step", y="symbol", caption=f"free-running, held-out: {first['id'][0]}")


def speech(model: Speaker, batch: Batch, spec: MelSpec, sentence: str) -> Sound:
    """Speak a batch of one row, which holds the symbols of `sentence`, by Griffin-Lim."""
    samples = griffin_lim(said(model, batch, spec).mel_post[0].cpu(), spec)
    samples = samples / samples.abs().max().clamp(min=1e-3) * LOUDEST
    return Sound(wav=encode_wav(samples, spec.sample_rate), caption=f"synthesised, unseen text: {sentence}")


def said(model: Speaker, batch: Batch, spec: MelSpec, *, seed: int = 0) -> Output:
    """Speak a batch of one row, for at most a quarter of a second a symbol; the same seed says the same."""
    device = batch["text"].device
    model.eval()
    return model.free(
        batch, most_frames(int(batch["text_length"]), spec), 0.5, torch.Generator(device).manual_seed(seed)
    )


def most_frames(symbols: int, spec: MelSpec) -> int:
    """How many frames a text of so many symbols may take."""
    return int(spec.frames(symbols * SECONDS_A_SYMBOL))
