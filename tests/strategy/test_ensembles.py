"""Ensembles of members that see some of the frequent rows: which rows, and what comes of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from autoimb.strategy.ensembles.undersampled import (
    BalanceCascade,
    EasyEnsemble,
    MetaSampled,
    SelfPaced,
    UnderBagging,
)
from autoimb.strategy.resampling import BalanceTowards

ALL = [UnderBagging, EasyEnsemble, BalanceCascade, SelfPaced, MetaSampled]
EXACT = [UnderBagging, EasyEnsemble]
# Their choice depends on the labels: what it does to the mean is for a calibrator to mend.
each = pytest.mark.parametrize("ensemble", ALL)
SHARES = {2: [0.92, 0.08], 3: [0.8, 0.15, 0.05]}


def draw(n: int, n_classes: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.choice(n_classes, n, p=SHARES[n_classes])
    centres = np.array([[0.0, 0.0], [1.5, 0.5], [0.0, 2.0]])
    return centres[y] + rng.normal(size=(n, 2)), y


class Remembering(ClassifierMixin, BaseEstimator):
    """Remember the rows that it was trained on; the first column is the probability of 1."""

    seen: ClassVar[list[np.ndarray]] = []

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> Remembering:
        self.classes_ = np.unique(y)
        type(self).seen.append(np.column_stack([X, y]))
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return np.column_stack([1 - X[:, 0], X[:, 0]])


@pytest.fixture
def seen() -> list[np.ndarray]:
    Remembering.seen.clear()
    return Remembering.seen


def graded(n: int = 400, n_rare: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Give frequent rows of every hardness from 0 to 1."""
    X = np.concatenate([np.linspace(0, 1, n), np.full(n_rare, 0.9)])[:, None]
    return X, np.repeat([0, 1], [n, n_rare])


@each
@pytest.mark.parametrize("n_classes", [2, 3])
def test_it_ranks_well_and_its_probabilities_are_near_the_prevalence(
    ensemble: type[Any], n_classes: int
) -> None:
    X, y = draw(3000, n_classes)
    X_test, y_test = draw(5000, n_classes, seed=1)
    model = ensemble(LogisticRegression(), 5).fit(X, y)
    proba = model.predict_proba(X_test)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    # the hardest rows, which a cascade ends with, are noise here
    least = 0.75 if ensemble is BalanceCascade else 0.85
    assert roc_auc_score(y_test == n_classes - 1, proba[:, -1]) > least
    tolerance = 0.02 if ensemble in EXACT else 0.12
    np.testing.assert_allclose(proba.mean(axis=0), SHARES[n_classes], atol=tolerance)
    assert set(model.predict(X_test)) <= set(range(n_classes))


@each
def test_every_member_sees_the_sizes_that_were_asked_for(
    ensemble: type[Any], seen: list[np.ndarray]
) -> None:
    X, y = graded()
    for strategy, ratio in ((None, 1.0), (BalanceTowards(0.5, "under"), 20**0.5)):
        seen.clear()
        ensemble(Remembering(), 4, sampling_strategy=strategy).fit(X, y)
        for rows in seen:
            n_rare = (rows[:, -1] == 1).sum()
            assert n_rare == (20 if ensemble is not MetaSampled else 16)
            assert (rows[:, -1] == 0).sum() == pytest.approx(ratio * n_rare, abs=1)
            assert len(np.unique(rows[rows[:, -1] == 0], axis=0)) == (rows[:, -1] == 0).sum()


@each
def test_one_seed_gives_one_ensemble_and_another_seed_another(ensemble: type[Any]) -> None:
    X, y = draw(600)
    first, again, other = (
        ensemble(LogisticRegression(), 3, random_state=seed).fit(X, y).predict_proba(X)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def hardness_of(seen: list[np.ndarray]) -> list[float]:
    return [float(rows[rows[:, -1] == 0, 0].mean()) for rows in seen]


def test_members_of_under_bagging_see_rows_of_every_hardness(seen: list[np.ndarray]) -> None:
    UnderBagging(Remembering(), 20).fit(*graded())
    assert np.mean(hardness_of(seen)) == pytest.approx(0.5, abs=0.05)


def test_a_cascade_ends_with_the_hardest_rows(seen: list[np.ndarray]) -> None:
    BalanceCascade(Remembering(), 6).fit(*graded())
    found = hardness_of(seen)
    assert found[0] == pytest.approx(0.5, abs=0.15)
    assert all(later > earlier - 0.05 for earlier, later in pairwise(found))
    np.testing.assert_allclose(np.sort(seen[-1][seen[-1][:, -1] == 0, 0])[0], 0.95, atol=0.01)


def test_self_paced_members_see_every_hardness_first_and_harder_rows_later(
    seen: list[np.ndarray],
) -> None:
    SelfPaced(Remembering(), 10).fit(*graded(4000, 400))
    found = hardness_of(seen)
    # equal contributions of hardness: the easy bins get the most
    assert found[1] < 0.35
    # in the end nearly as many of each bin
    assert found[-1] == pytest.approx(0.5, abs=0.06)
    assert found[1] < found[5] < found[-1]


def test_a_meta_sampled_member_is_not_trained_on_what_it_is_chosen_by(
    seen: list[np.ndarray],
) -> None:
    X, y = draw(500)
    X = X - X.min(axis=0)
    X /= X.max(axis=0)
    MetaSampled(Remembering(), 4).fit(X, y)
    trained = np.unique(np.concatenate(seen), axis=0)
    assert len(trained[trained[:, -1] == 1]) == round(0.8 * (y == 1).sum())


def test_members_are_told_which_columns_hold_categories() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 20, (3000, 1)).astype(float)
    y = (np.isin(X[:, 0], [1, 7, 8, 13, 19]) & (rng.random(3000) < 0.5)).astype(int)
    stump = LGBMClassifier(n_estimators=1, num_leaves=2, cat_smooth=1.0, verbosity=-1, n_jobs=1)
    model = UnderBagging(stump, 3).fit(X, y, categorical_feature=[0])
    assert len(np.unique(model.predict_proba(X)[y == 1, 1])) == 1
    # others are not bothered
    UnderBagging(LogisticRegression(), 2).fit(X, y, categorical_feature=[0])


def test_members_of_an_easy_ensemble_add_log_odds() -> None:
    X, y = draw(600)
    one, many = (EasyEnsemble(LogisticRegression(), n).fit(X, y) for n in (1, 3))
    np.testing.assert_allclose(
        one.predict_proba(X), UnderBagging(LogisticRegression(), 1).fit(X, y).predict_proba(X)
    )
    odds = [np.log(many._hear(k, X)) @ [-1, 1] for k in range(3)]
    found = np.log(many.predict_proba(X)) @ [-1, 1]
    np.testing.assert_allclose(found, np.mean(odds, axis=0))


@each
def test_one_class_is_refused(ensemble: type[Any]) -> None:
    with pytest.raises(ValueError, match="two classes or more"):
        ensemble(LogisticRegression()).fit(np.zeros((5, 1)), np.zeros(5))
