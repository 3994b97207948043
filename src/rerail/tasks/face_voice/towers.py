"""Which encoder begins a tower, by its name, and what is computed before training where that encoder stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from rerail.audio.mel import MelSpec
from rerail.tasks.face_voice import extract
from rerail.tasks.face_voice.encoders import SmallPictures, SmallVoices, Weighed
from rerail.tasks.face_voice.extract import Extractor
from rerail.tasks.face_voice.model import SIGLIP_BIAS, Matcher
from rerail.tasks.face_voice.pretrained import PretrainedPictures, PretrainedVoices
from rerail.tasks.face_voice.settings import FACES, SMALL, SPEAKER, SPEECH, FaceVoiceConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Extractors:
    """What computes features of pictures and of recordings; None where the tower takes them raw."""

    pictures: Extractor | None = None
    voices: Extractor | None = None


def extractors(config: FaceVoiceConfig, cache: Path) -> Extractors:
    """Return what stays as it is; `cache` keeps what has to be put together from packages.

    Raises:
        ModuleNotFoundError: naming the command that installs an encoder.
        ValueError: for a model that cannot be loaded.
    """
    return Extractors(pictures=_pictures(config), voices=_voices(config, cache))


def matcher(config: FaceVoiceConfig, found: Extractors) -> Matcher:
    """Return the network, with drawn weights where none are pretrained."""
    return Matcher(
        _first(found.pictures) or _trained_pictures(config),
        _first(found.voices) or _trained_voices(config),
        width=config.width,
        head=config.head,
        start=config.start,
        temperature=config.temperature,
        bias=SIGLIP_BIAS if config.loss == "sigmoid" else None,
        chunk=config.chunk,
    )


def _pictures(config: FaceVoiceConfig) -> Extractor | None:
    if config.image_encoder == FACES:
        return extract.of_faces()
    if config.image_encoder == SMALL or not config.freeze:
        return None
    return extract.of_transformer(PretrainedPictures(config.image_encoder), config.image_encoder)


def _voices(config: FaceVoiceConfig, cache: Path) -> Extractor | None:
    if config.audio_encoder == SPEAKER:
        return extract.of_speaker(config.sample_rate)
    if config.audio_encoder == SPEECH:
        return extract.of_speech(config.sample_rate, cache)
    if config.audio_encoder == SMALL or not config.freeze:
        return None
    return extract.of_transformer(PretrainedVoices(config.audio_encoder), config.audio_encoder)


def _first(extractor: Extractor | None) -> nn.Module | None:
    return Weighed(extractor.layers, extractor.size) if extractor else None


def _trained_pictures(config: FaceVoiceConfig) -> nn.Module:
    return SmallPictures() if config.image_encoder == SMALL else PretrainedPictures(config.image_encoder)


def _trained_voices(config: FaceVoiceConfig) -> nn.Module:
    if config.audio_encoder != SMALL:
        return PretrainedVoices(config.audio_encoder)
    return SmallVoices(MelSpec(sample_rate=config.sample_rate, f_max=min(8000.0, config.sample_rate / 2)))
