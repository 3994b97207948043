"""Belief: a setting of the optimizer was changed, by far, from one step to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rerail.core.finding import Finding
from rerail.core.reading import Reading
from rerail.core.settings import material


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingMemory:
    """The settings as they are, for how many ticks no snapshot is trusted, and the last change: then, and now."""

    known: Mapping[str, float] = field(default_factory=dict)
    since: int = 0
    changed: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A number of a parameter group other than its learning rate is three times what it was, or a third, or now zero.

    That may be meant, so it is told, once; but for `watch` ticks no snapshot is trusted: what a wrong setting does to
    the weights shows late, and the state before it is what one wants back. After `lasting` ticks the change is told as
    one that has lasted, so that a replay can say what it has done.
    """

    watch: int = 30
    lasting: int = 12

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
        pairs = {name: (memory.known[name], value) for name, value in changed.items()} or memory.changed
        if since == self.watch - self.lasting and pairs:
            findings = tuple(
                Finding(code="optimizer.setting.lasting", signal=name, evidence={name: after, "before": before})
                for name, (before, after) in pairs.items()
            )
        return SettingMemory(known={**memory.known, **now}, since=since, changed=pairs if since else {}), findings

    def wary(self, memory: SettingMemory) -> bool:
        """Say whether a setting was changed lately."""
        return memory.since > 0
