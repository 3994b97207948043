"""What a halted run leaves for its owner: the batch, the state, the proof, and a script that fails the same way."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rerail.act.state import Parts, finite, restore
from rerail.core import plain
from rerail.core.cause import Cause
from rerail.core.knobs import Knobs
from rerail.core.operations import edge
from rerail.core.trial import Operation
from rerail.prove.attempt import LossFunction, Recipe, attempt
from rerail.prove.replay import Scene
from rerail.prove.trace import quietly_traced

SCRIPT = '''"""Fails as tick {tick} of the run did: python reproduce.py"""

# Your own function, which returns the model, the optimizers (a list) and the losses function as the run had them:
from train import build

from rerail.prove.evidence import reproduce

model, optimizers, losses = build()  # losses: {losses}
print(reproduce(__file__, model, optimizers, losses))
'''


def write(folder: Path, scene: Scene, cause: Cause, recipe: Recipe) -> Path:
    """Write the evidence into `folder`, whole: `batch.pt`, `state.pt`, `cause.json` and `reproduce.py`."""
    folder.mkdir(parents=True, exist_ok=True)
    how = {"weights": dict(recipe.weights), "precision": recipe.precision, "knobs": plain.dump(scene.knobs)}
    _save_batches(folder / "batch.pt", list(scene.entry.batches), how)
    torch.save(dict(scene.now), folder / "state.pt")
    advice = edge(cause.operation) if cause.operation else None
    told = {"tick": scene.live.tick, "cause": plain.dump(cause), "explanation": plain.dump(advice) if advice else None}
    (folder / "cause.json").write_text(json.dumps(told, indent=2, ensure_ascii=False), encoding="utf8")
    name = f"{recipe.losses.__module__}.{getattr(recipe.losses, '__qualname__', type(recipe.losses).__name__)}"
    (folder / "reproduce.py").write_text(SCRIPT.format(tick=scene.live.tick, losses=name), encoding="utf8")
    return folder


def _save_batches(path: Path, batches: list[Any], how: Mapping[str, Any]) -> None:
    # What cannot be read back without running code from the file is written as plain containers.
    try:
        torch.save({"batches": batches, **how}, path)
        torch.load(path, weights_only=True)
    except (pickle.PickleError, AttributeError, TypeError):
        torch.save({"batches": [_plainly(one) for one in batches], "simplified": True, **how}, path)


def _plainly(part: Any) -> Any:  # noqa: ANN401 (a batch is anything)
    if isinstance(part, np.ndarray) and part.dtype.kind in "fiub":
        return torch.from_numpy(part.copy())
    if isinstance(part, np.generic):
        return part.item()
    if is_dataclass(part) and not isinstance(part, type):
        return {one.name: _plainly(getattr(part, one.name)) for one in fields(part)}
    if isinstance(part, Mapping):
        return {str(key): _plainly(value) for key, value in part.items()}
    if isinstance(part, Sequence | np.ndarray) and not isinstance(part, str | bytes):
        return [_plainly(one) for one in part]
    return part if isinstance(part, Tensor | str | bool | int | float | None) else str(part)


def reproduce(script: str | Path, model: nn.Module, optimizers: Sequence[Any], losses: LossFunction) -> str:
    """Put the state beside `script` into `model`, run its batch once, traced, and say what happened.

    Raises:
        ValueError: where there is no evidence, or it is of another model.
    """
    folder = Path(script).resolve().parent
    if not (folder / "state.pt").is_file():
        raise ValueError(f"{folder} holds no evidence; run the script where rerail wrote it")
    saved = torch.load(folder / "batch.pt", weights_only=True)
    state = torch.load(folder / "state.pt", weights_only=True)
    parts = Parts(model=model, optimizers=list(optimizers))
    try:
        restore(parts, {**state, "others": []})
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(f"the evidence is of another model: {error}; build it as the run did") from error
    device = next(model.parameters()).device.type
    recipe = Recipe(losses=losses, weights=saved["weights"], device=device, precision=saved["precision"])
    told = _told(model, recipe, saved["batches"], plain.load(Knobs, saved["knobs"]))
    return f"the batch was of a kind of its own and is a plain one here\n{told}" if saved.get("simplified") else told


def _told(model: nn.Module, recipe: Recipe, batches: Sequence[Any], knobs: Knobs) -> str:
    model.zero_grad(set_to_none=True)
    with quietly_traced(model, batches) as tracer:
        made = attempt(recipe, batches, knobs, on_part=tracer.part)
    gradients = [one.grad for one in model.parameters() if one.grad is not None]
    ends = [*made.scalars.values(), *gradients]
    losses = ", ".join(f"{name} {float(value):.6g}" for name, value in made.scalars.items())
    if finite(ends):
        return f"every number is finite: {losses}"
    operation = tracer.culprit(ends)
    return f"{losses}\nfirst made by: {_where(operation)}" if operation else losses


def _where(made: Operation) -> str:
    if made.origin != "operation":
        return f"the {made.origin} {made.module}".strip()
    known = edge(made)
    advice = f"\n{known.why}\n{known.fix}" if known else ""
    return f"{made.name} {made.node} at {made.line}{advice}"
