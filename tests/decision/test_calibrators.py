"""Whether calibrated probabilities mean what they say, and how that is measured."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.calibrators import (
    CALIBRATORS,
    NO_CALIBRATOR,
    Calibrator,
    choose_calibrator,
    fit_calibrator,
)
from autoimb.decision.reliability import measure_reliability

each_calibrator = pytest.mark.parametrize("name", CALIBRATORS)
each_other = pytest.mark.parametrize("name", [name for name in CALIBRATORS if name != "none"])
WITHIN = (1e-6, 1 - 1e-6)


def two_columns(p: FloatArray) -> FloatArray:
    return np.column_stack([1 - p, p])


def draw_true(n: int, seed: int, prevalence: float = 0.1) -> tuple[IntArray, FloatArray]:
    """Simulate classes with their true probabilities, two overlapping normals."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < prevalence).astype(int)
    p = expit(logit(prevalence) + 2 * rng.normal(2 * y, 1) - 2)
    return y, p


def distort(p: FloatArray, slope: float = 1.0, shift: float = 0.0) -> FloatArray:
    return np.asarray(expit(slope * logit(p) + shift))


def draw_three(n: int, seed: int) -> tuple[IntArray, FloatArray]:
    """Simulate three classes with their true probabilities."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, n, p=[0.7, 0.2, 0.1])
    x = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[y]
    raw = np.array([0.7, 0.2, 0.1]) * np.exp(1.5 * x)
    return y, raw / raw.sum(axis=1, keepdims=True)


def loss(y: IntArray, proba: FloatArray) -> float:
    """Return the mean log loss, with what is all but impossible at 1e-7."""
    return float(-np.log(np.clip(proba[np.arange(len(y)), y], 1e-7, 1)).mean())


# Curves.


SCORES = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0.0, 1.0)


@st.composite
def any_rows(draw: Any) -> tuple[IntArray, FloatArray]:
    rows = draw(st.lists(st.tuples(st.integers(0, 1), SCORES), min_size=1, max_size=40))
    y, p = zip(*rows, strict=True)
    return np.array(y), np.array(p)


@each_calibrator
@settings(max_examples=40, deadline=None)
@given(rows=any_rows(), others=st.lists(SCORES, min_size=1, max_size=20))
def test_no_ranking_is_turned_round_whatever_the_rows(
    name: str, rows: tuple[IntArray, FloatArray], others: list[float]
) -> None:
    y, p = rows
    ranked = np.unique([*others, *p, 0.0, 1.0])
    found = fit_calibrator(name, y, two_columns(p))(two_columns(ranked))
    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (np.diff(found[:, 1]) >= 0).all()


KINDS_OF_ROWS = {
    "as they are": lambda y, p: (y, p),
    "too certain": lambda y, p: (y, distort(p, 2.5)),
    "not certain enough": lambda y, p: (y, distort(p, 0.3)),
    "too high": lambda y, p: (y, distort(p, 1.0, 2.0)),
    "few": lambda y, p: (y[:60], p[:60]),
    "rounded": lambda y, p: (y, p.round(2)),
}


@each_calibrator
@pytest.mark.parametrize("change", KINDS_OF_ROWS.values(), ids=list(KINDS_OF_ROWS))
def test_scores_that_differ_are_not_tied(name: str, change: Any) -> None:
    """A capacity flags the highest: what ties rows, leaves it to their order."""
    y, p = change(*draw_true(3000, seed=0))
    scores = np.unique([*p, *np.linspace(0, 1, 500)])
    scores = scores[(scores > WITHIN[0]) & (scores < WITHIN[1])]
    found = fit_calibrator(name, y, two_columns(p))(two_columns(scores))[:, 1]
    n_tied = int((np.diff(found) <= 0).sum())
    assert n_tied == 0, f"{n_tied} of {len(scores)} neighbours"


@each_calibrator
def test_nor_are_those_of_classes_that_lie_apart(name: str) -> None:
    """As with few positives: what could be certain is not, so that all that comes is ranked."""
    y, p = (
        np.repeat([0, 1], [200, 24]),
        np.r_[np.linspace(0.02, 0.4, 200), np.linspace(0.5, 0.8, 24)],
    )
    scores = np.linspace(0.01, 0.99, 99)
    found = fit_calibrator(name, y, two_columns(p))(two_columns(scores))[:, 1]
    assert (np.diff(found) > 0).all()


@each_calibrator
@pytest.mark.parametrize("kind", ["noise", "constant", "backwards"])
def test_scores_that_tell_nothing_leave_the_prevalence(name: str, kind: str) -> None:
    y, p = draw_true(4000, seed=0)
    score = {
        "noise": np.random.default_rng(1).permutation(p),
        "constant": np.full(len(p), 0.3),
        "backwards": 1 - p,
    }[kind]
    found = fit_calibrator(name, y, two_columns(score))(two_columns(score))[:, 1]
    assert (np.diff(found[np.argsort(score, kind="stable")]) >= 0).all()
    if name in ("platt", "beta", "isotonic") and kind != "noise":
        assert found == pytest.approx(y.mean(), abs=0.02)


@pytest.mark.parametrize("shift", [-3.0, -1.0, 1.5, 4.0])
@pytest.mark.parametrize("name", ["platt", "beta"])
def test_a_shift_of_the_log_odds_is_repaired(name: str, shift: float) -> None:
    """As a sampler or a weight causes it."""
    y, p = draw_true(6000, seed=1)
    score = two_columns(distort(p, shift=shift))
    found = fit_calibrator(name, y, score)(score)[:, 1]
    assert found.mean() == pytest.approx(y.mean(), rel=0.01)
    assert loss(y, two_columns(found)) < 1.01 * loss(y, two_columns(p))


@each_other
def test_what_is_right_stays_about_right(name: str) -> None:
    y, p = draw_true(20_000, seed=2)
    found = fit_calibrator(name, y, two_columns(p))
    y_new, p_new = draw_true(20_000, seed=3)
    assert loss(y_new, found(two_columns(p_new))) < 1.02 * loss(y_new, two_columns(p_new))


@pytest.mark.parametrize("slope", [0.4, 1.5])
def test_the_temperature_is_that_of_the_log_odds(slope: float) -> None:
    y, p = draw_true(30_000, seed=4)
    score = distort(p, slope)
    found = fit_calibrator("temperature", y, two_columns(score))(two_columns(score))[:, 1]
    told = (score > WITHIN[0]) & (score < WITHIN[1])  # beyond, log-odds tell no more
    np.testing.assert_allclose(logit(found)[told], logit(p)[told], rtol=0.05, atol=0.02)


def test_steps_are_found_by_the_isotonic_curve_alone() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    truth = np.select([p < 0.3, p < 0.7], [0.02, 0.1], 0.6)
    y = (rng.random(len(p)) < truth).astype(int)
    missed = {}
    for name in ("platt", "beta", "isotonic"):
        found = fit_calibrator(name, y, two_columns(p))(two_columns(p))[:, 1]
        missed[name] = float(abs(found - truth).mean())
    assert missed["isotonic"] < 0.6 * min(missed["platt"], missed["beta"])
    assert choose_calibrator(y, two_columns(p), np.arange(len(p)) % 5).name == "isotonic"


@each_calibrator
def test_the_ends_stay_finite(name: str) -> None:
    y, p = draw_true(500, seed=5)
    p[:3], p[-3:] = 0.0, 1.0
    ends = np.array([0.0, 5e-324, 1e-12, 0.5, 1 - 1e-16, 1.0])
    found = fit_calibrator(name, y, two_columns(p))(two_columns(ends))
    assert np.isfinite(found).all()
    assert (np.diff(found[:, 1]) >= 0).all()
    if name != "none":
        assert found[0, 1] > 0
        assert found[-1, 1] < 1


FEW = {
    "one row": ([1], [0.3]),
    "one negative row": ([0], [0.3]),
    "two rows": ([0, 1], [0.3, 0.4]),
    "two rows the wrong way": ([1, 0], [0.3, 0.4]),
    "two rows alike": ([0, 1], [0.3, 0.3]),
    "only negatives": ([0] * 9, list(np.linspace(0, 1, 9))),
    "only positives": ([1] * 9, list(np.linspace(0, 1, 9))),
    "one positive": ([0] * 8 + [1], list(np.linspace(0, 1, 9))),
    "certain": ([0, 0, 1], [0.0, 0.0, 1.0]),
    "certain and wrong": ([1, 1, 0], [0.0, 0.0, 1.0]),
}


@each_calibrator
@pytest.mark.parametrize(("y", "p"), FEW.values(), ids=list(FEW))
def test_few_rows_give_probabilities(name: str, y: list[int], p: list[float]) -> None:
    found = fit_calibrator(name, np.array(y), two_columns(np.array(p)))
    proba = found(two_columns(np.linspace(0, 1, 21)))
    assert np.isfinite(proba).all()
    assert ((proba >= 0) & (proba <= 1)).all()
    assert (np.diff(proba[:, 1]) >= 0).all()


SOME = {name: rows for name, rows in FEW.items() if len(rows[0]) > 1}


@pytest.mark.parametrize(("y", "p"), SOME.values(), ids=list(SOME))
@pytest.mark.parametrize("n_folds", [1, 2])
def test_a_calibrator_is_chosen_from_few_rows(y: list[int], p: list[float], n_folds: int) -> None:
    score, folds = two_columns(np.array(p)), np.arange(len(y)) % n_folds
    found = choose_calibrator(np.array(y), score, folds)(score)
    assert np.isfinite(found).all()


# Several classes.


@each_calibrator
@pytest.mark.parametrize("slope", [0.4, 1.0, 3.0])
def test_three_classes_sum_to_one(name: str, slope: float) -> None:
    y, proba = draw_three(3000, seed=0)
    raw = proba**slope
    score = raw / raw.sum(axis=1, keepdims=True)
    calibrate = fit_calibrator(name, y, score)
    found = calibrate(score)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert ((found >= 0) & (found <= 1)).all()
    if name in ("platt", "beta", "isotonic"):
        np.testing.assert_allclose(found.mean(axis=0), np.bincount(y) / len(y), rtol=0.06)
    corners = np.vstack([np.eye(3), np.full(3, 1 / 3)])
    np.testing.assert_allclose(calibrate(corners).sum(axis=1), 1)


@each_calibrator
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_rows_of_three_classes_give_probabilities(name: str, data: st.DataObject) -> None:
    row = st.tuples(*[SCORES] * 3).filter(lambda cells: sum(cells) > 1e-6)
    rows = data.draw(st.lists(st.tuples(st.integers(0, 2), row), min_size=1, max_size=25))
    raw = np.array([cells for _, cells in rows])
    score = raw / raw.sum(axis=1, keepdims=True)
    found = fit_calibrator(name, np.array([k for k, _ in rows]), score)(
        np.vstack([score, np.eye(3), np.full(3, 1 / 3)])
    )
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


# The choice.


def test_probabilities_that_are_right_are_left_as_they_are() -> None:
    """Mostly: of five, one may do better by luck; it does next to no harm then."""
    y_new, p_new = draw_true(20_000, seed=1000)
    names = []
    for seed in range(20):
        y, p = draw_true(3000, seed)
        found = choose_calibrator(y, two_columns(p), np.arange(len(y)) % 5)
        names.append(found.name)
        harm = loss(y_new, found(two_columns(p_new))) - loss(y_new, two_columns(p_new))
        assert harm < 0.005
    assert names.count("none") >= 15


def test_no_calibrator_changes_nothing() -> None:
    score = two_columns(np.array([0.0, 0.3, 1.0]))
    assert NO_CALIBRATOR(score) is score
    assert fit_calibrator("none", np.array([0, 1, 0]), score) == NO_CALIBRATOR


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("slope", "shift"), [(3.0, 0.0), (2.0, 1.0), (0.3, 0.0), (1.0, 3.0)])
def test_what_is_chosen_loses_less_on_other_rows(slope: float, shift: float, seed: int) -> None:
    y, p = draw_true(3000, seed)
    score = two_columns(distort(p, slope, shift))
    found = choose_calibrator(y, score, np.arange(len(y)) % 5)
    assert found.name != "none"
    y_new, p_new = draw_true(20_000, seed + 100)
    raw = two_columns(distort(p_new, slope, shift))
    before, after, best = (loss(y_new, q) for q in (raw, found(raw), two_columns(p_new)))
    assert after < before
    assert after < 1.03 * best


def test_three_classes_that_are_too_certain_lose_less() -> None:
    (y, proba), (y_new, proba_new) = draw_three(3000, 0), draw_three(20_000, 1)
    raw, raw_new = (q**3 / (q**3).sum(axis=1, keepdims=True) for q in (proba, proba_new))
    found = choose_calibrator(y, raw, np.arange(len(y)) % 5)
    assert loss(y_new, found(raw_new)) < 0.9 * loss(y_new, raw_new)


def test_the_choice_is_among_those_that_are_named() -> None:
    y, p = draw_true(2000, seed=0)
    score, folds = two_columns(distort(p, 3.0)), np.arange(2000) % 4
    assert choose_calibrator(y, score, folds, ("none",)) == NO_CALIBRATOR
    assert choose_calibrator(y, score, folds, ("none", "platt")).name == "platt"
    assert choose_calibrator(y, score, folds, ("isotonic",)).name == "isotonic"


@pytest.mark.slow
def test_many_rows_are_chosen_on_some_and_fitted_on_all() -> None:
    y, p = draw_true(400_000, seed=0)
    score = two_columns(distort(p, 2.0))
    found = choose_calibrator(y, score, np.arange(len(y)) % 5)
    assert found.name in ("temperature", "platt", "beta")
    assert found(score)[:, 1].mean() == pytest.approx(y.mean(), rel=0.01)


@each_calibrator
def test_calibrators_are_pickled(name: str) -> None:
    y, p = draw_true(500, seed=0)
    found: Calibrator = fit_calibrator(name, y, two_columns(p))
    back = pickle.loads(pickle.dumps(found))
    assert back.name == name
    np.testing.assert_array_equal(back(two_columns(p)), found(two_columns(p)))


# Reliability.


@settings(max_examples=40, deadline=None)
@given(rows=any_rows())
def test_losses_are_scikit_learns(rows: tuple[IntArray, FloatArray]) -> None:
    y, p = rows
    found = measure_reliability(y, p)
    assert found.brier == pytest.approx(brier_score_loss(y, p, pos_label=1), abs=1e-12)
    clipped = np.clip(p, 1e-7, 1 - 1e-7)
    assert found.log_loss == pytest.approx(log_loss(y, clipped, labels=[0, 1]), abs=1e-9)
    assert found.n_rows == len(y) == sum(found.n_each)
    assert found.prevalence == pytest.approx(y.mean())
    assert found.mean == pytest.approx(p.mean())
    assert (0 <= found.ece <= 1) and found.reliability <= found.ece + 1e-12


@settings(max_examples=40, deadline=None)
@given(rows=any_rows())
def test_the_curve_is_scikit_learns(rows: tuple[IntArray, FloatArray]) -> None:
    y, p = rows
    found = measure_reliability(y, p)
    share, mean = calibration_curve(y, p, n_bins=10, strategy="quantile", pos_label=1)
    np.testing.assert_allclose(found.found, share)
    np.testing.assert_allclose(found.predicted, mean)


def test_the_curve_of_many_rows_is_scikit_learns() -> None:
    y, p = draw_true(5000, seed=0)
    found = measure_reliability(y, p)
    share, mean = calibration_curve(y, p, n_bins=10, strategy="quantile")
    np.testing.assert_allclose(found.found, share)
    np.testing.assert_allclose(found.predicted, mean)
    assert found.n_each == (500,) * 10
    expected = np.average(abs(share - mean), weights=found.n_each)
    assert found.ece == pytest.approx(expected)


def test_intervals_are_those_of_the_shares() -> None:
    y, p = draw_true(800, seed=1)
    found = measure_reliability(y, p)
    for share, n, low, high in zip(found.found, found.n_each, found.low, found.high, strict=True):
        interval = binomtest(round(share * n), n).proportion_ci(0.95, "exact")
        assert (low, high) == pytest.approx((interval.low, interval.high), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    groups=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 20), st.integers(0, 20)),
        min_size=1,
        max_size=9,
        unique_by=lambda group: group[0],
    ).filter(lambda groups: sum(a + b for _, a, b in groups) > 0)
)
def test_the_parts_of_the_brier_score_add_up(groups: list[tuple[float, int, int]]) -> None:
    """Where all rows of a bin have one score, so that nothing is lost by the bins."""
    y = np.concatenate([np.repeat([0, 1], [a, b]) for _, a, b in groups])
    p = np.concatenate([np.full(a + b, score) for score, a, b in groups])
    found = measure_reliability(y, p)
    if len(found.n_each) == len(np.unique(p)):
        total = found.reliability - found.resolution + found.uncertainty
        assert total == pytest.approx(found.brier, abs=1e-9)


def test_scores_of_few_values_have_a_bin_each() -> None:
    y = np.tile([0, 0, 0, 1], 100)
    p = np.tile([0.1, 0.2, 0.6, 0.9], 100)
    found = measure_reliability(y, p)
    assert found.predicted == pytest.approx((0.1, 0.2, 0.6, 0.9))
    total = found.reliability - found.resolution + found.uncertainty
    assert total == pytest.approx(found.brier)


def test_slope_and_intercept_of_what_is_right_are_one_and_nothing() -> None:
    for seed in range(5):
        found = measure_reliability(*draw_true(30_000, seed))
        assert found.slope == pytest.approx(1.0, abs=0.05)
        assert found.intercept == pytest.approx(0.0, abs=0.08)
        assert found.ratio == pytest.approx(1.0, abs=0.06)
        assert found.ece < 0.01


@pytest.mark.parametrize(
    ("slope", "shift", "expected"), [(2.0, 0.0, 0.5), (0.5, 0.0, 2.0), (1.0, 2.0, 1.0)]
)
def test_slope_and_intercept_tell_what_is_wrong(
    slope: float, shift: float, expected: float
) -> None:
    y, p = draw_true(30_000, seed=0)
    found = measure_reliability(y, distort(p, slope, shift))
    assert found.slope == pytest.approx(expected, rel=0.06)
    if slope == 1.0:
        assert found.intercept == pytest.approx(-shift, abs=0.08)


def test_the_slope_is_that_of_a_logistic_regression() -> None:
    y, p = draw_true(4000, seed=0)
    score = distort(p, 1.7, 0.4)
    model = LogisticRegression(C=1e6, max_iter=1000).fit(logit(score)[:, None], y)
    assert measure_reliability(y, score).slope == pytest.approx(model.coef_[0, 0], rel=0.01)


@pytest.mark.parametrize("k", [0, 1])
def test_rows_of_one_class_have_no_slope(k: int) -> None:
    found = measure_reliability(np.full(20, k), np.linspace(0, 1, 20))
    assert math.isnan(found.slope)
    assert math.isnan(found.intercept)
    assert found.uncertainty == 0
    assert math.isnan(found.ratio) == (k == 0)
    assert str(found)


@pytest.mark.parametrize("p", [0.0, 0.2, 1.0])
def test_a_constant_score_can_be_measured(p: float) -> None:
    found = measure_reliability(np.arange(20) % 4 // 3, np.full(20, p))
    assert found.resolution == pytest.approx(0.0)
    assert found.predicted == pytest.approx((p,))
    assert found.found == (0.25,)
    assert np.isfinite([found.slope, found.intercept, found.log_loss]).all()
