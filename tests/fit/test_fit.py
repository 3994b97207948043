from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from rerail import asked
from rerail.core.plans import default_plan, lowering
from rerail.fit import FitConfig, Parts, Picture, problems, scheduled, train
from rerail.fit import optimizer as made
from rerail.fit.schedule import cosine_factor
from rerail.fit.stop import Stop
from rerail.requests import ask
from rerail.tasks.speech.plan import plan as speech_plan
from rerail.tell import journal
from toy import Loader, network


@dataclass
class ToyTask:
    """A task of its own: what a user writes for a fourth trainer."""

    fit: FitConfig
    calls: list[int] = field(default_factory=list)
    interrupt_at: int = -1
    then: Callable[[int], None] = lambda _: None

    def build(self) -> Parts:
        model = network()
        optimizer = made(model.parameters(), self.fit, torch.optim.Adam)
        schedule = scheduled(optimizer, self.fit)

        def losses(batch: dict[str, Any]) -> dict[str, torch.Tensor]:
            if schedule.last_epoch == self.interrupt_at:
                os.kill(os.getpid(), signal.SIGINT)
            self.then(schedule.last_epoch)
            return {"square": (model(batch["x"]) - batch["y"]).square().mean()}

        held_out = [next(iter(Loader(seed=9)))]
        return Parts(
            model=model,
            optimizer=optimizer,
            scheduler=schedule,
            losses=losses,
            data=Loader(),
            held_out=held_out,
            target="square",
        )

    def evaluate(self, model: nn.Module, batches: Any) -> dict[str, float]:
        model.eval()
        torch.rand(3)  # an evaluation that draws must not change the training
        (batch,) = batches
        return {"square": float((model(batch["x"]) - batch["y"]).square().mean().detach())}

    def figures(self, _model: nn.Module, _batches: Any, *, last: bool) -> dict[str, Picture]:
        self.calls.append(int(last))
        return {"matrix": Picture(values=[[0.0, 1.0]], x="x", y="y", caption="a matrix")}


FIT = FitConfig(steps=30, evaluate_every=10, checkpoint_every=10, snapshot_every=5, warmup=3, lr=1e-2)


def final(run: Path, step: int = 30) -> dict[str, Any]:
    return dict(torch.load(run / f"checkpoints/step-{step:08d}/state.pt", weights_only=True)["model"])


def test_it_trains_evaluates_shows_and_saves(tmp_path: Path) -> None:
    task = ToyTask(FIT)
    result = train(task, FIT, run=tmp_path / "run")
    assert (result.reason, result.steps) == ("finished", 30)
    assert task.calls == [0, 0, 1]
    records = list(journal.read(tmp_path / "run"))
    seen = [r["values"]["eval/square"] for r in records if r["kind"] == "reading" and "eval/square" in r["values"]]
    assert len(seen) == 3
    assert seen[-1] == result.metrics["square"] < seen[0]
    assert sum(record["kind"] == "artifact" for record in records) == 3
    assert records[-1]["data"] == {"reason": "finished", "step": 30}
    assert final(tmp_path / "run")


