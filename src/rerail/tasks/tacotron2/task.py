"""Tacotron2 as a task of the training loop: parts, held-out metrics, pictures and sounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rerail.audio.files import encode_wav
from rerail.audio.griffin_lim import griffin_lim
from rerail.data import ljspeech
from rerail.data.alike import letters
from rerail.data.batches import Stream, collate
from rerail.data.clip import Clip
from rerail.data.features import Features
from rerail.data.problems import listed
from rerail.data.progress import Progress
from rerail.data.split import split
from rerail.fit import FitConfig, Losses, Parts, Picture, Sound, warmup_cosine
from rerail.tasks.tacotron2.config import SIZES
from rerail.tasks.tacotron2.evaluate import evaluate
from rerail.tasks.tacotron2.losses import losses
from rerail.tasks.tacotron2.model import Output, Tacotron2
from rerail.tasks.tacotron2.mutual import Recogniser, Scaled, balance, mmi_loss
from rerail.tasks.tacotron2.pace import Pace, Paced
from rerail.tasks.tacotron2.plan import plan
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.text.normalise import normalise
from rerail.text.symbols import Symbols

SECONDS_A_SYMBOL = 0.25  # free-running speech that goes on for longer has not found its end


@dataclass(frozen=True)  # without slots: the corpus is read once and kept
class Tacotron2Task:
    """Trains a Tacotron2. `speak` are sentences to synthesise at the end, in the language of the data."""

    config: Tacotron2Config
    fit: FitConfig
    speak: tuple[str, ...] = ()

    def build(self) -> Parts:
        """Read the corpus, compute its spectrograms, make the model.

        Raises:
            ValueError: for whatever is wrong with the corpus, or a sentence to speak that has unknown symbols.
        """
        config, fit, symbols = self.config, self.fit, self.symbols
        training, aside = self.checked()
        held_out = self._examples(aside)
        refuse_nonfinite(held_out)
        together = partial(collate, silence=config.spec().silence)
        tailed = partial(together, tail=config.tail_frames())
        pace = Pace.of(config.reduction, config.reduction_falls)
        model = Tacotron2(
            SIZES[config.size],
            len(symbols),
            config.spec().bands,
            config.reduction,
            config.attention,
            compiled=config.compiled,
            mutual=config.weight_mmi > 0,
        )
        model.decoder.frame_drop = config.frame_drop
        optimizer = torch.optim.Adam(model.parameters(), fit.lr, weight_decay=fit.weight_decay)
        schedule = warmup_cosine(optimizer, steps=fit.steps, warmup=fit.warmup, floor=fit.lr_floor)

        def losses_at_pace(batch: Mapping[str, Any]) -> Losses:
            model.pace(pace.at(schedule.last_epoch))  # from the run's own state: a replayed step has the same
            return self._losses(model, batch)

        return Parts(
            model=model,
            optimizer=optimizer,
            scheduler=schedule,
            losses=losses_at_pace,
            data=Stream(self._short(self._examples(training)), fit.batch_size, fit.seed, tailed),
            held_out=[together(held_out)],
            weights=config.weights(),
            plan=plan(moves=config.guide_moves),
            state=(Table(symbols), Paced(model)),
        )

    @cached_property
    def clips(self) -> list[Clip]:
        """The corpus."""
        if not self.config.data:
            raise ValueError("no data given; give a folder in LJSpeech layout by --data (or data: in the config)")
        return ljspeech.read(Path(self.config.data))

    def checked(self) -> tuple[list[Clip], list[Clip]]:
        """Refuse what can be refused before any spectrogram is computed; return the clips as `apart` does."""
        Pace.of(self.config.reduction, self.config.reduction_falls)
        if self.config.language:
            normalise("1", language=self.config.language)  # one that cannot be spelled
        for sentence in self.speak:
            self._spoken(sentence)
        return self.apart()

    def apart(self) -> tuple[list[Clip], list[Clip]]:
        """Return the clips to train on and those to measure on."""
        if not self.config.validation:
            return split(self.clips, self.config.held_out)
        paths = {clip.path.resolve() for clip in self.clips}
        texts = {letters(clip.text) for clip in self.clips}
        if both := [one.id for one in self.validation if one.path.resolve() in paths or letters(one.text) in texts]:
            raise ValueError(
                f"validation: {len(both)} clips or their texts are in data too, {both[0]} for one; give two lists apart"
            )
        return self.clips, self.validation[: self.config.held_out]

    @cached_property
    def validation(self) -> list[Clip]:
        """The clips of `validation`, none where some of the corpus are set aside."""
        return ljspeech.read(Path(self.config.validation)) if self.config.validation else []

    @cached_property
    def symbols(self) -> Symbols:
        """The symbols of the corpus."""
        return Symbols.of([self._text(clip) for clip in (*self.clips, *self.validation)])

    def compute(self, progress: Progress) -> None:
        """Check everything, then compute the spectrograms that are missing; `progress` is told (done, of how many)."""
        training, aside = self.checked()
        self._spectrograms([*training, *aside], progress)

    def evaluate(self, model: nn.Module, batches: Iterable[Any]) -> Mapping[str, float]:
        """Measure teacher-forced and free-running metrics on held-out batches."""
        assert isinstance(model, Tacotron2)
        return evaluate(model, batches)

    def figures(self, model: nn.Module, batches: Iterable[Any], *, last: bool) -> Mapping[str, Picture | Sound]:
        """Draw the free-running alignment of the first held-out clip; at the end also speak."""
        assert isinstance(model, Tacotron2)
        first = next(iter(batches))
        shown: dict[str, Picture | Sound] = {"alignment": self._alignment(model, first)}
        if last:
            for number, sentence in enumerate(self.speak, 1):
                shown[f"speech-{number}"] = self._speech(model, sentence)
        return shown

    def _losses(self, model: Tacotron2, batch: Mapping[str, Any]) -> Losses:
        output = model(batch["text"], batch["text_length"], batch["mel"], batch["mel_length"])
        named = losses(
            output,
            batch["mel"],
            batch["text_length"],
            tail=batch["tail"],
            positive=self.config.gate_positive,
            g=self.config.guide_width,
        )
        signals = {"alignment": output.alignment, "mel": output.mel_post}
        if model.recogniser is not None:
            mel = self.config.weight_mel * (named["mel"] + named["mel_post"])
            named["mmi"], signals["mmi_factor"] = self._mutual(model, model.recogniser, output, batch, mel)
        return Losses(signals, **named)

    def _mutual(
        self, model: Tacotron2, recogniser: Recogniser, output: Output, batch: Mapping[str, Any], mel: Tensor
    ) -> tuple[Tensor, Tensor]:
        factor = torch.ones((), device=output.hidden.device)
        heard = Scaled.apply(output.hidden, factor)  # type: ignore[no-untyped-call]
        frames = output.steps * model.reduction
        mmi = mmi_loss(recogniser(heard, model.reduction), frames, batch["text"], batch["text_length"])
        balance(factor, mel, mmi, output.hidden, heard, self.config.mmi_most)
        return mmi, factor

    def _examples(self, clips: list[Clip]) -> list[dict[str, Any]]:
        mels = self._spectrograms(clips)
        texts = [torch.tensor(self.symbols.encode(self._text(clip))) for clip in clips]
        return [{"id": clip.id, "text": text, "mel": mel} for clip, text, mel in zip(clips, texts, mels, strict=True)]

    def _spectrograms(self, clips: list[Clip], progress: Progress | None = None) -> list[Tensor]:
        """Return the clips' spectrograms; each recording is read once, since its place in the cache is a hash of it."""
        known = self._known
        if missing := [clip for clip in clips if clip.path not in known]:
            features = Features(folder=Path(self.config.cache), spec=self.config.spec())
            known |= zip((clip.path for clip in missing), features.prepare(missing, progress), strict=True)
        return [known[clip.path] for clip in clips]

    @cached_property
    def _known(self) -> dict[Path, Tensor]:
        """The spectrograms of recordings that were asked for."""
        return {}

    def _short(self, examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
        spec, longest = self.config.spec(), self.config.longest or math.inf
        short = [one for one in examples if len(one["mel"]) * spec.hop <= longest * spec.sample_rate]
        if len(short) < self.fit.batch_size <= len(examples):
            raise ValueError(
                f"longest: {len(short)} of {len(examples)} clips are at most {longest} s long, too few for a batch of "
                f"{self.fit.batch_size}; raise it, or lower batch_size"
            )
        return short

    def _spoken(self, sentence: str) -> list[int]:
        named = {clip.language for clip in self.clips}
        language = self.config.language or (named.pop() if len(named) == 1 else "")
        if not (text := normalise(sentence, language=language, stress=self.config.stress)):
            raise ValueError(f"--speak: {sentence!r} has nothing to say; write a sentence")
        return self.symbols.encode(text)

    def _text(self, clip: Clip) -> str:
        return normalise(clip.text, language=self.config.language or clip.language, stress=self.config.stress)

    def _alignment(self, model: Tacotron2, batch: Mapping[str, Any]) -> Picture:
        text, length = batch["text"][:1], batch["text_length"][:1]
        output = model.eval().generate(text, length, self._most_frames(int(length)), generator=_fixed())
        values = output.alignment[0, :, : int(length)].T.tolist()
        return Picture(values=values, x="decoder step", y="symbol", caption=f"free-running, held-out: {batch['id'][0]}")

    def _speech(self, model: Tacotron2, sentence: str) -> Sound:
        numbers = torch.tensor([self._spoken(sentence)])
        length = torch.tensor([numbers.shape[1]])
        output = model.eval().generate(numbers, length, self._most_frames(int(length)), generator=_fixed())
        samples = griffin_lim(output.mel_post[0], self.config.spec())
        samples = samples / samples.abs().max().clamp(min=1e-3) * 0.9
        return Sound(wav=encode_wav(samples, self.config.sample_rate), caption=f"synthesised, unseen text: {sentence}")

    def _most_frames(self, symbols: int) -> int:
        spec = self.config.spec()
        return int(symbols * SECONDS_A_SYMBOL * spec.sample_rate / spec.hop)


@dataclass(frozen=True, slots=True)
class Table:
    """The symbol table as a part of the run's state: a checkpoint without it could not be spoken with."""

    symbols: Symbols

    def state_dict(self) -> dict[str, Any]:
        """Return the table."""
        return {"symbols": list(self.symbols.table)}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """Compare with a saved table.

        Raises:
            ValueError: where the corpus has other symbols than the run began with.
        """
        saved, here = state_dict["symbols"], list(self.symbols.table)
        if saved != here:
            more, gone = sorted(set(here) - set(saved)), sorted(set(saved) - set(here))
            raise ValueError(f"the texts have other symbols than the run: new {more}, gone {gone}; give the same data")


def refuse_nonfinite(examples: list[dict[str, Any]]) -> None:
    """Refuse held-out examples whose `mel` is not finite.

    Raises:
        ValueError: naming them.
    """
    counts = {one["id"]: int((~torch.isfinite(one["mel"])).sum()) for one in examples}
    if bad := [f"{name}: {count} spectrogram values are not finite" for name, count in counts.items() if count]:
        raise ValueError(listed("held-out clips, which nothing could be measured on; restore or remove them", bad))


def _fixed() -> torch.Generator:
    return torch.Generator().manual_seed(0)
