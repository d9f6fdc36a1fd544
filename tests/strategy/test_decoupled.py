"""A head on trees' leaves: what it balances, and that its probabilities are the natural ones."""

from __future__ import annotations

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from scipy.special import logit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from autoimb.strategy.models.decoupled import LeafHead

FEW = {"n_estimators": 40, "n_jobs": 1, "random_state": 0}
OFFSETS = {2: [0.0, -4.0], 3: [0.0, -2.0, -3.5]}


def draw(n: int, n_classes: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw labels that the columns tell something about, but far from all."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5))
    scores = np.column_stack([0 * X[:, 0], 1.5 * X[:, 0] + X[:, 1] * X[:, 2], 1.5 * X[:, 3]])
    proba = softmax(scores[:, :n_classes] + OFFSETS[n_classes], axis=1)
    return X, (rng.random(n)[:, None] > proba.cumsum(axis=1)).sum(axis=1)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("power", [0.0, 1.0])
@pytest.mark.parametrize("C", [0.01, 1.0])
def test_mean_probabilities_are_the_natural_prevalence(
    n_classes: int, power: float, C: float
) -> None:
    X, y = draw(3000, n_classes)
    X_test, y_test = draw(5000, n_classes, seed=1)
    proba = LeafHead(power, C=C, **FEW).fit(X, y).predict_proba(X_test)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    shares = np.bincount(y_test) / len(y_test)
    np.testing.assert_allclose(proba.mean(axis=0) / shares, 1, atol=0.25)


def test_probabilities_are_no_surer_than_they_may_be_where_the_trees_overfit() -> None:
    X, y = draw(800)
    X_test, y_test = draw(5000, seed=1)
    slopes, precisions = [], []
    trees = LGBMClassifier(n_estimators=100, num_leaves=8, verbosity=-1, n_jobs=1)
    for model in (trees, LeafHead(n_jobs=1, random_state=0)):
        p = model.fit(X, y).predict_proba(X_test)[:, 1]
        odds = logit(np.clip(p, 1e-9, 1 - 1e-9))[:, None]
        slopes.append(LogisticRegression(C=1e6).fit(odds, y_test).coef_.item())
        precisions.append(average_precision_score(y_test, p))
    assert slopes[0] < 0.6
    assert 0.75 < slopes[1] < 1.6
    assert precisions[1] > precisions[0] - 0.03


def test_a_balanced_head_flags_more_of_the_rare_class_before_it_is_corrected() -> None:
    X, y = draw(2000)
    shares = {}
    for power in (0.0, 1.0):
        model = LeafHead(power, **FEW).fit(X, y)
        model.divisors_ = np.ones(2)
        shares[power] = float(model.predict(X[y == 1]).mean())
    assert shares[1.0] > shares[0.0] + 0.2


def test_norms_of_three_classes_are_made_alike_and_of_two_are_alike() -> None:
    def norms(n_classes: int, tau: float) -> np.ndarray:
        model = LeafHead(0.0, tau=tau, C=0.1, **FEW).fit(*draw(2000, n_classes))
        return np.linalg.norm(model.coef_, axis=1)

    plain, half, whole = (norms(3, tau) for tau in (0.0, 0.5, 1.0))
    assert plain.max() / plain.min() > 1.1
    np.testing.assert_allclose(half.max() / half.min(), (plain.max() / plain.min()) ** 0.5)
    np.testing.assert_allclose(whole, np.exp(np.log(plain).mean()))
    np.testing.assert_allclose(norms(2, 1.0), norms(2, 0.0))


def test_norms_change_what_three_classes_get_and_leave_the_prevalence() -> None:
    X, y = draw(2000, 3)
    plain, normed = (
        LeafHead(0.0, tau=tau, C=0.1, **FEW).fit(X, y).predict_proba(X) for tau in (0.0, 1.0)
    )
    assert abs(plain - normed).max() > 0.01
    np.testing.assert_allclose(plain.mean(axis=0), normed.mean(axis=0), rtol=0.2)


def test_one_seed_gives_one_model_and_another_seed_another() -> None:
    X, y = draw(600)
    first, again, other = (
        LeafHead(**{**FEW, "random_state": seed}).fit(X, y).predict_proba(X) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_it_is_told_which_columns_hold_categories() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 20, (3000, 1)).astype(float)
    y = (np.isin(X[:, 0], [1, 7, 8, 13, 19]) & (rng.random(3000) < 0.5)).astype(int)
    X[::50] = np.nan
    model = LeafHead(n_estimators=1, num_leaves=2, n_jobs=1, random_state=0)
    p = model.fit(X, y, categorical_feature=[0]).predict_proba(X)[:, 1]
    # one split parts them only if the codes are no numbers
    rare = np.isin(X[:, 0], [1, 7, 8, 13, 19])
    assert p[rare].min() > p[~rare].max()


def test_labels_of_any_kind_and_trees_that_find_nothing() -> None:
    X, y = draw(300)
    labels = np.array(["no", "yes"])[y]
    model = LeafHead(**FEW, min_child_samples=400).fit(X, labels)
    np.testing.assert_allclose(model.predict_proba(X[:5])[:, 1], y.mean(), rtol=1e-3)
    assert set(model.predict(X[:5])) == {"no"}


@pytest.mark.parametrize("y", [[0] * 9, [0] * 8 + [1]])
def test_a_class_that_is_not_there_or_has_one_row_is_refused(y: list[int]) -> None:
    with pytest.raises(ValueError, match="two rows of each"):
        LeafHead().fit(np.zeros((9, 1)), np.array(y))
