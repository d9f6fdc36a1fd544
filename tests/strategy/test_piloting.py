"""Rows chosen by a pilot: as many as asked for, and probabilities as if all had been used."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from scipy.special import expit
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from autoimb.strategy.ensembles.piloting import PilotSampled, _OffsetLogistic

LIGHTGBM = LGBMClassifier(
    n_estimators=60, learning_rate=0.1, num_leaves=7, verbosity=-1, n_jobs=1, deterministic=True,
    force_row_wise=True,
)  # fmt: skip
MODELS = [
    LIGHTGBM, LogisticRegression(), ExtraTreesClassifier(50, min_samples_leaf=5, random_state=0),
]  # fmt: skip


def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    return X, (rng.random(n) < expit(-6 + 1.5 * X[:, 0] + X[:, 1] + (X[:, 2] > 1))).astype(int)


def five_each(codes: np.ndarray) -> dict[int, int]:
    sizes = np.bincount(codes)
    return {code: 5 * int(sizes.min()) for code in np.flatnonzero(sizes > 5 * sizes.min())}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_its_probabilities_are_those_of_all_rows(model: Any) -> None:
    X, y = draw(30_000, 0)
    X_test, y_test = draw(30_000, 1)
    proba = PilotSampled(model, n_jobs=1).fit(X, y).predict_proba(X_test)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert proba[:, 1].mean() == pytest.approx(y_test.mean(), rel=0.25)
    of_all = model.fit(X, y).predict_proba(X_test)
    assert log_loss(y_test, proba) < 1.05 * log_loss(y_test, of_all)


@pytest.mark.parametrize("floor", [0.02, 0.3, 1.0])
def test_about_as_many_rows_are_kept_as_were_asked_for(
    floor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = draw(20_000, 0)
    trained: list[np.ndarray] = []
    monkeypatch.setattr(
        _OffsetLogistic, "fit", lambda self, X, y, offset: trained.append(np.bincount(y))
    )
    PilotSampled(LogisticRegression(), floor=floor, sampling_strategy=five_each, n_jobs=1).fit(X, y)
    n_frequent, n_rare = trained[0]
    assert n_rare == y.sum()
    assert n_frequent == pytest.approx(5 * n_rare, rel=0.1)


def test_without_an_offset_it_is_scikit_learns_logistic_regression() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    for n_classes in (2, 3):
        y = rng.integers(0, n_classes, 500) * (X[:, 0] > 0)
        own = _OffsetLogistic(0.1, 1000).fit(X, y, np.zeros((500, n_classes)))
        theirs = LogisticRegression(C=0.1, tol=1e-8).fit(X, y)
        scores = own.scores(X)
        proba = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        # of two classes each has half of the weights, and half of the penalty
        tolerance = 1e-3 if n_classes == 3 else 0.05
        np.testing.assert_allclose(proba, theirs.predict_proba(X), atol=tolerance)


def test_several_classes_are_each_kept_by_their_own_hardness() -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(3, 20_000, p=[0.9, 0.08, 0.02])
    X = rng.normal(size=(20_000, 2)) + np.array([[0, 0], [2, 0], [0, 2.5]])[y]
    for model in MODELS:
        proba = PilotSampled(model, n_jobs=1).fit(X, y).predict_proba(X)
        np.testing.assert_allclose(proba.mean(axis=0), [0.9, 0.08, 0.02], atol=0.02)


def test_it_can_be_pickled_and_its_labels_need_not_be_codes() -> None:
    X, y = draw(5000, 0)
    labels = np.where(y == 1, "fraud", "fine")
    for base in MODELS:
        model = PilotSampled(base, n_jobs=1).fit(X, labels)
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        assert set(model.predict(X)) <= {"fraud", "fine"}


def test_a_class_of_one_row_is_refused() -> None:
    with pytest.raises(ValueError, match="two rows of each"):
        PilotSampled(LogisticRegression()).fit(np.zeros((5, 1)), np.array([0, 0, 0, 0, 1]))
