from __future__ import annotations

import numpy as np
import pytest

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.rules import Threshold, argmax_rule, solve_rule
from autoimb.evaluation.scoring import (
    REPORTED,
    Score,
    cross_fitted_labels,
    score_out_of_fold,
)
from autoimb.metrics import METRICS

each_metric = pytest.mark.parametrize("name", METRICS)
each_size = pytest.mark.parametrize("n_classes", [2, 3])


def predictions(n_classes: int) -> tuple[IntArray, FloatArray, IntArray]:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(n_classes), [150, 40, 20][:n_classes])
    raw = rng.random((len(y), n_classes)) + 0.5 * np.eye(n_classes)[y]
    raw[:, 0] += 0.5
    return y, raw / raw.sum(axis=1, keepdims=True), np.arange(len(y)) % 4


@each_size
@each_metric
def test_the_searched_metric_and_the_usual_ones_are_scored(name: str, n_classes: int) -> None:
    y, proba, folds = predictions(n_classes)
    metric = METRICS[name]
    scores = score_out_of_fold(metric, y, proba, folds)
    assert set(scores) == {name, *REPORTED}
    labels = cross_fitted_labels(metric, y, proba, folds)
    for key, score in scores.items():
        each = [
            METRICS[key].evaluate(y[folds == f], proba[folds == f], labels[folds == f])
            for f in range(4)
        ]
        assert score.value == pytest.approx(METRICS[key].evaluate(y, proba, labels))
        assert (score.mean, score.spread) == pytest.approx((np.mean(each), np.std(each)))


@each_size
@each_metric
def test_the_labels_of_a_fold_do_not_depend_on_its_truth(name: str, n_classes: int) -> None:
    y, proba, folds = predictions(n_classes)
    metric = METRICS[name]
    labels = cross_fitted_labels(metric, y, proba, folds)
    for fold in range(4):
        inside = folds == fold
        lied = np.where(inside, (y + 1) % n_classes, y)
        told = cross_fitted_labels(metric, lied, proba, folds)
        np.testing.assert_array_equal(told[inside], labels[inside])
        rule = solve_rule(metric, y[~inside], proba[~inside])
        np.testing.assert_array_equal(rule.decide(proba[inside]), labels[inside])


@each_size
def test_scores_without_tuning_decide_by_the_argmax(n_classes: int) -> None:
    y, proba, folds = predictions(n_classes)
    metric = METRICS["f1"]
    plain = argmax_rule(n_classes).decide(proba)
    rule = argmax_rule(n_classes)
    found = score_out_of_fold(metric, y, proba, folds, rule=rule)["f1"].value
    assert found == pytest.approx(metric.evaluate(y, proba, plain))
    assert score_out_of_fold(metric, y, proba, folds)["f1"].value > found


def test_one_rule_for_all_rows_can_be_given() -> None:
    y, proba, folds = predictions(2)
    scores = score_out_of_fold(METRICS["f1"], y, proba, folds, rule=Threshold(2.0))
    assert scores["f1"] == Score(0.0, 0.0, 0.0)


def test_folds_where_a_metric_is_not_defined_are_left_out() -> None:
    y, proba, _ = predictions(2)
    folds = np.where(y == 1, np.arange(len(y)) % 2, 2)
    folds[:20] = np.arange(20) % 2
    score = score_out_of_fold(METRICS["f1"], y, proba, folds)["roc_auc"]
    assert np.isfinite([score.value, score.mean, score.spread]).all()


def test_a_metric_that_no_fold_defines_keeps_its_value() -> None:
    y, proba, _ = predictions(2)
    folds = 2 * y + np.arange(len(y)) % 2
    score = score_out_of_fold(METRICS["f1"], y, proba, folds)["roc_auc"]
    assert np.isfinite(score.value)
    assert np.isnan([score.mean, score.spread]).all()


def test_a_score_tells_its_spread() -> None:
    assert str(Score(0.12345, 0.5, 0.0126)) == "0.123 ± 0.013"
