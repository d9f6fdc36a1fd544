"""Resamples, and every metric on all of them at once: as if each were scored by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.rules import PASSED_ON
from autoimb.decision.scored import Scored
from autoimb.evaluation.bootstrap import (
    Weights,
    bin_rows,
    count_resamples,
    draw_resamples,
    score_resamples,
)
from autoimb.metrics import METRICS, count
from autoimb.rankings import average_precision, roc_auc

each_metric = pytest.mark.parametrize("name", METRICS)
each_size = pytest.mark.parametrize("n_classes", [2, 3])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def predictions(n_classes: int) -> tuple[Scored, IntArray]:
    """Rows of every class with tied probabilities, and the labels that these come to."""
    y = rng().permutation(np.repeat(np.arange(n_classes), [40, 15, 8][:n_classes]))
    raw = rng(1).integers(1, 8, (len(y), n_classes)) + 4.0 * np.eye(n_classes)[y]
    proba = raw / raw.sum(axis=1, keepdims=True)
    return Scored(y, proba), proba.argmax(axis=1)


@settings(max_examples=40, deadline=None)
@given(y=st.lists(st.integers(0, 3), min_size=1, max_size=40), seed=st.integers(0, 9))
def test_a_resample_holds_as_many_rows_of_each_class_as_there_are(y: list[int], seed: int) -> None:
    codes = np.array(y)
    drawn = draw_resamples(codes, np.arange(len(y)), 7, rng(seed))
    assert drawn.shape == (len(y), 7)
    for code in set(y):
        assert (drawn[codes == code].sum(axis=0) == y.count(code)).all()


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), min_size=1, max_size=40),
    seed=st.integers(0, 9),
)
def test_rows_of_a_unit_are_drawn_together(rows: list[tuple[int, int]], seed: int) -> None:
    y, units = map(np.array, zip(*rows, strict=True))
    drawn = draw_resamples(y, units, 5, rng(seed))
    for unit in np.unique(units):
        assert (drawn[units == unit] == drawn[units == unit][:1]).all()
    of_units = drawn[np.unique(units, return_index=True)[1]]
    assert (of_units.sum(axis=0) == len(of_units)).all()


def test_a_unit_that_holds_a_rare_row_is_drawn_as_one_of_the_rare() -> None:
    y = np.array([0, 0, 0, 0, 0, 0, 0, 1, 0, 1])
    units = np.array([0, 1, 2, 3, 4, 5, 6, 6, 7, 7])  # two of them hold a positive each
    drawn = draw_resamples(y, units, 200, rng())
    assert (drawn[y == 1].sum(axis=0) == 2).all()
    assert (drawn[:6].sum(axis=0) == 6).all()


def test_a_row_is_drawn_once_on_average_and_often_not_at_all() -> None:
    drawn = draw_resamples(np.zeros(50, dtype=int), np.arange(50), 4000, rng())
    np.testing.assert_allclose(drawn.mean(axis=1), 1.0, atol=0.08)
    assert (drawn == 0).mean() == pytest.approx((1 - 1 / 50) ** 50, abs=0.01)


def test_the_same_seed_draws_the_same_resamples_and_another_draws_others() -> None:
    y, units = np.arange(40) % 3, np.arange(40) // 2
    first, again, other = (draw_resamples(y, units, 9, rng(seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert len(np.unique(first, axis=1).T) == 9


@st.composite
def weighted_rows(draw: Any) -> tuple[IntArray, FloatArray, Weights]:
    """Rows of both classes with tied scores, in resamples that hold both."""
    scores = st.integers(0, 8) | st.floats(0, 8)
    rows = draw(st.lists(st.tuples(st.integers(0, 1), scores), max_size=30))
    y, score = map(np.array, zip(*rows, (0, draw(scores)), (1, draw(scores)), strict=True))
    weights = rng(draw(st.integers(0, 99))).integers(0, 4, (len(y), 4)).astype(np.float32)
    weights[-2:] += 1
    return y, score.astype(float), weights


@settings(max_examples=60, deadline=None)
@given(made=weighted_rows())
def test_bins_rank_every_resample_as_all_of_its_rows_do(
    made: tuple[IntArray, FloatArray, Weights],
) -> None:
    y, score, weights = made
    ranking = bin_rows(y, score).rank(weights)
    for curve, reference in (
        (average_precision, average_precision_score),
        (roc_auc, roc_auc_score),
    ):
        expected = [reference(y, score, sample_weight=w) for w in weights.T]
        np.testing.assert_allclose(curve(ranking), expected, rtol=1e-5, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(made=weighted_rows())
def test_the_best_threshold_of_any_resample_lies_between_two_bins(
    made: tuple[IntArray, FloatArray, Weights],
) -> None:
    y, score, weights = made
    ranking = bin_rows(y, score).rank(weights)
    hits, rows = ranking.hits, ranking.rows
    found = (2 * hits / np.maximum(rows + hits[-1], 1e-9)).max(axis=0)
    for drawn, best in zip(weights.T, found, strict=True):
        each = [
            f1_score(y, score >= threshold, sample_weight=drawn, zero_division=0.0)
            for threshold in np.unique(score)
        ]
        assert best == pytest.approx(max(each), rel=1e-5)


@settings(max_examples=40, deadline=None)
@given(made=weighted_rows(), max_bins=st.integers(1, 6))
def test_of_many_bins_some_are_kept_and_every_row_is_in_one(
    made: tuple[IntArray, FloatArray, Weights], max_bins: int
) -> None:
    y, score, weights = made
    bins = bin_rows(y, score, max_bins)
    assert len(bins.lowest) <= max_bins
    ranking = bins.rank(weights)
    np.testing.assert_allclose(ranking.rows[-1], weights.sum(axis=0))
    np.testing.assert_allclose(ranking.hits[-1], weights[y == 1].sum(axis=0))


def test_many_bins_rank_nearly_as_all_rows_do() -> None:
    y = (rng().random(5000) < 0.2).astype(int)
    score = rng(1).normal(1.0 * y)
    weights = draw_resamples(y, np.arange(5000), 20, rng(2))
    few, every = (bin_rows(y, score, n).rank(weights) for n in (200, None))
    for curve in (average_precision, roc_auc):
        np.testing.assert_allclose(curve(few), curve(every), atol=0.005)


@each_size
def test_rows_are_counted_as_often_as_they_are_drawn(n_classes: int) -> None:
    scored, codes = predictions(n_classes)
    drawn = draw_resamples(scored.y, np.arange(len(codes)), 6, rng())
    codes[::5] = PASSED_ON
    found = count_resamples(scored.y, codes, n_classes, drawn)
    for place, times in enumerate(drawn.T.astype(int)):
        rows = np.repeat(np.arange(len(codes)), times)
        rows = rows[codes[rows] != PASSED_ON]
        expected = count(scored.y[rows], codes[rows], n_classes)
        for part in ("true", "predicted", "correct"):
            np.testing.assert_array_equal(getattr(found, part)[place], getattr(expected, part))


@each_size
@each_metric
def test_all_resamples_at_once_score_as_one_at_a_time(name: str, n_classes: int) -> None:
    scored, codes = predictions(n_classes)
    calibrated = (scored.proba + 0.1) / (1 + 0.1 * n_classes)
    drawn = draw_resamples(scored.y, np.arange(len(codes)), 8, rng())
    metric = METRICS[name]
    proba = scored.proba if metric.greater_is_better else calibrated
    expected = []
    for times in drawn.T.astype(int):
        rows = np.repeat(np.arange(len(codes)), times)
        expected.append(metric.evaluate(scored.y[rows], proba[rows], codes[rows]))
    found = score_resamples(metric, scored, calibrated, codes, drawn)
    assert len(set(expected)) > 1
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["average_precision", "roc_auc", "average_precision_weighted"])
def test_a_ranking_of_one_class_has_no_score(name: str) -> None:
    scored = Scored(np.zeros(9, dtype=int), np.full((9, 2), 0.5))
    found = score_resamples(METRICS[name], scored, scored.proba, scored.y, np.ones((9, 3), "f4"))
    assert np.isnan(found).all()
    assert len(found) == 3
