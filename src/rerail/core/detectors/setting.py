"""Belief: a setting of the optimizer was changed, by far, from one step to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rerail.core.finding import Finding
from rerail.core.reading import Reading
from rerail.core.settings import material


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingMemory:
    """The settings as they were, and since how many ticks one of them is another."""

    known: Mapping[str, float] = field(default_factory=dict)
    since: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A number of a parameter group other than its learning rate is three times what it was, or a third, or now zero.

    That may be meant, so it is told, once; but for `watch` ticks no snapshot is trusted: what a wrong setting does to
    the weights shows late, and the state before it is what one wants back.
    """

    watch: int = 30

    def init(self) -> SettingMemory:
        """Return empty memory."""
        return SettingMemory()

    def update(self, memory: SettingMemory, reading: Reading) -> tuple[SettingMemory, tuple[Finding, ...]]:
        """Judge `setting/...`."""
        now = reading.under("setting")
        changed = {
            name: value
            for name, value in now.items()
            if name in memory.known and material(name.removeprefix("setting/"), memory.known[name], value)
        }
        since = self.watch if changed else max(0, memory.since - 1)
        findings = tuple(
            Finding(code="optimizer.setting", signal=name, evidence={name: value, "before": memory.known[name]})
            for name, value in changed.items()
        )
        return SettingMemory(known={**memory.known, **now}, since=since), findings

    def wary(self, memory: SettingMemory) -> bool:
        """Say whether a setting was changed lately."""
        return memory.since > 0