def test_ctrl_c_saves_and_resume_is_bitwise(tmp_path: Path) -> None:
    whole = train(ToyTask(FIT), FIT, run=tmp_path / "whole")
    stopped = train(ToyTask(FIT, interrupt_at=17), FIT, run=tmp_path / "parts")
    assert (stopped.reason, stopped.steps) == ("stopped", 18)
    assert "--resume" in stopped.message
    resumed = train(ToyTask(FIT), FIT, run=tmp_path / "parts", resume=True)
    assert resumed.reason == "finished"
    assert resumed.metrics == whole.metrics
    one, other = final(tmp_path / "whole"), final(tmp_path / "parts")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_that_is_asked_to_wait_is_bitwise_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "LOOK_SECONDS", 0.01)
    whole = train(ToyTask(FIT), FIT, run=tmp_path / "whole")
    wishes = []

    def pause(step: int) -> None:
        if step == 17:
            wishes.append(ask(tmp_path / "run", "pause", by="telegram"))
            threading.Timer(0.1, lambda: wishes.append(ask(tmp_path / "run", "resume", by="telegram"))).start()

    waited = train(ToyTask(FIT, then=pause), FIT, run=tmp_path / "run")
    assert [one.wish for one in wishes] == ["pause", "resume"]
    assert waited.reason == "finished"
    assert waited.metrics == whole.metrics
    one, other = final(tmp_path / "whole"), final(tmp_path / "run")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_it_is_so_with_all_that_a_run_can_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "LOOK_SECONDS", 0.01)
    fit = replace(FIT, accumulate=2, num_workers=3, ema=0.9, schedule="cosine", evaluate_every=5, patience=20)
    whole = train(ToyTask(fit), fit, run=tmp_path / "whole")
    run, wishes = tmp_path / "run", {7: "pause", 12: "pause", 20: "stop"}

    def wish(step: int) -> None:
        if found := wishes.pop(step, None):
            ask(run, found, by="page")
            if found == "pause":
                threading.Timer(0.1, lambda: ask(run, "resume", by="page")).start()

    stopped = train(ToyTask(fit, then=wish), fit, run=run)
    assert (stopped.reason, stopped.steps, wishes) == ("stopped", 21, {})
    resumed = train(ToyTask(fit), fit, run=run, resume=True)
    assert resumed.metrics == whole.metrics
    one, other = (torch.load(at / "checkpoints/step-00000030/state.pt") for at in (tmp_path / "whole", run))
    told = ("model", "optimizers", "others", "position")
    assert str([one[name] for name in told]) == str([other[name] for name in told])
    assert all(torch.equal(one["model"][name], other["model"][name]) for name in one["model"])


def test_a_run_that_is_asked_to_stop_is_resumed_bitwise(tmp_path: Path) -> None:
    whole = train(ToyTask(FIT), FIT, run=tmp_path / "whole")

    def stop(step: int) -> None:
        if step == 17:
            ask(tmp_path / "run", "stop", by="page\x1b[31m")

    stopped = train(ToyTask(FIT, then=stop), FIT, run=tmp_path / "run")
    assert (stopped.reason, stopped.steps) == ("stopped", 18)
    assert stopped.message == "asked by page\\x1b[31m: saved at step 18; --resume goes on there"
    resumed = train(ToyTask(FIT), FIT, run=tmp_path / "run", resume=True)
    assert resumed.metrics == whole.metrics


def test_a_run_that_waits_can_be_interrupted(tmp_path: Path) -> None:
    def pause(step: int) -> None:
        if step == 17:
            ask(tmp_path / "run", "pause", by="page")
            threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGTERM)).start()

    stopped = train(ToyTask(FIT, then=pause), FIT, run=tmp_path / "run")
    assert (stopped.reason, stopped.steps) == ("stopped", 18)
    assert stopped.message.startswith("SIGTERM")


def test_a_loop_that_breaks_off_says_of_what(tmp_path: Path) -> None:
    def break_off(step: int) -> None:
        if step == 5:
            raise KeyboardInterrupt("by hand")

    with pytest.raises(KeyboardInterrupt):
        train(ToyTask(FIT, then=break_off), FIT, run=tmp_path / "run")
    last = list(journal.read(tmp_path / "run"))[-1]
    assert (last["text"], last["data"]) == ("broke off", {"error": "KeyboardInterrupt: by hand", "step": 5})


def test_a_full_disk_breaks_off_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    def interrupt(step: int) -> None:
        if step == 17:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr("rerail.act.checkpoints._write", full)
    stopped = train(ToyTask(FIT, then=interrupt), FIT, run=tmp_path / "run")
    assert (stopped.reason, stopped.steps) == ("stopped", 18)
    assert stopped.message.startswith("SIGINT: not saved, the journal says why, at step 18")
    told = [record["text"] for record in journal.read(tmp_path / "run") if record["kind"] == "note"]
    assert told == ["start", "picture or sound not kept", "checkpoint not saved", "end"]


def test_who_listens_hears_to_the_end_that_a_loop_broke_off(tmp_path: Path) -> None:
    class Slow:
        heard: list[str] = []  # noqa: RUF012 (one object)
        closed = False

        def __call__(self, record: dict[str, Any]) -> None:
            time.sleep(0.02)
            self.heard.append(record.get("text", ""))

        def close(self) -> None:
            self.closed = True

    def break_off(step: int) -> None:
        if step == 5:
            raise RuntimeError("a mistake of one's own")

    slow = Slow()
    with pytest.raises(RuntimeError, match="of one's own"):
        train(ToyTask(FIT, then=break_off), FIT, run=tmp_path / "run", listeners=[slow])
    assert slow.closed
    assert slow.heard[-1] == "broke off"
    assert "Broke off at step 5" in (tmp_path / "run/run.log").read_text()
    assert list(journal.read(tmp_path / "run"))[-1]["text"] == "broke off"


