"""Detectors that know the frequent rows: what they find, and that no row is scored by itself."""

from __future__ import annotations

import functools
import math
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lightgbm import LGBMClassifier
from scipy.stats import ks_2samp
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from autoimb.strategy.anomaly import views
from autoimb.strategy.anomaly.detectors import (
    DETECTORS,
    MAX_ROWS,
    cross_fit,
    make_detector,
    strangeness,
)
from autoimb.strategy.anomaly.ecod import ECOD
from autoimb.strategy.anomaly.views import AnomalyClassifier, AnomalyFeatures
from autoimb.strategy.weights import ClassWeighted

each_detector = pytest.mark.parametrize("detector", DETECTORS)
each_choice = pytest.mark.parametrize("detector", [*DETECTORS, "all"])
SHARE = 0.04
N_TREES = 10


def draw(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw frequent rows, correlated, and rare ones around them on all sides."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < SHARE).astype(int)
    X = rng.normal(size=(n, 4)) * np.where(y, 3.0, 1.0)[:, None]
    return X @ np.array([[1, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.3], [0, 0, 0, 1]]), y


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forest of detectors costs more than all the others, and what is tested does not change."""
    fewer = functools.partial(make_detector, n_estimators=N_TREES)
    monkeypatch.setattr(views, "make_detector", fewer)


def classifier(detector: str, **parameters: Any) -> AnomalyClassifier:
    return AnomalyClassifier(detector, n_estimators=N_TREES, **parameters)


class Remembering(ClassifierMixin, BaseEstimator):
    """Remember what it was trained on and asked for."""

    def fit(self, X: np.ndarray, y: np.ndarray, categorical_feature: Any = "auto") -> Remembering:
        self.classes_, self.X_, self.y_ = np.unique(y), X, y
        self.categorical_feature_ = categorical_feature
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        self.asked_ = X
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def by_the_paper(rows: list[list[int]], row: list[int]) -> float:
    """Score a row that is appended to others, cell by cell, in exact numbers as far as they go."""
    left = right = pointed = 0.0
    for j, cell in enumerate(row):
        column = [Fraction(each[j]) for each in rows]
        together = [*column, Fraction(cell)]
        in_left = math.log(sum(x <= cell for x in together) / len(together))
        in_right = math.log(sum(x >= cell for x in together) / len(together))
        mean = sum(column) / len(column)
        skewed_left = sum((x - mean) ** 3 for x in column) < 0
        left, right = left - in_left, right - in_right
        pointed -= in_left if skewed_left else in_right
    return max(left, right, pointed)


tables = st.tuples(st.integers(1, 12), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.integers(-4, 4))
)


@given(tables, st.data())
def test_ecod_is_what_the_paper_says(rows: np.ndarray, data: st.DataObject) -> None:
    asked = data.draw(arrays(np.int64, (3, rows.shape[1]), elements=st.integers(-6, 6)))
    detector = ECOD().fit(rows)
    for X in (rows, asked):
        expected = [by_the_paper(rows.tolist(), row) for row in X.tolist()]
        np.testing.assert_allclose(-detector.score_samples(X), expected, atol=1e-12)


@given(tables, st.sampled_from([1e-300, 1e-30, 1e30, 1e300]), st.sampled_from([-7.0, 0.0]))
def test_ecod_does_not_mind_the_units(rows: np.ndarray, factor: float, shift: float) -> None:
    other = (rows + shift) * factor
    expected = ECOD().fit(rows).score_samples(rows)
    np.testing.assert_allclose(ECOD().fit(other).score_samples(other), expected, atol=1e-12)


def test_to_ecod_a_missing_cell_is_as_if_the_row_had_no_such_column() -> None:
    rng = np.random.default_rng(0)
    rows = rng.exponential(size=(50, 3))
    rows[::3, 1], rows[:, 2] = np.nan, np.nan
    scores = ECOD().fit(rows).score_samples([[5.0, np.nan, 1.0], [5.0, 5.0, np.nan]])
    both = ECOD().fit(rows[:, :1]), ECOD().fit(rows[1::3][:, 1:2]), ECOD().fit(rows[:, 1:2])
    assert scores[0] == both[0].score_samples([[5.0]])[0]
    assert scores[1] == scores[0] + both[2].score_samples([[5.0]])[0]


def test_ecod_of_single_precision_ranks_the_same() -> None:
    X = draw(500)[0].astype(np.float32)
    np.testing.assert_allclose(
        ECOD().fit(X).score_samples(X), ECOD().fit(X.astype(float)).score_samples(X)
    )


def test_ecod_calls_as_many_rows_outliers_as_it_was_told_to_expect() -> None:
    X, y = draw(2000)
    called = ECOD(contamination=SHARE).fit_predict(X) == -1
    assert called.mean() == pytest.approx(SHARE, abs=0.005)
    assert y[called].mean() > 0.5
    with pytest.raises(ValueError, match="contamination must be in"):
        ECOD(contamination=0.7).fit(X)


@parametrize_with_checks([ECOD()])
def test_ecod_is_a_detector_of_scikit_learns_kind(estimator: Any, check: Any) -> None:
    check(estimator)


@each_detector
def test_a_model_finds_what_is_unlike_the_frequent_rows(detector: str) -> None:
    (X, y), (X_test, y_test) = draw(2500), draw(4000, seed=1)
    proba = classifier(detector).fit(X, y).predict_proba(X_test)
    assert roc_auc_score(y_test, proba[:, 1]) > 0.9
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert proba[:, 1].mean() == pytest.approx(y_test.mean(), abs=0.01)
    likely = proba[:, 1] > 0.5
    assert y_test[likely].mean() > 0.7


@each_detector
def test_of_several_classes_each_is_told_apart(detector: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(3, 2000, p=[0.8, 0.15, 0.05])
    X = rng.normal(size=(2000, 2)) + np.array([[0, 0], [4, 0], [0, 4]])[y]
    labels = np.array(["often", "rare", "rarer"])[y]
    model = classifier(detector).fit(X[:1000], labels[:1000])
    proba = model.predict_proba(X[1000:])
    np.testing.assert_allclose(proba.mean(axis=0), [0.8, 0.15, 0.05], atol=0.03)
    assert (model.predict(X[1000:]) == labels[1000:]).mean() > 0.9
    assert len(model.detectors_) == 3


def test_a_class_of_few_rows_has_no_detector_and_yet_a_probability() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [300, 50, 3])
    X = rng.normal(size=(353, 2)) + 5 * y[:, None]
    model = classifier("ecod").fit(X, y)
    assert len(model.detectors_) == 2
    assert model.predict_proba([[10.0, 10.0]])[0].argmax() == 2


@each_detector
def test_it_does_not_matter_which_code_the_frequent_class_has(detector: str) -> None:
    X, y = draw(800)
    one, other = (classifier(detector).fit(X, each).predict_proba(X) for each in (y, 1 - y))
    np.testing.assert_allclose(one, other[:, ::-1], atol=1e-6)


@each_detector
def test_a_row_is_scored_by_the_detector_that_has_not_seen_it(detector: str) -> None:
    X = draw(300)[0]
    X[0] = 40.0  # so far out that it matters who has seen it
    made = make_detector(detector, n_estimators=N_TREES, n_neighbors=1, nu=0.5, random_state=0)
    fitted, scores = cross_fit(made, X, np.ones(300, dtype=bool), np.random.default_rng(0))
    each = [strangeness(one, X[:1])[0] for one in fitted.detectors]
    # four find it much the same, and one does not
    assert scores[0] == max(each, key=lambda score: abs(score - np.median(each)))
    assert len(np.unique(each)) > 1
    assert fitted(X[:1])[0] == pytest.approx(np.mean(each))


@each_detector
def test_added_columns_tell_nothing_of_labels_that_are_noise(detector: str) -> None:
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(300, 10)), np.repeat([0, 1], [200, 100])
        model = AnomalyFeatures(Remembering(), detector, random_state=seed).fit(X, y)
        added = model.estimator_.X_[:, 10:]
        found.append([roc_auc_score(y, column) for column in added.T])
    # the mean of six of these has a deviation of 0.0145
    np.testing.assert_allclose(np.mean(found, axis=0), 0.5, atol=0.045)


@each_choice
def test_added_columns_are_spread_in_prediction_as_in_training(detector: str) -> None:
    (X, y), (X_test, y_test) = draw(1500), draw(3000, seed=1)
    model = AnomalyFeatures(Remembering(), detector).fit(X, y)
    model.predict_proba(X_test)
    shown, asked = model.estimator_.X_, model.estimator_.asked_
    for column in range(4, shown.shape[1]):
        for code, most in ((0, 0.08), (1, 0.25)):
            pair = shown[y == code, column], asked[y_test == code, column]
            assert ks_2samp(*pair).statistic < most


@each_choice
def test_a_linear_model_learns_from_them_what_it_cannot_see(detector: str) -> None:
    (X, y), (X_test, y_test) = draw(1500), draw(3000, seed=1)
    alone = LogisticRegression().fit(X, y).predict_proba(X_test)[:, 1]
    helped = AnomalyFeatures(LogisticRegression(), detector).fit(X, y).predict_proba(X_test)
    assert roc_auc_score(y_test, alone) < 0.65
    assert roc_auc_score(y_test, helped[:, 1]) > 0.9
    assert helped[:, 1].mean() == pytest.approx(y_test.mean(), abs=0.01)


def table(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Give a raw table: gaps, a column of categories, rows more than once, a constant, a void."""
    X, y = draw(n)
    rng = np.random.default_rng(2)
    X = np.column_stack([X, rng.choice(4, n, p=[0.5, 0.3, 0.15, 0.05]), np.ones(n), np.ones(n)])
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:, 5], X[:, 6] = 1.0, np.nan
    return np.concatenate([X, X[:100]]), np.concatenate([y, y[:100]])


