"""Spectrograms to sound, by a name: Griffin-Lim, which needs nothing, or HiFi-GAN, which needs its weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Literal

from torch import Tensor

from rerail.audio import hifi_gan
from rerail.audio.griffin_lim import griffin_lim, refuse_no_sound
from rerail.audio.mel import MelSpec
from rerail.audio.parts import found

Name = Literal["griffin-lim", "hifigan"]
Vocoder = Callable[[Tensor], Tensor]  # mel (frames, bands), natural log of magnitude -> samples (samples,)


def vocoder(name: Name, spec: MelSpec, hifigan: str = "") -> Vocoder:
    """Return the vocoder of this name for spectrograms taken as `spec`.

    `hifigan` is the file of its weights; the installed package's where it is empty. What a vocoder returns is of
    `spec.sample_rate`, one hop a frame; for a spectrogram that is not finite it raises ValueError.

    Raises:
        ValueError: where HiFi-GAN was made for other spectrograms.
        ModuleNotFoundError: naming the command that gets its weights.
    """
    if name == "griffin-lim":
        if hifigan:
            raise ValueError("--hifigan: a file is given, and the vocoder is griffin-lim; add --vocoder hifigan")
        return partial(griffin_lim, spec=spec)
    _refuse_others(spec)
    generator = hifi_gan.read_generator(Path(hifigan) if hifigan else found(hifi_gan.UNIVERSAL))

    def speak(mel: Tensor) -> Tensor:
        refuse_no_sound(mel)
        return hifi_gan.spoken(generator, mel)

    return speak


def _refuse_others(spec: MelSpec) -> None:
    wanted = hifi_gan.SPEC
    pairs = [(one.name, getattr(wanted, one.name), getattr(spec, one.name)) for one in fields(MelSpec)]
    if differ := [f"{name} {needs} (here {has})" for name, needs, has in pairs if needs != has]:
        raise ValueError(
            f"hifigan was made for spectrograms of {', '.join(differ)}; train with --sample-rate 22050 --f-max 8000, "
            "or speak by griffin-lim"
        )
