from __future__ import annotations

import numpy as np
import pytest
from metric_rules import solve_rule
from sklearn.metrics import precision_score, recall_score

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.splitting import Folds
from autoimb.decision.calibrators import fit_calibrator
from autoimb.decision.criteria import BestMetric
from autoimb.decision.rules import Threshold, argmax_rule
from autoimb.decision.scored import Scored
from autoimb.evaluation.scoring import (
    MIN_ROWS,
    REPORTED,
    Score,
    cross_fit,
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


def evaluate(
    key: str, y: IntArray, proba: FloatArray, calibrated: FloatArray, codes: IntArray
) -> float:
    """Score rows by any of what is reported."""
    if key == "precision":
        return float(precision_score(y, codes, zero_division=0))
    if key in ("recall", "specificity"):
        return float(recall_score(y, codes, pos_label=int(key == "recall"), zero_division=0))
    if key == "prevalence_ratio":
        occur = np.bincount(y, minlength=proba.shape[1])
        ratios = calibrated.sum(axis=0) / occur
        of_many = ratios[occur >= min(MIN_ROWS, max(occur))]
        return float(ratios[1] if len(occur) == 2 else max(of_many, key=lambda r: max(r, 1 / r)))
    is_loss = key in ("brier", "log_loss")
    return METRICS[key].evaluate(y, calibrated if is_loss else proba, codes)


@each_size
@each_metric
def test_the_searched_metric_and_the_usual_ones_are_scored(name: str, n_classes: int) -> None:
    y, proba, folds = predictions(n_classes)
    metric = METRICS[name]
    scores = score_out_of_fold(metric, Scored(y, proba), Folds(folds))
    of_decision = {"precision", "recall", "specificity"} if n_classes == 2 else set()
    assert set(scores) == {name, *REPORTED, *of_decision, "prevalence_ratio"}
    found = cross_fit(BestMetric(name), Scored(y, proba), Folds(folds))
    for key, score in scores.items():
        whole, *each = [
            evaluate(key, y[rows], proba[rows], found.proba[rows], found.codes[rows])
            for rows in (folds >= 0, *(folds == fold for fold in range(4)))
        ]
        assert score.value == pytest.approx(whole)
        assert (score.mean, score.spread) == pytest.approx((np.mean(each), np.std(each)))


@each_size
@each_metric
def test_the_labels_of_a_fold_do_not_depend_on_its_truth(name: str, n_classes: int) -> None:
    y, proba, folds = predictions(n_classes)
    metric = METRICS[name]
    found = cross_fit(BestMetric(name), Scored(y, proba), Folds(folds))
    for fold in range(4):
        inside = folds == fold
        lied = np.where(inside, (y + 1) % n_classes, y)
        told = cross_fit(BestMetric(name), Scored(lied, proba), Folds(folds))
        np.testing.assert_array_equal(told.proba[inside], found.proba[inside])
        np.testing.assert_array_equal(told.codes[inside], found.codes[inside])
        calibrate = fit_calibrator("platt", y[~inside], proba[~inside])
        rule = solve_rule(metric, y[~inside], calibrate(proba[~inside]))
        calibrated = calibrate(proba[inside])
        np.testing.assert_array_equal(calibrated, found.proba[inside])
        np.testing.assert_array_equal(rule.decide(calibrated), found.codes[inside])


@each_size
def test_scores_without_tuning_decide_by_the_argmax(n_classes: int) -> None:
    y, proba, folds = predictions(n_classes)
    metric = METRICS["f1"]
    plain = argmax_rule(n_classes).decide(proba)
    rule = argmax_rule(n_classes)
    found = score_out_of_fold(metric, Scored(y, proba), Folds(folds), rule=rule)
    for key in REPORTED:
        assert found[key].value == pytest.approx(METRICS[key].evaluate(y, proba, plain))
    tuned = score_out_of_fold(metric, Scored(y, proba), Folds(folds))
    assert tuned["f1"].value > found["f1"].value


def test_one_rule_for_all_rows_can_be_given() -> None:
    y, proba, folds = predictions(2)
    scores = score_out_of_fold(METRICS["f1"], Scored(y, proba), Folds(folds), rule=Threshold(2.0))
    assert scores["f1"] == Score(0.0, 0.0, 0.0)


def test_of_several_classes_the_one_that_is_furthest_off_and_not_tiny_tells_the_ratio() -> None:
    y = np.repeat([0, 1, 2], [120, 60, MIN_ROWS - 1])
    proba = np.tile([0.6, 0.1, 0.3], (len(y), 1))
    scores = score_out_of_fold(
        METRICS["f1"], Scored(y, proba), Folds(np.arange(len(y)) % 4), rule=argmax_rule(3)
    )
    assert scores["prevalence_ratio"].value == pytest.approx(0.1 / (60 / len(y)))


def test_folds_where_a_metric_is_not_defined_are_left_out() -> None:
    y, proba, _ = predictions(2)
    folds = np.where(y == 1, np.arange(len(y)) % 2, 2)
    folds[:20] = np.arange(20) % 2
    score = score_out_of_fold(METRICS["f1"], Scored(y, proba), Folds(folds))["roc_auc"]
    assert np.isfinite([score.value, score.mean, score.spread]).all()


def test_a_metric_that_no_fold_defines_keeps_its_value() -> None:
    y, proba, _ = predictions(2)
    folds = 2 * y + np.arange(len(y)) % 2
    score = score_out_of_fold(METRICS["f1"], Scored(y, proba), Folds(folds))["roc_auc"]
    assert np.isfinite(score.value)
    assert np.isnan([score.mean, score.spread]).all()


def test_a_score_tells_its_spread() -> None:
    assert str(Score(0.12345, 0.5, 0.0126)) == "0.123 ± 0.013"
