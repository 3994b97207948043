"""Every rival that this environment can play, and why the others are left out."""

from __future__ import annotations

from importlib import import_module

from faultbench.rivals.rival import Rival

RULES = ("plain", "remedies", "megatron", "olmo", "kill_loss_spike", "autotrainer", "sagemaker")
PACKAGES = {
    "with_lightning": ("lightning", "torchmetrics"),
    "with_transformers": ("transformers", "accelerate"),
    "with_arc": ("arc",),
    "with_stabilityguard": ("stabilityguard",),
    "with_zclip": ("zclip",),
    "with_trainpulse": ("trainpulse",),
}
INSTALL = "pip install -c constraints.txt -r faultbench/rivals/requirements.txt"


def rivals() -> tuple[list[Rival], list[str]]:
    """Return the rivals, rules first, and a sentence for each package that cannot be imported."""
    found: list[Rival] = []
    missing: list[str] = []
    for name in (*RULES, *PACKAGES):
        try:
            for package in PACKAGES.get(name, ()):
                import_module(package)
            found += import_module(f"faultbench.rivals.{name}").RIVALS
        except ImportError as error:  # noqa: PERF203 (a dozen modules, once)
            if name not in PACKAGES:
                raise
            missing.append(f"{' and '.join(PACKAGES[name])}: {error}; {INSTALL}")
    return found, missing
