"""Boosting and bagging of any model: how weights move, what members see, when it ends."""

from __future__ import annotations

import functools
import pickle
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from autoimb.arrays import FloatArray, IntArray
from autoimb.strategy.configuration import Choice, Configuration
from autoimb.strategy.ensembles.bagged import SMOTEBagging
from autoimb.strategy.ensembles.boosted import AdaCost, RUSBoost, SMOTEBoost
from autoimb.strategy.pipeline import TrainingPart, read_rows, train
from autoimb.strategy.resampling import BalanceTowards
from autoimb.strategy.samplers import interpolation
from autoimb.strategy.samplers.interpolation import Interpolation

BOOSTED: list[Any] = [RUSBoost, SMOTEBoost, AdaCost]
ALL: list[Any] = [*BOOSTED, SMOTEBagging]
each = pytest.mark.parametrize("ensemble", ALL)
each_boosted = pytest.mark.parametrize("ensemble", BOOSTED)
each_size = pytest.mark.parametrize("n_classes", [2, 3])


def draw(n: int, n_classes: int = 2, seed: int = 0) -> tuple[FloatArray, IntArray]:
    """Draw rare classes of two clusters each, which no small tree finds."""
    rng = np.random.default_rng(seed)
    y = rng.choice(n_classes, n, p=[0.92, 0.08] if n_classes == 2 else [0.85, 0.09, 0.06])
    X, second = rng.normal(size=(n, 5)), rng.random(n) < 0.5
    X[y > 0, 0] += 2
    X[(y == 1) & second, 1] += 2
    X[(y == 1) & ~second, 2] -= 2
    X[y == 2, 3] += 2
    return X, y


class Recording(ClassifierMixin, BaseEstimator):
    """Record what it is trained with; the first column is the probability of class 1."""

    fits: ClassVar[list[tuple[FloatArray, IntArray, FloatArray | None]]] = []

    def fit(self, X: FloatArray, y: IntArray, sample_weight: FloatArray | None = None) -> Recording:
        self.classes_ = np.unique(y)
        Recording.fits.append((X, y, sample_weight))
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        return np.column_stack([1 - X[:, 0], X[:, 0]])


class Weightless(Recording):
    """The same without weights."""

    def fit(self, X: FloatArray, y: IntArray) -> Weightless:  # type: ignore[override]
        super().fit(X, y)
        return self


class Turning(Recording):
    """Right with the first fit, wrong from then on."""

    def fit(self, X: FloatArray, y: IntArray, sample_weight: FloatArray | None = None) -> Turning:
        super().fit(X, y, sample_weight)
        self.wrong_ = len(Recording.fits) > 1
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        right = super().predict_proba(X)
        return right[:, ::-1] if self.wrong_ else right


@pytest.fixture
def fits() -> list[tuple[FloatArray, IntArray, FloatArray | None]]:
    Recording.fits.clear()
    return Recording.fits


def told(n: int = 90, n_rare: int = 10) -> tuple[FloatArray, IntArray]:
    """Give rows of which the recording member takes nine in ten for what they are."""
    y = np.repeat([0, 1], [n, n_rare])
    X = np.where(y == 1, 0.8, 0.2)
    X[::10] = 1 - X[::10]
    return np.column_stack([X, np.arange(len(y))]), y


def uncut(codes: IntArray) -> dict[int, int]:
    return {}


@each_boosted
def test_some_weak_trees_rank_better_than_one(ensemble: Any) -> None:
    (X, y), (X_test, y_test) = draw(3000), draw(6000, seed=1)
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    alone = average_precision_score(y_test, tree.fit(X, y).predict_proba(X_test)[:, 1])
    model = ensemble(tree, 12).fit(X, y)
    assert average_precision_score(y_test, model.predict_proba(X_test)[:, 1]) > alone + 0.05


def test_bags_rank_better_than_one_large_tree() -> None:
    (X, y), (X_test, y_test) = draw(3000), draw(6000, seed=1)
    tree = DecisionTreeClassifier(random_state=0)
    alone = average_precision_score(y_test, tree.fit(X, y).predict_proba(X_test)[:, 1])
    model = SMOTEBagging(tree, 12).fit(X, y)
    assert average_precision_score(y_test, model.predict_proba(X_test)[:, 1]) > alone + 0.1


