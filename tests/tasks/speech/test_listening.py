from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

import small_tacotron2
from rerail.audio import files
from rerail.audio.mel import MelSpec
from rerail.audio.trim import trim
from rerail.audio.vocoder import vocoder
from rerail.data.clip import Clip
from rerail.tasks.speech.assess import HeldOut, assess, held_out
from rerail.tasks.speech.listening import Heard, Panel, told
from rerail.tasks.speech.trained import Trained
from rerail.tasks.tacotron2.trained import load

VOCODER = vocoder("griffin-lim", MelSpec())


@pytest.fixture
def trained(trained_run: Path) -> Trained:
    return load(trained_run)


@pytest.fixture
def on(trained: Trained) -> HeldOut:
    return held_out(trained)


class Ear:
    """Understands recordings word by word, loses the first letter of what a vocoder made of them, and no more."""

    def __init__(self, on: HeldOut) -> None:
        self.recorded = [(trim(files.read(clip.path, 16000)), clip.text) for clip in on.clips]
        self.asked: list[tuple[int, str]] = []

    def __call__(self, samples: Tensor, rate: int, language: str) -> str:
        self.asked.append((rate, language))
        for sound, text in self.recorded:
            if torch.equal(sound, samples):
                return text.upper()
            if len(sound) == len(samples):  # through the vocoder it keeps its length
                return text[1:]
        return "..."


def test_each_sound_is_heard_and_the_rates_are_over_all_clips(trained: Trained, on: HeldOut) -> None:
    pytest.importorskip("jiwer", reason='nothing to count with; pip install "rerail[asr]"')
    ear = Ear(on)
    told: list[tuple[int, int]] = []
    panel = Panel(vocoder=VOCODER, ear=ear, language="en")
    found = assess(trained, on, panel, progress=lambda done, total: told.append((done, total)))
    assert found.scores["cer/recorded"] == 0.0
    assert 0.0 < found.scores["cer/copied"] < 0.1
    assert found.scores["cer/free"] == 1.0
    assert [one.scores["cer/recorded"] for one in found.clips] == [0.0, 0.0]
    assert [one.heard["free"] for one in found.clips] == ["...", "..."]
    assert set(ear.asked) == {(16000, "en")}
    assert told == [(1, 2), (2, 2)]
    assert "mos/free" not in found.scores


def test_opinions_are_averaged(trained: Trained, on: HeldOut) -> None:
    panel = Panel(vocoder=VOCODER, opinion=lambda samples, rate: len(samples) / rate)
    found = assess(trained, on, panel)
    seconds = [len(trim(files.read(clip.path, 16000))) / 16000 for clip in on.clips]
    assert found.scores["mos/recorded"] == pytest.approx(sum(seconds) / len(seconds))
    assert [one.scores["mos/recorded"] for one in found.clips] == pytest.approx(seconds)
    assert not any(name.startswith("cer") for name in found.scores)


def test_a_clip_is_listened_to_in_its_own_language_where_none_is_given(trained: Trained, tmp_path: Path) -> None:
    corpus = small_tacotron2.corpus(tmp_path / "corpus")
    lines = [f"{line}||de" for line in (corpus / "metadata.csv").read_text().splitlines()[:2]]
    (corpus / "metadata.csv").write_text("\n".join(["id|text|speaker|language", *lines]))
    asked: list[str] = []

    def ear(_: Tensor, __: int, language: str) -> str:
        asked.append(language)
        return "x"

    pytest.importorskip("jiwer", reason='nothing to count with; pip install "rerail[asr]"')
    assess(trained, held_out(trained, data=str(corpus)), Panel(vocoder=VOCODER, ear=ear))
    assert asked == ["de"] * 6


def test_a_voice_is_compared_with_recordings_of_its_speaker_and_of_others(trained: Trained, tmp_path: Path) -> None:
    corpus = small_tacotron2.corpus(tmp_path / "corpus")
    lines = [
        f"{line}|{who}|en" for line, who in zip((corpus / "metadata.csv").read_text().splitlines(), "aab", strict=False)
    ]
    (corpus / "metadata.csv").write_text("\n".join(["id|text|speaker|language", *lines]))
    on = held_out(trained, data=str(corpus))
    recorded = [trim(files.read(clip.path, 16000)) for clip in on.clips]

    def speaker(samples: Tensor, _: int) -> Tensor:
        known = next((place for place, one in enumerate(recorded) if torch.equal(one, samples)), None)
        return torch.tensor({0: [1.0, 0.0], 1: [0.6, 0.8], 2: [0.0, 1.0], None: [0.8, 0.6]}[known])

    found = assess(trained, on, Panel(vocoder=VOCODER, speaker=speaker))
    assert found.scores["voice/recorded/own"] == pytest.approx(0.6)  # of the first two with one another
    assert found.scores["voice/recorded/others"] == pytest.approx((0.0 + 0.8 + 0.0 + 0.8) / 4)
    assert found.scores["voice/free/own"] == pytest.approx((0.96 + 0.8) / 2)
    assert found.clips[2].scores["voice/free/others"] == pytest.approx((0.8 + 0.96) / 2)
    assert "voice/free/own" not in found.clips[2].scores  # there is no other recording of that speaker


def test_what_was_said_is_also_counted_against_another_text(trained: Trained, on: HeldOut) -> None:
    pytest.importorskip("jiwer", reason='nothing to count with; pip install "rerail[asr]"')
    said = iter([on.clips[0].text] * 3 + [on.clips[1].text] * 3)
    found = assess(trained, on, Panel(vocoder=VOCODER, ear=lambda *_: next(said)))
    assert found.scores["cer/free"] == 0.0
    assert found.scores["cer/other"] > 0.5


def test_the_same_words_again_are_no_other_text() -> None:
    clips = [
        Clip(id=str(number), path=Path(str(number)), text=text, language="en")
        for number, text in enumerate(("Yes.", "yes", "no"))
    ]
    heard = [
        Heard(clip=clip, words=dict.fromkeys(("free", "copied", "recorded"), "yes"), opinions={}, voices={})
        for clip in clips
    ]
    panel = Panel(vocoder=VOCODER, ear=lambda _samples, _rate, _language: "yes")
    assert told(heard[:2], panel).get("cer/other") is None
    assert told(heard, panel)["cer/other"] == pytest.approx((3 + 3 + 0) / (2 + 2 + 3))  # against no, no, yes
    nearer = {name: told(heard, panel)[f"cer/nearer{name}"] for name in ("", "/chance")}
    assert nearer == {"": pytest.approx(2 / 3), "/chance": 1.0}  # "yes" for "no" is the one that is not
    told_of = told(heard[:1] + heard[2:], panel)
    assert (told_of["cer/nearer"], told_of["cer/nearer/chance"]) == (0.5, 1.0)
