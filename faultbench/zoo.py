"""Every case of the zoo. Cases whose package is not installed are left out, and said to be."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from faultbench.case import Case

OWN = (
    "code_edges",
    "code_masks",
    "data_rows",
    "data_lengths",
    "losses_logs",
    "losses_tts",
    "precision",
    "state_weights",
    "state_optimizer",
    "state_steps",
    "state_toxic",
    "state_transient",
)
PACKAGES = (
    "foreign_encoders",
    "foreign_losses",
    "package_transformers",
    "package_language",
    "package_large_values",
    "package_sentences",
    "package_speech",
    "package_vision",
    "package_losses",
    "package_flows",
    "package_graphs",
    "package_geometry",
)


def cases(only: Sequence[str] = ()) -> tuple[list[Case], list[str]]:
    """Return the cases (those of the modules `only`, all where it is empty), and why a module was left out."""
    found: list[Case] = []
    missing: list[str] = []
    for name in only or (*OWN, *PACKAGES):
        try:
            found += import_module(f"faultbench.{name}").CASES
        except ModuleNotFoundError as error:  # noqa: PERF203 (a dozen modules, once)
            if name not in PACKAGES:
                raise
            missing.append(f"{name}: {error.name} is not installed; pip install -r faultbench/requirements.txt")
    return found, missing
