"""Probabilities at another prevalence, and of models that were trained on a part of the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import norm

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.prevalence import estimate_prevalence, shift_prevalence
from autoimb.strategy.pipeline import TrainingPart, train
from autoimb.strategy.search_space import load_space

CENTRES = np.array([[0.0, 0.0], [1.5, 0.0], [0.5, 1.5]])


def bayes(x: FloatArray, prevalence: FloatArray) -> FloatArray:
    """Give the true probabilities of classes that are normal about their centres."""
    n_classes = len(prevalence)
    density = np.stack([norm.pdf(x - CENTRES[k]).prod(axis=1) for k in range(n_classes)], axis=1)
    joint = density * prevalence
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def draw(n: int, prevalence: FloatArray, seed: int) -> tuple[IntArray, FloatArray]:
    rng = np.random.default_rng(seed)
    y = rng.choice(len(prevalence), n, p=prevalence)
    return y, rng.normal(size=(n, 2)) + CENTRES[y]


PAIRS = {
    "rarer": ((0.9, 0.1), (0.996, 0.004)),
    "more frequent": ((0.99, 0.01), (0.7, 0.3)),
    "the other way round": ((0.8, 0.2), (0.2, 0.8)),
    "as it was": ((0.8, 0.2), (0.8, 0.2)),
    "three classes": ((0.7, 0.2, 0.1), (0.2, 0.3, 0.5)),
    "one of three rarer": ((0.6, 0.2, 0.2), (0.799, 0.2, 0.001)),
}
each_pair = pytest.mark.parametrize(("before", "after"), PAIRS.values(), ids=list(PAIRS))


@each_pair
def test_the_correction_is_bayes(before: tuple[float, ...], after: tuple[float, ...]) -> None:
    """Whichever class a row is of: its probability is exact, not just right on average."""
    old, new = np.array(before), np.array(after)
    _, x = draw(2000, old, seed=0)
    found = shift_prevalence(bayes(x, old), new / old)
    np.testing.assert_allclose(found, bayes(x, new), rtol=1e-9, atol=1e-15)


@each_pair
def test_the_mean_probability_is_the_prevalence_where_it_is_used(
    before: tuple[float, ...], after: tuple[float, ...]
) -> None:
    old, new = np.array(before), np.array(after)
    y, x = draw(200_000, new, seed=1)
    found = shift_prevalence(bayes(x, old), new / old)
    np.testing.assert_allclose(found.mean(axis=0), np.bincount(y) / len(y), rtol=0.08, atol=5e-4)


def test_the_log_odds_of_two_classes_are_shifted() -> None:
    p = np.array([1e-6, 0.01, 0.5, 0.9, 1 - 1e-6])
    found = shift_prevalence(np.column_stack([1 - p, p]), np.array([1.1, 0.1]))[:, 1]
    np.testing.assert_allclose(logit(found), logit(p) + np.log(0.1 / 1.1))


@settings(max_examples=80, deadline=None)
@given(
    p=st.lists(st.floats(0, 1), min_size=1, max_size=10),
    share=st.floats(0.001, 0.999),
    aimed=st.floats(0.001, 0.999),
)
def test_a_correction_keeps_the_ranking_and_can_be_taken_back(
    p: list[float], share: float, aimed: float
) -> None:
    proba = np.column_stack([1 - np.array(p), p])
    ratios = np.array([(1 - aimed) / (1 - share), aimed / share])
    found = shift_prevalence(proba, ratios)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(shift_prevalence(found, 1 / ratios), proba, atol=1e-9)
    order = np.argsort(proba[:, 1], kind="stable")
    assert (np.diff(found[order, 1]) >= -1e-15).all()


def test_what_is_certain_stays_certain() -> None:
    proba = np.array([[1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(shift_prevalence(proba, np.array([1.2, 0.01])), proba)


# The estimate.


@each_pair
def test_the_prevalence_of_unlabelled_rows_is_recovered(
    before: tuple[float, ...], after: tuple[float, ...]
) -> None:
    old, new = np.array(before), np.array(after)
    y, x = draw(20_000, new, seed=4)
    found = estimate_prevalence(bayes(x, old), old)
    assert found.sum() == pytest.approx(1)
    np.testing.assert_allclose(found, np.bincount(y, minlength=len(new)) / len(y), atol=0.02)


@pytest.mark.parametrize("prevalence", [(0.95, 0.05), (0.7, 0.2, 0.1)])
def test_where_nothing_has_shifted_the_prevalence_is_that_of_training(
    prevalence: tuple[float, ...],
) -> None:
    expected = np.array(prevalence)
    _, x = draw(100_000, expected, seed=2)
    found = estimate_prevalence(bayes(x, expected), expected)
    np.testing.assert_allclose(found, expected, atol=0.006)


def test_rows_that_tell_nothing_leave_the_prevalence_of_training() -> None:
    prevalence = np.array([0.9, 0.1])
    found = estimate_prevalence(np.tile(prevalence, (500, 1)), prevalence)
    np.testing.assert_allclose(found, prevalence)


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_the_estimate_of_any_rows_can_be_aimed_at(p: float) -> None:
    """A class that no row seems to be of gets no share; no probability is lost by that."""
    prevalence = np.array([0.9, 0.1])
    found = estimate_prevalence(np.array([[1 - p, p]] * 3), prevalence)
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(1)
    aimed = shift_prevalence(np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), found / prevalence)
    assert np.isfinite(aimed).all()


def test_the_estimate_takes_single_precision() -> None:
    old, new = np.array([0.9, 0.1]), np.array([0.7, 0.3])
    _, x = draw(20_000, new, seed=3)
    proba = bayes(x, old)
    found = estimate_prevalence(proba.astype(np.float32), old)
    np.testing.assert_allclose(found, estimate_prevalence(proba, old), atol=1e-5)


# Rows left out in training.


def logistic_rows(n: int, seed: int, n_classes: int = 2) -> tuple[FloatArray, IntArray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    if n_classes == 2:
        return X, (rng.random(n) < expit(X[:, 0] + 0.5 * X[:, 1] - 3.5)).astype(int)
    odds = np.column_stack([np.zeros(n), X[:, 0] - 2, X[:, 1] - 3])
    p = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    return X, np.array([rng.choice(3, p=row) for row in p])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_what_under_sampling_does_to_probabilities_is_undone(n_classes: int) -> None:
    X, y = logistic_rows(12_000, 0, n_classes)
    part = TrainingPart(X, y, (0, 0, 0), n_classes, seed=0)
    strategy = load_space("default").default(model="logistic", sampler="random_under")
    pipeline = train(strategy, part)
    assert pipeline.rates is not None
    assert pipeline.rates.min() < 0.5
    proba = pipeline.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(proba.mean(axis=0), np.bincount(y) / len(y), rtol=0.12)
    plain = train(load_space("default").default(model="logistic"), part).predict_proba(X)
    assert abs(logit(proba[:, 1]) - logit(plain[:, 1])).mean() < 0.3


def test_rows_that_were_thinned_before_are_undone_as_well() -> None:
    X, y = logistic_rows(20_000, seed=0)
    kept = (y == 1) | (np.arange(len(y)) % 4 == 0)
    rates = np.array([np.mean(kept[y == 0]), 1.0])
    part = TrainingPart(X[kept], y[kept], (0, 0, 0), 2, seed=0, rates=rates)
    for sampler in ("none", "random_under"):
        strategy = load_space("default").default(model="logistic", sampler=sampler)
        proba = train(strategy, part).predict_proba(X)
        assert proba[:, 1].mean() == pytest.approx(y.mean(), rel=0.1), sampler


def test_copies_and_synthetic_rows_are_left_to_the_calibrator() -> None:
    X, y = logistic_rows(4000, seed=0)
    part = TrainingPart(X, y, (0, 0, 0), 2, seed=0)
    for sampler in ("random_over", "smote"):
        strategy = load_space("default").default(model="logistic", sampler=sampler)
        pipeline = train(strategy, part)
        assert pipeline.rates is None
        assert pipeline.predict_proba(X)[:, 1].mean() > 2 * y.mean()
