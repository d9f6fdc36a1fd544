"""Linear models: what splines learn that lines do not, and probabilities of a linear SVM."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from autoimb.strategy.models.linear import LinearSVM, SplineLogistic
from autoimb.strategy.weights import ClassWeighted


def draw(n: int, n_classes: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shares = {2: [0.9, 0.1], 3: [0.8, 0.13, 0.07]}[n_classes]
    y = rng.choice(n_classes, n, p=shares)
    centres = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 2.0]])
    return centres[y] + rng.normal(size=(n, 2)), y


def test_a_u_shaped_effect_is_learned_by_splines_and_not_by_a_line() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 2))
    y = (rng.random(3000) < 1 / (1 + np.exp(4 - 2 * X[:, 0] ** 2))).astype(int)
    train, test = slice(0, 1500), slice(1500, None)
    spline, line = (
        roc_auc_score(y[test], m.fit(X[train], y[train]).predict_proba(X[test])[:, 1])
        for m in (SplineLogistic(), LogisticRegression())
    )
    assert spline > 0.85
    assert line < 0.65


def test_of_a_straight_effect_splines_lose_little() -> None:
    (X, y), (X_test, y_test) = draw(1000), draw(5000, seed=1)
    spline, line = (
        log_loss(y_test, m.fit(X, y).predict_proba(X_test))
        for m in (SplineLogistic(C=0.1), LogisticRegression())
    )
    assert spline < 1.05 * line


def test_beyond_the_outer_knots_the_log_odds_are_straight() -> None:
    X, y = draw(1000)
    model = SplineLogistic().fit(X, y)
    far = np.column_stack([np.linspace(6, 9, 4), np.zeros(4)])
    odds = np.log(model.predict_proba(far)) @ [-1, 1]
    np.testing.assert_allclose(np.diff(odds, 2), 0, atol=1e-8)


def test_the_fit_does_not_depend_on_the_scale_of_a_bent_column() -> None:
    X, y = draw(600)
    proba = [SplineLogistic().fit(X * c, y).predict_proba(X * c) for c in (1.0, 10.0)]
    np.testing.assert_allclose(proba[0], proba[1], atol=1e-3)


def test_columns_of_few_values_stay_as_they_are() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 2, 500), rng.integers(0, 5, 500), np.zeros(500)])
    y = (X[:, 0] + rng.random(500) > 1.7).astype(int)
    line = LogisticRegression().fit(X, y).predict_proba(X)
    np.testing.assert_allclose(SplineLogistic(5).fit(X, y).predict_proba(X), line, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    X=hnp.arrays(float, (40, 2), elements=st.floats(-3, 3, width=32) | st.sampled_from([0.0, 1.0])),
    n_knots=st.integers(3, 8),
)
def test_whatever_the_column_probabilities_are_finite(X: np.ndarray, n_knots: int) -> None:
    y = np.repeat([0, 1], [30, 10])
    proba = SplineLogistic(n_knots, C=0.1).fit(X, y).predict_proba(np.vstack([X, -X, 0 * X]))
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("model", [SplineLogistic(C=0.1), LinearSVM(C=0.1)], ids=["spline", "svm"])
def test_probabilities_are_nearly_as_good_as_those_of_logistic_regression(
    model: SplineLogistic | LinearSVM, n_classes: int
) -> None:
    (X, y), (X_test, y_test) = draw(2000, n_classes), draw(5000, n_classes, seed=1)
    proba = model.fit(X, y).predict_proba(X_test)
    line = LogisticRegression().fit(X, y).predict_proba(X_test)
    assert log_loss(y_test, proba) < 1.1 * log_loss(y_test, line)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert set(model.predict(X_test)) == set(range(n_classes))


def test_weights_change_where_a_spline_cuts() -> None:
    X, y = draw(1000)
    plain = SplineLogistic().fit(X, y).predict_proba(X)[:, 1].mean()
    weighted = ClassWeighted(SplineLogistic(), power=1.0).fit(X, y).predict_proba(X)[:, 1].mean()
    assert weighted > 2 * plain


def test_a_weighted_svm_still_speaks_of_the_rows_as_they_are() -> None:
    (X, y), (X_test, y_test) = draw(2000), draw(5000, seed=1)
    plain = LinearSVM().fit(X, y)
    weighted = ClassWeighted(LinearSVM(), power=1.0).fit(X, y)
    assert not np.array_equal(weighted.predict_proba(X), plain.predict_proba(X))
    assert weighted.predict_proba(X_test)[:, 1].mean() == pytest.approx(y_test.mean(), abs=0.02)


def test_a_curve_of_seen_rows_would_be_too_sure() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 60)), np.repeat([0, 1], [60, 20])
    # noise in many columns: a machine that has seen the rows tells them apart, and learned nothing
    proba = LinearSVM(C=10.0).fit(X, y).predict_proba(rng.normal(size=(1000, 60)))[:, 1]
    assert abs(proba - 0.25).max() < 0.4


def test_a_class_of_one_row_is_refused() -> None:
    with pytest.raises(ValueError, match="two rows of each"):
        LinearSVM().fit(np.zeros((4, 1)), np.array([0, 0, 0, 1]))
