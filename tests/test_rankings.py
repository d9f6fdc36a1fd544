"""The curves of a ranking, with any weights of the rows, as scikit-learn computes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from autoimb.arrays import FloatArray, IntArray
from autoimb.rankings import Ranking, average_precision, best_at_floor, rank, roc_auc

SKLEARN = {average_precision: average_precision_score, roc_auc: roc_auc_score}
each_curve = pytest.mark.parametrize("curve", SKLEARN, ids=lambda curve: curve.__name__)
each_floor = pytest.mark.parametrize("floor", [0.3, 0.5, 0.9])


@st.composite
def scored_rows(draw: Any) -> tuple[IntArray, FloatArray]:
    """Rows of both classes, many of them tied."""
    rows = draw(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=0, max_size=30))
    y, score = zip(*rows, (0, 3), (1, draw(st.integers(0, 6))), strict=True)
    return np.array(y), np.array(score) / 6


def weigh(y: IntArray, score: FloatArray, weights: FloatArray) -> Ranking:
    """Rank rows of which each counts as much as it is said to, in each of many columns."""
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    hits, rows = (weights.T * y).T[order], weights[order]
    return Ranking(np.cumsum(hits, axis=0)[last_of_tie], np.cumsum(rows, axis=0)[last_of_tie])


@each_curve
@settings(max_examples=40, deadline=None)
@given(rows=scored_rows())
def test_curves_are_those_of_scikit_learn(curve: Any, rows: tuple[IntArray, FloatArray]) -> None:
    y, score = rows
    assert curve(rank(y, score)) == pytest.approx(SKLEARN[curve](y, score))


@each_curve
@settings(max_examples=25, deadline=None)
@given(rows=scored_rows(), seed=st.integers(0, 99))
def test_weights_may_have_axes_of_their_own(
    curve: Any, rows: tuple[IntArray, FloatArray], seed: int
) -> None:
    y, score = rows
    weights = np.random.default_rng(seed).random((len(y), 2, 3)) + 0.01
    found = curve(weigh(y, score, weights))
    assert found.shape == (2, 3)
    expected = [
        [SKLEARN[curve](y, score, sample_weight=weights[:, i, j]) for j in range(3)]
        for i in range(2)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@each_floor
@settings(max_examples=25, deadline=None)
@given(rows=scored_rows())
def test_the_best_at_a_floor_is_a_point_of_the_curve_that_holds_it(
    floor: float, rows: tuple[IntArray, FloatArray]
) -> None:
    y, score = rows
    precision, recall, _ = precision_recall_curve(y, score)
    precision, recall = precision[:-1], recall[:-1]  # its last point is no threshold
    ranking = rank(y, score)
    for of_recall, allowed, value in ((True, precision, recall), (False, recall, precision)):
        expected = max(value[allowed >= floor], default=0.0)
        assert best_at_floor(ranking, floor, of_recall) == pytest.approx(expected)


@pytest.mark.parametrize(("curve", "lacking"), [(average_precision, 1), (roc_auc, 0), (roc_auc, 1)])
def test_a_resample_that_lacks_a_class_has_no_curve_and_the_others_keep_theirs(
    curve: Any, lacking: int
) -> None:
    y, score = np.array([0, 1, 0, 1]), np.array([0.1, 0.5, 0.6, 0.9])
    weights = np.ones((4, 2))
    weights[y == lacking, 0] = 0
    found = curve(weigh(y, score, weights))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(SKLEARN[curve](y, score))
