"""What a person could change about a finding, from what to what, why, and what should be seen if it helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rerail.core.finding import Finding
from rerail.core.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What should be seen: `signal` (of readings) `falls` or `rises` within so many ticks."""

    signal: str
    direction: str
    within: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Change `setting` from `before` to `after`, because of `why`."""

    setting: str
    before: str
    after: str
    why: str
    expect: Expect


Change = Callable[[Finding, Reading], tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """The advice for one code. Without `signal`, what the finding speaks of is expected to change."""

    setting: str
    change: Change
    why: str
    direction: str = "falls"
    within: int = 500
    signal: str = ""


def advise(finding: Finding, reading: Reading) -> Advice | None:
    """Return the advice for a finding, with the numbers of the reading it was found in; None for an unknown code."""
    rule = RULES.get(finding.code)
    if rule is None:
        return None
    before, after = rule.change(finding, reading)
    expect = Expect(signal=rule.signal or finding.signal, direction=rule.direction, within=rule.within)
    return Advice(setting=rule.setting, before=before, after=after, why=rule.why, expect=expect)


def _times(signal: str, factor: float) -> Change:
    """Multiply what the reading (or the finding) has under `signal`."""

    def change(finding: Finding, reading: Reading) -> tuple[str, str]:
        value = reading.values.get(signal, finding.evidence.get(signal))
        return ("as it is", f"{factor:.3g} times that") if value is None else (f"{value:.3g}", f"{value * factor:.3g}")

    return change


def _to_usual(name: str) -> Change:
    """Bring the finding's signal to what its evidence has under `name`."""

    def change(finding: Finding, _: Reading) -> tuple[str, str]:
        now, usual = finding.evidence.get(finding.signal), finding.evidence.get(name)
        return "as it is" if now is None else f"{now:.3g}", "as before" if usual is None else f"{usual:.3g}"

    return change


def _words(before: str, after: str) -> Change:
    return lambda _finding, _reading: (before, after)


