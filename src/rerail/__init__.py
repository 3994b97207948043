"""rerail keeps PyTorch training runs alive and converging."""

from rerail._version import __version__
from rerail.doctor import Check, examine
from rerail.guard import Derailed, Guard, Keep, Losses, Picture, Plan, Sound, Step

__all__ = [
    "Check",
    "Derailed",
    "Guard",
    "Keep",
    "Losses",
    "Picture",
    "Plan",
    "Sound",
    "Step",
    "__version__",
    "examine",
]
