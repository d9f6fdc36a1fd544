from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import autoimb
from autoimb import AutoImbClassifier
from autoimb.errors import DataError, UsageError

pytestmark = pytest.mark.usefixtures("few_resamples")

QUICK: dict[str, Any] = {
    "time_budget": None,
    "n_trials": 2,
    "space": "fast",
    "n_folds": 2,
    "executor": "in_process",
    "tracking_uri": "off",
    "random_state": 0,
}


def quick(**changes: Any) -> AutoImbClassifier:
    return AutoImbClassifier(**{**QUICK, **changes})


def columns_of(n: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, (X[:, 0] + rng.normal(0, 0.5, n) > 1).astype(int)


ONE_ROW = "its data have a class of one row, which cannot be both trained on and scored"
EXPECTED_FAILURES = {
    **dict.fromkeys(
        (
            "check_dict_unchanged",
            "check_dont_overwrite_parameters",
            "check_f_contiguous_array_estimator",
            "check_fit2d_predict1d",
            "check_methods_sample_order_invariance",
            "check_methods_subset_invariance",
        ),
        ONE_ROW,
    ),
}


@pytest.mark.slow
@parametrize_with_checks([quick(n_trials=1)], expected_failed_checks=lambda _: EXPECTED_FAILURES)
def test_scikit_learn_contract(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_the_arguments_are_those_that_programs_rely_on() -> None:
    assert AutoImbClassifier().get_params() == {
        "metric": "average_precision",
        "time_budget": 60.0,
        "n_trials": None,
        "space": "default",
        "n_folds": 5,
        "positive": None,
        "n_jobs": None,
        "random_state": None,
        "experiment": None,
        "tracking_uri": None,
        "blend": True,
        "n_threads": None,
        "executor": "processes",
        "resume": None,
        "decision": None,
        "groups": None,
        "time": None,
        "prefer": "best",
    }


def test_it_can_be_cloned_changed_and_shown() -> None:
    search = clone(quick(metric="f1")).set_params(n_trials=1, space=Path("own.toml"))
    assert (search.metric, search.n_trials, search.space) == ("f1", 1, Path("own.toml"))
    assert repr(search).startswith("AutoImbClassifier(")
    with pytest.raises(NotFittedError):
        search.predict([[0.0]])


def test_what_a_fit_leaves(loans: pd.DataFrame) -> None:
    X, y = loans.drop(columns="default"), loans["default"]
    search = quick(n_trials=3, metric="f1").fit(X, y)
    assert search.classes_.tolist() == ["no", "yes"]
    assert search.feature_names_in_.tolist() == list(X.columns)
    assert {
        "strategy", "ensemble", "sampler", "weight", "model", "decision", "score", "spread",
        "evaluated",
    } <= set(search.leaderboard_.columns)  # fmt: skip
    assert str(search.recommendation_).count(".") > 2
    assert search.profile_.n_rows == 160
    assert search.configuration_.model.name in ("lightgbm", "logistic", "extra_trees")
    # the study knows the first folds alone, the leaderboard the mean over further repeats
    candidates = search.result_.search.candidates
    assert search.study_.best_value == max(c.evaluation.scores["f1"].value for c in candidates)
    board = search.leaderboard_
    assert board["score"].max() == max(c.record.scores["f1"].value for c in candidates)
    assert set(board.loc[board["decision"] == "tuned", "evaluated"]) == {"2 folds, repeat 2"}
    proba = search.predict_proba(X)
    assert proba.shape == (160, 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert search.score(X, y) > 0.7


def test_the_fitted_search_can_be_pickled_and_its_model_saved(
    loans: pd.DataFrame, tmp_path: Path
) -> None:
    X, y = loans.drop(columns="default"), loans["default"]
    search = quick().fit(X, y)
    again = pickle.loads(pickle.dumps(search))
    model = autoimb.load(search.save(tmp_path / "model.pkl"))
    assert np.array_equal(again.predict_proba(X), search.predict_proba(X))
    assert np.array_equal(model.predict_proba(X), search.predict_proba(X))
    assert np.array_equal(model.predict(X), search.predict(X))


LABELS: dict[str, Any] = {
    "int": np.array([0, 1]),
    "other ints": np.array([7, -3]),
    "float": np.array([0.0, 1.0]),
    "bool": np.array([False, True]),
    "str": np.array(["no", "yes"]),
    "object": np.array(["no", "yes"], dtype=object),
    "category": pd.Categorical(["no", "yes"]),
    "pandas string": pd.array(["no", "yes"], dtype="string"),
    "nullable int": pd.array([0, 1], dtype="Int64"),
    "nullable bool": pd.array([False, True], dtype="boolean"),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=list(LABELS))
@pytest.mark.parametrize("kind", ["array", "series"])
def test_labels_of_any_type_come_back_as_they_were(labels: Any, kind: str) -> None:
    X, codes = columns_of()
    y = labels[codes]
    given = pd.Series(y, index=range(5, 125)) if kind == "series" else y
    search = quick(n_trials=1).fit(X, given)
    expected = sorted(np.asarray(labels).tolist())
    assert search.classes_.tolist() == expected
    predicted = search.predict(X)
    assert set(predicted.tolist()) <= set(expected)
    assert (predicted == np.asarray(y)).mean() > 0.7
    # columns follow classes_, whichever class is positive
    likely = search.classes_[search.predict_proba(X).argmax(axis=1)]
    assert (likely == np.asarray(y)).mean() > 0.7


def test_more_than_two_classes() -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b", "c"], 150, p=[0.7, 0.2, 0.1])
    X = rng.normal(size=(150, 2)) + np.column_stack([(y == "b") * 3, (y == "c") * 3])
    search = quick(metric="f1_macro").fit(X, y)
    assert search.classes_.tolist() == ["a", "b", "c"]
    assert search.predict_proba(X).shape == (150, 3)
    assert search.score(X, y) > 0.8
    assert search.model_.labels.positive is None


def test_a_frame_of_every_kind_of_column() -> None:
    rng = np.random.default_rng(0)
    n = 140
    y = rng.random(n) < 0.2
    X = pd.DataFrame(
        {
            "number": rng.normal(size=n) + y,
            "gaps": np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
            "text": rng.choice(["a", "b", None], n),
            "category": pd.Categorical(rng.choice(["x", "y"], n)),
            "truth": rng.random(n) < 0.5,
            "nullable": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, n), "D"),
            "zone": pd.date_range("2024-01-01", periods=n, freq="h", tz="Europe/Rome"),
            "mixed": [1, "one", None, 2.5] * (n // 4),
            "empty": None,
            "constant": "same",
            "infinite": np.where(rng.random(n) < 0.1, np.inf, rng.normal(size=n)),
        }
    )
    X.loc[3, "nullable"] = pd.NA
    X.loc[4, "date"] = pd.NaT
    search = quick().fit(X, y)
    assert search.predict(X).dtype == bool
    reordered = X[X.columns[::-1]].assign(more=1)
    assert np.array_equal(search.predict_proba(reordered), search.predict_proba(X))
    useful = X.drop(columns=["empty", "constant"])
    assert np.array_equal(search.predict_proba(useful), search.predict_proba(X))


def test_positive_swaps_the_class_of_interest() -> None:
    X, y = columns_of()
    labels = np.where(y, "yes", "no")
    rare, frequent = (quick(positive=p).fit(X, labels) for p in (None, "no"))
    assert (rare.model_.labels.positive, frequent.model_.labels.positive) == ("yes", "no")
    assert rare.classes_.tolist() == frequent.classes_.tolist() == ["no", "yes"]
    # the same model, told apart only by what it is scored for
    best = frequent.leaderboard_["score"].max()
    assert best > rare.leaderboard_["score"].max()
    for search in (rare, frequent):
        assert (search.classes_[search.predict_proba(X).argmax(axis=1)] == labels).mean() > 0.8


def test_the_same_seed_gives_the_same() -> None:
    X, y = columns_of()
    first, again = (quick(n_trials=4).fit(X, y) for _ in range(2))
    assert first.leaderboard_["score"].tolist() == again.leaderboard_["score"].tolist()
    assert np.array_equal(first.predict_proba(X), again.predict_proba(X))


@pytest.mark.parametrize("state", [None, 3, np.int64(3), np.random.RandomState(3)])
def test_randomness_in_every_form(state: Any) -> None:
    X, y = columns_of()
    assert quick(random_state=state, n_trials=1).fit(X, y).classes_.tolist() == [0, 1]


@pytest.mark.slow
def test_the_number_of_workers_changes_nothing(loans: pd.DataFrame) -> None:
    X, y = loans.drop(columns="default"), loans["default"]
    asked: list[dict[str, Any]] = [
        {"executor": "in_process"},
        {"executor": "processes", "n_jobs": 2},
    ]
    alone, together = (
        quick(n_trials=6, space="default", metric="f1", **each).fit(X, y) for each in asked
    )
    columns = ["strategy", "decision", "score", "spread", "trials", "trial"]
    pd.testing.assert_frame_equal(
        alone.leaderboard_[columns], together.leaderboard_[columns], check_exact=True
    )
    assert alone.configuration_ == together.configuration_
    assert alone.model_.rule == together.model_.rule
    assert np.array_equal(alone.predict_proba(X), together.predict_proba(X))


@pytest.mark.slow
def test_it_works_inside_other_estimators() -> None:
    X, y = columns_of(200)
    folds, search = StratifiedKFold(3), quick(n_trials=1)
    scores = cross_val_score(make_pipeline(StandardScaler(), search), X, y, cv=folds)
    assert (scores > 0.7).all()
    assert np.isfinite(scores).all()
    with_workers = cross_val_score(search, X, y, cv=folds, n_jobs=2)
    assert (with_workers > 0.7).all()
    calibrated = CalibratedClassifierCV(search, cv=2).fit(X, y)
    assert calibrated.predict_proba(X).shape == (200, 2)


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "metric": ({"metric": "f11"}, UsageError, "metric 'f11' does not exist; did you mean 'f1'?"),
    "space": ({"space": "fats"}, UsageError, "search space 'fats' does not exist; did you mean"),
    "no budget": ({"n_trials": None}, UsageError, "a budget is needed: give seconds"),
    "folds": ({"n_folds": 1}, UsageError, "n_folds must be at least 2, but got 1."),
    "jobs": ({"n_jobs": 0}, UsageError, "n_jobs must be positive, or -1 for every core, but"),
    "threads": ({"n_threads": 0}, UsageError, "n_threads must be positive, but got 0."),
    "executor": ({"executor": "pool"}, UsageError, "executor 'pool' is not known; "),
    "positive": ({"positive": "x"}, DataError, "positive class 'x' does not occur in the target;"),
    "seed": ({"random_state": -1}, UsageError, "random_state must be from 0 to 4294967295, but"),
}


@pytest.mark.parametrize(("change", "kind", "start"), WRONG.values(), ids=list(WRONG))
def test_wrong_arguments(change: dict[str, Any], kind: type[Exception], start: str) -> None:
    X, y = columns_of()
    with pytest.raises(kind) as caught:
        quick(**change).fit(X, y)
    assert str(caught.value).startswith(start)
    assert isinstance(caught.value, ValueError)


TABLES: dict[str, tuple[Callable[[pd.DataFrame], Any], str]] = {
    "doubled": (
        lambda X: X.set_axis(["a", "a", "b"], axis=1),
        "columns ['a'] occur more than once. Rename or drop them.",
    ),
    "no rows": (
        lambda X: X.iloc[:0],
        "found a table with 0 rows. Give at least a few rows of every class.",
    ),
    "constant": (
        lambda X: X.assign(a=1, b=2, c=3),
        "no column can tell the classes apart ('a': always the same, 'b': always the same, "
        "'c': always the same). Add informative columns.",
    ),
}


@pytest.mark.parametrize(("change", "message"), TABLES.values(), ids=list(TABLES))
def test_wrong_tables(change: Callable[[pd.DataFrame], Any], message: str) -> None:
    X, y = columns_of()
    table = change(pd.DataFrame(X, columns=list("abc")))
    with pytest.raises(DataError) as caught:
        quick().fit(table, y[: len(table)])
    assert str(caught.value) == message


def test_a_missing_column_at_predict_is_named() -> None:
    X, y = columns_of()
    table = pd.DataFrame(X, columns=["age", "income", "debt"])
    search = quick().fit(table, y)
    with pytest.raises(DataError) as caught:
        search.predict(table.rename(columns={"debt": "debts"}))
    assert str(caught.value) == (
        "column 'debt' is missing from the table; the model needs 3 columns by name, "
        "did you mean 'debts'?"
    )


def test_a_frame_may_be_asked_as_an_array_and_the_other_way_round() -> None:
    X, y = columns_of()
    by_array = quick().fit(X, y)
    assert np.array_equal(by_array.predict(X), by_array.predict(X.tolist()))
    assert np.array_equal(by_array.predict(X), by_array.predict(pd.DataFrame(X)))
