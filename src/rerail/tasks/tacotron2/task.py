"""Tacotron2 as a task of the training loop: parts, held-out metrics, pictures and sounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import nn

from rerail.data.batches import Stream, collate
from rerail.data.clip import Clip
from rerail.data.progress import Named
from rerail.fit import FitConfig, Losses, Parts, Picture, Sound, fitted, refuse_unrated, scheduled
from rerail.fit import optimizer as made
from rerail.tasks.speech.corpus import Corpus, refuse_nonfinite
from rerail.tasks.speech.evaluate import evaluate
from rerail.tasks.speech.losses import losses
from rerail.tasks.speech.mutual import mutual
from rerail.tasks.speech.pace import Pace, Paced
from rerail.tasks.speech.plan import plan
from rerail.tasks.speech.shown import figures
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.model import Tacotron2
from rerail.tasks.tacotron2.settings import Tacotron2Config


@dataclass(frozen=True)  # without slots: the corpus is read once and kept
class Tacotron2Task:
    """Trains a Tacotron2. `speak` are sentences to synthesise at the end, in the language of the data."""

    config: Tacotron2Config
    fit: FitConfig
    speak: tuple[str, ...] = ()
    read: Corpus | None = None  # what another task of these settings has read already

    def build(self) -> Parts:
        """Read the corpus, compute its spectrograms, make the model.

        Raises:
            ValueError: for whatever is wrong with the corpus, or a sentence to speak that has unknown symbols.
        """
        config, fit, corpus = self.config, self.fit, self.corpus
        training, aside = self.checked()
        held_out, examples = corpus.examples(aside), corpus.examples(training)
        refuse_nonfinite(held_out)
        together = partial(collate, silence=config.spec().silence)
        tailed = partial(together, tail=config.tail_frames())
        pace = Pace.of(config.reduction, config.reduction_falls)
        model = Tacotron2(
            SIZES[config.size],
            len(corpus.symbols),
            config.spec().bands,
            config.reduction,
            config.attention,
            compiled=config.compiled,
            mutual=config.weight_mmi > 0,
        )
        model.decoder.frame_drop = config.frame_drop
        optimizer = made(model.parameters(), fit, torch.optim.Adam)
        schedule = scheduled(optimizer, fit)

        def losses_at_pace(batch: Mapping[str, Any]) -> Losses:
            model.frames.pace(pace.at(schedule.last_epoch))  # from the run's own state: a replayed step has the same
            return self._losses(model, batch)

        return Parts(
            model=model,
            optimizer=optimizer,
            scheduler=schedule,
            losses=losses_at_pace,
            data=Stream(corpus.short(examples, fit.batch_size), fit.batch_size, fit.seed, tailed),
            held_out=[together(held_out)],
            weights=config.weights(),
            plan=plan(asdict(config) | asdict(fit)),
            state=(corpus.kept(training, aside), Paced(model.frames)),
            target="mel",
        )

    @cached_property
    def corpus(self) -> Corpus:
        """The clips, read once."""
        return self.read or Corpus(self.config)

    def checked(self) -> tuple[list[Clip], list[Clip]]:
        """Refuse what can be refused before any spectrogram is computed; return clips to train and to measure on."""
        Pace.of(self.config.reduction, self.config.reduction_falls)
        refuse_unrated(self.fit)
        return self.corpus.checked(self.speak)

    def odd(self, progress: Named) -> list[str]:
        """Check everything, then look through the recordings and their texts; return what is odd, a line each."""
        self.checked()  # what is refused is refused before an hour of looking
        return self.corpus.odd(progress)

    def compute(self, progress: Named) -> None:
        """Check everything, then compute the spectrograms that are missing."""
        training, aside = self.checked()
        self.corpus.spectrograms([*training, *aside], partial(progress, "spectrograms"))

    def fitted(self) -> Tacotron2Task:
        """Return the task with batches by memory, where that is asked for; nothing is read anew."""
        if self.fit.batch_size and self.fit.accumulate:
            return self
        clips = len(self.corpus.short(self.corpus.examples(self.checked()[0]), 1))
        return replace(self, fit=fitted(self.fit, clips=clips, taken=clips, epochs=0), read=self.corpus)

    def evaluate(self, model: nn.Module, batches: Iterable[Any]) -> Mapping[str, float]:
        """Measure teacher-forced and free-running metrics on held-out batches."""
        assert isinstance(model, Tacotron2)
        return evaluate(model, batches)

    def figures(self, model: nn.Module, batches: Iterable[Any], *, last: bool) -> Mapping[str, Picture | Sound]:
        """Draw the free-running alignment of the first held-out clip; at the end also speak."""
        assert isinstance(model, Tacotron2)
        sentences = {one: self.corpus.spoken(one) for one in (self.speak if last else ())}
        return figures(model, batches, self.config.spec(), sentences)

    def _losses(self, model: Tacotron2, batch: Mapping[str, Any]) -> Losses:
        output = model(batch["text"], batch["text_length"], batch["mel"], batch["mel_length"])
        named = losses(
            output,
            batch["mel"],
            batch["text_length"],
            tail=batch["tail"],
            early=self.config.gate_early,
            positive=self.config.gate_positive,
            g=self.config.guide_width,
        )
        signals = {"alignment": output.alignment, "mel": output.mel_post}
        if model.recogniser is not None:
            mel = self.config.weight_mel * (named["mel"] + named["mel_post"])
            named["mmi"], signals["mmi_factor"] = mutual(model.recogniser, output, batch, mel, self.config.mmi_most)
        return Losses(signals, **named)
