"""One probability from those of several models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score

from autoimb.decision.calibration import LogisticCurve, log_odds
from autoimb.decision.stacking import Blend, LogisticStack
from autoimb.evaluation.blending import cross_fitted_blend


def views(n: int, skills: list[float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw labels, one in five positive, and what models of these skills make of them."""
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 5 == 0).astype(int)
    odds = [skill * (2 * y - 1) + rng.normal(size=n) - 1 for skill in skills]
    return y, np.column_stack(odds)


def test_several_views_rank_better_than_each() -> None:
    y, odds = views(600, [0.7, 0.7, 0.7])
    proba = LogisticStack.fit(y, odds)(odds)
    assert roc_auc_score(y, proba) > max(roc_auc_score(y, column) for column in odds.T) + 0.03


@pytest.mark.parametrize("shift", [-4.0, 3.0])
def test_a_shifted_model_counts_as_much_as_if_it_were_not(shift: float) -> None:
    y, odds = views(600, [0.7, 0.7])
    shifted = odds + np.array([0.0, shift])
    expected = LogisticStack.fit(y, odds)(odds)
    assert LogisticStack.fit(y, shifted)(shifted) == pytest.approx(expected, abs=0.01)


def test_probabilities_are_those_of_the_data() -> None:
    y, odds = views(2000, [0.5, 1.0, 0.1])
    proba = LogisticStack.fit(y, odds + 2)(odds + 2)
    assert proba.mean() == pytest.approx(y.mean(), abs=0.005)
    assert log_loss(y, proba) < min(log_loss(y, LogisticCurve.fit(y, expit(z))(expit(z)))
                                    for z in odds.T)  # fmt: skip


def test_a_model_that_tells_nothing_changes_no_ranking() -> None:
    y, odds = views(300, [1.0])
    useless = np.column_stack([odds, np.full(300, 0.3), -odds])
    alone, with_them = (LogisticStack.fit(y, z)(z) for z in (odds, useless))
    assert np.array_equal(np.argsort(alone), np.argsort(with_them))


@pytest.mark.parametrize("n", [60, 6000])
def test_weights_follow_the_skill_as_far_as_rows_support_it(n: int) -> None:
    y, odds = views(n, [1.0, 1.0, 0.2])
    good, _, poor = LogisticStack.fit(y, odds).weights
    # calibrated, the poor model's log-odds are small: equal weights after calibration
    # already make its own weight small
    assert 0 <= poor < good / 2
    ratio = poor / good
    assert ratio < 0.3 if n == 60 else ratio < 0.25


def test_several_classes_sum_to_one() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [60, 25, 15])
    odds = rng.normal(size=(100, 3, 2)) + 2 * np.eye(3)[y][:, :, None]
    blend = Blend.fit(y, odds)
    assert len(blend.stacks) == 3
    proba = blend(odds)
    assert proba.sum(axis=1) == pytest.approx(1.0)
    assert (proba.argmax(axis=1) == y).mean() > 0.8


def test_a_fold_is_predicted_by_the_others() -> None:
    y, odds = views(100, [0.7, 0.5])
    both = np.stack([-odds, odds], axis=1)
    folds = np.arange(100) % 4
    whole = cross_fitted_blend(y, both, folds)
    flipped = np.where(folds == 1, 1 - y, y)
    other = cross_fitted_blend(flipped, both, folds)
    assert np.array_equal(whole[folds == 1], other[folds == 1])
    assert not np.array_equal(whole[folds == 2], other[folds == 2])


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30)
)
def test_whatever_comes_is_a_probability(rows: list[tuple[bool, float, float]]) -> None:
    y = np.array([int(positive) for positive, *_ in rows])
    odds = log_odds(np.array([scores for _, *scores in rows]))
    proba = LogisticStack.fit(y, odds)(odds)
    assert np.isfinite(proba).all()
    assert ((proba >= 0) & (proba <= 1)).all()