@each_choice
def test_a_raw_table_reaches_the_model_as_it_is_with_the_columns_behind(detector: str) -> None:
    X, y = table()
    model = AnomalyFeatures(Remembering(), detector).fit(X, y, categorical_feature=[4])
    np.testing.assert_array_equal(model.estimator_.X_[:, :7], X)
    assert model.estimator_.categorical_feature_ == [4]
    assert np.isfinite(model.estimator_.X_[:, 7:]).all()
    unmet = X[:3].copy()
    unmet[:, 4] = 9
    model.predict_proba(unmet)
    assert np.isfinite(model.estimator_.asked_[:, 7:]).all()


@pytest.mark.parametrize("detector", ["ecod", "isolation_forest", "one_class_svm"])
def test_a_rare_category_is_strange(detector: str) -> None:
    X = np.repeat([0.0, 1.0, 2.0], [250, 145, 5])[:, None]
    y = (np.random.default_rng(0).random(400) < 0.1).astype(int)
    model = AnomalyFeatures(Remembering(), detector).fit(X, y, categorical_feature=[0])
    model.predict_proba(np.array([[0.0], [2.0], [7.0], [np.nan]]))
    common, *rare = model.estimator_.asked_[:, 1]
    assert min(rare) > common


def test_single_precision_stays_single() -> None:
    X, y = draw(300)
    model = AnomalyFeatures(Remembering()).fit(X.astype(np.float32), y)
    assert model.estimator_.X_.dtype == np.float32


