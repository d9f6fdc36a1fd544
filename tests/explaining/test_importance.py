from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from explained_tables import LIGHTGBM, LOGISTIC, evaluator_of, fit_folds, mixed
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, log_loss

from autoimb.data.dataset import make_dataset
from autoimb.decision.calibrators import NO_CALIBRATOR
from autoimb.explaining import importance
from autoimb.explaining.importance import Effort, Importance, measure_importance
from autoimb.explaining.table_columns import list_columns
from autoimb.explaining.unseen import choose_unseen
from autoimb.strategy.configuration import Choice

TREE = Choice("tree", "sklearn.tree.DecisionTreeClassifier", "numeric")


def for_ever() -> float:
    return 1.0


def drops(found: Importance) -> dict[str, float]:
    return {one.column: one.drop.value for one in found.columns}


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("metric", ["average_precision", "log_loss", "f1"])
@pytest.mark.parametrize("model", [LIGHTGBM, LOGISTIC], ids=["raw", "scaled"])
def test_signal_comes_first_and_noise_is_told_from_nothing_by_no_interval(
    n_classes: int, metric: str, model: Choice
) -> None:
    data = mixed(900, n_classes)
    evaluator = evaluator_of(data, metric)
    found = measure_importance(
        fit_folds(evaluator, model), data, evaluator, NO_CALIBRATOR, for_ever
    )
    assert [one.column for one in found.columns[:2]] == ["signal", "city"]
    by_name = {one.column: one.drop for one in found.columns}
    assert by_name["city"].low > 0
    for name in ("noise", "day"):
        assert by_name[name].low <= 0.01
        assert by_name[name].high >= 0
    assert found.metric == ("average_precision" if metric == "f1" else metric)
    assert found.left_out == ()


def test_what_a_model_only_remembers_is_of_no_importance() -> None:
    rng = np.random.default_rng(0)
    signal = rng.normal(size=800)
    y = (signal + rng.normal(size=800) > 1.5).astype(int)
    data = make_dataset(pd.DataFrame({"id": rng.permutation(800), "signal": signal}), y)
    evaluator = evaluator_of(data)
    fits = fit_folds(evaluator, TREE)
    found = measure_importance(fits, data, evaluator, NO_CALIBRATOR, for_ever)
    by_name = {one.column: one.drop for one in found.columns}
    assert by_name["id"].low <= 0.02
    assert by_name["id"].value < by_name["signal"].value / 4
    # On rows that it was trained on, the identifier counts.
    seen = evaluator.training_rows(0)
    X = data.X[seen].copy()
    whole = average_precision_score(data.y[seen], fits[0].predict_proba(X)[:, 1])
    X[:, 0] = rng.permutation(X[:, 0])
    shuffled = average_precision_score(data.y[seen], fits[0].predict_proba(X)[:, 1])
    assert whole - shuffled > 0.2


@pytest.mark.parametrize("metric", ["average_precision", "log_loss"])
def test_drops_are_those_of_shuffling_by_hand(metric: str) -> None:
    data = mixed()
    evaluator = evaluator_of(data, metric)
    fits = fit_folds(evaluator, LIGHTGBM, (0,))
    found = measure_importance(fits, data, evaluator, NO_CALIBRATOR, for_ever)
    rows = evaluator.scored_rows(0)
    assert (found.n_rows, found.folds) == (len(rows), (0,))
    score = {"average_precision": average_precision_score, "log_loss": log_loss}[metric]
    X, y = data.X[rows], data.y[rows]
    whole = score(y, fits[0].predict_proba(X)[:, 1])
    assert found.score == pytest.approx(whole, abs=1e-4)
    rng, each = np.random.default_rng(1), []
    for _ in range(100):
        Z = X.copy()
        Z[:, 2] = rng.permutation(Z[:, 2])
        each.append(abs(whole - score(y, fits[0].predict_proba(Z)[:, 1])))
    margin = 4 * np.std(each) / np.sqrt(found.columns[0].n_repeats)
    assert drops(found)["signal"] == pytest.approx(np.mean(each), abs=margin)


def test_columns_beyond_the_time_are_left_out_the_least_promising_last() -> None:
    data = mixed()
    evaluator = evaluator_of(data)
    fits = fit_folds(evaluator, LOGISTIC)
    looks: Iterator[float] = iter([1.0] * 4 + [0.0])
    some = measure_importance(fits, data, evaluator, NO_CALIBRATOR, lambda: next(looks))
    assert {one.column for one in some.columns} == {"signal", "city"}
    assert set(some.left_out) == {"noise", "day"}
    assert {one.n_repeats for one in some.columns} == {2}


def test_every_column_is_shuffled_twice_before_any_is_more_often() -> None:
    data = mixed()
    evaluator = evaluator_of(data)
    looks: Iterator[float] = iter([1.0] * 7 + [0.0])
    fits = fit_folds(evaluator, LOGISTIC)
    found = measure_importance(fits, data, evaluator, NO_CALIBRATOR, lambda: next(looks))
    assert sorted(one.n_repeats for one in found.columns) == [2, 2, 2, 5]


