"""Boosting by losses for rare classes: natural probabilities, whatever the loss."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.metrics import log_loss, roc_auc_score

from autoimb.strategy.models.boosting import LOSSES, LossBoosting


def draw(n: int, n_classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows of classes of ever fewer rows, each around a centre of its own."""
    rng = np.random.default_rng(seed)
    y = rng.choice(
        n_classes, n, p=np.array([0.9, 0.1, 0.05])[:n_classes] / [1, 1, 1.05][n_classes - 1]
    )
    centres = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 2.0]])
    return centres[y] + rng.normal(size=(n, 2)), y


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", LOSSES)
def test_probabilities_are_those_of_the_natural_prevalence(loss: str, n_classes: int) -> None:
    X, y = draw(4000, n_classes, 0)
    X_test, y_test = draw(20_000, n_classes, 1)
    model = LossBoosting(loss, n_estimators=80, num_leaves=7, random_state=0, n_jobs=1).fit(X, y)
    plain = LGBMClassifier(
        n_estimators=80, learning_rate=0.05, num_leaves=7, reg_lambda=1.0, verbosity=-1, n_jobs=1
    ).fit(X, y)
    proba = model.predict_proba(X_test)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(proba.mean(axis=0), np.bincount(y_test) / len(y_test), rtol=0.3)
    # as good as the log loss itself, but for what the loss does not heed
    assert log_loss(y_test, proba) < 1.1 * log_loss(y_test, plain.predict_proba(X_test))
    rare = y_test == n_classes - 1
    assert roc_auc_score(rare, proba[:, -1]) > 0.85


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_pickled_model_predicts_the_same(loss: str, n_classes: int) -> None:
    X, y = draw(500, n_classes, 0)
    X[::7, 0] = np.nan
    model = LossBoosting(loss, n_estimators=5, random_state=0, n_jobs=1).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize("loss", LOSSES)
def test_before_any_split_it_knows_the_prior(loss: str) -> None:
    X, y = np.arange(100.0)[:, None], np.array([0] * 90 + [1] * 10)
    model = LossBoosting(loss, n_estimators=1, min_child_samples=1000, n_jobs=1).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), [[0.9, 0.1]] * 100, atol=1e-3)


def test_a_column_of_categories_is_split_by_category() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 20, (2000, 1)).astype(float)
    y = np.isin(X[:, 0], [1, 7, 8, 13, 19]).astype(int)
    shallow = LossBoosting(
        n_estimators=1, num_leaves=2, learning_rate=1.0, n_jobs=1, cat_smooth=1.0
    )
    as_numbers = shallow.fit(X, y).predict_proba(X)[:, 1]
    as_categories = shallow.fit(X, y, categorical_feature=[0]).predict_proba(X)[:, 1]
    assert roc_auc_score(y, as_categories) == 1.0 > roc_auc_score(y, as_numbers)


def test_labels_need_not_be_codes() -> None:
    X, y = draw(300, 2, 0)
    model = LossBoosting(n_estimators=5, n_jobs=1).fit(X, np.where(y == 1, "sick", "well"))
    assert list(model.classes_) == ["sick", "well"]
    assert set(model.predict(X)) <= {"sick", "well"}


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [("focel", [0, 1], "loss must be one of focal, "), ("focal", [1, 1], "two classes or more")],
)
def test_what_it_cannot_do_it_says(loss: str, y: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LossBoosting(loss).fit(np.zeros((2, 1)), np.array(y))