@each_detector
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_any_small_table_is_survived(detector: str, data: st.DataObject) -> None:
    n, d = data.draw(st.integers(4, 20)), data.draw(st.integers(1, 3))
    cells = st.sampled_from([0.0, 1.0, -1.0, 0.5, 1e9, np.nan])
    X = data.draw(arrays(float, (n, d), elements=cells))
    y = np.arange(n) % 3 // 2
    model = AnomalyFeatures(Remembering(), detector).fit(X, y)
    model.predict_proba(X)
    assert np.isfinite(model.estimator_.X_[:, d:]).all()
    assert np.isfinite(model.estimator_.asked_[:, d:]).all()
    filled = np.nan_to_num(X)
    proba = classifier(detector).fit(filled, y).predict_proba(filled)
    assert np.isfinite(proba).all()


def test_weights_reach_the_model() -> None:
    X, y = draw(800)
    plain, weighted = (
        ClassWeighted(AnomalyFeatures(LogisticRegression()), power).fit(X, y).predict_proba(X)
        for power in (0.0, 1.0)
    )
    assert weighted[:, 1].mean() > 3 * plain[:, 1].mean()


@pytest.mark.parametrize("detector", ["isolation_forest", "one_class_svm"])
def test_one_seed_gives_one_model_and_a_pickle_the_same(detector: str) -> None:
    X, y = draw(400)
    trees = LGBMClassifier(n_estimators=5, n_jobs=1, verbosity=-1, random_state=0)
    for make in (
        lambda seed: classifier(detector, random_state=seed),
        lambda seed: AnomalyFeatures(trees, detector, random_state=seed),
    ):
        first, again, other = (make(seed).fit(X, y) for seed in (0, 0, 1))
        proba = first.predict_proba(X)
        np.testing.assert_array_equal(again.predict_proba(X), proba)
        assert not np.array_equal(other.predict_proba(X), proba)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(first)).predict_proba(X), proba)


def test_of_many_rows_a_detector_sees_a_sample() -> None:
    rows = np.arange(MAX_ROWS * 1.5).reshape(-1, 1)
    normal = np.ones(len(rows), dtype=bool)
    fitted, _ = cross_fit(ECOD(), rows, normal, np.random.default_rng(0))
    for one in fitted.detectors:
        assert len(np.unique(one.score_samples(rows))) <= MAX_ROWS + 1


def test_what_cannot_be_done_is_said() -> None:
    X, y = draw(100)
    for make in (
        AnomalyClassifier,
        lambda detector="ecod": AnomalyFeatures(Remembering(), detector),
    ):
        with pytest.raises(ValueError, match="detector must be one of ecod, isolation_forest"):
            make("svm").fit(X, y)
        with pytest.raises(ValueError, match="there is one class"):
            make().fit(X, np.zeros(100))
        with pytest.raises(ValueError, match="needs two normal rows"):
            make().fit(X[:2], np.array([0, 1]))
