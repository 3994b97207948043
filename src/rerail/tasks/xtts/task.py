"""XTTS-style speech as a task of the training loop: parts, held-out metrics, pictures and sounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import nn

from rerail.audio.voiceprint import Voiceprint
from rerail.core.detectors.adapted import CODES
from rerail.data.balance import taken
from rerail.data.batches import Stream
from rerail.data.clip import Clip
from rerail.data.progress import Named
from rerail.fit import FitConfig, Losses, Parts, Picture, Sound, chosen, fitted, scheduled
from rerail.fit import optimizer as made
from rerail.tasks.speech.corpus import Corpus, refuse_nonfinite
from rerail.tasks.speech.mutual import mutual
from rerail.tasks.speech.output import Batch
from rerail.tasks.speech.pace import Pace, Paced
from rerail.tasks.speech.plan import plan
from rerail.tasks.speech.shown import figures
from rerail.tasks.xtts.config import SIZES
from rerail.tasks.xtts.consistency import consistency
from rerail.tasks.xtts.evaluate import evaluate
from rerail.tasks.xtts.losses import divergence, losses
from rerail.tasks.xtts.model import Xtts
from rerail.tasks.xtts.settings import XttsConfig
from rerail.tasks.xtts.voices import Languages, Voices


@dataclass(frozen=True)  # without slots: the corpus is read once and kept
class XttsTask:
    """Trains the network. `speak` are sentences to synthesise at the end, in the voice of a held-out clip."""

    config: XttsConfig
    fit: FitConfig
    speak: tuple[str, ...] = ()
    read: Corpus | None = None  # what another task of these settings has read already

    def build(self) -> Parts:
        """Read the corpora, compute their spectrograms, make the model.

        Raises:
            ValueError: for whatever is wrong with a corpus, or a sentence to speak that has unknown symbols.
        """
        config, fit, corpus = self.config, self._rated(), self.corpus
        training, aside = self.checked()
        examples, held_out = self._examples(training, training), self._examples(aside, training)
        refuse_nonfinite(held_out)
        together = partial(self.asks.batch, silence=config.spec().silence)
        pace = Pace.of(config.reduction, config.reduction_falls)
        model = Xtts(
            SIZES[config.size],
            len(corpus.symbols),
            len(self.languages),
            config.spec().bands,
            config.reduction,
            mutual=config.weight_mmi > 0,
        )
        model.decoder.rate.fill_(symbols_a_frame(examples))
        optimizer = made(model.parameters(), fit)
        schedule = scheduled(optimizer, fit)

        def losses_now(batch: Batch) -> Losses:
            model.frames.pace(pace.at(schedule.last_epoch))  # from the run's own state: a replayed step has the same
            return self._losses(model, batch, schedule.last_epoch)

        short = corpus.short(examples, fit.batch_size)
        often = [short[place] for place in taken([one["group"] for one in short], config.balance)]
        return Parts(
            model=model,
            optimizer=optimizer,
            scheduler=schedule,
            losses=losses_now,
            data=Stream(often, fit.batch_size, fit.seed, together),
            held_out=[together(held_out[start : start + 16]) for start in range(0, len(held_out), 16)],
            weights=config.weights(),
            plan=plan(asdict(config) | asdict(fit)),
            state=(corpus.kept(training, aside), self.languages, Paced(model.frames)),
            target="mel",
            adaptable=tuple(CODES),
            anchor="mel_post",
        )

    @cached_property
    def corpus(self) -> Corpus:
        """The clips, read once."""
        return self.read or Corpus(self.config)

    @cached_property
    def languages(self) -> Languages:
        """The languages of the corpora."""
        return Languages.of([clip.language for clip in (*self.corpus.clips, *self.corpus.validation)])

    @cached_property
    def voiceprint(self) -> Voiceprint:
        """The speaker encoder of speaker consistency."""
        return Voiceprint.load().on(chosen(self.fit.device))

    @property
    def asks(self) -> Voices:
        """What examples hold beside text and spectrogram."""
        return Voices(self.languages, self.config.spec())

    def checked(self) -> tuple[list[Clip], list[Clip]]:
        """Refuse what can be refused before any spectrogram is computed; return clips to train and to measure on."""
        Pace.of(self.config.reduction, self.config.reduction_falls)
        if self.config.weight_speaker:
            _ = self.voiceprint  # a missing one is told now
        return self.corpus.checked(self.speak)

    def odd(self, progress: Named) -> list[str]:
        """Check everything, then look through the recordings and their texts; return what is odd, a line each."""
        self.checked()  # what is refused is refused before an hour of looking
        return self.corpus.odd(progress)

    def compute(self, progress: Named) -> None:
        """Check everything, then compute the spectrograms that are missing."""
        training, aside = self.checked()
        self.corpus.spectrograms([*training, *aside], partial(progress, "spectrograms"))

    def fitted(self) -> XttsTask:
        """Return the task with batches by memory and steps by epochs, where that is asked for; nothing is read anew."""
        training, _ = self.checked()
        short = self.corpus.short(self._examples(training, training), 1)
        often = taken([one["group"] for one in short], self.config.balance)
        fit = fitted(self._rated(), clips=len(short), taken=len(often), epochs=self.config.epochs)
        return replace(self, fit=fit, read=self.corpus)

    def evaluate(self, model: nn.Module, batches: Iterable[Any]) -> Mapping[str, float]:
        """Measure teacher-forced and free-running metrics, and the plain losses, on held-out batches."""
        assert isinstance(model, Xtts)
        return evaluate(model, list(batches), self.config.plain())

    def figures(self, model: nn.Module, batches: Iterable[Any], *, last: bool) -> Mapping[str, Picture | Sound]:
        """Draw the free-running alignment of the first held-out clip; at the end also speak."""
        assert isinstance(model, Xtts)
        sentences = {one: self.corpus.spoken(one) for one in (self.speak if last else ())}
        return figures(model, batches, self.config.spec(), sentences)

    def _rated(self) -> FitConfig:
        """The loop's settings with the rate of the network's size, where that is asked for."""
        return self.fit if self.fit.lr else replace(self.fit, lr=SIZES[self.config.size].rate)

    def _losses(self, model: Xtts, batch: Batch, step: int) -> Losses:
        trained = model(self._cropped(batch))
        named = losses(trained, batch, self.config.shape(step))
        output = trained.output
        signals = {
            "alignment": output.alignment,
            "mel": output.mel_post,
            "divergence": divergence(trained.latent).mean().detach(),
        }
        if model.recogniser is not None:
            mel = self.config.weight_mel * (named["mel"] + named["mel_post"])
            named["mmi"], signals["mmi_factor"] = mutual(model.recogniser, output, batch, mel, self.config.mmi_most)
        if self.config.weight_speaker:
            spec = self.config.spec()
            said, length = batch["mel"], batch["mel_length"]
            named["speaker"] = consistency(self.voiceprint, output.mel_post, said, length, spec)
        return Losses(signals, **named)

    def _cropped(self, batch: Batch) -> Batch:
        """Draw a window of each reference, so that a voice is not known by one stretch of one recording."""
        most = max(1, round(self.config.spec().frames(self.config.reference_seconds)))
        mel, length = batch["reference"], batch["reference_length"]
        start = (torch.rand(len(mel), device=mel.device) * (length - most + 1).clamp(min=1)).long()
        frame = (start[:, None] + torch.arange(min(most, mel.shape[1]), device=mel.device)).clamp(max=mel.shape[1] - 1)
        cut = mel.gather(1, frame[:, :, None].expand(-1, -1, mel.shape[2]))
        return {**batch, "reference": cut, "reference_length": length.clamp(max=most)}

    def _examples(self, clips: Sequence[Clip], voices: Sequence[Clip]) -> list[dict[str, Any]]:
        asked = self.asks.of_clips(clips, voices, self.corpus.spectrograms)
        examples = zip(self.corpus.examples(clips), asked, clips, strict=True)
        return [{**example, **more, "group": _group(clip)} for example, more, clip in examples]


def _group(clip: Clip) -> tuple[str, str]:
    """What is heard as often as others are: a speaker in a language."""
    return clip.language, clip.speaker


def symbols_a_frame(examples: Sequence[Mapping[str, Any]]) -> float:
    """Return how many symbols a frame has in these clips."""
    return sum(len(one["text"]) for one in examples) / sum(len(one["mel"]) for one in examples)
