from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rerail.tell import words

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., dict[str, Any]]

KNOBS = {"lr_scale": 0.1, "clip_norm": "inf", "precision": "as_run", "weights": {}}
FINDING = {"code": "nonfinite.loss", "signal": "loss/energy", "evidence": {"loss/energy": "inf"}}


@pytest.mark.parametrize(
    ("kind", "rest", "sentence"),
    [
        ("reading", {"values": {"loss/total": 1.0}}, None),
        ("verdict", {"move": "COMMIT", "knobs": KNOBS, "findings": []}, None),
        ("verdict", {"move": "SKIP", "findings": []}, "Decision: skip the update."),
        (
            "verdict",
            {"move": "SKIP", "findings": [FINDING, {"code": "nonfinite.gradient", "signal": "grad/norm"}]},
            "loss/energy is not finite (inf); the gradient is not finite. Decision: skip the update.",
        ),
        (
            "remedy",
            {"code": "loss.spike", "signal": "loss/mel", "move": "SKIP", "knobs": KNOBS, "hold": 40, "ramp": 40},
            "Remedy for loss.spike in loss/mel: skip the update; learning rate x0.1 for 40 ticks, then back over 40.",
        ),
        ("trial", {"number": 1, "changed": {}, "healthy": False}, None),
        (
            "note",
            {
                "text": "hang",
                "data": {
                    "silent": 312.4,
                    "usual": 0.8,
                    "inside": False,
                    "where": ["a.py:1 f", "b.py:2 g"],
                    "advice": "x",
                },
            },
            (
                "Nothing heard for 312 s outside guard.step (the loader, a validation); a step usually takes 0.8 s. "
                "It stands at b.py:2 g, called from a.py:1 f. Advice: x."
            ),
        ),
        (
            "note",
            {
                "text": "recovered",
                "data": {
                    "from": "checkpoints/step-40",
                    "cause": ["a damaged checkpoint file"],
                    "with": "slower",
                    "settings": [{"setting": "step", "was": "60", "to": "40", "why": "20 steps are lost"}],
                },
            },
            "Recovered from checkpoints/step-40: a damaged checkpoint file. Goes on with slower: step 60 -> 40.",
        ),
        ("note", {"text": "notify", "data": {"message": "a: NaN."}}, "To be told at once: a: NaN."),
        ("note", {"text": "went on", "data": {"silent": 402.1, "inside": False}}, "The run went on after 402 s."),
        (
            "cause",
            {"cause": "data", "component": "mel", "samples": ["a"], "why": ["the rows are silent"], "replays": 5},
            "Cause, proved in 5 replays: bad data; component mel; sample a; the rows are silent.",
        ),
        (
            "cause",
            {"cause": "unknown", "why": ["no pattern fits these", "not cured by: batch"], "replays": 1},
            "No cause was proved in 1 replay: no pattern fits these.",
        ),
        ("cause", {}, "No cause was proved in 0 replays: no pattern fits."),
        (
            "remedy",
            {"proved": True, "move": "SKIP", "rows": [3], "quarantine": True},
            "Remedy, shown to work by a replay: leave out row 3 and put its sample in quarantine.",
        ),
        ("remedy", {"proved": True, "move": "HALT"}, "No replay showed a remedy to work: stop the run."),
        ("remedy", {"proved": True, "move": "COMMIT"}, "Nothing to mend: apply the update."),
        (
            "outcome",
            {"of": 3, "did": {"move": "HALT", "step_before": 2, "step_after": 2}},
            "The run was stopped at step 2.",
        ),
        (
            "outcome",
            {"of": 3, "after": 40, "before": {}, "now": {}, "recovered": True},
            "After the intervention of tick 3: recovered after 40 ticks.",
        ),
        ("snapshot", {"event": "taken", "step": 4, "bytes": 9}, None),
        (
            "snapshot",
            {"event": "saved", "step": 100, "bytes": 12_345_678, "path": "checkpoints/100.pt"},
            "Checkpoint of step 100 saved to checkpoints/100.pt (12.3 MB).",
        ),
        ("artifact", {"name": "a", "path": "a.png", "caption": "Alignment"}, "Saved a.png: Alignment."),
        ("note", {"text": "start", "data": {"config": {}}}, "Run started."),
        ("note", {"text": "end", "data": {"reason": "halted", "step": 7}}, "Run halted by the guard, at step 7."),
        ("note", {"text": "end", "data": {"reason": "bored", "step": 7}}, "Run ended: bored, at step 7."),
        (
            "note",
            {"text": "resume", "data": {"step": 4, "from": "step-00000004", "damaged": ["step-00000008: cut short"]}},
            "Run resumed at step 4 from step-00000004; newer ones were damaged: step-00000008: cut short.",
        ),
        (
            "note",
            {"text": "quarantined", "data": {"ids": ["a", "b"]}},
            "In quarantine, kept out of training from now on: a, b.",
        ),
        (
            "note",
            {"text": "evidence kept", "data": {"path": "evidence/tick-3"}},
            "Evidence kept in evidence/tick-3: the batch, the state, the proof, a script that fails so.",
        ),
        ("note", {"text": "a fault was injected", "data": {"rate": 0.5}}, "a fault was injected (rate 0.5)"),
        ("from the future", {"text": "?"}, None),
    ],
)
def test_every_kind_of_record(make: Make, kind: str, rest: dict[str, Any], sentence: str | None) -> None:
    assert words.say(make(kind, 3, **rest)) == sentence


def test_a_reading_names_total_first_then_components() -> None:
    values = {"step": 4.0, "loss/mel": 0.91234, "loss/total": 1.5, "lr": 1e-3, "grad/norm/a": 1.0, "time/step": 0.2111}
    assert words.reading(values) == "loss/total 1.5, loss/mel 0.912, learning rate 0.001, 0.211 s/step"
    assert words.reading({}) == "nothing was read"


def test_hostile_names_stay_on_one_line(make: Make) -> None:
    name = "a\nb\x1b[31m"
    finding = {"code": name, "signal": name, "evidence": {name: name}}
    sentence = words.say(make("verdict", 1, move=name, findings=[finding]))
    assert sentence is not None
    assert sentence.isprintable()