@each_size
@each
@pytest.mark.parametrize("model", [LogisticRegression(), KNeighborsClassifier()])
def test_probabilities_are_some_and_every_class_is_found(
    ensemble: Any, n_classes: int, model: Any
) -> None:
    (X, y), (X_test, y_test) = draw(1500, n_classes), draw(1500, n_classes, seed=1)
    labels = np.array(["rest", "fault", "break"])[:n_classes]
    fitted = ensemble(model, 4).fit(X, labels[y])
    proba = fitted.predict_proba(X_test)
    assert proba.min() >= 0
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    for code, label in enumerate(fitted.classes_):
        is_own = labels[y_test] == label
        assert roc_auc_score(is_own, proba[:, code]) > 0.75
    assert set(fitted.predict(X_test)) == set(labels)


@each
def test_one_seed_gives_one_ensemble_and_another_seed_another(ensemble: Any) -> None:
    X, y = draw(600)
    first, again, other = (
        ensemble(DecisionTreeClassifier(max_depth=3, max_features=2), 3, random_state=seed)
        .fit(X, y)
        .predict_proba(X)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@each
def test_one_class_is_refused(ensemble: Any) -> None:
    with pytest.raises(ValueError, match="two classes or more"):
        ensemble(LogisticRegression()).fit(np.zeros((5, 1)), np.zeros(5))


def test_weights_are_those_of_confidence_rated_boosting(fits: list[Any]) -> None:
    X, y = told()
    model = RUSBoost(Recording(), 2, sampling_strategy=uncut).fit(X, y)
    margins = np.where(y == 1, 1, -1) * (2 * X[:, 0] - 1)
    vote = np.log((1 + margins.mean()) / (1 - margins.mean())) / 2
    assert model.votes_[0] == pytest.approx(vote)
    expected = np.exp(-vote * margins)
    np.testing.assert_allclose(fits[0][2], 1)
    np.testing.assert_allclose(fits[1][2], expected / expected.mean())


def test_weights_of_a_lower_rate_move_less(fits: list[Any]) -> None:
    for rate in (1.0, 0.2):
        RUSBoost(Recording(), 2, learning_rate=rate, sampling_strategy=uncut).fit(*told())
    assert np.ptp(fits[3][2]) < np.ptp(fits[1][2]) / 3


def test_of_ada_cost_errors_of_the_rare_class_gain_weight_faster(fits: list[Any]) -> None:
    X, y = told()
    AdaCost(Recording(), 2, power=1.0).fit(X, y)
    first, then = fits[0][2], fits[1][2]
    assert first[y == 1].sum() == pytest.approx(first[y == 0].sum())
    grown = then / first
    is_right = (X[:, 0] > 0.5) == (y == 1)
    (rare_wrong,), (rare_right,), (wrong,), (right,) = (
        np.unique(grown[(y == code) & (is_right == ok)].round(9))
        for code, ok in ((1, False), (1, True), (0, False), (0, True))
    )
    assert rare_wrong > wrong > rare_right > right
    # the cost of the rarest class is 1: what is right of it counts nothing
    assert np.log(rare_wrong / rare_right) > np.log(wrong / right) * 0.8


def test_without_weights_heavy_rows_are_drawn_more_often(fits: list[Any]) -> None:
    X, y = told(900, 100)
    RUSBoost(Weightless(), 4, sampling_strategy=uncut).fit(X, y)
    is_wrong = [((rows[:, 0] > 0.5) != (labels == 1)).mean() for rows, labels, _ in fits]
    assert is_wrong[0] == pytest.approx(0.1, abs=0.04)
    assert is_wrong[1] > 0.15
    assert all(set(labels) == {0, 1} for _, labels, _ in fits)


def test_without_weights_no_class_is_lost(fits: list[Any]) -> None:
    y = np.repeat([0, 1], [400, 1])
    X = np.where(y == 1, 0.9, 0.4)[:, None]
    RUSBoost(Weightless(), 6, sampling_strategy=uncut).fit(X, y)
    assert all(set(labels) == {0, 1} for _, labels, _ in fits)


@each_boosted
def test_a_perfect_member_ends_the_boosting(ensemble: Any) -> None:
    y = np.repeat([0, 1], [50, 8])
    X = y[:, None] + np.random.default_rng(0).uniform(0, 0.1, (58, 1))
    model = ensemble(DecisionTreeClassifier(), 10).fit(X, y)
    assert len(model.estimators_) == 1
    np.testing.assert_array_equal(model.predict(X), y)


@each_boosted
def test_a_member_worse_than_chance_ends_it_and_does_not_vote(
    ensemble: Any, fits: list[Any]
) -> None:
    X, y = told()
    model = ensemble(Turning(), 10).fit(X, y)
    assert len(model.estimators_) == 1
    assert len(fits) == 2
    assert average_precision_score(y, model.predict_proba(X)[:, 1]) > 0.4


@each_boosted
def test_a_first_member_worse_than_chance_is_all_there_is(ensemble: Any, fits: list[Any]) -> None:
    X, y = told()
    X[:, 0] = 1 - X[:, 0]
    model = ensemble(Recording(), 10).fit(X, y)
    assert (len(model.estimators_), model.votes_) == (1, [1.0])
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_members_of_rus_boost_see_all_rare_rows_and_others_of_the_rest(fits: list[Any]) -> None:
    X, y = told()
    RUSBoost(Recording(), 3).fit(X, y)
    RUSBoost(Recording(), 1, sampling_strategy=BalanceTowards(0.5, "under")).fit(X, y)
    for rows, labels, _ in fits[:3]:
        np.testing.assert_array_equal(np.bincount(labels), [10, 10])
        assert len(np.unique(rows[:, 1])) == 20
    np.testing.assert_array_equal(np.bincount(fits[3][1]), [30, 10])
    assert len({rows[:, 1].tobytes() for rows, *_ in fits[:3]}) == 3


def test_members_of_smote_boost_see_all_rows_and_synthetic_ones_of_their_own(
    fits: list[Any],
) -> None:
    X, y = told()
    SMOTEBoost(Recording(), 3, sampling_strategy=BalanceTowards(0.5, "over")).fit(X, y)
    for rows, labels, weights in fits:
        np.testing.assert_array_equal(rows[:100], X)
        np.testing.assert_array_equal(labels, [*y, *[1] * 20])
        own = set(weights[:100][y == 1].round(9))
        assert set(weights[100:].round(9)) <= own
        assert 90 <= rows[100:, 1].min() <= rows[100:, 1].max() <= 99
    assert len({rows[100:].tobytes() for rows, *_ in fits}) == 3


def test_bags_are_equal_and_from_bag_to_bag_more_is_copied(fits: list[Any]) -> None:
    X, y = told()
    SMOTEBagging(Recording(), 5).fit(X, y)
    for place, (rows, labels, weights) in enumerate(fits):
        np.testing.assert_array_equal(np.bincount(labels), [90, 90])
        assert weights is None
        copied = np.isin(rows[labels == 1, 1], X[y == 1, 1]).mean()
        assert copied == pytest.approx((place + 1) / 5)
        # the frequent class is a bootstrap sample
        assert 40 < len(np.unique(rows[labels == 0, 1])) < 75


# ------------------------------------------------------------------ rows between neighbours


@st.composite
def tables(draw: Any) -> tuple[FloatArray, IntArray, list[int]]:
    levels = draw(st.lists(st.sampled_from([0, 0, 1, 3, 30]), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = rng.permutation(np.repeat([0, 1, 2], draw(st.sampled_from([(20, 6, 1), (9, 9, 2)]))))
    scale = draw(st.sampled_from([1.0, 1e-9, 1e30]))
    columns = [rng.integers(0, k, len(y)) if k else rng.normal(size=len(y)) * scale for k in levels]
    X = np.column_stack(columns).astype(float)
    X[rng.random(X.shape) < draw(st.sampled_from([0.0, 0.2, 0.7]))] = np.nan
    return X, y, [j for j, k in enumerate(levels) if k]


@pytest.mark.filterwarnings("ignore:The least populated class")
@settings(max_examples=60, deadline=None)
@given(table=tables(), k=st.integers(1, 7))
def test_synthetic_rows_have_levels_of_their_class_and_numbers_between(
    table: tuple[FloatArray, IntArray, list[int]], k: int
) -> None:
    X, y, categories = table
    between = Interpolation(X, y, categories, k)
    for code in range(3):
        own, made = between.draw(code, 15, np.random.default_rng(0))
        assert made.shape == (15, X.shape[1])
        assert (y[own] == code).all()
        for j in range(X.shape[1]):
            real, cells = X[y == code, j], made[:, j]
            if j in categories:
                assert set(cells[~np.isnan(cells)]) <= set(real)
                continue
            np.testing.assert_array_equal(np.isnan(cells), np.isnan(X[own, j]))
            known = cells[~np.isnan(cells)]
            slack = 1e-9 * np.nanmax(np.abs(real), initial=0.0)
            assert (known >= np.nanmin(real, initial=np.inf) - slack).all()
            assert (known <= np.nanmax(real, initial=-np.inf) + slack).all()


def test_rows_are_made_between_the_nearest_whatever_the_scale_of_a_column() -> None:
    rng = np.random.default_rng(0)
    side = np.repeat([0, 1], 50)
    X = np.column_stack([side + rng.normal(0, 0.01, 100), rng.normal(size=100) * 1e6])
    own, made = Interpolation(X, np.zeros(100, dtype=int), [], 3).draw(0, 200, rng)
    assert (np.abs(made[:, 0] - side[own]) < 0.1).mean() > 0.9
    # with categories too
    X[:, 0] = side
    own, made = Interpolation(X, np.zeros(100, dtype=int), [0], 3).draw(0, 200, rng)
    assert (made[:, 0] == side[own]).mean() > 0.9


def test_of_a_large_class_some_rows_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpolation, "MAX_ROWS", 8)
    X, rng = np.arange(100.0)[:, None], np.random.default_rng(0)
    between = Interpolation(X, np.zeros(100, dtype=int), [], 3)
    own = np.concatenate([between.draw(0, 50, rng)[0] for _ in range(2)])
    assert len(np.unique(own)) == 8


def test_single_precision_stays() -> None:
    X, y = draw(200)
    between = Interpolation(X.astype(np.float32), y, [], 3)
    assert between.draw(1, 5, np.random.default_rng(0))[1].dtype == np.float32


# ------------------------------------------------------------------ with what models are fed


@functools.cache
def gappy_part(n_classes: int) -> TrainingPart:
    X, y = draw(600, n_classes)
    rng = np.random.default_rng(0)
    few, many = (rng.integers(0, 3, len(y)) + y) % 3, rng.integers(0, 40, len(y))
    X = np.column_stack([X, few, many]).astype(float)
    X[rng.random(X.shape) < 0.1] = np.nan
    return TrainingPart(X, y, (0,) * 5 + (3, 40), n_classes, seed=0)


@each_size
@each
@pytest.mark.parametrize(
    "model",
    [
        Choice(
            "lightgbm",
            "lightgbm.LGBMClassifier",
            "raw",
            None,
            {"n_estimators": 20, "verbosity": -1},
        ),
        Choice("nearest", "sklearn.neighbors.KNeighborsClassifier", "scaled"),
        Choice("tree", "sklearn.tree.DecisionTreeClassifier", "numeric", None, {"max_depth": 4}),
    ],
    ids=lambda choice: choice.input,
)
def test_it_is_made_of_models_of_every_input(ensemble: Any, n_classes: int, model: Choice) -> None:
    path = f"{ensemble.__module__}.{ensemble.__name__}"
    balance = None if ensemble is AdaCost else 0.8
    choice = Choice("ensemble", path, balance=balance, values={"n_estimators": 3})
    part = gappy_part(n_classes)
    X = read_rows(part.X)
    trained = train(Configuration(model=model, ensemble=choice), part)
    proba = trained.predict_proba(X)
    is_rare = part.y == n_classes - 1
    assert average_precision_score(is_rare, proba[:, -1]) > 2 * is_rare.mean()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(trained)).predict_proba(X), proba)


def test_members_are_told_which_columns_hold_categories() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 20, (2000, 1)).astype(float)
    y = (np.isin(X[:, 0], [1, 7, 8, 13, 19]) & (rng.random(2000) < 0.5)).astype(int)
    stump = LGBMClassifier(
        n_estimators=1, num_leaves=2, cat_smooth=1.0, cat_l2=1.0, verbosity=-1, n_jobs=1
    )
    for ensemble in ALL:
        model = ensemble(stump, 1).fit(X, y, categorical_feature=[0])
        assert len(np.unique(model.predict_proba(X)[y == 1, 1])) == 1
