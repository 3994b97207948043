from __future__ import annotations

from rerail.fit import FitConfig, oddities


def test_a_batch_that_cannot_be_tried_on_a_cpu_is_told() -> None:
    fit = FitConfig(find_batch=True, device="cpu")
    assert list(oddities(fit, fit, 0)) == [
        "find_batch: a CPU does not say what it holds, so nothing was tried; give batch_size"
    ]
    assert not list(oddities(FitConfig(device="cpu"), FitConfig(device="cpu"), 0))
