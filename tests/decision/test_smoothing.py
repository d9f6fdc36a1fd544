from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_rules import solve_rule

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.smoothing import PSEUDO_POSITIVES, smooth_labels
from autoimb.metrics import METRICS


@st.composite
def scored_rows(draw: Any) -> tuple[IntArray, FloatArray]:
    rows = draw(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=40))
    y, score = zip(*rows, strict=True)
    return np.array(y), np.array(score)


def draw_rows(seed: int, n_positive: int, n: int = 3000) -> tuple[IntArray, FloatArray]:
    rng = np.random.default_rng(seed)
    y = (np.arange(n) < n_positive).astype(int)
    return y, 1 / (1 + np.exp(4.0 - rng.normal(2.5 * y, 1.5)))


@settings(max_examples=200, deadline=None)
@given(rows=scored_rows())
def test_labels_stay_shares_and_keep_their_number(rows: tuple[IntArray, FloatArray]) -> None:
    y, score = rows
    z = smooth_labels(y, score)
    assert ((z >= 0) & (z <= 1)).all()
    # An unpenalised intercept makes the calibrated positives as many as the real ones.
    assert z.sum() == pytest.approx(y.sum(), abs=0.01)


def test_each_class_is_ordered_by_its_score() -> None:
    y, score = draw_rows(0, 60)
    z = smooth_labels(y, score)
    for k in (0, 1):
        assert (np.diff(z[y == k][np.argsort(score[y == k])]) >= 0).all()


def test_it_leans_less_the_more_positives_there_are() -> None:
    moved = []
    for n_positive in (20, PSEUDO_POSITIVES, 1500):
        y, score = draw_rows(0, n_positive)
        moved.append(abs(smooth_labels(y, score) - y)[y == 1].mean())
    assert moved == sorted(moved, reverse=True)
    y, score = draw_rows(0, 4000, n=9000)
    np.testing.assert_array_equal(smooth_labels(y, score), y)


@pytest.mark.parametrize("kind", ["constant", "backwards", "no positive", "no negative"])
def test_scores_that_tell_nothing_leave_the_labels(kind: str) -> None:
    y, score = draw_rows(0, 60)
    y = {"no positive": np.zeros_like(y), "no negative": np.ones_like(y)}.get(kind, y)
    score = {"constant": np.full(len(y), 0.3), "backwards": 1 - score}.get(kind, score)
    np.testing.assert_array_equal(smooth_labels(y, score), y)


def test_a_threshold_from_few_positives_does_better_on_other_rows() -> None:
    """The mean F1 on 20,000 other rows, over 40 samples of 25 positives."""
    f1 = METRICS["f1"]
    y_test, p_test = draw_rows(999, 250, n=20_000)
    leant, sharp = [], []
    for seed in range(40):
        y, p = draw_rows(seed, 25, n=2000)
        solved = solve_rule(f1, y, np.column_stack([1 - p, p]))
        cuts = np.unique(p)
        best = cuts[np.argmax([2 * y[p >= t].sum() / (y.sum() + (p >= t).sum()) for t in cuts])]
        for found, rule_labels in (
            (leant, solved.decide(np.column_stack([1 - p_test, p_test]))),
            (sharp, (p_test >= best).astype(int)),
        ):
            proba = np.column_stack([1 - p_test, p_test])
            found.append(f1.evaluate(y_test, proba, rule_labels))
    assert np.mean(leant) > np.mean(sharp) + 0.005
