"""Findings about a run that looks alive and learns nothing or badly, in words: what is seen, and why it matters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """`seen` may name the signal (`{signal}`) and its last part (`{part}`)."""

    seen: str
    meaning: str


LEARNING = {
    "gradient.stopped": Words(
        "the whole gradient has been exactly zero for many steps, and the loss is not",
        "Nothing was learned in all that time, and nothing can be.",
    ),
    "loss.sign": Words(
        "{signal} was always positive and is negative now",
        "Going on would drive it to minus infinity, which looks like learning.",
    ),
    "optimizer.setting": Words(
        "the optimizer's {signal} was changed by far from one step to the next",
        "If that was not meant, what it does to the weights will show late.",
    ),
    "optimizer.setting.lasting": Words(
        "the optimizer's {signal} has stayed at what it was changed to",
        "The batches since then are trained again with what was set before, to see what the change has done.",
    ),
    "input.raised": Words(
        "the step raises an error with some rows of the batch",
        "Other batches run, and this one does without these rows: they are left out.",
    ),
    "input.unfit": Words(
        "rows of the batch could not have been meant",
        "Rows like these were proved to do harm a while ago, so each batch is looked at before it is trained on.",
    ),
    "input.far": Words(
        "numbers of the batch ({signal}) are a thousand times as large as any before",
        "Layers that normalise hide them from the loss and keep them in their statistics.",
    ),
    "input.range": Words(
        "numbers of the batch ({signal}) are far larger than any before",
        "The model has not learned for this range; a wrong unit or a missing normalisation looks like this.",
    ),
    "input.stuck": Words(
        "the same samples come again and again",
        "The run learns these alone, and its loss falls while it does.",
    ),
    "input.exhausted": Words(
        "no row of many batches in a row can be trained on",
        "Rows like these were proved to do harm, and the loader gives nothing else any more.",
    ),
    "input.stopped": Words(
        "the same samples have come again and again, for long",
        "The run learns these alone and forgets the others. No setting makes a loader move on.",
    ),
    "gradient.lost": Words(
        "the gradient reaches fewer parameters than it did",
        "What has no gradient stands still, while the rest learns to do without it.",
    ),
    "weights.wide": Words(
        "a layer starts with weights that make its inputs far larger",
        "Where layers do so one after the other, the loss starts far above a guess and units are at their limits.",
    ),
    "random.changed": Words(
        "another number of operations draws random numbers than before",
        "Dropout or noise was switched on or off. If that was not meant, a mode was not set back.",
    ),
    "loss.divergence": Words(
        "{signal} has been rising for long",
        "The loss is losing what it had gained; nothing jumps, so no alarm for spikes hears it.",
    ),
    "loss.zero": Words(
        "{signal} is exactly zero", "A loss of real data is not exactly zero: a mask is empty, or the target is given."
    ),
    "loss.still": Words(
        "{signal} has not moved since the start",
        "Every number looks sound and nothing is learned. A flat start can be healthy, so this is only told.",
    ),
    "loss.chance": Words(
        "{signal} rests at what guessing gives",
        "The model answers the same whatever it is shown; at this level it knows nothing of the single sample.",
    ),
    "loss.plateau": Words(
        "{signal} has not become better for long", "The run has converged, or its step is too large to settle further."
    ),
    "loss.oscillation": Words(
        "{signal} swings to and fro from step to step, more and more",
        "Each step overshoots the minimum; the run is at the edge of divergence.",
    ),
    "loss.overfit": Words(
        "{signal} rises while the training loss falls",
        "What is learned now holds for the training data alone; the best weights are behind.",
    ),
    "loss.mismatch": Words(
        "{signal} is far above the training loss from the start",
        "Overfitting takes time. A gap that is there at once means that held-out data is treated differently.",
    ),
    "loss.dominated": Words(
        "{signal} has nearly all of the total, and another loss stands still",
        "The update follows one loss alone; the others are not trained, whatever their curves look like.",
    ),
    "gradient.vanishing": Words(
        "the gradient fades on its way to the first layers",
        "The first layers hardly change, so all that follows works on random features.",
    ),
    "gradient.missing": Words(
        "parameters that are meant to be trained are not ({part})",
        "They stay as they were initialised: nothing in the loss depends on them, or no optimizer holds them.",
    ),
    "units.dead": Words(
        "most units of {part} are zero for every row", "A dead unit has no gradient, so it never comes back by itself."
    ),
    "units.saturated": Words(
        "nearly all outputs of {part} are at their limits", "At its limits the function is flat: no gradient passes."
    ),
    "activation.drift": Words(
        "the activations of {part} are no longer of the size they had",
        "Activations that grow or fade without end leave the range in which the next layers work.",
    ),
    "update.small": Words(
        "the updates are far too small for the weights", "At this pace the weights need millions of steps to change."
    ),
    "update.large": Words(
        "the updates are far too large for the weights", "Each step throws away much of what the last ones had learned."
    ),
    "weights.unchanged": Words(
        "an update leaves weights exactly as they were",
        "The step is zero or below the resolution of the weights; the run only looks alive.",
    ),
    "embedding.collapse": Words(
        "the embeddings of {part} are all alike", "Different inputs can no longer be told apart by them."
    ),
    "nan.hidden": Words(
        "numbers that are not finite are replaced at {part}",
        "The run looks healthy, and what stood there learns nothing; whatever made the NaN is still there.",
    ),
    "embedding.apart": Words(
        "the embeddings of the two sides lie apart", "A cosine across the gap says more of the side than of the match."
    ),
    "encoder.frozen": Words(
        "the encoder of {part} has weights that are not trained", "It keeps what it knew, whatever the loss asks for."
    ),
    "negatives.false": Words(
        "rows of a batch are taken for others of what they are",
        "The same picture or recording stands under two identities, and the loss pushes it away from itself.",
    ),
    "alignment.guide": Words(
        "the weight of guided attention stands on another level, as {signal} asks for",
        "Where the text is not read along its diagonal, the decoder learns to speak without it.",
    ),
    "weight.kl": Words(
        "another weight of the divergence was shown to pay, on a fork of the run",
        "The components pull at the model with very different strength.",
    ),
    "weight.stop": Words(
        "another weight of the stop was shown to pay, on a fork of the run",
        "The components pull at the model with very different strength.",
    ),
    "rate.lowered": Words(
        "the learning rate was lowered, since {signal} has not become better for some evaluations",
        "At this rate the run would go round what it is near to.",
    ),
    "stage.missed": Words(
        "{signal} has not come to where it should be by this step", "Going on as before may not come there at all."
    ),
    "stage.reached": Words("{signal} has come to the next stage", "The run is on its way."),
    "stage.ready": Words("{signal} has come to the last stage: ready to generate", "Held-out sentences are spoken."),
    "loss.stable": Words(
        "{signal} neither rises nor falls nor strays any more, over many undisturbed steps",
        "What this rate and these data can give has been learned; the held-out metrics say whether it is enough.",
    ),
    "attention.collapse": Words(
        "the attention {part} looks everywhere, at one place, or has lost its way",
        "What comes after it no longer sees the right part of its input.",
    ),
    "kl.collapse": Words(
        "{signal} rests at zero", "The latent carries nothing; the decoder does without it (posterior collapse)."
    ),
    "kl.explosion": Words(
        "{signal} grows far beyond the other losses", "The latent runs away from its prior, and soon out of range."
    ),
    "scale.clamped": Words(
        "{part} does not change at all", "A learned temperature is at its clamp, or no optimizer holds it."
    ),
    "scale.thrash": Words(
        "the loss scale backs off again and again", "Many steps are lost; the gradients do not fit half precision."
    ),
    "gate.stuck": Words(
        "the gate {part} never changes its mind", "It says the same whatever it sees, so it decides nothing."
    ),
    "optimizer.stale": Words(
        "the optimizer's second moment is far above the gradient",
        "Steps are divided by a spike of long ago, so they are far too small.",
    ),
    "optimizer.exploding": Words(
        "the gradient is far above the optimizer's second moment",
        "Steps are many times as large as the learning rate means them to be.",
    ),
    "input.constant": Words(
        "rows of input {part} hold one number throughout", "A row without content teaches nothing."
    ),
    "input.twice": Words("rows occur twice in the batch", "The batch says less than its size promises."),
    "input.unnormalised": Words(
        "input {part} is on an unusual scale", "Layers are initialised for inputs of mean 0 and deviation 1."
    ),
    "input.drift": Words(
        "input {part} is no longer what it was", "What was learned at first may not hold for the data that comes now."
    ),
    "labels.imbalanced": Words(
        "nearly all labels of a batch are one class", "Each batch teaches one class, at the cost of all others."
    ),
    "time.slow": Words("steps have become slower and stay so", "The same work takes longer than it did."),
    "device.unused": Words(
        "the device is at work for less than 70 % of the time", "The same run could be over sooner."
    ),
    "time.starved": Words("the run waits for its data", "The device is idle while the loader works."),
    "memory.creep": Words("the {part}'s memory grows by the step", "The run will end when it is full."),
}


def seen(code: str, signal: str) -> str:
    """What was seen of the signal, in words; empty for a code that is not here."""
    words = LEARNING.get(code)
    part = signal.rpartition("/")[2].replace("_", " ")
    return words.seen.format(signal=signal, part=part) if words is not None else ""
