"""The embedded demo corpus: 64 real English prompts by one speaker (licence and credits stand beside the clips)."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def folder() -> Path:
    """Return the folder of the corpus, in LJSpeech layout."""
    return Path(str(resources.files(__name__)))
