from __future__ import annotations

from rerail.tell import words
from rerail.tell.explain import explain
from rerail.tell.story import gather

EXPECT = {"signal": "loss/mel", "direction": "falls", "within": 500}
GIVEN = {
    "v": 1,
    "kind": "advice",
    "tick": 9,
    "time": 1.0,
    "code": "loss.plateau",
    "signal": "loss/mel",
    "setting": "learning rate",
    "before": "0.001",
    "after": "0.0003",
    "why": "a smaller step settles",
    "expect": EXPECT,
}
CAME = {
    "v": 1,
    "kind": "advice",
    "tick": 509,
    "time": 2.0,
    "of": 9,
    "code": "loss.plateau",
    "before": 1.0,
    "now": 0.5,
    "seen": True,
    "expect": EXPECT,
}
SAID = "Change learning rate: 0.001 -> 0.0003. A smaller step settles. If it helps, loss/mel falls within 500 ticks."
SEEN = "Of the advice of tick 9 on loss.plateau: what it expects is seen (loss/mel 1 then, 0.5 now)."


def test_advice_is_a_sentence() -> None:
    assert words.say(GIVEN) == f"Advice on loss.plateau: {SAID}"
    assert words.say(CAME) == SEEN
    assert words.say(CAME | {"seen": False}) == SEEN.replace("is seen", "is not seen")
    assert words.say(CAME | {"seen": None, "now": None}) is not None


def test_explain_tells_of_a_finding_that_was_only_told() -> None:
    found = {"code": "loss.plateau", "signal": "loss/mel", "evidence": {"loss/mel": 1.0}}
    verdict = {"v": 1, "kind": "verdict", "tick": 9, "time": 1.0, "move": "COMMIT", "knobs": {}, "findings": [found]}
    told = explain(gather([verdict, GIVEN, CAME], name="run"))
    assert "loss/mel has not become better for long" in told
    assert "told, and the run went on" in told
    assert SAID in told
    assert SEEN in told
    assert "such findings are told, with advice, and not answered" in told
