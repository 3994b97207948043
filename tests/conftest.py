"""What every test shares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings

import small_matcher
import small_pairs
import small_tacotron2
import toy

settings.register_profile("any machine", deadline=None)  # how long an example takes is no property of the code
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while toy.OPEN:
        toy.OPEN.pop().close()


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a tiny Tacotron2, 14 steps long; whoever changes it changes a copy."""
    return small_tacotron2.trained(tmp_path_factory.mktemp("trained"), steps=14, reduction=4, weight_mmi=1.0)


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with six pairs each of twelve identities, which decide the colour and the pitch."""
    folder = tmp_path_factory.mktemp("colours")
    small_pairs.learnable(folder, 12, 6)
    return folder


@pytest.fixture(scope="session")
def matching_run(colours: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has learned them; whoever changes it changes a copy."""
    folder = tmp_path_factory.mktemp("matching") / "run"
    assert small_matcher.trained(small_matcher.config(colours), folder).reason == "finished"
    return folder


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of tiny models of transformers with drawn weights: vit, wav2vec2, hubert."""
    transformers: Any = pytest.importorskip("transformers", reason='pip install "rerail[pretrained]"')
    return small_matcher.encoders(tmp_path_factory.mktemp("models"), transformers)
