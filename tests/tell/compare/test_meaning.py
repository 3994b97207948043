from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rerail.tell.compare import meaning
from written_runs import compared, course, falling, run


@pytest.mark.parametrize(
    ("setting", "signal", "unlike"),
    [
        ("smooth_mel", "loss/mel", True),
        ("smooth_mel", "loss/mel_post", True),
        ("smooth_mel", "loss/stop", False),
        ("smooth_mel", "eval/loss/mel", False),  # measured without smoothing
        ("smooth_stop", "loss/stop", True),
        ("huber", "loss/mel", True),
        ("guide_width", "loss/attention", True),
        ("guide_width", "eval/loss/attention", True),
        ("label_smoothing", "loss/cross_entropy", True),
        ("model.dropout", "loss/cross_entropy", True),
        ("model.dropout", "eval/cross_entropy", False),
        ("loss", "loss/contrast", True),
        ("reduction", "loss/gate", True),
        ("reduction", "loss/mel", False),
        ("sample_rate", "eval/mel", True),
        ("lr", "loss/mel", False),
    ],
)
def test_settings_that_change_what_a_number_means(tmp_path: Path, setting: str, signal: str, *, unlike: bool) -> None:
    nested = [{"model": {"dropout": value}} if "." in setting else {setting: value} for value in (0.1, 0.2)]
    runs = [course(run(tmp_path / str(n), falling(1.0, signal=signal), **one)) for n, one in enumerate(nested)]
    found = meaning.refusals(runs)
    assert (signal in found) == unlike
    if unlike:
        assert found[signal].why.startswith(f"{setting} is 0.1 and 0.2: ")


def test_another_batch_has_another_chance_level(tmp_path: Path) -> None:
    made = [run(tmp_path / str(n), falling(1.0, signal="loss/contrast", signal__chance=n)) for n in (2.08, 3.47)]
    assert meaning.refusals([course(one) for one in made])["loss/contrast"].why.startswith(
        "guessing gives 2.08 and 3.47"
    )
    same = [course(made[0]), course(made[0])]
    assert meaning.refusals(same) == {}


def test_a_total_of_parts_that_are_not_alike_is_refused_too(tmp_path: Path) -> None:
    runs = [course(run(tmp_path / str(n), falling(1.0, loss__total=1.0, loss__mel=1.0), huber=n)) for n in (0.0, 0.6)]
    found = meaning.refusals(runs)
    assert found["loss/total"].why == "it is a sum of what is not alike: loss/mel"
    assert found["loss/total"].do == "compare the components, which are unweighted"


def test_totals_of_other_weights_are_neither_ranked_nor_shown(tmp_path: Path) -> None:
    def made(name: str, weight: float) -> Path:
        values = {"loss/mel": 1.0, "loss/gate": 1.0, "loss/total": 1.0 + weight, "eval/mel": 1.0}
        return run(tmp_path / name, lambda _: values, weight_mel=1.0, weight_gate=weight)

    told = compared([made("a", 1.0), made("b", 5.0)])
    assert {row.signal for row in told.rows} == {"loss/mel", "loss/gate", "eval/mel"}
    ((between, refusal),) = told.refused
    assert (between, refusal.signal) == ("A, B", "loss/total")
    assert refusal.why == "the weights differ: weight_gate is 1 and 5"
    assert "held-out data (eval/...)" in refusal.do


def test_a_refusal_between_two_groups_leaves_the_others_alone(tmp_path: Path) -> None:
    settings: list[dict[str, Any]] = [{"huber": 0.0, "lr": 1}, {"huber": 0.0, "lr": 2}, {"huber": 0.6, "lr": 1}]
    told = compared([run(tmp_path / str(n), falling(1.0), **one) for n, one in enumerate(settings)])
    steps = [one for one in told.contrasts if one.at.axis == "steps"]
    assert {(one.first, one.second): bool(one.why) for one in steps} == {
        ("A", "B"): False,
        ("A", "C"): True,
        ("B", "C"): True,
    }


def test_a_total_that_is_the_only_loss_is_judged_as_one(tmp_path: Path) -> None:
    runs = [
        course(run(tmp_path / str(one), falling(1.0, signal="loss/total"), label_smoothing=one)) for one in (0.1, 0.2)
    ]
    assert meaning.refusals(runs)["loss/total"].why == "label_smoothing is 0.1 and 0.2: labels are smoothed"


def test_a_total_is_no_part_of_itself(tmp_path: Path) -> None:
    runs = []
    for level in (1.0, 2.0):
        values = {"loss/total": 1.0, "loss/mel": 1.0, "signal/chance": level}
        runs.append(course(run(tmp_path / str(level), lambda _, values=values: values)))  # type: ignore[misc]
    assert meaning.refusals(runs)["loss/total"].why == "it is a sum of what is not alike: loss/mel"
