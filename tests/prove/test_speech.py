"""End to end on real speech: a corrupted clip, a clip too short for its text, a symbol that no audio belongs to."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from rerail.audio import files
from rerail.audio.mel import MelSpec
from rerail.data import demo, ljspeech
from rerail.data.clip import Clip
from rerail.data.features import Features
from rerail.guard import Guard, Keep
from rerail.tell import journal
from rerail.text.normalise import normalise
from rerail.text.symbols import Symbols

SIZE, FAULTS = 8, {"corrupted": 14, "short": 20, "silent symbol": 26}
SPEC = MelSpec()


class Reader(nn.Module):
    """Letters from frames (CTC), and the energy of each symbol's own frames from the symbol."""

    def __init__(self, symbols: int) -> None:
        super().__init__()
        self.listen = nn.Sequential(nn.Conv1d(80, 48, 5, padding=2), nn.ReLU(), nn.Conv1d(48, symbols, 3, padding=1))
        self.energy = nn.Embedding(symbols, 1)

    def losses(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        heard = self.listen(batch["mel"].transpose(1, 2)).permute(2, 0, 1).log_softmax(2)
        ctc = functional.ctc_loss(heard, batch["text"], batch["mel_length"], batch["text_length"], reduction="none")
        inside = torch.arange(batch["text"].shape[1]) < batch["text_length"][:, None]
        owner = batch["owner"]  # (batch, frames): which symbol each frame belongs to
        level = batch["mel"].mean(2)
        sums = torch.zeros(batch["text"].shape).scatter_add(1, owner, level)
        frames = torch.zeros(batch["text"].shape).scatter_add(1, owner, torch.ones_like(level))
        spoken = sums / torch.where(inside, frames, 1.0)  # the mean over a symbol's frames
        guess = self.energy(batch["text"]).squeeze(2)
        return {"ctc": (ctc / batch["text_length"]).mean(), "energy": (guess - spoken)[inside].square().mean() / 10}


def corpus(folder: Path) -> tuple[list[Clip], dict[str, str]]:
    """The embedded clips, three of them spoilt; and which."""
    shutil.copytree(demo.folder(), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    clips = ljspeech.read(folder)
    names = dict(zip(FAULTS, (clip.id for clip in clips[40:43]), strict=True))
    spoilt = {clip.id: clip.path for clip in clips}
    samples = files.read(spoilt[names["corrupted"]], 16000)
    samples[5000:6000] = math.nan
    cut = files.read(spoilt[names["short"]], 16000)[4000:5500]
    for name, sound in ((names["corrupted"], samples), (names["short"], cut)):
        spoilt[name].unlink()
        soundfile.write(spoilt[name].with_suffix(".wav"), sound.numpy(), 16000, subtype="FLOAT")
    lines = (folder / "metadata.csv").read_text().splitlines()
    lines = [f"{line[:-1]}~{line[-1]}" if line.startswith(f"{names['silent symbol']}|") else line for line in lines]
    (folder / "metadata.csv").write_text("\n".join(lines))
    return ljspeech.read(folder), names


def examples(clips: list[Clip], cache: Path) -> dict[str, dict[str, Any]]:
    texts = {clip.id: normalise(clip.text) for clip in clips}
    symbols = Symbols.of(texts.values())
    made = {}
    for clip, mel in zip(clips, Features(folder=cache, spec=SPEC).prepare(clips), strict=True):
        text = torch.tensor(symbols.encode(texts[clip.id]))
        heard = [place for place, letter in enumerate(texts[clip.id]) if letter != "~"] + [len(text) - 1]
        owner = torch.tensor(heard)[torch.arange(len(mel)) * len(heard) // len(mel)]  # the frames shared out in order
        made[clip.id] = {"id": clip.id, "text": text, "mel": mel, "owner": owner}
    return made


def collated(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": [row["id"] for row in rows],
        "text": pad_sequence([row["text"] for row in rows], batch_first=True),
        "text_length": torch.tensor([len(row["text"]) for row in rows]),
        "mel": pad_sequence([row["mel"] for row in rows], batch_first=True, padding_value=SPEC.silence),
        "mel_length": torch.tensor([len(row["mel"]) for row in rows]),
        "owner": pad_sequence([row["owner"] for row in rows], batch_first=True, padding_value=0),
    }


@pytest.mark.filterwarnings("ignore")
def test_each_bad_clip_is_found_by_id_with_its_component_and_the_run_goes_on(tmp_path: Path) -> None:
    clips, names = corpus(tmp_path / "corpus")
    rows = examples(clips, tmp_path / "cache")
    good = [one for one in rows if one not in names.values()]
    torch.manual_seed(0)
    model = Reader(len(Symbols.of(normalise(clip.text) for clip in clips)))
    guard = Guard(
        model,
        torch.optim.Adam(model.parameters(), 5e-3),
        model.losses,
        run=tmp_path / "run",
        keep=Keep(snapshot_every=5, probation=3),
    )
    at = {step: names[fault] for fault, step in FAULTS.items()}
    for step in range(40):
        chosen = [good[(step * 5 + row * 3) % len(good)] for row in range(SIZE)]
        if step in at:
            chosen[step % SIZE] = at[step]
        guard.step(collated([rows[one] for one in chosen]))
    guard.close()
    causes = [one for one in journal.read(tmp_path / "run") if one["kind"] == "cause"]
    assert [one["samples"] for one in causes] == [[names[fault]] for fault in FAULTS]
    corrupted, short, silent = causes
    assert (corrupted["cause"], corrupted["operation"]["origin"]) == ("data", "batch")
    # six frames for forty symbols: most symbols have no frame either, so both components fail and none alone
    assert (short["cause"], short["component"], short["operation"]["name"]) == ("data", "", "_ctc_loss")
    assert (silent["cause"], silent["component"], silent["operation"]["name"]) == ("code", "energy", "div")
    assert "sums / torch.where(inside, frames, 1.0)" in silent["operation"]["line"]
    assert "longer than its input" in short["explanation"]["why"]
    assert guard._quarantine.ids == set(names.values())
    assert guard.steps == 40
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