def test_evaluation_does_not_change_the_training(tmp_path: Path) -> None:
    seldom = FitConfig(**{**_values(FIT), "evaluate_every": 1000})
    train(ToyTask(FIT), FIT, run=tmp_path / "often")
    train(ToyTask(seldom), seldom, run=tmp_path / "seldom")
    one, other = final(tmp_path / "often"), final(tmp_path / "seldom")
    assert all(torch.equal(one[name], other[name]) for name in one)


def _values(config: FitConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.__slots__}


def test_a_hopeless_run_halts_with_its_reason(tmp_path: Path) -> None:
    class Hopeless(ToyTask):
        def build(self) -> Parts:
            parts = super().build()
            model = parts.model
            bad = {"nan": lambda batch: {"nan": model(batch["x"]).sum() * math.nan}}
            return Parts(
                model=model,
                optimizer=parts.optimizer,
                scheduler=parts.scheduler,
                losses=bad["nan"],
                data=parts.data,
                held_out=parts.held_out,
            )

    result = train(Hopeless(FIT), FIT, run=tmp_path / "run")
    assert result.reason == "halted"
    assert "loss/nan is not finite (nan)" in result.message


def test_signals_are_given_back_and_a_second_one_breaks_off() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Stop() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.asked == "SIGTERM"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_outside_the_main_thread_no_handler_is_set() -> None:
    seen: list[str] = []

    def work() -> None:
        with Stop() as stop:
            seen.append(stop.asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [""]


def test_the_schedule_rises_falls_and_holds_its_floor() -> None:
    factor = cosine_factor(steps=100, warmup=10, floor=0.1)
    course = [factor(step) for step in range(300)]
    assert course[:11] == sorted(course[:11])
    assert max(course) == course[10] == 1.0
    assert course[10:] == sorted(course[10:], reverse=True)
    assert all(0.1 <= value <= 1 or step < 10 for step, value in enumerate(course))
    assert course[-1] == pytest.approx(0.1)
    assert min(course) > 0


def test_problems_are_listed_together() -> None:
    found = problems([FitConfig(steps=0, lr=-1.0, batch_size=-3)])
    assert [one.split(":")[0] for one in found] == ["steps", "batch_size", "lr"]
    assert not problems([FitConfig()])


class Sized(ToyTask):
    """Knows the rate of its network's size, as one trainer does."""

    def build(self) -> Parts:
        return ToyTask(replace(self.fit, lr=self.fit.lr or 4e-3)).build()


def test_the_rate_of_the_networks_size_is_written_among_the_runs_settings(tmp_path: Path) -> None:
    fit = replace(FIT, steps=1, lr=0.0)
    train(Sized(fit), fit, run=tmp_path / "run")
    assert yaml.safe_load((tmp_path / "run/config.yaml").read_text())["lr"] == 4e-3


class Rated(ToyTask):
    """Builds its own optimizer, at whatever rate it is given."""

    def build(self) -> Parts:
        parts = ToyTask(replace(self.fit, lr=1e-3)).build()
        optimizer = torch.optim.Adam(parts.model.parameters(), self.fit.lr)
        return replace(parts, optimizer=optimizer, scheduler=scheduled(optimizer, self.fit))


def test_an_optimizer_of_rate_0_is_refused_and_one_in_its_warm_up_is_not(tmp_path: Path) -> None:
    fit = replace(FIT, steps=1, lr=0.0)
    with pytest.raises(ValueError, match=r"lr: the optimizer was built with a rate of 0 \(lr is 0\.0\).*give one"):
        train(Rated(fit), fit, run=tmp_path / "run")
    fit = replace(FIT, steps=1, warmup=100)
    assert train(Rated(fit), fit, run=None).reason == "finished"


def test_a_run_that_gains_no_more_ends_with_its_best_weights(tmp_path: Path) -> None:
    fit = replace(FIT, steps=400, lr=0.3, schedule="constant", evaluate_every=5, patience=4, ema=0.5)
    result = train(ToyTask(fit), fit, run=tmp_path / "run")
    assert result.reason == "finished"
    assert result.steps < 400
    assert "weights of step" in result.message
    seen = [
        one["values"]["eval/square"]
        for one in journal.read(tmp_path / "run")
        if one["kind"] == "reading" and "eval/square" in one["values"]
    ]
    assert result.metrics["square"] == min(seen)
    (note,) = (one for one in journal.read(tmp_path / "run") if one.get("text", "").startswith("ended early"))
    assert note["data"]["square"] == min(seen)


def test_averaged_weights_are_what_is_measured_and_go_on_after_a_stop(tmp_path: Path) -> None:
    fit = replace(FIT, ema=0.9)
    whole = train(ToyTask(fit), fit, run=tmp_path / "whole")
    train(ToyTask(fit, interrupt_at=17), fit, run=tmp_path / "parts")
    assert train(ToyTask(fit), fit, run=tmp_path / "parts", resume=True).metrics == whole.metrics
    assert whole.metrics != train(ToyTask(FIT), FIT, run=tmp_path / "raw").metrics


def test_a_schedule_free_optimizer_goes_on_after_a_stop_and_is_measured_at_its_average(tmp_path: Path) -> None:
    fit = replace(FIT, schedule="schedule-free", steps=120, lr=0.01)
    whole = train(ToyTask(fit), fit, run=tmp_path / "whole")
    train(ToyTask(fit, interrupt_at=57), fit, run=tmp_path / "parts")
    assert train(ToyTask(fit), fit, run=tmp_path / "parts", resume=True).metrics == whole.metrics
    assert not [one for one in journal.read(tmp_path / "whole") if one["kind"] == "verdict" and one["findings"]]
    saved = torch.load(tmp_path / "whole/checkpoints/step-00000120/state.pt", weights_only=True)
    (average,) = (one["average"] for one in saved["others"] if "average" in one)
    assert any(not torch.equal(average[name], saved["model"][name]) for name in average)
    model, task = network(), ToyTask(fit)
    model.load_state_dict(average)
    assert task.evaluate(model, task.build().held_out) == whole.metrics


def test_looking_at_a_schedule_free_average_leaves_the_run_bit_for_bit(tmp_path: Path) -> None:
    often, seldom = (replace(FIT, schedule="schedule-free", evaluate_every=every) for every in (3, 1000))
    train(ToyTask(often), often, run=tmp_path / "often")
    train(ToyTask(seldom), seldom, run=tmp_path / "seldom")
    one, other = final(tmp_path / "often"), final(tmp_path / "seldom")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_two_averages_are_refused() -> None:
    (told,) = problems([replace(FIT, schedule="schedule-free", ema=0.9)])
    assert told.startswith("ema: got 0.9 with schedule schedule-free")


class Lowering(ToyTask):
    """Has its rate lowered where nothing is gained."""

    def build(self) -> Parts:
        settings = {"plateau_patience": 2, "plateau_factor": 0.7, "least_gain": 1e9}
        plan = lowering(default_plan(), "eval/square", settings)
        return replace(ToyTask.build(self), plan=plan)


def test_a_rate_that_gains_nothing_is_lowered_on_top_of_the_schedule(tmp_path: Path) -> None:
    fit = replace(FIT, steps=60, evaluate_every=5)
    train(Lowering(fit), fit, run=tmp_path / "run")
    records = list(journal.read(tmp_path / "run"))
    cuts = [one["knobs"]["lr_standing"] for one in records if one["kind"] == "remedy" and one["code"] == "rate.lowered"]
    assert cuts == pytest.approx([0.7**cut for cut in range(1, len(cuts) + 1)])
    assert len(cuts) == 5  # 11 evaluations before the last step, the first of them a gain, then two a cut
    seen = {one["values"]["step"]: one["values"] for one in records if one["kind"] == "reading"}
    assert seen[59.0]["lr"] == pytest.approx(fit.lr * fit.rate_at(59))  # the schedule's own goes on underneath
    assert seen[59.0]["knob/lr_standing"] == pytest.approx(cuts[-1])


@dataclass
class TwoLosses(ToyTask):
    """With a second component that pulls the wrong way, the harder the more it weighs."""

    wrong: float = 1.0

    def build(self) -> Parts:
        parts = ToyTask.build(self)
        inner, model = parts.losses, parts.model

        def losses(batch: dict[str, Any]) -> dict[str, torch.Tensor]:
            far = (model(batch["x"]) - self.wrong * 3.0).square().mean()
            return {**inner(batch), "kl": far}

        plan = speech_plan({"guide_moves": False, "adapt_every": 20})
        return replace(parts, losses=losses, weights={"kl": 4.0}, plan=plan, adaptable=("kl",), anchor="square")


def test_a_weight_that_does_harm_is_lowered_after_trials_that_have_shown_so(tmp_path: Path) -> None:
    fit = replace(FIT, steps=80, warmup=1, evaluate_every=1000, adapt_every=20, adapt_steps=15)
    train(TwoLosses(fit), fit, run=tmp_path / "run")
    records = list(journal.read(tmp_path / "run"))
    trials = [one["data"] for one in records if one.get("text") == "a weight was tried on a fork"]
    assert trials
    assert all(one["component"] == "kl" and one["moved"] == -1 for one in trials)
    adopted = [one for one in trials if one["adopted"]]
    assert adopted
    assert all(one["tried"] < one["own"] for one in adopted)
    remedies = [one for one in records if one["kind"] == "remedy" and one["code"] == "weight.kl"]
    assert len(remedies) == len(adopted) <= 2  # down to a half, and no farther
    assert remedies[0]["knobs"]["weights"]["kl"] == pytest.approx(0.5**0.5)


def test_trials_that_do_not_pay_leave_the_run_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerail.fit.adapt.pays", lambda *_: False)
    fit = replace(FIT, adapt_every=7, adapt_steps=3)
    plain = replace(fit, adapt_every=0)
    train(TwoLosses(plain), plain, run=tmp_path / "one")
    train(TwoLosses(fit), fit, run=tmp_path / "other")
    tried = [one for one in journal.read(tmp_path / "other") if one.get("text") == "a weight was tried on a fork"]
    assert len(tried) == 1  # what did not pay is not tried again
    assert any(one.get("text") == "no weight is left to be tried on a fork" for one in journal.read(tmp_path / "other"))
    one, other = final(tmp_path / "one"), final(tmp_path / "other")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_trainer_without_weights_to_try_refuses_to_be_asked(tmp_path: Path) -> None:
    fit = replace(FIT, adapt_every=5)
    with pytest.raises(ValueError, match="adapt_every: this trainer has no weights that may be tried"):
        train(ToyTask(fit), fit, run=tmp_path / "run")


def test_a_resumed_run_measures_where_the_whole_one_does(tmp_path: Path) -> None:
    def measured(run: Path) -> list[float]:
        return [
            one["values"]["step"]
            for one in journal.read(run)
            if one["kind"] == "reading" and "eval/square" in one["values"]
        ]

    train(ToyTask(FIT), FIT, run=tmp_path / "whole")
    train(ToyTask(FIT, interrupt_at=14), FIT, run=tmp_path / "parts")
    train(ToyTask(FIT), FIT, run=tmp_path / "parts", resume=True)
    assert measured(tmp_path / "parts") == measured(tmp_path / "whole")


def test_an_end_off_the_grid_is_measured_and_a_resumed_run_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    fit = replace(FIT, steps=40, evaluate_every=6, schedule="constant", warmup=0, patience=5, least_gain=1e9)
    whole = train(Lowering(fit), fit, run=tmp_path / "whole")
    first = replace(fit, steps=9)
    ended = train(Lowering(first), first, run=tmp_path / "parts")
    last = [one["values"] for one in journal.read(tmp_path / "parts") if one["kind"] == "reading"][-1]
    assert (last["step"], last["eval/square"]) == (9.0, ended.metrics["square"])
    resumed = train(Lowering(fit), fit, run=tmp_path / "parts", resume=True)
    assert resumed.steps == whole.steps == 36  # five evaluations without a gain of that size
    assert resumed.metrics == whole.metrics
    one, other = final(tmp_path / "whole", 36), final(tmp_path / "parts", 36)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_resumed_run_lowers_its_rate_where_the_whole_one_does(tmp_path: Path) -> None:
    fit = replace(FIT, steps=40, evaluate_every=6, schedule="constant", warmup=0)
    train(Lowering(fit), fit, run=tmp_path / "whole")
    first = replace(fit, steps=9)
    train(Lowering(first), first, run=tmp_path / "parts")
    train(Lowering(fit), fit, run=tmp_path / "parts", resume=True)
    one, other = final(tmp_path / "whole", 40), final(tmp_path / "parts", 40)
    assert all(torch.equal(one[name], other[name]) for name in one)