def test_of_wide_tables_some_columns_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 60))
    data = make_dataset(pd.DataFrame(X).add_prefix("x"), (X[:, 50] > 1).astype(int))
    evaluator = evaluator_of(data)
    monkeypatch.setattr(importance, "MAX_PREDICTED", 1_000)
    found = measure_importance(
        fit_folds(evaluator, LIGHTGBM, (0,)), data, evaluator, NO_CALIBRATOR, for_ever
    )
    assert found.columns[0].column == "x50"
    assert (len(found.columns), len(found.left_out)) == (10, 50)


def test_of_a_slow_model_fewer_rows_are_predicted() -> None:
    data = mixed(3000)
    evaluator = evaluator_of(data)
    fits = fit_folds(evaluator, LIGHTGBM)
    looks = iter([5.0, 4.0, *[3.0] * 100])  # a second for all rows once, of 8 that it would take
    found = measure_importance(fits, data, evaluator, NO_CALIBRATOR, lambda: next(looks))
    assert found.n_rows == 1500
    assert found.columns[0].column == "signal"
    assert found.left_out == ()


def test_of_many_rows_those_that_are_predicted_stand_for_all() -> None:
    data = mixed(3000)
    evaluator = evaluator_of(data)
    fits = fit_folds(evaluator, LIGHTGBM)
    whole = choose_unseen(fits, evaluator, 3000)
    some = choose_unseen(fits, evaluator, 1000)
    y = evaluator.y[some.rows]
    assert len(y) == 1000
    assert y.sum() == data.class_counts[1]
    assert some.counts_as.sum() == pytest.approx(len(whole.rows))
    scores = [
        average_precision_score(
            evaluator.y[each.rows],
            each.predict(data.X[each.rows][None])[0, :, 1],
            sample_weight=each.counts_as,
        )
        for each in (whole, some)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=0.02)


def test_shuffled_cells_are_those_of_the_whole_fold() -> None:
    """Rows that are predicted hold more of the rare class than the fold does; cells must not."""
    data = mixed(3000)
    evaluator = evaluator_of(data)
    fits = fit_folds(evaluator, LIGHTGBM, (0,))
    rows = importance._ShuffledRows.choose(fits, data.X, evaluator, 300)
    column = list_columns(data.schema)[2]
    shuffled = rows.shuffle(column, range(50))[:, :, 2]
    fold = data.X[evaluator.scored_rows(0), 2]
    assert evaluator.y[rows.unseen.rows].mean() > 0.4
    assert np.nanmean(shuffled) == pytest.approx(np.nanmean(fold), abs=0.05)
    assert np.nanmean(rows.X[:, 2]) > np.nanmean(fold) + 0.3


def test_parts_of_a_date_are_shuffled_together() -> None:
    data = mixed()
    evaluator = evaluator_of(data)
    fits = fit_folds(evaluator, LIGHTGBM, (0,))
    rows = importance._ShuffledRows.choose(fits, data.X, evaluator, 1000)
    column = list_columns(data.schema)[3]
    known = {tuple(row) for row in data.X[:, column.places].tolist()}
    shuffled = rows.shuffle(column, range(2))
    assert {tuple(row) for row in shuffled[0][:, column.places].tolist()} <= known
    others = np.setdiff1d(np.arange(data.X.shape[1]), column.places)
    assert np.array_equal(shuffled[1][:, others], rows.X[:, others], equal_nan=True)
    assert not np.array_equal(shuffled[0], shuffled[1], equal_nan=True)


def test_groups_are_drawn_together() -> None:
    data = replace(mixed(), groups=np.arange(600) // 20)
    evaluator = evaluator_of(data)
    found = measure_importance(
        fit_folds(evaluator, LIGHTGBM), data, evaluator, NO_CALIBRATOR, for_ever
    )
    assert found.columns[0].column == "signal"


@given(st.integers(1, 100_000), st.integers(1, 1_000_000), st.integers(2, 300))
def test_what_is_predicted_is_bounded_whatever_the_table(
    n_columns: int, n_known: int, n_classes: int
) -> None:
    found = Effort.affordable(n_columns, n_known, n_classes)
    least = importance.MIN_ROWS * importance.MIN_REPEATS
    n_predicted = found.n_columns * found.n_rows * found.n_repeats
    assert n_predicted <= max(importance.MAX_PREDICTED // (n_classes - 1), least)
    assert min(importance.MIN_ROWS, n_known) <= found.n_rows <= min(importance.MAX_ROWS, n_known)
    assert importance.MIN_REPEATS <= found.n_repeats <= importance.MAX_REPEATS
    assert 1 <= found.n_columns <= n_columns
