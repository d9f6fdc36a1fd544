"""The mean of thresholds from resamples, and what it is worth on other rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.bagging import N_THRESHOLDS, Groups, group_rows, lean_share, thin_out
from autoimb.decision.costs import Costs
from autoimb.decision.criteria import BestMetric, Swept
from autoimb.decision.rules import Threshold
from autoimb.decision.scored import Scored
from autoimb.decision.sweep import sweep_corners, sweep_thresholds

OF_TWO: list[Swept] = [BestMetric("f1"), BestMetric("mcc"), Costs(fn=5.0), Costs(fn=25.0)]


@st.composite
def scored_rows(draw: Any) -> tuple[IntArray, FloatArray]:
    rows = draw(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=40))
    y, score = zip(*rows, strict=True)
    return np.array(y), np.array(score)


def draw_rows(seed: int, n_positive: int, n: int = 3000) -> tuple[IntArray, FloatArray]:
    rng = np.random.default_rng(seed)
    y = (np.arange(n) < n_positive).astype(int)
    return y, 1 / (1 + np.exp(4.0 - rng.normal(2.5 * y, 1.5)))


def group(y: IntArray, p: FloatArray, **keywords: Any) -> Groups:
    return group_rows(y, p, p, sweep_corners(y, p).thresholds, **keywords)


@settings(max_examples=100, deadline=None)
@given(rows=scored_rows())
def test_groups_count_what_the_thresholds_between_them_decide(
    rows: tuple[IntArray, FloatArray],
) -> None:
    y, p = rows
    found, corners = group(y, p).sweep(), sweep_corners(y, p)
    np.testing.assert_array_equal(found.counts.correct, corners.counts.correct)
    np.testing.assert_array_equal(found.counts.predicted, corners.counts.predicted)


@settings(max_examples=60, deadline=None)
@given(rows=scored_rows(), seed=st.integers(0, 9))
def test_rows_count_as_much_as_they_are_said_to(
    rows: tuple[IntArray, FloatArray], seed: int
) -> None:
    """As where all rows of a group count alike: of a table with amounts by score."""
    y, p = rows
    negative, positive = 1 + np.floor(3 * p), 2 + np.floor(5 * p)
    thresholds = sweep_thresholds(y, p).thresholds
    found = group_rows(y, p, p, thresholds, (negative, positive)).sweep()
    for threshold, correct in zip(thresholds, found.counts.correct, strict=True):
        flagged = p >= threshold
        assert correct[1] == pytest.approx(positive[flagged & (y == 1)].sum())
        assert correct[0] == pytest.approx(negative[~flagged & (y == 0)].sum())


@settings(max_examples=100, deadline=None)
@given(rows=scored_rows(), share=st.floats(0, 1))
def test_the_curve_expects_as_many_positives_as_there_are(
    rows: tuple[IntArray, FloatArray], share: float
) -> None:
    y, p = rows
    leant = group(y, p).sweep(share).counts
    assert (leant.correct >= -1e-9).all()
    # An unpenalised intercept makes the calibrated positives as many as the real ones.
    assert leant.true[0, 1] == pytest.approx(y.sum(), abs=0.01)
    assert leant.true[0].sum() == pytest.approx(len(y))


def test_the_curve_counts_less_the_more_positives_there_are() -> None:
    shares = [lean_share(n) for n in (0, 10, 50, 500, 5000)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1.0
    assert shares[-1] == 0.0
    assert lean_share(10, 0.0) == 0.0


def test_resamples_are_the_rows_on_average() -> None:
    y, p = draw_rows(0, 60)
    groups = group(y, p)
    drawn = list(groups.resample(400, 0.0, np.random.default_rng(0)))
    assert len(drawn) == 400
    hits = np.array([one.counts.correct[:, 1] for one in drawn])
    assert hits[:, -1].std() == pytest.approx(np.sqrt(60), rel=0.2)
    np.testing.assert_allclose(hits.mean(axis=0), groups.sweep().counts.correct[:, 1], atol=1.5)


def test_resamples_without_a_positive_are_left_out() -> None:
    y, p = draw_rows(0, 1, n=200)
    drawn = list(group(y, p).resample(200, 0.5, np.random.default_rng(0)))
    assert 100 < len(drawn) < 150  # 1 - 1 / e of them
    y[:] = 0
    assert not list(group(y, p).resample(5, 0.5, np.random.default_rng(0)))


def test_of_very_many_thresholds_some_are_kept() -> None:
    y, p = draw_rows(0, 4000, n=9000)
    every = sweep_thresholds(y, p).thresholds
    few = thin_out(every)
    assert len(few) == N_THRESHOLDS
    assert set(few) <= set(every)
    found = group_rows(y, p, p, few)
    assert found.n_positive.sum() == 4000
    assert found.n_negative.sum() == 5000
    np.testing.assert_array_equal(thin_out(every[:50]), every[:50])


@pytest.mark.parametrize("criterion", OF_TWO, ids=str)
def test_the_same_rows_give_the_same_rule(criterion: Swept) -> None:
    y, p = draw_rows(3, 40)
    rows = Scored(y, np.column_stack([1 - p, p]))
    assert criterion.solve(rows) == criterion.solve(rows)


@pytest.mark.parametrize("criterion", OF_TWO, ids=str)
def test_a_threshold_from_few_positives_does_better_on_other_rows(criterion: Swept) -> None:
    """The mean on 20,000 other rows, over 40 samples of 25 positives, against the best on those."""
    y_other, p_other = draw_rows(999, 250, n=20_000)
    other = Scored(y_other, np.column_stack([1 - p_other, p_other]))
    found, sharp = [], []
    for seed in range(40):
        y, p = draw_rows(seed, 25, n=2000)
        rule = criterion.solve(Scored(y, np.column_stack([1 - p, p])))
        every = sweep_thresholds(y, p)
        best = Threshold(float(every.thresholds[criterion.values(every.counts).argmax()]))
        found.append(criterion.utility(other, rule))
        sharp.append(criterion.utility(other, best))
    gained = np.mean(found) - np.mean(sharp)
    assert gained > 0.01 * abs(np.mean(sharp))


@pytest.mark.parametrize("n_positive", [3, 8])
def test_from_very_few_positives_what_probabilities_mean_decides(n_positive: int) -> None:
    """It is nearer to what Elkan's ratio costs on other rows than to what all or none do."""
    criterion = Costs(fn=25.0)
    y_other, p_other = draw_meant(999, 400)
    other = Scored(y_other, np.column_stack([1 - p_other, p_other]))
    known = criterion.utility(other, Threshold(1 / 26))
    lost = []
    for seed in range(30):
        y, p = draw_meant(seed, n_positive)
        rule = criterion.solve(Scored(y, np.column_stack([1 - p, p])))
        lost.append(known - criterion.utility(other, rule))
    trivial = max(criterion.utility(other, Threshold(t)) for t in (0.0, 2.0))
    assert np.mean(lost) < 0.25 * (known - trivial)


def draw_meant(seed: int, n_positive: int) -> tuple[IntArray, FloatArray]:
    """Draw rows of which one in fifty is positive, with the probabilities that they mean."""
    rng = np.random.default_rng(seed)
    y = (np.arange(50 * n_positive) < n_positive).astype(int)
    odds = np.log(1 / 49) + 2.5 * rng.normal(2.5 * y, 1) - 2.5**2 / 2
    return y, 1 / (1 + np.exp(-odds))


def test_thresholds_around_one_are_all_kept() -> None:
    every = np.linspace(1.0, 0.0, 5001)
    kept = thin_out(every, around=0.3)
    assert set(every[abs(every - 0.3) < 0.09]) <= set(kept)
    assert {1.0, 0.0} <= set(kept)
