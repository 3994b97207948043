from __future__ import annotations

from pathlib import Path

from rerail.tell import journal, story
from rerail.tell.report import proofs
from rerail.tell.story import Intervention


def test_a_proof_tells_cause_trials_remedy_and_outcome(realistic_run: Path) -> None:
    data, unknown, half = proofs.proofs(story.gather(journal.read(realistic_run), name="x").interventions)
    assert (data.number, data.tick, data.title) == (1, 61, "Bad data")
    assert ("Samples", "vm-corrupted") in data.facts
    assert data.remedy == "Leave out row 1 and put its sample in quarantine."
    assert data.effects[0].startswith("Recovered after 40 ticks")
    assert [trial.healthy for trial in data.trials] == [False, True, True]
    assert (data.trials[2].changed, data.trials[2].ended, data.trials[2].passes) == ("Rows 0, 2 alone", "healthy", 1)
    assert (unknown.title, unknown.remedy, unknown.fix) == ("Cause unknown", "", "")
    assert "stands on less" in unknown.exact
    assert half.explanation == "The exponential passes the largest number of its format."
    assert half.fix == "Clamp the exponent."
    assert half.took == "3 replays, 4 forward and backward passes"


def test_only_what_was_replayed_has_one_and_keeps_its_number() -> None:
    cases = [Intervention(tick=3, step=2), Intervention(tick=9, step=8, trials=[{"kind": "trial"}])]
    (proof,) = proofs.proofs(cases)
    assert (proof.number, proof.facts, proof.title) == (2, (), "Cause unknown")
