"""Search for settings of face-voice matching on your own pairs, by Optuna (pip install optuna).

    python bench/tune_matching.py --pairs DIR/pairs.csv --out OUT [--trials 30] [--epochs 10]

Each trial trains under the guard and goes by `eval/rank` of the run's own validation part: the test parts are never
looked at. Trials that are worse than the median at the same step end early. Trials are kept in OUT/trials.db, so that a
second call goes on where the first one ended. The best settings are written to OUT/best.yaml:

    rerail train face-voice --pairs DIR/pairs.csv --config OUT/best.yaml --num-epochs 100
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import optuna
import yaml
from torch import nn

from rerail.fit import FitConfig, Result, train
from rerail.tasks.face_voice.pairing import Paired
from rerail.tasks.face_voice.settings import FaceVoiceConfig
from rerail.tasks.face_voice.task import FaceVoiceTask

LOOP: dict[str, Any] = {
    "schedule": "cosine",
    "lr_floor": 0.01,
    "warmup": 50,
    "clip_norm": 1.0,
    "plateau_patience": 0,
}  # of every trial; written out, since presets have others


def suggested(trial: optuna.Trial) -> dict[str, Any]:
    """Return one draw from the search space."""
    return {
        "lr": trial.suggest_float("lr", 1e-4, 5e-3, log=True),
        "weight_decay": trial.suggest_float("weight_decay", 1e-5, 0.3, log=True),
        "batch_size": trial.suggest_categorical("batch_size", [32, 64, 128]),
        "width": trial.suggest_categorical("width", [64, 128, 256]),
        "head": trial.suggest_categorical("head", ["linear", "simple", "deep"]),
        "start": trial.suggest_categorical("start", ["xavier", "kaiming"]),
        "loss": trial.suggest_categorical("loss", ["infonce", "sigmoid"]),
        "temperature": trial.suggest_float("temperature", 0.05, 0.3, log=True),
    }


def settings(drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that a trial was trained with and a preset may have otherwise."""
    return {**LOOP, **drawn}


def outcome(trial: optuna.Trial, result: Result) -> float:
    """Return what a trial goes by; one that did not come to its end says nothing, and Ctrl-C ends the search.

    Raises:
        TrialPruned: for a trial that halted or was stopped.
    """
    if result.reason == "stopped":
        trial.study.stop()
    if result.reason != "finished":
        raise optuna.TrialPruned(result.message)
    return result.metrics["rank"]


@dataclass(frozen=True)  # without slots, as what it extends
class Tried(FaceVoiceTask):
    """Tells a trial of each evaluation, and ends a hopeless one."""

    trial: optuna.Trial | None = None

    def evaluate(self, model: nn.Module, batches: Iterable[Any]) -> Mapping[str, float]:
        """Measure and report."""
        found, trial = super().evaluate(model, batches), self.trial
        assert trial is not None
        told = self.__dict__["told"] = self.__dict__.get("told", -1) + 1
        trial.report(found["rank"], told)
        if trial.should_prune():
            raise optuna.TrialPruned
        return found


def main() -> None:
    """Search, and write the best settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", default=".cache/pairs")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    base = FaceVoiceConfig(pairs=given.pairs, cache=given.cache, epochs=given.epochs)
    read = Paired(base)  # once for all trials

    def objective(trial: optuna.Trial) -> float:
        values = suggested(trial)
        loop = {name: values.pop(name) for name in ("lr", "weight_decay", "batch_size")}
        fit = FitConfig(**LOOP, threads=given.threads, **loop)
        task = Tried(replace(base, **values), fit, read=read, trial=trial).fitted()
        each = max(1, task.fit.steps // given.epochs)
        task = replace(task, fit=replace(task.fit, evaluate_every=each))
        return outcome(trial, train(task, task.fit, run=None, describe=asdict(task.config)))

    storage = f"sqlite:///{given.out / 'trials.db'}"
    study = optuna.create_study(study_name="matching", storage=storage, load_if_exists=True, direction="minimize")
    study.optimize(objective, n_trials=given.trials, show_progress_bar=True)
    if not study.get_trials(states=[optuna.trial.TrialState.COMPLETE]):
        raise SystemExit(f"none of {len(study.trials)} trials came to its end; call again, and it goes on")
    (given.out / "best.yaml").write_text(yaml.safe_dump(settings(study.best_params)), encoding="utf8")
    print(f"best rank {study.best_value:.4f} of {len(study.trials)} trials: {study.best_params}")


if __name__ == "__main__":
    main()
