"""Plots of a fitted classifier and of saved models: what they rest on."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from sklearn.exceptions import NotFittedError
from sklearn.metrics import average_precision_score, precision_score, recall_score

import autoimb
from autoimb import AutoImbClassifier, Capacity, Costs
from autoimb.errors import AutoImbError, DataError, UsageError

pytestmark = pytest.mark.usefixtures("closed")

PLOTS = ["plot_threshold", "plot_pr", "plot_calibration"]
each_plot = pytest.mark.parametrize("plot", PLOTS)


@pytest.fixture
def closed() -> Iterator[None]:
    """Close what was drawn."""
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def search(loans: pd.DataFrame) -> AutoImbClassifier:
    """A classifier that was fitted to the loans."""
    return fit(loans.drop(columns="default"), loans["default"])


def fit(X: Any, y: Any, **changes: Any) -> AutoImbClassifier:
    usual: dict[str, Any] = {
        "metric": "f1", "time_budget": None, "n_trials": 3, "space": "fast", "n_folds": 2,
        "executor": "in_process", "tracking_uri": "off", "random_state": 0,
    }  # fmt: skip
    return AutoImbClassifier(**{**usual, **changes}).fit(X, y)


def test_without_rows_they_show_what_was_predicted_out_of_fold(search: Any) -> None:
    found, rows = search.predictions(), search.result_.exported.proba
    y = search.result_.y
    curve = search.plot_pr().curves["yes"]
    assert curve.average_precision == pytest.approx(average_precision_score(y, rows[:, 1]))
    assert curve.prevalence == pytest.approx(24 / 160)
    assert found.origin == "out of fold"
    assert found.estimates["f1"] == search.result_.estimates["f1"]


def test_the_marked_point_is_the_decisions_own(search: Any) -> None:
    told = dict(search.model_.out_of_fold_figures())
    recall, precision = search.plot_pr().curves["yes"].point
    display = search.plot_threshold()
    assert (precision, recall) == pytest.approx((told["precision"], told["recall"]))
    assert display.chosen["precision"] == pytest.approx(precision)
    assert display.chosen["recall"] == pytest.approx(recall)
    assert display.threshold == search.model_.rule.value


def test_calibration_out_of_fold_is_the_reported_one(search: Any) -> None:
    assert search.plot_calibration().reliability == search.result_.calibration


def test_with_rows_they_show_those(search: Any, loans: pd.DataFrame) -> None:
    some = loans.sample(90, random_state=1)
    X, y = some.drop(columns="default"), some["default"]
    proba, decided = search.predict_proba(X)[:, 1], search.predict(X)
    curve = search.plot_pr(X, y).curves["yes"]
    assert curve.average_precision == pytest.approx(average_precision_score(y == "yes", proba))
    assert curve.point == pytest.approx(
        (recall_score(y, decided, pos_label="yes"), precision_score(y, decided, pos_label="yes"))
    )
    display = search.plot_threshold(X, y.to_numpy())
    assert (display.origin, display.estimate) == ("on 90 rows given", None)
    assert display.chosen["recall"] == pytest.approx(curve.point[0])
    assert search.plot_calibration(X, y.tolist()).reliability["yes"].n_rows == 90


def test_strategies_are_compared_with_doing_nothing(search: Any) -> None:
    display = search.plot_strategies()
    told = next(one for one in search.result_.appraisal.baselines if one.name == "do nothing")
    place = display.names.index(display.exported)
    assert display.gain[place] == told.difference
    assert (display.metric, display.reference) == ("f1", "do nothing")


def test_the_plainer_strategy_is_marked_where_it_is_exported(search: Any) -> None:
    result = search.result_
    plainest = result.appraisal.tiers[0]
    simple = replace(
        result, prefer="simple", alternative=(result.exported, ()),
        appraisal=replace(result.appraisal, plainest=plainest),
    )  # fmt: skip
    assert plainest.name == "nothing"
    assert simple.strategies().exported == "do nothing"
    assert result.strategies().exported != "do nothing"


@each_plot
def test_a_pickled_classifier_draws_the_same(plot: str, search: Any) -> None:
    again = pickle.loads(pickle.dumps(search))
    pictures = []
    for one in (search, again):
        stream = io.BytesIO()
        getattr(one, plot)().figure_.savefig(stream, dpi=40, metadata={"Software": None})
        pictures.append(stream.getvalue())
    assert pictures[0] == pictures[1]


@each_plot
def test_several_classes(plot: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b", "c"], 150, p=[0.7, 0.2, 0.1])
    X = rng.normal(size=(150, 2)) + np.column_stack([(y == "b") * 3, (y == "c") * 3])
    search = fit(X, y, n_trials=1)
    if plot == "plot_threshold":
        with pytest.raises(UsageError, match="a threshold belongs to two classes, but the target"):
            search.plot_threshold()
        return
    for display in (getattr(search, plot)(), getattr(search, plot)(X[:60], y[:60])):
        assert len(display.lines_) == 3


@each_plot
def test_before_a_fit_there_is_nothing_to_draw(plot: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(AutoImbClassifier(), plot)()
    with pytest.raises(NotFittedError):
        AutoImbClassifier().plot_strategies()


WRONG: dict[str, tuple[slice, Any, type[AutoImbError], str]] = {
    "no labels": (slice(9), None, UsageError, "X and y belong together: give both, or neither"),
    "too few": (slice(9), ["no"] * 8, DataError, "X has 9 rows but y has the shape (8,); give"),
    "unknown": (slice(2), ["no", "maybe"], DataError, "y: target 'y' holds 'maybe', which"),
    "missing": (slice(2), ["no", None], DataError, "y has 1 missing labels (NaN). Drop"),
    "one class": (slice(2), ["no", "no"], DataError, "the 2 rows hold none of class 'yes'. Give"),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "y", "kind", "start"), WRONG.values(), ids=list(WRONG))
def test_wrong_rows_are_one_line(
    rows: slice, y: Any, kind: type[Exception], start: str, search: Any, loans: pd.DataFrame
) -> None:
    with pytest.raises(kind) as caught:
        search.plot_pr(loans.drop(columns="default")[rows], y)
    assert str(caught.value).startswith(start)
    assert "\n" not in str(caught.value)


def test_labels_without_rows_are_one_line(search: Any) -> None:
    with pytest.raises(UsageError, match="X and y belong together"):
        search.plot_pr(y=["no", "yes"])


# Saved models


def test_a_saved_model_draws_what_it_holds(model_file: Path) -> None:
    model = autoimb.load(model_file)
    point = model.plot_pr().curves["yes"].point
    told = dict(model.out_of_fold_figures())
    assert point == pytest.approx((told["recall"], told["precision"]))
    assert model.plot_threshold().threshold == model.rule.value


def test_a_saved_model_shows_another_decision(model_file: Path) -> None:
    before = autoimb.load(model_file).plot_threshold()
    after = autoimb.retune(model_file, Costs(fn=25)).plot_threshold()
    assert after.threshold < before.threshold
    assert next(iter(after.curves)) == "cost of a row"
    assert after.interval is not None
    with pytest.raises(UsageError, match="the decision is no single threshold"):
        autoimb.retune(model_file, Capacity(k=5)).plot_threshold()


def test_a_model_aimed_elsewhere_is_drawn_at_that_prevalence(model_file: Path) -> None:
    display = autoimb.retarget(model_file, prevalence=0.02).plot_pr()
    assert display.curves["yes"].prevalence == pytest.approx(0.02)
    assert display.origin == "out of fold, at the aimed prevalence"


def test_a_saved_model_needs_rows_to_show_its_calibration(
    model_file: Path, loans: pd.DataFrame
) -> None:
    model = autoimb.load(model_file)
    with pytest.raises(UsageError, match=r"flatter it\. Give labelled rows, X and y"):
        model.plot_calibration()
    X, y = loans.drop(columns="default"), loans["default"]
    assert model.plot_calibration(X, y).reliability["yes"].n_rows == 160


def test_a_saved_model_holds_no_other_strategies(model_file: Path) -> None:
    with pytest.raises(UsageError, match="a saved model holds no strategy but its own"):
        autoimb.load(model_file).plot_strategies()


def test_a_model_without_evidence_needs_rows(model_file: Path, loans: pd.DataFrame) -> None:
    model = replace(autoimb.load(model_file), evidence=None)
    with pytest.raises(UsageError, match="holds no out-of-fold predictions"):
        model.plot_pr()
    assert model.plot_pr(loans.drop(columns="default"), loans["default"]).curves["yes"].point
