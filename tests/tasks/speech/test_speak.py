from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
import torch

from rerail.audio.mel import MelSpec
from rerail.audio.vocoder import vocoder
from rerail.tasks.speech.speak import Voice, sentences, speak, written
from rerail.tasks.speech.trained import Trained
from rerail.tasks.tacotron2.trained import load

VOICE = Voice(vocoder=vocoder("griffin-lim", MelSpec()), most_seconds=0.5, threshold=1.0)  # the gate never stops it


@pytest.fixture
def trained(trained_run: Path) -> Trained:
    return load(trained_run)


def test_a_sentence_sounds_the_same_whatever_is_spoken_beside_it(trained: Trained) -> None:
    one, _ = speak(trained, ["Please hold.", "Good bye."], VOICE)
    (alone,) = speak(trained, ["Please hold."], VOICE)
    assert torch.equal(one.samples, alone.samples)
    other = replace(VOICE, seed=1)
    assert not torch.equal(next(speak(trained, ["Please hold."], other)).samples, alone.samples)


def test_what_the_gate_does_is_told(trained: Trained) -> None:
    def said(threshold: float) -> str:
        voice = replace(VOICE, threshold=threshold)
        return next(speak(trained, ["Please hold."], voice)).told()

    assert "stopped by its gate" in said(0.0)
    assert "cut off: the gate did not say stop" in said(1.0)
    assert said(1.0).startswith("0.4")  # within the half second asked for


def test_speech_that_ends_as_all_was_read_is_not_called_stopped(trained: Trained) -> None:
    voice = replace(VOICE, most_seconds=5.0)
    with torch.no_grad():
        deaf = load(trained.source)
        deaf.model.decoder.attend = lambda _, __, ___, seen: seen._replace(weights=last(seen.weights))
        (spoken,) = speak(deaf, ["Please hold."], voice)
    assert spoken.told().startswith("0.5")  # half a second on the last symbol
    assert "ended as all was read, not by its gate" in spoken.told()
    assert spoken.finished
    assert not spoken.stopped


def last(weights: torch.Tensor) -> torch.Tensor:
    """All attention on the last symbol; (batch, symbols)."""
    return torch.nn.functional.one_hot(torch.tensor([weights.shape[1] - 1]), weights.shape[1]).float()


def test_the_alignment_is_measured_and_can_be_drawn(trained: Trained) -> None:
    (spoken,) = speak(trained, ["Please hold."], VOICE)
    assert -1.0 < spoken.diagonality < 1.0
    assert spoken.picture().caption == "Please hold."
    assert len(spoken.picture().values) == len(trained.numbers("Please hold.", ""))
    assert spoken.seconds == len(spoken.samples) / 16000
    assert float(spoken.samples.abs().max()) == pytest.approx(0.9)


def test_no_sentence_is_spoken_where_one_cannot_be(trained: Trained) -> None:
    with pytest.raises(ValueError, match="unknown symbols"):
        speak(trained, ["Please hold.", "\u044f"], VOICE)


def test_a_model_that_gives_no_sound_is_not_made_to(trained: Trained) -> None:
    broken = load(trained.source)
    with torch.no_grad():
        broken.model.postnet.convolutions[-1][0].conv.bias.fill_(math.inf)  # type: ignore[index, union-attr]
    with pytest.raises(ValueError, match="mel values are not finite; nothing can be spoken"):
        next(speak(broken, ["Please hold."], VOICE))


def test_nothing_is_overwritten(trained: Trained, tmp_path: Path) -> None:
    (spoken,) = speak(trained, ["Please hold."], VOICE)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/speech-1.wav").write_text("mine")
    paths = [written(tmp_path / "out", spoken, 16000) for _ in range(2)]
    assert [path.name for path in paths] == ["speech-2.wav", "speech-3.wav"]
    assert (tmp_path / "out/speech-1.wav").read_text() == "mine"
    assert soundfile.info(paths[0]).duration == pytest.approx(spoken.seconds, abs=1e-3)
    with pytest.raises(ValueError, match="is a file, and a folder is needed"):
        written(tmp_path / "out/speech-1.wav", spoken, 16000)


def test_sentences_come_from_the_command_line_and_a_file(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("\ufeffTwo.\n\n  \nThree.\n", encoding="utf8")
    assert sentences(["One."], str(tmp_path / "list.txt")) == ("One.", "Two.", "Three.")
    (tmp_path / "other.txt").write_bytes(b"\xff")
    for file, reason in (
        ("", "no sentence is given"),
        ("nowhere", "no such file"),
        ("other.txt", "not UTF-8 at byte 0"),
    ):
        with pytest.raises(ValueError, match=reason):
            sentences([" "], file and str(tmp_path / file))
