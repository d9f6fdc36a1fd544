"""What the best of many trials owes to luck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.splitting import Folds
from autoimb.decision.calibration import log_odds
from autoimb.decision.criteria import BestMetric
from autoimb.decision.scored import Scored
from autoimb.evaluation.judging import judge
from autoimb.evaluation.optimism import Tried, estimate_optimism
from autoimb.evaluation.scoring import score_out_of_fold
from autoimb.metrics import METRICS
from autoimb.search.blend import cross_fitted_blend

each_metric = pytest.mark.parametrize("name", ["average_precision", "roc_auc", "f1", "log_loss"])
F1 = BestMetric("f1")


def classes(seed: int, n: int = 200, share: float = 0.2) -> IntArray:
    return np.random.default_rng(seed).permutation((np.arange(n) < share * n).astype(int))


def predictions(y: IntArray, skills: Sequence[float], seed: int = 0) -> list[FloatArray]:
    """Predict by one trial for each skill; 0 is chance."""
    noise = np.random.default_rng([1, seed]).normal(size=(len(skills), len(y)))
    p = [
        1 / (1 + np.exp(-(skill * (y - 0.5) + own)))
        for skill, own in zip(skills, noise, strict=True)
    ]
    return [np.column_stack([1 - each, each]) for each in p]


def utilities(
    y: IntArray, proba: Sequence[FloatArray], name: str, of: str = "values"
) -> FloatArray:
    folds, once = Folds(np.arange(len(y)) % 4), np.ones((len(y), 1), dtype=np.float32)
    judged = [judge(METRICS[name], F1, Scored(y, one), folds) for one in proba]
    return np.array([getattr(one, of)(once)[0] for one in judged])


def tried(
    y: IntArray, proba: Sequence[FloatArray], name: str, *, n_chosen: int = 1, **changes: Any
) -> Tried:
    """Choose the trials that have the most merit on all rows, each a strategy of its own."""
    leads = np.asarray(changes.pop("leads", np.zeros(len(proba))))
    order = np.argsort(leads - utilities(y, proba, name, "merits"), kind="stable")
    usual = {
        "scored": Scored(y, np.empty((len(y), 2))), "folds": Folds(np.arange(len(y)) % 4),
        "units": np.arange(len(y)), "counts_as": np.ones(len(y)), "proba": proba,
        "strategies": [str(k) for k in range(len(proba))], "leads": leads,
        "chosen": order[:n_chosen].tolist(),
    }  # fmt: skip
    return Tried(**{**usual, **changes})


def optimism(found: Tried, name: str, n_resamples: int = 125, **options: Any) -> float:
    return estimate_optimism(found, METRICS[name], F1, n_resamples=n_resamples, **options)


@pytest.mark.parametrize("name", ["average_precision", "roc_auc", "log_loss"])
def test_the_best_of_many_useless_trials_is_corrected_to_what_any_of_them_is_worth(
    name: str,
) -> None:
    luck, corrected = [], []
    for seed in range(10):
        y = classes(seed)
        proba = predictions(y, [0.0] * 12, seed)
        found = tried(y, proba, name)
        each = utilities(y, proba, name)
        luck.append(each[found.chosen[0]] - each.mean())
        corrected.append(luck[-1] - optimism(found, name, 60))
    assert np.mean(luck) > 0
    assert abs(np.mean(corrected)) < 0.5 * np.mean(luck)


@pytest.mark.slow
@pytest.mark.parametrize("n_chosen", [1, 4])
def test_neither_a_threshold_nor_a_blend_makes_useless_trials_better_than_chance(
    n_chosen: int,
) -> None:
    name, lead = ("f1", []) if n_chosen == 1 else ("roc_auc", [])
    for seed in range(10):
        y = classes(seed)
        proba, folds = predictions(y, [0.0] * 12, seed), Folds(np.arange(len(y)) % 4)
        found = tried(y, proba, name, n_chosen=n_chosen)
        if n_chosen == 1:
            scores = [
                score_out_of_fold(METRICS["f1"], Scored(y, p), folds)["f1"].value for p in proba
            ]
            score, chance = scores[found.chosen[0]], np.mean(scores)
        else:
            odds = np.stack([log_odds(proba[one]) for one in found.chosen], axis=2)
            score = METRICS["roc_auc"].evaluate(y, cross_fitted_blend(y, odds, folds), y)
            chance = 0.5
        lead.append(score - chance - optimism(found, name, 60))
    assert np.mean(lead) < 0.01


@each_metric
@pytest.mark.parametrize("n", [0, 1])
def test_where_there_was_no_choice_there_is_no_luck(name: str, n: int) -> None:
    y = classes(0)
    found = tried(y, predictions(y, [1.0] * n), name)
    assert optimism(found, name) == 0.0


@each_metric
def test_a_trial_that_is_far_ahead_owes_nothing_to_luck(name: str) -> None:
    y = classes(0)
    found = tried(y, predictions(y, [0.0, 0.2, 6.0, 0.1, 0.0]), name)
    assert found.chosen == [2]
    assert optimism(found, name) == pytest.approx(0.0, abs=1e-3)


@each_metric
def test_more_useless_trials_bring_more_luck(name: str) -> None:
    few, many = (
        np.mean([
            optimism(tried(y, predictions(y, [0.0] * n, seed), name), name)
            for seed in range(4)
            for y in [classes(seed)]
        ])
        for n in (2, 16)
    )  # fmt: skip
    assert many > few > 0


def test_a_blend_holds_one_trial_of_each_strategy() -> None:
    """All trials of one strategy and one of another: there is no other blend of two."""
    y = classes(0)
    proba = predictions(y, [1.0, 1.0])
    found = tried(y, proba, "roc_auc", n_chosen=2)
    assert optimism(found, "roc_auc") == 0.0
    same = tried(y, [*proba, proba[0]], "roc_auc", strategies=["a", "b", "a"], chosen=[0, 1])
    assert optimism(same, "roc_auc") == 0.0


def test_of_groups_all_rows_are_drawn_or_none() -> None:
    """Each row five times says no more than once, if they are known to be one group."""
    y, times = classes(0, n=120), np.repeat(np.arange(120), 5)
    once = tried(y, predictions(y, [0.3] * 15), "roc_auc")
    again = [one[times] for one in once.proba]
    grouped, alone = (
        tried(y[times], again, "roc_auc", units=units, chosen=once.chosen)
        for units in (times, np.arange(600))
    )
    assert optimism(grouped, "roc_auc") == pytest.approx(optimism(once, "roc_auc"), rel=1e-4)
    assert optimism(alone, "roc_auc") < 0.8 * optimism(once, "roc_auc")


@each_metric
def test_what_a_row_counts_as_matters_only_beside_the_others(name: str) -> None:
    y = classes(0)
    proba = predictions(y, [0.3] * 10)
    one, three = (
        optimism(tried(y, proba, name, counts_as=np.full(len(y), times)), name)
        for times in (1.0, 3.0)
    )
    assert one == pytest.approx(three, rel=1e-4)
    uneven = tried(y, proba, name, counts_as=np.where(y == 1, 1.0, 9.0))
    assert (optimism(uneven, name) == pytest.approx(one, rel=1e-3)) is (name == "roc_auc")


@pytest.mark.parametrize("n_chosen", [1, 3])
def test_it_does_not_depend_on_the_threads_but_on_the_seed(n_chosen: int) -> None:
    y = classes(0)
    found = tried(y, predictions(y, [0.3] * 8), "f1", n_chosen=n_chosen)
    one, *others = (optimism(found, "f1", 300, n_threads=n) for n in (1, 2, 5))
    assert one > 0
    assert others == [one, one]
    assert optimism(found, "f1", 300, seed=1) != one


@each_metric
def test_what_was_chosen_though_another_scored_more_is_not_worth_more_than_it_scored(
    name: str,
) -> None:
    """The other has to be ahead by more than it is; that is no bad luck of the one."""
    y = classes(0, n=300)
    found = tried(y, predictions(y, [1.0, 2.0]), name, leads=[0.0, 10.0])
    assert found.chosen == [0]
    assert optimism(found, name) == 0.0
    nearly = tried(y, predictions(y, [1.0, 1.5]), name)
    ahead = utilities(y, nearly.proba, name, "merits")
    held = tried(y, nearly.proba, name, leads=[0.0, 1.05 * (ahead[1] - ahead[0])])
    assert held.chosen == [0]
    assert optimism(held, name) == 0.0


@pytest.mark.parametrize("name", ["average_precision", "roc_auc", "mcc", "brier"])
def test_three_positives_are_enough_to_be_told_something(name: str) -> None:
    """Of some resamples no positive is left out: they say nothing, and raise no warning."""
    y = classes(0, n=60, share=0.05)
    found = optimism(tried(y, predictions(y, [0.0] * 10), name), name)
    assert np.isfinite(found)
    assert found > 0
