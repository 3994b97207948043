from __future__ import annotations

from rerail.fit import FitConfig, changed


def test_a_resumed_run_keeps_its_fixed_settings() -> None:
    saved = {"lr": 1e-3, "batch_size": 16, "steps": 50}
    assert changed([FitConfig(steps=100)], saved) == []
    found = changed([FitConfig(lr=2e-3, batch_size=8)], saved)
    assert [one.partition(":")[0] for one in found] == ["batch_size", "lr"]


def test_a_run_that_is_older_than_a_setting_has_its_default() -> None:
    assert changed([FitConfig()], {}) == []
    assert changed([FitConfig(accumulate=2)], {"lr": 1e-3}) == [
        "accumulate: the run has 1, got 2; leave it out, or begin anew"
    ]
