"""Which choices a search's best trials owe their scores to, in studies of known truth."""

from __future__ import annotations

import optuna
import pytest

from autoimb.metrics import get_metric
from autoimb.search.choice_importance import measure_choices
from autoimb.search.suggesting import create_study


def search(n: int, metric: str = "f1") -> optuna.Study:
    """Let the sampler decide all, a parameter of one sampler nothing; stop some trials early."""
    study = create_study(get_metric(metric), 0)
    study.sampler = optuna.samplers.RandomSampler(0)
    sign = 1 if study.direction == optuna.study.StudyDirection.MAXIMIZE else -1

    def score(trial: optuna.Trial) -> float:
        sampler = trial.suggest_categorical("sampler", ["none", "smote", "cure"])
        if sampler == "smote":
            trial.suggest_int("sampler.smote.k_neighbors", 1, 9)
        trial.suggest_float("model.logistic.C", 0.0, 1.0)
        trial.suggest_categorical("model", ["logistic"])
        if trial.number % 7 == 6:
            raise optuna.TrialPruned
        return sign * ((sampler == "cure") + trial.number * 37 % 101 / 1000)

    study.optimize(score, n)
    return study


@pytest.mark.parametrize("metric", ["f1", "log_loss"])
def test_what_decides_comes_first(metric: str) -> None:
    found = measure_choices(search(120, metric))
    assert next(iter(found)) == "sampler"
    assert found["sampler"] > 0.5
    assert sum(found.values()) == pytest.approx(1.0)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_conditional_parameters_are_among_them_and_single_choices_are_not() -> None:
    assert set(measure_choices(search(60))) == {
        "sampler", "sampler.smote.k_neighbors", "model.logistic.C",
    }  # fmt: skip


def test_of_few_trials_nothing_is_said() -> None:
    assert measure_choices(search(20)) == {}


def test_of_trials_that_all_score_the_same_nothing_is_said() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    study.optimize(lambda trial: 0 * trial.suggest_float("x", 0, 1), 30)
    assert measure_choices(study) == {}
