from __future__ import annotations

from pathlib import Path

import pytest
import torch

import wreckage
from rerail import past
from rerail.core.damage import Damage
from rerail.tasks.tacotron2.recovery import ladder
from rerail.tasks.tacotron2.recovery.asked import Asked, wreck
from rerail.tasks.tacotron2.recovery.decide import Looked, Source
from rerail.tasks.tacotron2.recovery.examine import Bench, bench
from rerail.tasks.tacotron2.recovery.ladder import Candidate, Rung
from rerail.tasks.tacotron2.recovery.states import start, under
from rerail.tasks.tacotron2.task import Tacotron2Task


@pytest.fixture
def at(run: Path) -> Bench:
    found = wreck(Asked(run=str(run)))
    return bench(Tacotron2Task(found.config, found.fit), found.fit)


def newest(run: Path, *codes: str) -> tuple[past.Checkpoint, Looked]:
    saved = past.saved(run)[-1]
    damages = tuple(Damage(code=code, where="embedding.weight") for code in codes)
    return saved, Looked(name=saved.path.name, step=saved.step, damages=damages)


def test_a_fresh_optimizer_has_the_rate_that_the_schedule_had_there(run: Path, at: Bench) -> None:
    saved, looked = newest(run)
    begun = start(at, saved, looked, salvage=False)
    assert begun is not None
    candidate = Candidate(source=Source(looked=looked), rung=Rung(name=ladder.FRESH, fresh_optimizer=True))
    own, made = begun.state, under(candidate, begun, at, at.fit)
    (group,), (before,) = made["optimizers"][0]["param_groups"], own["optimizers"][0]["param_groups"]
    assert group["lr"] == pytest.approx(before["lr"])
    assert made["optimizers"][0]["state"] == {}
    ours, its = made["others"][0], own["others"][0]
    assert (ours["base_lrs"], ours["last_epoch"]) == (its["base_lrs"], its["last_epoch"])
    assert made["position"] == own["position"]
    assert made["memory"]["detectors"] == own["memory"]["detectors"]


def test_a_salvage_forgets_what_was_learned_of_other_weights(run: Path, at: Bench) -> None:
    wreckage.rewrite(wreckage.checkpoints(run)[-1], wreckage.embedding_nan)
    saved, looked = newest(run, "weights.nonfinite")
    begun = start(at, saved, looked, salvage=True)
    assert begun is not None
    assert [one.name for one in begun.replaced] == ["embedding.weight"]
    made = under(Candidate(source=Source(looked=looked, salvage=True), rung=Rung(name=ladder.OWN)), begun, at, at.fit)
    assert made["memory"] == {"tick": 60, "detectors": {}, "ledger": {"episodes": {}, "doses": []}}
    assert made["optimizers"][0]["state"] == {}


def test_a_collapsed_attention_is_salvaged_whole_and_alone(run: Path, at: Bench) -> None:
    saved, looked = newest(run, "attention.lost")
    begun = start(at, saved, looked, salvage=True)
    assert begun is not None
    own = past.load(saved.path)["model"]
    changed = {name for name, one in begun.state["model"].items() if not torch.equal(one, own[name])}
    assert changed == {one.name for one in begun.replaced}
    assert all(name.startswith("decoder.attention_layer.") for name in changed)
    assert len(changed) == 5


def test_a_checkpoint_of_another_network_gives_nothing(run: Path, at: Bench) -> None:
    saved, looked = newest(run, "file.damaged")

    def other(state: wreckage.State) -> None:
        state["model"]["embedding.weight"] = torch.zeros(2, 2)

    wreckage.rewrite(saved.path, other)
    assert start(at, saved, looked, salvage=True) is None
