from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rerail.data import demo
from rerail.fit import FitConfig
from rerail.tasks.speech.pace import Pace, Paced
from rerail.tasks.tacotron2.model import Tacotron2
from rerail.tasks.tacotron2.settings import Tacotron2Config
from rerail.tasks.tacotron2.task import Tacotron2Task

KEYS = ("text", "text_length", "mel", "mel_length")


def test_frames_a_step_fall_at_the_steps_given() -> None:
    pace = Pace.of(5, "100:3,1000:1")
    assert [pace.at(step) for step in (0, 99, 100, 999, 1000, 10**6)] == [5, 5, 3, 3, 1, 1]
    assert Pace.of(2, "").at(10**6) == 2


@pytest.mark.parametrize(
    ("falls", "words"),
    [
        ("100", "write e.g. 1000:2"),
        ("100:2;200:1", "write e.g. 1000:2"),
        ("100:3", "does not fall from 3"),
        ("100:1,200:2", "does not fall"),
        ("200:2,100:1", "does not fall"),
        ("100:0", "at 1 or more"),
    ],
)
def test_what_does_not_fall_is_refused_in_words(falls: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Pace.of(3, falls)


def test_a_network_at_fewer_frames_speaks_as_many_a_step(tiny: Tacotron2, batch: dict[str, Any]) -> None:
    tiny.eval().frames.pace(2)
    output = tiny(*(batch[key] for key in KEYS))
    assert output.gate_logits.shape == (3, 16)
    assert output.mel.shape == (3, 31, 8)
    spoken = tiny.generate(batch["text"], batch["text_length"], max_frames=30, threshold=1.0)
    assert spoken.gate_logits.shape == (3, 15)
    forced = tiny(batch["text"], batch["text_length"], spoken.mel, spoken.mel_length)
    assert torch.allclose(forced.mel, spoken.mel, atol=1e-4)


def test_fewer_frames_are_the_last_ones_heard_and_the_first_ones_said(tiny: Tacotron2, batch: dict[str, Any]) -> None:
    """A network built narrow, of the wide one's weights for those frames, is the same one."""
    tiny.eval().frames.pace(1)
    narrow = Tacotron2(tiny.size, 12, bands=8, reduction=1).eval()
    weights = tiny.state_dict()
    heard = "decoder.prenet.layers.0.linear_layer.weight"
    said = "decoder.linear_projection.linear_layer"
    weights[heard] = weights[heard][:, -8:]
    weights |= {f"{said}.{name}": weights[f"{said}.{name}"][:8] for name in ("weight", "bias")}
    narrow.load_state_dict(weights)
    arguments = [batch[key] for key in KEYS]
    assert torch.equal(tiny(*arguments).mel_post, narrow(*arguments).mel_post)


def test_more_frames_than_built_for_are_refused(tiny: Tacotron2) -> None:
    with pytest.raises(ValueError, match="1 to 3 frames a step, got 4"):
        tiny.frames.pace(4)


def test_the_task_slows_down_by_its_own_steps_and_a_resumed_model_knows_its_pace(tmp_path: Path) -> None:
    config = Tacotron2Config(data=str(demo.folder()), cache=str(tmp_path), size="tiny", reduction=4)
    task = Tacotron2Task(replace(config, reduction_falls="2:3"), FitConfig(steps=3))
    parts = task.build()
    model, batch = parts.model, next(iter(parts.data))
    assert isinstance(model, Tacotron2)
    seen = []
    for _ in range(3):
        losses = parts.losses(batch)
        assert torch.isfinite(torch.stack(list(dict(losses).values()))).all()
        seen.append(model.frames.reduction)
        parts.optimizer.step()
        parts.scheduler.step()
    assert seen == [4, 4, 3]
    saved = parts.state[1].state_dict()
    model.frames.pace(4)
    Paced(model.frames).load_state_dict(saved)
    assert model.frames.reduction == 3
