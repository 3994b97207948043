"""The one decision of the guard: plan, memory and reading in; new memory and verdict out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, TypeGuard

from rerail.core import plain
from rerail.core.cause.cause import comes_again
from rerail.core.detector import Detector, Wary
from rerail.core.finding import Finding
from rerail.core.knobs import NEUTRAL, Knobs
from rerail.core.reading import Reading
from rerail.core.remedy import Ladder, Ledger, Move, Remedy
from rerail.core.told import TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is watched and how it is answered. `ladders` are named by a finding code or a dotted prefix of one."""

    detectors: tuple[Detector[Any], ...]
    ladders: Mapping[str, Ladder]

    def ladder(self, code: str) -> str | None:
        """Return the name of the ladder for `code`: the longest prefix that has one, or None: told, not answered.

        What is told of a run that learns badly is answered by a ladder of its full name alone.
        """
        if code in TOLD:
            return code if code in self.ladders else None
        parts = code.split(".")
        prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((name for name in prefixes if name in self.ladders), None)

    def answers(self, finding: Finding) -> bool:
        """Say whether a finding is answered because something is wrong; what is told has at most a knob of its own."""
        return finding.code not in TOLD and self.ladder(finding.code) is not None

    def asks(self, verdict: Verdict) -> bool:
        """Say whether a verdict asks for a proof: a step that is not to be committed, or a rung that waits for one."""
        ladders = {one.finding.code: self.ladders[self.ladder(one.finding.code) or ""] for one in verdict.answers}
        waits = any(one.rung < len(ladders[one.finding.code].rungs) for one in verdict.answers)
        return verdict.move is not Move.COMMIT or waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """All that the guard remembers between ticks. Never rewound: `tick` only rises."""

    tick: int
    detectors: tuple[Any, ...]
    ledger: Ledger = field(default_factory=Ledger)

    def knobs(self) -> Knobs:
        """Return the knobs for the next tick."""
        return self.ledger.knobs(self.tick + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A ladder's answer to findings of one tick: the first of them, the rung, and its remedy."""

    finding: Finding
    rung: int
    remedy: Remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was decided at one tick. `wary`: a detector suspects something, and waits for more before it says so.

    `standing` are those of the knobs that detectors own, and that are no intervention.
    """

    tick: int
    move: Move
    knobs: Knobs = NEUTRAL
    findings: tuple[Finding, ...] = ()
    answers: tuple[Answer, ...] = ()
    proved: Remedy | None = None
    wary: bool = False
    standing: Knobs = NEUTRAL

    @property
    def plain(self) -> bool:
        """Say whether this is the verdict of an undisturbed run: commit, nothing found, no knob turned by a remedy."""
        return self.move is Move.COMMIT and not self.findings and self.knobs == self.standing

    @property
    def halting(self) -> set[str]:
        """Return the codes of the findings whose ladder asks for a stop."""
        return {answer.finding.code for answer in self.answers if answer.remedy.move is Move.HALT}

    @property
    def healthy(self) -> bool | None:
        """Say what the tick says about the weights: sound, suspect, or None, nothing either way."""
        if not self.findings:
            return None if self.wary else True
        return None if all(_says_nothing(found.code) for found in self.findings) else False

    @property
    def depth(self) -> int:
        """Return how many healthy snapshots a rewind goes back past the newest."""
        if self.proved is not None:
            return self.proved.depth
        return max((answer.remedy.depth for answer in self.answers), default=0)


EPISODE = 100  # ticks after its last answer in which a root cause that comes again counts as the same one
_REMEDY = tuple(one.name for one in fields(Remedy))
_NOT_THE_WEIGHTS = {
    "input.exhausted",
    "input.far",
    "input.raised",
    "input.unfit",
    "loss.outlier",
    "nonfinite.input",
    "scale.overflow",
}


def _says_nothing(code: str) -> bool:
    # What is told of a run that learns badly is no reason to trust or mistrust one tick's weights.
    return code in _NOT_THE_WEIGHTS or code in TOLD


def start(plan: Plan) -> Memory:
    """Return the memory of a run that has not begun."""
    return Memory(tick=0, detectors=tuple(detector.init() for detector in plan.detectors))


def advance(plan: Plan, memory: Memory, reading: Reading) -> tuple[Memory, Verdict]:
    """Judge one reading. Pure: the same arguments give the same result, whatever the order of the detectors."""
    judged = [detector.update(state, reading) for detector, state in zip(plan.detectors, memory.detectors, strict=True)]
    findings = tuple(sorted((found for _, many in judged for found in many), key=_order))
    ledger, answers = _answers(plan, memory.ledger.without_ended(reading.tick), findings, reading.tick)
    verdict = Verdict(
        tick=reading.tick,
        move=max((answer.remedy.move for answer in answers), default=Move.COMMIT),
        knobs=ledger.knobs(reading.tick),
        findings=findings,
        answers=answers,
        wary=any(
            detector.wary(state)
            for detector, (state, _) in zip(plan.detectors, judged, strict=True)
            if _can_be_wary(detector)
        ),
        standing=ledger.standing(reading.tick),
    )
    return Memory(tick=reading.tick, detectors=tuple(state for state, _ in judged), ledger=ledger), verdict


def _can_be_wary(detector: Detector[Any]) -> TypeGuard[Wary[Any]]:
    return _kind_can_be_wary(type(detector))


@cache
def _kind_can_be_wary(kind: type) -> bool:
    return issubclass(kind, Wary)  # looked up once: asking a protocol takes longer than most detectors


def settle(memory: Memory, verdict: Verdict, root: str, remedy: Remedy, step: float) -> tuple[Memory, Verdict]:
    """Put the proved remedy of the cause called `root` in the place of what the ladders answered. Pure.

    `step` is how many steps were committed.
    """
    ledger = memory.ledger.instead(root, remedy, verdict.tick, EPISODE, _progress(root, step))
    knobs = ledger.knobs(verdict.tick + 1)
    return replace(memory, ledger=ledger), replace(verdict, move=remedy.move, knobs=knobs, proved=remedy)


def spent(memory: Memory, tick: int, root: str, step: float) -> int:
    """Return how many remedies of the cause called `root` were used up lately, without progress where that counts."""
    return memory.ledger.spent(root, tick, EPISODE, _progress(root, step))


def _progress(root: str, step: float) -> float:
    return step if comes_again(root) else -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """One tick of a journal, judged once more: the memory after it, the plan's own verdict, and the settled one."""

    memory: Memory
    verdict: Verdict
    settled: Verdict


def relive(plan: Plan, memory: Memory, records: Iterable[Mapping[str, Any]]) -> Iterator[Lived]:
    """Judge a journal's readings after `memory` once more; proved remedies take their place as they did then."""
    lived: Lived | None = None
    step = 0.0
    for record in records:
        if record["kind"] == "reading" and record["tick"] > memory.tick:
            if lived is not None:
                yield lived
            values = {name: float(value) for name, value in record["values"].items()}
            step = values.get("step", 0.0)
            memory, verdict = advance(plan, memory, Reading(tick=record["tick"], values=values))
            lived = Lived(memory=memory, verdict=verdict, settled=verdict)
        elif lived is not None and record["kind"] == "remedy" and record.get("proved"):
            remedy = plain.load(Remedy, {name: record[name] for name in _REMEDY if name in record})
            memory, settled = settle(memory, lived.verdict, record["code"], remedy, step)
            lived = replace(lived, memory=memory, settled=settled)
    if lived is not None:
        yield lived


def live_through(plan: Plan, memory: Memory, records: Iterable[Mapping[str, Any]]) -> Memory:
    """Return the memory after a journal's readings: what was lived through still counts, a spent rung stays spent."""
    for lived in relive(plan, memory, records):
        memory = lived.memory
    return memory


def remember(plan: Plan, data: Mapping[str, Any]) -> Memory:
    """Build a memory from what `recall` made of one; a detector that was not there begins with empty memory."""
    saved = data["detectors"]
    states = tuple(
        plain.load(type(detector.init()), saved[name]) if name in saved else detector.init()
        for name, detector in _named(plan)
    )
    return Memory(tick=data["tick"], detectors=states, ledger=plain.load(Ledger, data["ledger"]))


def recall(plan: Plan, memory: Memory) -> dict[str, Any]:
    """Turn a memory into plain data, each detector's part under its name."""
    states = {name: state for (name, _), state in zip(_named(plan), memory.detectors, strict=True)}
    return {"tick": memory.tick, "detectors": plain.dump(states), "ledger": plain.dump(memory.ledger)}


def _named(plan: Plan) -> list[tuple[str, Detector[Any]]]:
    # Two of one kind are told apart by their place among them.
    names = [type(detector).__name__ for detector in plan.detectors]
    return [(f"{name}-{names[:n].count(name)}", plan.detectors[n]) for n, name in enumerate(names)]


def _order(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.signal, repr(sorted(finding.evidence.items()))


def _answers(plan: Plan, ledger: Ledger, findings: Iterable[Finding], tick: int) -> tuple[Ledger, tuple[Answer, ...]]:
    # One answer a ladder and tick: three components that turn NaN together are one accident.
    first: dict[str, Finding] = {}
    for finding in findings:
        if name := plan.ladder(finding.code):
            first.setdefault(name, finding)
    answers = []
    for name, finding in sorted(first.items()):
        ledger, rung = ledger.answer(name, plan.ladders[name], tick, finding.evidence)
        answers.append(Answer(finding=finding, rung=rung, remedy=plan.ladders[name].remedy(rung)))
    return ledger, tuple(answers)
