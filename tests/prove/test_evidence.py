from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rerail.guard import Derailed, Guard, Keep
from rerail.prove.evidence import reproduce

TRAIN = """
import torch
from torch import nn

def build():
    model = nn.Linear(4, 1)
    def losses(batch):
        return {"root": (model(batch["x"]) * batch["on"].mean()).abs().sum().sqrt()}
    return model, [torch.optim.SGD(model.parameters(), 0.01)], losses
"""


def halted(folder: Path, **more: Any) -> Derailed:
    """From step 12 on a switch makes the root's argument 0, in every batch."""
    torch.manual_seed(0)
    model = nn.Linear(4, 1)

    def losses(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"root": (model(batch["x"]) * batch["on"].mean()).abs().sum().sqrt()}

    guard = Guard(
        model, torch.optim.SGD(model.parameters(), 0.01), losses, run=folder, keep=Keep(snapshot_every=5, probation=3)
    )
    with pytest.raises(Derailed) as raised:
        for step in range(60):
            guard.step({"x": torch.randn(6, 4), "on": torch.full((6,), float(step < 12)), **more})
    guard.close("halted")
    return raised.value


def test_a_halted_run_leaves_evidence_and_a_script_that_fails_the_same_way(tmp_path: Path) -> None:
    error = halted(tmp_path / "run")
    assert error.cause is not None
    assert error.cause.kind.value == "code"
    assert "no setting cures this" in str(error)
    (folder,) = (tmp_path / "run/evidence").iterdir()
    told = json.loads((folder / "cause.json").read_text())
    assert told["cause"]["operation"]["node"].startswith("Sqrt")
    assert "slope at 0" in told["explanation"]["why"]
    script = (folder / "reproduce.py").read_text()
    assert len(script.splitlines()) <= 10
    (folder / "train.py").write_text(TRAIN)
    ran = subprocess.run([sys.executable, "reproduce.py"], cwd=folder, capture_output=True, text=True, check=True)
    assert "first made by: div Sqrt" in ran.stdout
    assert ".sqrt()" in ran.stdout


def test_a_batch_of_a_kind_of_its_own_is_kept_as_a_plain_one(tmp_path: Path) -> None:
    halted(tmp_path / "run", id=np.array(list("abcdef")), where=Path("a.wav"), gain=np.ones(6))
    (folder,) = (tmp_path / "run/evidence").iterdir()
    (folder / "train.py").write_text(TRAIN)
    ran = subprocess.run([sys.executable, "reproduce.py"], cwd=folder, capture_output=True, text=True, check=True)
    assert "is a plain one here" in ran.stdout
    assert "first made by: div Sqrt" in ran.stdout


def test_evidence_of_another_model_is_refused(tmp_path: Path) -> None:
    halted(tmp_path / "run")
    (folder,) = (tmp_path / "run/evidence").iterdir()
    other = nn.Linear(5, 1)
    with pytest.raises(ValueError, match="of another model"):
        reproduce(folder / "reproduce.py", other, [torch.optim.SGD(other.parameters(), 0.1)], lambda _: torch.zeros(()))
    with pytest.raises(ValueError, match="holds no evidence"):
        reproduce(tmp_path / "reproduce.py", other, [], lambda _: torch.zeros(()))
