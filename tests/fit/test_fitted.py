from __future__ import annotations

from rerail.fit import FitConfig, oddities


def test_a_batch_that_cannot_be_tried_on_a_cpu_is_told() -> None:
    fit = FitConfig(find_batch=True, device="cpu")
    assert list(oddities(fit, fit, 0)) == [
        "find_batch: a CPU does not say what it holds, so nothing was tried; give batch_size"
    ]
    assert not list(oddities(FitConfig(device="cpu"), FitConfig(device="cpu"), 0))


def test_where_rows_are_compared_micro_batches_are_told_to_have_negatives_of_their_own() -> None:
    fit = FitConfig(find_batch=True, device="cpu", batch_size=4, accumulate=3)
    several, size = oddities(fit, fit, 0, compares=True)
    assert several.startswith("accumulate: each of the 3 micro-batches of a step has its own 4 rows to compare")
    assert size.startswith("find_batch: another size would be another objective, so it stays at 4 rows")
    assert not [one for one in oddities(fit, fit, 0) if one.startswith("accumulate")]