_SLOWER, _FASTER = _times("lr", 1 / 3), _times("lr", 3.0)
RULES: Mapping[str, _Rule] = {
    # A run that derails: the guard answers these itself; this is what keeps them from coming again.
    "nonfinite.input": _Rule(
        setting="the data",
        change=_words("rows with numbers that are not finite", "those samples mended or left out"),
        why="nothing computed from such rows can be finite",
        signal="grad/norm",
    ),
    "nonfinite.weights": _Rule(
        setting="learning rate",
        change=_times("lr", 0.1),
        why="an update threw the weights out of range, or something outside the step wrote to them",
        signal="grad/norm",
    ),
    "nonfinite.loss": _Rule(
        setting="the formula of this loss",
        change=_words("open at the edge of its range", "its argument clamped, its denominators kept from zero"),
        why="a loss is not finite where a logarithm, a root or a division meets its edge",
    ),
    "nonfinite.gradient": _Rule(
        setting="the formula behind this gradient",
        change=_words("infinite slope at its edge", "a small constant inside the root or logarithm"),
        why="a finite loss with a gradient that is not has a slope without bound",
        signal="grad/norm",
    ),
    "scale.overflow": _Rule(
        setting="loss scale",
        change=_times("scale", 0.5),
        why="the scaled gradient passed the range of half precision; a dynamic scale halves itself",
    ),
    "loss.outlier": _Rule(
        setting="clip_norm",
        change=_times("grad/norm", 0.01),
        why="one batch must not move the weights by more than usual batches do",
    ),
    "loss.spike": _Rule(
        setting="learning rate", change=_SLOWER, why="a step beyond the stable size throws the loss up", within=200
    ),
    "gradient.explosion": _Rule(
        setting="clip_norm",
        change=_to_usual("usual"),
        why="a gradient far beyond the usual, clipped to the usual, does no harm",
        within=200,
    ),
    "gradient.zero": _Rule(
        setting="the path from loss to weights",
        change=_words("cut or flat", "without detach, no_grad, rounding or clamping on the way"),
        why="the loss does not depend on the weights",
        direction="rises",
        within=50,
    ),
    "gradient.lost": _Rule(
        setting="the path from loss to these weights",
        change=_to_usual("usual"),
        why="what has no gradient stands still: look for a detach, a no_grad, or a cast to half precision on the way",
        within=50,
    ),
    "gradient.stopped": _Rule(
        setting="the path from loss to weights",
        change=_words("cut or flat", "without detach, no_grad, rounding or clamping on the way"),
        why="the loss does not depend on the weights, and has not for many steps",
        direction="rises",
        within=50,
    ),
    "loss.sign": _Rule(
        setting="the formula of this loss",
        change=_words("with a minus that was not there", "as it was"),
        why="a loss that was always positive turned negative from one step to the next, and now falls for ever",
        direction="rises",
        within=50,
    ),
    "optimizer.setting": _Rule(
        setting="this setting of the optimizer",
        change=_to_usual("before"),
        why="it was changed by far from one step to the next",
        signal="grad/norm",
        within=200,
    ),
    "optimizer.setting.lasting": _Rule(
        setting="this setting of the optimizer",
        change=_to_usual("before"),
        why="trained again without the change, the same batches tell what it has done",
        signal="grad/norm",
        within=200,
    ),
    "input.raised": _Rule(
        setting="the data",
        change=_words("rows that the code cannot take", "those samples mended or left out"),
        why="a label out of range, a length that does not fit: other rows run",
        signal="grad/norm",
    ),
    "input.unfit": _Rule(
        setting="the data",
        change=_words("rows that could not have been meant", "those samples mended or left out"),
        why="rows like these did harm a while ago",
        signal="grad/norm",
    ),
    "input.far": _Rule(
        setting="the data",
        change=_to_usual("usual"),
        why="such rows are left out of the step, but they are in the data: a wrong unit, a broken file",
    ),
    "input.range": _Rule(
        setting="the scale of this input",
        change=_to_usual("usual"),
        why="what a model has learned holds for the range that it has seen",
        within=100,
    ),
    "input.stuck": _Rule(
        setting="the loader",
        change=_words("giving the same batch again and again", "moving on, each worker with a seed of its own"),
        why="a run that sees one batch learns that batch",
        within=50,
    ),
    # A run whose loss tells on it.
    "loss.divergence": _Rule(
        setting="learning rate", change=_SLOWER, why="updates undo more than they gain", within=1000
    ),
    "loss.zero": _Rule(
        setting="the mask or target of this loss",
        change=_words("empty, or equal to the prediction", "checked on one batch by hand"),
        why="a loss of real data is not exactly zero",
        direction="rises",
    ),
    "loss.still": _Rule(
        setting="learning rate",
        change=_FASTER,
        why="nothing has moved since the start; if a larger step does not help, one batch alone should be overfitted",
    ),
    "loss.chance": _Rule(
        setting="learning rate",
        change=_SLOWER,
        why="the loss is that of guessing: inputs and labels do not belong together, or the step overshoots",
        within=1000,
    ),
    "loss.plateau": _Rule(
        setting="learning rate", change=_times("lr", 0.3), why="a smaller step settles where a large one bounces"
    ),
    "loss.oscillation": _Rule(
        setting="learning rate", change=_SLOWER, why="each step lands on the other side of the valley", within=200
    ),
    "loss.overfit": _Rule(
        setting="weights",
        change=_to_usual("best"),
        why="the held-out loss was best earlier; take that checkpoint, or add data, augmentation or weight decay",
        within=2000,
    ),
    "loss.mismatch": _Rule(
        setting="treatment of held-out data",
        change=_to_usual("train"),
        why="a gap from the start is another preprocessing, label map or mode (train/eval), not overfitting",
        within=2000,
    ),
    "loss.dominated": _Rule(
        setting="weight of the largest loss",
        change=_words("1", "0.1"),
        why="its gradient decides the update alone, and the others stand still",
        within=1000,
    ),
    # Gradients, units, updates.
    "gradient.vanishing": _Rule(
        setting="initialisation or normalisation of the first layers",
        change=_words("as it is", "He initialisation, a residual path or a normalisation between layers"),
        why="each layer shrinks the gradient on its way to the first",
        direction="rises",
    ),
    "gradient.missing": _Rule(
        setting="trained parameters",
        change=_words("some without a gradient or an optimizer", "all in the optimizer and in the graph, or frozen"),
        why="what has no gradient or no optimizer stays as it was initialised",
        within=100,
    ),
    "units.dead": _Rule(
        setting="learning rate",
        change=_SLOWER,
        why="too large a step drives biases so low that a unit never fires again; leaky units come back",
        within=1000,
    ),
    "units.saturated": _Rule(
        setting="scale of the layer's inputs",
        change=_words("far beyond the range of the function", "normalised before it"),
        why="at its limits the function has no slope",
        within=1000,
    ),
    "activation.drift": _Rule(
        setting="weight decay or normalisation of this module",
        change=_to_usual("at first"),
        why="activations that grow or fade without end leave the range that the next layers work in",
        within=1000,
    ),
    "update.small": _Rule(
        setting="learning rate",
        change=_times("lr", 10.0),
        why="the weights move by less than a millionth a step; about a thousandth is usual",
        direction="rises",
        within=200,
    ),
    "update.large": _Rule(
        setting="learning rate",
        change=_times("lr", 0.1),
        why="the weights move by more than a tenth a step; about a thousandth is usual",
        within=200,
    ),
    "weights.unchanged": _Rule(
        setting="learning rate and weight precision",
        change=_words("steps that change nothing", "a rate above zero, weights kept in single precision"),
        why="an update below the resolution of the weights is lost",
        within=200,
    ),
    "weights.wide": _Rule(
        setting="initialisation",
        change=_to_usual("usual"),
        why="each such layer multiplies the scale of what it is given, so the loss starts far above that of a guess",
        signal="loss/total",
        within=200,
    ),
    # What the model makes.
    "embedding.collapse": _Rule(
        setting="negatives, or variance term, of the loss",
        change=_words("too weak", "more negatives, a stop-gradient or a variance term"),
        why="one point for all inputs satisfies a loss that nothing pulls apart",
        direction="rises",
        within=1000,
    ),
    "nan.hidden": _Rule(
        setting="nan_to_num",
        change=_words("in the loss function", "taken out, and what makes the NaN mended"),
        why="a replaced number has no gradient, and the guard cannot see what was there",
    ),
    "embedding.apart": _Rule(
        setting="temperature, learning rate",
        change=_words("small, high", "a larger temperature, or a lower rate"),
        why="with a small temperature two separate cones satisfy the loss as well as one",
        within=1000,
    ),
    "encoder.frozen": _Rule(
        setting="requires_grad of the encoder's weights",
        change=_words("False", "True, before the optimizer is made; or freeze: true, where that is meant"),
        why="a weight without a gradient is never moved",
    ),
    "negatives.false": _Rule(
        setting="identities of the pairs",
        change=_words("two names for one", "one name for whoever shares a picture or a recording"),
        why="a contrastive loss takes every other identity of a batch for a wrong answer",
    ),
    "alignment.guide": _Rule(
        setting="weight of guided attention",
        change=_words(
            "the run's own", "as the guard moves it: up to 50 times while the text is not read, 0 once it is"
        ),
        why="attention that does not find the diagonal needs to be shown it, and one that has found it does not",
        direction="rises",
        signal="eval/diagonality/free",
        within=1000,
    ),
    "weight.kl": _Rule(
        setting="weight of the divergence",
        change=_words("the run's own", "as the guard moves it: between a half and twice"),
        why="a fork of the run with the other weight came nearer to the held-out clips",
        signal="eval/mel",
        within=2000,
    ),
    "weight.stop": _Rule(
        setting="weight of the stop's loss",
        change=_words("the run's own", "as the guard moves it: between a half and twice"),
        why="a fork of the run with the other weight came nearer to the held-out clips",
        signal="eval/mel",
        within=2000,
    ),
    "rate.lowered": _Rule(
        setting="learning rate",
        change=_words("the schedule's", "as the guard lowers it, by plateau_factor each time"),
        why="the held-out error has not fallen for plateau_patience evaluations",
        within=2000,
    ),
    "stage.missed": _Rule(
        setting="the data, or the size of a decoder step",
        change=_words("as they are", "clips whose text fits what is said; a larger reduction"),
        why="other runs come to this stage in that time; texts that do not fit are the usual reason",
        direction="rises",
        within=1000,
    ),
    "attention.collapse": _Rule(
        setting="learning rate",
        change=_SLOWER,
        why="attention that has lost its sharpness or its way does not come back at the same step size",
        within=2000,
    ),
    "kl.collapse": _Rule(
        setting="weight of the divergence",
        change=_words("1", "0, raised to 1 over some thousand steps"),
        why="the decoder learns to do without the latent before it carries anything",
        direction="rises",
        within=2000,
    ),
    "kl.explosion": _Rule(
        setting="bound of the log-variance",
        change=_words("none", "clamped to -10 to 10"),
        why="the divergence grows with the exponential of the log-variance",
        within=200,
    ),
    "scale.clamped": _Rule(
        setting="the temperature's optimizer and clamp",
        change=_words("no optimizer, or at its limit", "in an optimizer, without weight decay, inside its limits"),
        why="a parameter at its clamp has no gradient",
        direction="rises",
    ),
    "gate.stuck": _Rule(
        setting="weight of the rare class of the gate's loss",
        change=_words("1", "5"),
        why="with one positive in hundreds, saying no always is nearly free",
        direction="rises",
        within=2000,
    ),
    # The optimizer.
    "scale.thrash": _Rule(
        setting="precision",
        change=_words("float16", "bfloat16"),
        why="the gradients' range does not fit half precision at any scale",
        signal="scale/backoffs",
        within=200,
    ),
    "optimizer.stale": _Rule(
        setting="beta2",
        change=_words("as it is (often 0.999)", "0.99, or the state emptied"),
        why="an old spike in the second moment still divides every step",
        direction="rises",
    ),
    "optimizer.exploding": _Rule(
        setting="beta2",
        change=_words("as it is (often 0.999)", "0.95, or updates clipped to an RMS of 1"),
        why="the second moment is far behind the gradient, so steps are far too large",
        within=200,
    ),
    "random.changed": _Rule(
        setting="what draws random numbers in the forward pass",
        change=_to_usual("before"),
        why="dropout or noise set in between two steps; look for a train() or eval() that was not set back",
        within=200,
    ),
    # The data and the machine.
    "input.exhausted": _Rule(
        setting="the data",
        change=_words("empty, or on another scale, batch after batch", "read and normalised as it was"),
        why="rows like these were proved to do harm, and nothing else comes any more",
        signal="grad/norm",
    ),
    "input.stopped": _Rule(
        setting="the loader",
        change=_words("giving the same batch for ever", "moving on, each worker with a seed of its own"),
        why="a run that sees one batch learns that batch, and forgets all others",
        within=50,
    ),
    "input.constant": _Rule(
        setting="the data",
        change=_words("rows of one number", "the loader and its transforms checked on one row by hand"),
        why="a row without content teaches nothing",
        within=200,
    ),
    "input.twice": _Rule(
        setting="the sampler",
        change=_words("draws rows again within a batch", "without replacement, seeded differently for each worker"),
        why="a batch of copies has the noise of a much smaller one",
        within=200,
    ),
    "input.unnormalised": _Rule(
        setting="scale of this input",
        change=_words("raw", "minus its mean, over its deviation"),
        why="layers are initialised for inputs of mean 0 and deviation 1",
        signal="loss/total",
    ),
    "input.drift": _Rule(
        setting="the order of the data",
        change=_to_usual("at first"),
        why="the data is no longer what the run began with: shuffle, or look for a source that changed",
    ),
    "labels.imbalanced": _Rule(
        setting="the sampler",
        change=_words("nearly one class a batch", "shuffled, or balanced over classes"),
        why="batches of one class teach that class alone",
        direction="rises",
        within=200,
    ),
    "time.slow": _Rule(
        setting="what else runs on this machine, and what grows in the step",
        change=_to_usual("usual"),
        why="the same work takes longer than it did: heat, another process, or a graph or list that grows",
    ),
    "time.starved": _Rule(
        setting="workers of the loader",
        change=_words("as they are", "twice as many, or the data prepared beforehand"),
        why="the step waits for its data",
        within=200,
    ),
    "device.unused": _Rule(
        setting="clips a micro-batch",
        change=_words("as they are", "as many as the device holds (--find-batch), with fewer micro-batches a step"),
        why="the device is at work for less than 70 % of the time, and larger steps keep it busy for longer",
        direction="rises",
        within=500,
    ),
    "memory.creep": _Rule(
        setting="what is kept from step to step",
        change=_words("tensors with their graph", "numbers: .item() or .detach()"),
        why="memory that grows by the step ends the run in time",
        within=2000,
    ),
}
