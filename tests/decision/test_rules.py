from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_rules import solve_rule

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.class_weights import settle_class_weights, solve_class_weights
from autoimb.decision.rules import ClassWeights, Threshold, argmax_rule
from autoimb.decision.scored import Scored
from autoimb.decision.sweep import sweep_thresholds
from autoimb.metrics import METRICS, Counts, Metric, count

# What a rule maximises; the rankings share one.
each_metric = pytest.mark.parametrize(
    "name", {metric.of_counts: name for name, metric in METRICS.items()}.values()
)
TIED = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
ANY = st.floats(0.0, 1.0)


def score(metric: Metric, y: IntArray, labels: IntArray, n_classes: int) -> float:
    return float(metric.of_counts(count(y, labels, n_classes)))


def two_columns(p: FloatArray) -> FloatArray:
    return np.column_stack([1 - p, p])


@st.composite
def binary_rows(draw: Any) -> tuple[IntArray, FloatArray]:
    rows = draw(st.lists(st.tuples(st.integers(0, 1), TIED | ANY), min_size=1, max_size=25))
    y, p = zip(*rows, strict=True)
    return np.array(y), np.array(p)


@st.composite
def multiclass_rows(draw: Any) -> tuple[IntArray, FloatArray]:
    n_classes = draw(st.integers(3, 4))
    row = st.tuples(*[TIED | ANY] * n_classes).filter(lambda cells: sum(cells) > 1e-6)
    rows = draw(st.lists(st.tuples(st.integers(0, n_classes - 1), row), min_size=1, max_size=25))
    y, raw = zip(*rows, strict=True)
    proba = np.array(raw)
    return np.array(y), proba / proba.sum(axis=1, keepdims=True)


def promised_score(metric: Metric, z: FloatArray, positive: FloatArray) -> float:
    """Score a decision on shares of positives, row by row."""
    return float(
        metric.of_counts(
            Counts(
                true=np.array([np.sum(1 - z), np.sum(z)]),
                predicted=np.array([np.sum(~positive), np.sum(positive)], dtype=float),
                correct=np.array([np.sum((1 - z)[~positive]), np.sum(z[positive])]),
            )
        )
    )


@each_metric
@settings(max_examples=60, deadline=None)
@given(rows=binary_rows())
def test_a_threshold_promises_as_much_as_the_best_of_all(
    name: str, rows: tuple[IntArray, FloatArray]
) -> None:
    metric, (y, p) = METRICS[name], rows
    # So many that the rows decide alone.
    rule = solve_rule(metric, np.tile(y, 1000), two_columns(np.tile(p, 1000)))
    assert isinstance(rule, Threshold)
    everyone = [promised_score(metric, y, p >= t) for t in (*p, np.inf)]
    found = promised_score(metric, y, p >= rule.value)
    assert rule == argmax_rule(2) or found == pytest.approx(max(everyone), abs=1e-9)


@each_metric
@settings(max_examples=60, deadline=None)
@given(rows=binary_rows())
def test_a_threshold_is_never_below_the_argmax(
    name: str, rows: tuple[IntArray, FloatArray]
) -> None:
    metric, (y, p) = METRICS[name], rows
    found = solve_rule(metric, y, two_columns(p)).decide(two_columns(p))
    plain = argmax_rule(2).decide(two_columns(p))
    assert score(metric, y, found, 2) >= score(metric, y, plain, 2)


@each_metric
def test_with_many_positives_a_threshold_is_the_best_of_all(name: str) -> None:
    metric, rng = METRICS[name], np.random.default_rng(0)
    y = (np.arange(9000) < 4000).astype(int)
    p = rng.beta(2 + 2 * y, 4).round(3)
    found = solve_rule(metric, y, two_columns(p)).decide(two_columns(p))
    everyone = [score(metric, y, (p >= t).astype(int), 2) for t in (*np.unique(p), np.inf)]
    assert score(metric, y, found, 2) == pytest.approx(max(everyone), abs=1e-9)


@each_metric
@settings(max_examples=60, deadline=None)
@given(rows=multiclass_rows())
def test_class_weights_are_never_below_the_argmax(
    name: str, rows: tuple[IntArray, FloatArray]
) -> None:
    metric, (y, proba) = METRICS[name], rows
    n_classes = proba.shape[1]
    found = solve_rule(metric, y, proba).decide(proba)
    plain = score(metric, y, proba.argmax(axis=1), n_classes)
    assert score(metric, y, found, n_classes) >= plain - 1e-9


@settings(max_examples=100, deadline=None)
@given(rows=binary_rows())
def test_the_sweep_counts_what_its_thresholds_decide(rows: tuple[IntArray, FloatArray]) -> None:
    y, p = rows
    found = sweep_thresholds(y, p)
    assert len(found.thresholds) == len(np.unique(p)) + 1
    for i, threshold in enumerate(found.thresholds):
        counted = count(y, (p >= threshold).astype(int), 2)
        for part in ("true", "predicted", "correct"):
            np.testing.assert_array_equal(getattr(found.counts, part)[i], getattr(counted, part))


@each_metric
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", ["constant", "all zero", "one row", "one class", "certain"])
def test_degenerate_probabilities_are_decided(name: str, n_classes: int, kind: str) -> None:
    y = np.array([0]) if kind == "one row" else np.arange(12) % n_classes
    y = np.zeros_like(y) if kind == "one class" else y
    proba = np.full((len(y), n_classes), 1 / n_classes)
    if kind == "all zero":
        proba = np.tile(np.eye(n_classes)[0], (len(y), 1))
    if kind == "certain":
        proba = np.eye(n_classes)[y]
    metric = METRICS[name]
    labels = solve_rule(metric, y, proba).decide(proba)
    plain = argmax_rule(n_classes).decide(proba)
    assert set(labels) <= set(range(n_classes))
    assert score(metric, y, labels, n_classes) >= score(metric, y, plain, n_classes)


def test_class_weights_find_a_rare_class() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [300, 60, 15])
    raw = rng.random((len(y), 3)) + np.array([1.5, 0.3, 0.1]) + 0.5 * np.eye(3)[y]
    proba = raw / raw.sum(axis=1, keepdims=True)
    metric = METRICS["balanced_accuracy"]
    tuned = score(metric, y, solve_rule(metric, y, proba).decide(proba), 3)
    assert tuned > score(metric, y, proba.argmax(axis=1), 3) + 0.2


@pytest.mark.parametrize(("n_each", "nearer"), [(30, "power"), (20_000, "own")])
def test_a_class_of_many_rows_has_a_weight_of_its_own(n_each: int, nearer: str) -> None:
    """Whatever single rows of a small class would have: the prevalence speaks for it."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [4 * n_each, n_each, n_each])
    # equally frequent, but the last one is given too little
    raw = rng.random((len(y), 3)) * np.array([1.0, 1.0, 0.6]) + np.eye(3)[y] * [0.3, 0.3, 0.18]
    rows, metric = Scored(y, raw / raw.sum(axis=1, keepdims=True)), METRICS["balanced_accuracy"]
    own = np.array(solve_class_weights(metric, rows))
    found = np.array(settle_class_weights(metric, rows))
    ratios = {"own": own[2] / own[1], "power": 1.0}
    assert min(ratios, key=lambda k: abs(np.log(found[2] / found[1] / ratios[k]))) == nearer


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Threshold(0.12345), "threshold 0.123"),
        (ClassWeights((1.0, 0.25, 0.3333)), "class weights 1, 0.25, 0.333"),
    ],
)
def test_a_rule_tells_itself_in_words(rule: Threshold | ClassWeights, text: str) -> None:
    assert str(rule) == text
