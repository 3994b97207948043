"""One belief a file. The table `DEFAULT` lists those that every run starts with.

The first seven see a run derail, and ladders answer them. All others see a run that looks alive and learns nothing, or
learns less than it could; what they find is told, with advice, and never answered. `Guide`, `Stages`, `Steady` and
`Beyond` are put beside them by trainers that know what their attention, stages, losses and signals should do.
"""

from __future__ import annotations

from rerail.core.detectors.adapted import Adapted
from rerail.core.detectors.attention import Attention
from rerail.core.detectors.beyond import Beyond
from rerail.core.detectors.chance import Chance
from rerail.core.detectors.clamped import Clamped
from rerail.core.detectors.constant import Constant
from rerail.core.detectors.creep import Creep
from rerail.core.detectors.divergence import Divergence
from rerail.core.detectors.dominated import Dominated
from rerail.core.detectors.draws import Draws
from rerail.core.detectors.drift import Drift
from rerail.core.detectors.embedding import Embedding
from rerail.core.detectors.emptied import Emptied
from rerail.core.detectors.explosion import Explosion
from rerail.core.detectors.far import Far
from rerail.core.detectors.gates import Gates
from rerail.core.detectors.guide import Guide
from rerail.core.detectors.hidden import Hidden
from rerail.core.detectors.idle import Idle
from rerail.core.detectors.initial import Initial
from rerail.core.detectors.kl import Kl
from rerail.core.detectors.labels import Labels
from rerail.core.detectors.lost import Lost
from rerail.core.detectors.lowered import Lowered
from rerail.core.detectors.mismatch import Mismatch
from rerail.core.detectors.missing import Missing
from rerail.core.detectors.moments import Moments
from rerail.core.detectors.nonfinite import NonFinite
from rerail.core.detectors.oscillation import Oscillation
from rerail.core.detectors.overfit import Overfit
from rerail.core.detectors.pace import Pace
from rerail.core.detectors.plateau import Plateau
from rerail.core.detectors.setting import Setting
from rerail.core.detectors.shift import Shift
from rerail.core.detectors.sign import Sign
from rerail.core.detectors.spike import Spike
from rerail.core.detectors.stages import Stage, Stages
from rerail.core.detectors.starved import Starved
from rerail.core.detectors.steady import Steady
from rerail.core.detectors.steps import Steps
from rerail.core.detectors.still import Still
from rerail.core.detectors.stuck import Stuck
from rerail.core.detectors.thrash import Thrash
from rerail.core.detectors.twice import Twice
from rerail.core.detectors.unchanged import Unchanged
from rerail.core.detectors.units import Units
from rerail.core.detectors.unnormalised import Unnormalised
from rerail.core.detectors.unused import Unused
from rerail.core.detectors.vanishing import Vanishing
from rerail.core.detectors.zero import Zero

__all__ = [
    "DEFAULT",
    "Adapted",
    "Attention",
    "Beyond",
    "Chance",
    "Clamped",
    "Constant",
    "Creep",
    "Divergence",
    "Dominated",
    "Draws",
    "Drift",
    "Embedding",
    "Emptied",
    "Explosion",
    "Far",
    "Gates",
    "Guide",
    "Hidden",
    "Idle",
    "Initial",
    "Kl",
    "Labels",
    "Lost",
    "Lowered",
    "Mismatch",
    "Missing",
    "Moments",
    "NonFinite",
    "Oscillation",
    "Overfit",
    "Pace",
    "Plateau",
    "Setting",
    "Shift",
    "Sign",
    "Spike",
    "Stage",
    "Stages",
    "Starved",
    "Steady",
    "Steps",
    "Still",
    "Stuck",
    "Thrash",
    "Twice",
    "Unchanged",
    "Units",
    "Unnormalised",
    "Unused",
    "Vanishing",
    "Zero",
]

DEFAULT = (
    NonFinite(),
    Spike(),
    Explosion(),
    Idle(),
    Lost(),
    Sign(),
    Far(),
    Emptied(),
    Setting(),
    Stuck(),
    Divergence(),
    Zero(),
    Still(),
    Chance(),
    Plateau(),
    Oscillation(),
    Overfit(),
    Mismatch(),
    Dominated(),
    Kl(),
    Initial(),
    Vanishing(),
    Missing(),
    Units(),
    Draws(),
    Drift(),
    Steps(),
    Unchanged(),
    Hidden(),
    Embedding(),
    Attention(),
    Clamped(),
    Gates(),
    Thrash(),
    Moments(),
    Constant(),
    Twice(),
    Unnormalised(),
    Shift(),
    Labels(),
    Pace(),
    Starved(),
    Creep(),
)
