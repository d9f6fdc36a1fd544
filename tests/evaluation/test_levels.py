"""How thoroughly a configuration is evaluated: on thinned rows, on some folds, on several deals."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from autoimb.data.dataset import Dataset, make_dataset
from autoimb.data.splitting import assign_folds
from autoimb.decision.prevalence import shift_prevalence
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.futility import Hurdle, estimate_noise
from autoimb.evaluation.levels import Level, plan_levels
from autoimb.evaluation.tasks import Evaluation, Task
from autoimb.strategy.configuration import Choice, Configuration
from autoimb.strategy.encoding import Encoder
from autoimb.strategy.thinning import thin

UNHURRIED = settings(deadline=None)  # the machine may be busy

# ------------------------------------------------------------------------------ thinned rows


@st.composite
def labels(draw: st.DrawFn) -> np.ndarray:
    """Class codes in any order, each code up to the largest at least once."""
    sizes = draw(st.lists(st.integers(1, 60), min_size=2, max_size=4))
    seed = draw(st.integers(0, 2**32 - 1))
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))


MAX_ROWS, SEEDS = st.integers(1, 260), st.integers(0, 5)


@UNHURRIED
@given(labels(), MAX_ROWS, SEEDS)
def test_every_row_of_the_rarest_class_is_kept(y: np.ndarray, max_rows: int, seed: int) -> None:
    rows, _ = thin(y, max_rows, seed)
    rarest = np.flatnonzero(y == np.bincount(y).argmin())
    assert np.isin(rarest, rows).all()
    assert (np.diff(rows) > 0).all()


@UNHURRIED
@given(labels(), MAX_ROWS, SEEDS)
def test_no_more_rows_are_kept_than_asked_for_unless_no_class_can_be_cut_further(
    y: np.ndarray, max_rows: int, seed: int
) -> None:
    rows, _ = thin(y, max_rows, seed)
    kept, rarest = np.bincount(y[rows]), np.bincount(y).min()
    assert len(rows) <= max_rows or (kept == rarest).all()


@UNHURRIED
@given(labels(), MAX_ROWS, SEEDS)
def test_no_class_is_cut_further_than_need_be(y: np.ndarray, max_rows: int, seed: int) -> None:
    rows, _ = thin(y, max_rows, seed)
    sizes, kept = np.bincount(y), np.bincount(y[rows])
    cut = kept < sizes
    # what is cut is cut to one size, which no smaller class exceeds
    assert len(set(kept[cut])) <= 1
    assert not cut.any() or kept[~cut].max() <= kept[cut].min()
    # another row of each cut class would be too many
    assert not cut.any() or len(rows) + cut.sum() > max_rows
    assert cut.any() or len(rows) == len(y)


@UNHURRIED
@given(labels(), MAX_ROWS, MAX_ROWS, SEEDS)
def test_more_rows_keep_those_that_fewer_do(
    y: np.ndarray, some: int, others: int, seed: int
) -> None:
    fewer, more = sorted((some, others))
    assert np.isin(thin(y, fewer, seed)[0], thin(y, more, seed)[0]).all()


@UNHURRIED
@given(labels(), MAX_ROWS, SEEDS)
def test_rates_are_the_shares_that_are_kept(y: np.ndarray, max_rows: int, seed: int) -> None:
    rows, rates = thin(y, max_rows, seed)
    np.testing.assert_allclose(rates, np.bincount(y[rows]) / np.bincount(y), rtol=1e-12)


def test_which_rows_are_kept_follows_from_the_seed() -> None:
    y = np.repeat([0, 1], [500, 20])
    first, again, other = (thin(y, 100, seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


# ---------------------------------------------------------------------- prevalence corrected

RATES = st.lists(st.floats(1e-4, 1.0), min_size=2, max_size=4)


@UNHURRIED
@given(RATES, st.data())
def test_corrected_probabilities_sum_to_one(rates: list[float], data: st.DataObject) -> None:
    n = len(rates)
    weights = st.lists(st.floats(1e-6, 1.0), min_size=n, max_size=n)
    drawn = np.array(data.draw(st.lists(weights, min_size=1, max_size=10)))
    proba = drawn / drawn.sum(axis=1, keepdims=True)
    found = shift_prevalence(proba, 1 / np.array(rates))
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    # what thinning did to such rows leads back to them
    undone = found * rates
    np.testing.assert_allclose(undone / undone.sum(axis=1, keepdims=True), proba, rtol=1e-9)


@UNHURRIED
@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=20),
    st.tuples(st.floats(1e-4, 1.0), st.floats(1e-4, 1.0)),
)
def test_two_classes_keep_their_ranking(positive: list[float], rates: tuple[float, float]) -> None:
    p = np.sort(positive)
    found = shift_prevalence(np.column_stack([1 - p, p]), 1 / np.array(rates))[:, 1]
    assert (np.diff(found) >= -1e-12).all()


def test_certainty_stays_certainty() -> None:
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert np.array_equal(shift_prevalence(certain, 1 / np.array([0.01, 1.0])), certain)


@UNHURRIED
@given(st.floats(0.001, 0.999), st.tuples(st.floats(1e-3, 1.0), st.floats(1e-3, 1.0)))
def test_log_odds_are_shifted_by_the_log_of_the_ratio_of_the_rates(
    p: float, rates: tuple[float, float]
) -> None:
    found = shift_prevalence(np.array([[1 - p, p]]), 1 / np.array(rates))[0, 1]
    assert logit(found) == pytest.approx(logit(p) - np.log(rates[1] / rates[0]), abs=1e-6)


def rare_events(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a table whose class follows a logistic curve; about one row in thirty is positive."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    return x.reshape(-1, 1), (rng.random(n) < expit(-4.2 + 1.2 * x)).astype(int)


def test_a_model_of_thinned_rows_is_calibrated_once_corrected() -> None:
    X, y = rare_events(60_000)
    rows, rates = thin(y, 6_000, seed=0)
    proba = LogisticRegression(C=1e6).fit(X[rows], y[rows]).predict_proba(X)
    assert proba[:, 1].mean() > 5 * y.mean()
    corrected = shift_prevalence(proba, 1 / rates)[:, 1]
    assert corrected.mean() == pytest.approx(y.mean(), rel=0.05)
    for part in np.array_split(np.argsort(corrected), 4):
        assert corrected[part].mean() == pytest.approx(y[part].mean(), rel=0.2)


def test_three_classes_are_calibrated_too() -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(3, 60_000, p=[0.85, 0.12, 0.03])
    X = rng.normal(size=(60_000, 2)) + np.eye(3)[y][:, 1:]
    rows, rates = thin(y, 6_000, seed=0)
    model = LogisticRegression(C=1e6).fit(X[rows], y[rows])
    corrected = shift_prevalence(model.predict_proba(X), 1 / rates)
    np.testing.assert_allclose(corrected.mean(axis=0), [0.85, 0.12, 0.03], rtol=0.1)


# ------------------------------------------------------------------------------------- levels

COUNTS = st.lists(st.integers(2, 2_000_000), min_size=2, max_size=4)
N_FOLDS = st.integers(2, 10)


@UNHURRIED
@given(COUNTS, N_FOLDS)
def test_the_leading_ones_end_on_every_row_and_every_fold(counts: list[int], n_folds: int) -> None:
    levels = plan_levels(counts, n_folds)
    assert (levels[-1].n_folds, levels[-1].max_rows) == (n_folds, None)
    assert len(set(levels)) == len(levels)


@UNHURRIED
@given(COUNTS, N_FOLDS)
def test_every_level_costs_more_than_the_one_before(counts: list[int], n_folds: int) -> None:
    levels = [level for level in plan_levels(counts, n_folds) if not level.repeat]
    rows = [np.inf if level.max_rows is None else level.max_rows for level in levels]
    folds = [level.n_folds for level in levels]
    assert rows == sorted(rows)
    assert folds == sorted(folds)
    costs = [level.share_trained(sum(counts), n_folds) for level in levels]
    assert (np.diff(costs) > 0).all()


@UNHURRIED
@given(COUNTS, N_FOLDS)
def test_no_level_has_fewer_rows_than_the_rarest_class_or_nearly_all(
    counts: list[int], n_folds: int
) -> None:
    trained = sum(counts) * (1 - 1 / n_folds)
    for level in plan_levels(counts, n_folds):
        if level.max_rows is not None:
            assert min(counts) <= level.max_rows <= trained / 2


@UNHURRIED
@given(COUNTS, N_FOLDS)
def test_small_tables_are_never_thinned(counts: list[int], n_folds: int) -> None:
    if sum(counts) <= 50_000:
        assert all(level.max_rows is None for level in plan_levels(counts, n_folds))


@UNHURRIED
@given(COUNTS, N_FOLDS)
def test_fewer_folds_than_all_score_enough_of_the_rarest_class(
    counts: list[int], n_folds: int
) -> None:
    for level in plan_levels(counts, n_folds):
        if level.n_folds < n_folds:
            assert min(counts) * level.n_folds / n_folds >= 200
            assert level.n_folds <= n_folds / 2
            # one fold alone is looked at only where rows are many
            assert level.n_folds > 1 or sum(counts) > 50_000


def test_a_level_begins_another_that_has_more_folds_and_is_alike_in_all_else() -> None:
    fewer = Level(2)
    assert fewer.is_begin_of(Level(5))
    others = [Level(2), Level(1), Level(5, max_rows=9), Level(5, repeat=1)]
    assert not any(fewer.is_begin_of(other) for other in others)


@UNHURRIED
@given(st.integers(2, 2000), COUNTS, N_FOLDS)
def test_few_rows_of_a_class_earn_further_deals(few: int, counts: list[int], n_folds: int) -> None:
    levels = plan_levels([few, *counts], n_folds)
    repeats = [level.repeat for level in levels]
    assert repeats == sorted(repeats)
    n_rarest = min(few, *counts)
    assert max(repeats) == (2 if n_rarest < 200 else 1 if n_rarest < 1000 else 0)
    assert all(level == Level(n_folds, repeat=level.repeat) for level in levels if level.repeat)


# ------------------------------------------------------------------------------------ hurdles

VALUES = st.lists(st.floats(0, 1), min_size=2, max_size=10)
NOISE = st.floats(1e-6, 1.0)


@UNHURRIED
@given(VALUES, NOISE)
def test_what_does_as_the_leader_did_is_not_stopped(values: list[float], noise: float) -> None:
    hurdle = Hurdle(tuple(values), noise)
    assert not any(hurdle.is_out_of_reach(values[:n]) for n in range(1, len(values)))


@UNHURRIED
@given(VALUES, NOISE, st.floats(2, 100))
def test_what_falls_far_behind_is_stopped_after_one_fold(
    values: list[float], noise: float, how_far: float
) -> None:
    assert Hurdle(tuple(values), noise).is_out_of_reach([values[0] - how_far * noise])


@UNHURRIED
@given(VALUES, st.data())
def test_nothing_is_stopped_where_no_noise_is_known(
    values: list[float], data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, len(values)))
    others = data.draw(st.lists(st.floats(-10, 1), min_size=n, max_size=n))
    assert not Hurdle(tuple(values), 0.0).is_out_of_reach(others)


@UNHURRIED
@given(VALUES, NOISE, st.data())
def test_what_is_at_least_as_good_on_every_fold_is_stopped_no_sooner(
    values: list[float], noise: float, data: st.DataObject
) -> None:
    hurdle, n = Hurdle(tuple(values), noise), data.draw(st.integers(1, len(values)))
    worse = data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    better = np.add(worse, data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n)))
    assert hurdle.chance(better) >= hurdle.chance(worse)
    assert hurdle.is_out_of_reach(worse) or not hurdle.is_out_of_reach(better)


@UNHURRIED
@given(VALUES, st.tuples(NOISE, NOISE), st.data())
def test_the_noisier_the_folds_the_longer_one_is_given_the_benefit_of_the_doubt(
    values: list[float], noises: tuple[float, float], data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, len(values)))
    others = data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    quiet, loud = (Hurdle(tuple(values), noise) for noise in sorted(noises))
    assert quiet.is_out_of_reach(others) or not loud.is_out_of_reach(others)


@UNHURRIED
@given(st.integers(2, 8), st.integers(2, 6), st.integers(0, 100))
def test_noise_is_what_neither_a_better_strategy_nor_a_harder_fold_explains(
    n: int, n_folds: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(n, n_folds))
    noise = estimate_noise(table)
    assert noise > 0
    shifted = table + rng.normal(size=(n, 1)) + rng.normal(size=n_folds)
    assert estimate_noise(shifted) == pytest.approx(noise, rel=1e-6)
    assert estimate_noise(table[rng.permutation(n)]) == pytest.approx(noise, rel=1e-6)
    assert estimate_noise(3 * table) == pytest.approx(3 * noise, rel=1e-6)


def test_noise_is_that_of_a_difference_between_two() -> None:
    table = np.random.default_rng(0).normal(0, 0.1, size=(400, 5))
    difference = np.std(table[::2] - table[1::2])
    assert estimate_noise(table) == pytest.approx(difference, rel=0.1)


# -------------------------------------------------------------------------------- evaluations


class Counting(LogisticRegression):
    """Note the class sizes of what it is trained on."""

    seen: ClassVar[list[tuple[int, ...]]] = []

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Counting:
        self.seen.append(tuple(np.bincount(y).tolist()))
        super().fit(X, y, sample_weight)
        return self


LOGISTIC = Configuration(Choice("logistic", "sklearn.linear_model.LogisticRegression", "scaled"))
K = 4


@pytest.fixture(scope="module")
def data() -> Dataset:
    """600 rows, 90 of them positive: numbers with gaps, few categories and many."""
    rng = np.random.default_rng(0)
    n = 600
    y = np.arange(n) % 20 < 3
    few, many = rng.choice(list("abcd"), n), rng.choice([f"city {k}" for k in range(40)], n)
    table = pd.DataFrame({"x": rng.normal(size=n) + y, "z": rng.normal(size=n)})
    table = table.assign(few=few, many=many).mask(rng.random((n, 4)) < 0.05)
    return make_dataset(table, y)


@pytest.fixture
def evaluator(data: Dataset) -> Evaluator:
    deals = np.stack([assign_folds(data, K, seed) for seed in (0, 1)])
    return Evaluator.on(data, deals, "average_precision", seed=0)


def assert_same(found: Evaluation, expected: Evaluation) -> None:
    assert np.array_equal(found.proba, expected.proba, equal_nan=True)
    assert found.scores == expected.scores
    assert found.fold_values == expected.fold_values
    assert found.is_complete == expected.is_complete


def test_one_fold_is_scored_as_it_is_among_all(evaluator: Evaluator) -> None:
    one, every = (evaluator.evaluate(Task(LOGISTIC, Level(n))) for n in (1, K))
    inside = evaluator.folds == 0
    assert np.array_equal(one.proba[inside], every.proba[inside])
    assert np.isnan(one.proba[~inside]).all()
    assert np.array_equal(one.scored_proba, every.proba[inside].astype(float))
    assert one.fold_values == every.fold_values[:1]
    rows, folds = evaluator.scored(Level(1))
    assert np.array_equal(rows, np.flatnonzero(inside))
    # decisions are tuned and scored apart all the same
    assert set(folds.each()) == set(range(K))
    assert all(np.isfinite(score.value) for score in one.scores.values())


def test_a_further_deal_scores_every_row_by_other_models(evaluator: Evaluator) -> None:
    first, second = (evaluator.evaluate(Task(LOGISTIC, Level(K, repeat=r))) for r in (0, 1))
    assert not np.isnan(second.proba).any()
    assert not np.array_equal(first.proba, second.proba)
    swapped = Evaluator(
        evaluator.X, evaluator.y, evaluator.assignments[1], evaluator.n_levels, 2,
        "average_precision", seed=0,
    )  # fmt: skip
    assert_same(second, swapped.evaluate(LOGISTIC))


@pytest.mark.parametrize("max_rows", [200, 300])
def test_a_thinned_level_trains_on_every_rare_row_and_on_some_of_the_others(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch, max_rows: int
) -> None:
    monkeypatch.setattr(Counting, "seen", [])
    counting = Configuration(Choice("counting", f"{__name__}.Counting", "scaled"))
    found = evaluator.evaluate(Task(counting, Level(K, max_rows)))
    rare = [int((evaluator.y[evaluator.folds != fold] == 1).sum()) for fold in range(K)]
    assert Counting.seen == [(max_rows - n, n) for n in rare]
    assert not np.isnan(found.proba).any()


def test_a_level_of_more_rows_than_there_are_is_one_of_all(evaluator: Evaluator) -> None:
    bound, free = (evaluator.evaluate(Task(LOGISTIC, Level(K, rows))) for rows in (10_000, None))
    assert_same(bound, free)


def test_probabilities_of_a_thinned_level_are_those_of_the_whole_table() -> None:
    X, y = rare_events(20_000)
    evaluator = Evaluator(X, y, np.arange(20_000) % 2, (0,), 2, "log_loss", seed=0)
    thinned, whole = (evaluator.evaluate(Task(LOGISTIC, Level(2, r))) for r in (3_000, None))
    assert thinned.proba[:, 1].mean() == pytest.approx(y.mean(), rel=0.1)
    np.testing.assert_allclose(thinned.proba, whole.proba, atol=0.05)


def hurdles_within_reach(values: tuple[float, ...]) -> dict[str, Hurdle]:
    ahead_at_last = (*values[:-1], values[-1] + 0.5)
    return {
        "of no noise": Hurdle(tuple(np.add(values, 1.0)), 0.0),
        "passed with ease": Hurdle(tuple(np.subtract(values, 1.0)), 0.1),
        "that is the same": Hurdle(values, 0.1),
        "missed on the last fold": Hurdle(ahead_at_last, 0.1),
    }


@pytest.mark.parametrize("name", hurdles_within_reach((0.0,)))
@pytest.mark.parametrize("level", [Level(K), Level(1), Level(K, 200), Level(K, repeat=1)], ids=str)
def test_a_hurdle_that_stops_nothing_changes_nothing(
    evaluator: Evaluator, level: Level, name: str
) -> None:
    free = evaluator.evaluate(Task(LOGISTIC, level))
    hurdle = hurdles_within_reach(free.fold_values)[name]
    assert_same(evaluator.evaluate(Task(LOGISTIC, level, hurdle)), free)


def test_what_has_no_hope_left_ends_after_its_first_fold(evaluator: Evaluator) -> None:
    asked: list[None] = []
    hurdle = Hurdle((1.0,) * K, 0.01)
    found = evaluator.evaluate(Task(LOGISTIC, Level(K), hurdle), lambda: asked.append(None))
    assert len(asked) == 1
    assert not found.is_complete
    assert found.scores == {}
    whole = evaluator.evaluate(LOGISTIC)
    assert found.fold_values == whole.fold_values[:1]


# --------------------------------------------------------------------------- shared encodings

INPUTS = ("raw", "mixed", "numeric", "scaled")
PLAIN, SMOTE = Choice("none"), Choice("smote", "imblearn.over_sampling.SMOTE", "scaled", 1.0)


def tree(kind: str, sampler: Choice = PLAIN) -> Configuration:
    model = Choice("tree", "sklearn.tree.DecisionTreeClassifier", kind, None, {"max_depth": 4})
    return Configuration(model, sampler=sampler)


@pytest.mark.parametrize("sampler", [PLAIN, SMOTE], ids=["as it is", "smote"])
@pytest.mark.parametrize("level", [Level(K), Level(K, 200), Level(K, repeat=1)], ids=str)
@pytest.mark.parametrize("kind", INPUTS)
def test_encodings_that_processes_share_change_nothing(
    evaluator: Evaluator, tmp_path: Path, kind: str, level: Level, sampler: Choice
) -> None:
    task = Task(tree(kind, sampler), level)
    evaluator.save(tmp_path)
    expected = evaluator.evaluate(task)
    for _ in ("who encodes", "who finds it encoded"):
        assert_same(Evaluator.load(tmp_path).evaluate(task), expected)


@pytest.mark.parametrize("kind", INPUTS[1:])
def test_what_one_process_encoded_no_other_does(
    evaluator: Evaluator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    evaluator.save(tmp_path)
    expected = Evaluator.load(tmp_path).evaluate(tree(kind))

    def refuse(*_: Any) -> None:
        raise AssertionError("this was encoded before")

    monkeypatch.setattr(Encoder, "fit_transform", refuse)
    monkeypatch.setattr(Encoder, "transform", refuse)
    assert_same(Evaluator.load(tmp_path).evaluate(tree(kind)), expected)


@pytest.mark.parametrize("kind", INPUTS)
def test_what_is_too_large_to_be_shared_is_encoded_anew(
    evaluator: Evaluator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("autoimb.evaluation.folds.MAX_SHARED_BYTES", 0)
    evaluator.save(tmp_path)
    assert_same(Evaluator.load(tmp_path).evaluate(tree(kind)), evaluator.evaluate(tree(kind)))
    assert not list((tmp_path / "shared").iterdir())


@pytest.mark.parametrize("kind", INPUTS)
def test_folds_that_are_let_go_for_want_of_memory_are_made_alike_again(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    expected = evaluator.evaluate(tree(kind))
    monkeypatch.setattr("autoimb.evaluation.engine.MAX_KEPT_BYTES", 0)
    assert_same(evaluator.evaluate(tree(kind)), expected)
    assert_same(evaluator.evaluate(tree(kind)), expected)
