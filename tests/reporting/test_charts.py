"""Charts of the report: their values against scikit-learn's, and that a browser draws them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from html_reader import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    auc,
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

import autoimb
from autoimb.data.dataset import Labels
from autoimb.decision.capacity import Capacity
from autoimb.decision.costs import CostMatrix, Costs
from autoimb.decision.criteria import BestMetric, Criterion
from autoimb.decision.deciding import Decision, decide
from autoimb.decision.floors import Floor
from autoimb.decision.rules import PASSED_ON, Threshold
from autoimb.decision.scored import Scored
from autoimb.displays.predictions import Predictions
from autoimb.drawing import COLORS
from autoimb.errors import DataError
from autoimb.evaluation.compare import Comparison
from autoimb.evaluation.estimate import Estimate
from autoimb.fitting import FitResult
from autoimb.metrics import get_metric
from autoimb.reporting.chart import Chart
from autoimb.reporting.charts.costs import RATIOS, lower_envelope
from autoimb.reporting.charts.curves import draw_curves
from autoimb.reporting.charts.features import draw_features
from autoimb.reporting.charts.ranked import Ranked, rank_classes
from autoimb.reporting.charts.reach import share_found
from autoimb.reporting.charts.reliability import draw_reliability
from autoimb.reporting.charts.search import draw_search
from autoimb.reporting.charts.values import thin
from autoimb.search.records import TrialRecord
from autoimb.strategy.configuration import Choice, Configuration

LONG = "a name of a class that " + "nobody would want to read " * 12
WEIGHTS = np.array([1.2, 0.3])
ESTIMATES = {
    name: Estimate(0.6, 0.5, 0.7) for name in ("f1", "average_precision", "precision", "recall")
}  # fmt: skip


def predict(
    y: Any, p: Any, criterion: Criterion | None = None, *, labels: Sequence[str] = ("no", "yes"),
    class_weights: Any = None, **more: Any,
) -> Predictions:  # fmt: skip
    """Decide given probabilities of two classes, or of several."""
    y, p = np.asarray(y), np.asarray(p, dtype=float)
    proba = p if p.ndim > 1 else np.column_stack([1 - p, p])
    costs = np.linspace(0.5, 1.5, len(y))
    rows = Scored(y, proba, costs, class_weights)
    several = BestMetric("f1_macro" if proba.shape[1] > 2 else "f1")
    decision = decide(criterion or several, rows)
    codes = decision.rule.decide(proba, costs)
    known = Labels(tuple(labels), tuple(range(len(labels))))
    usual = {"calibrated": rows, "estimates": ESTIMATES}
    return replace(Predictions(rows, codes, decision, known, "f1"), **{**usual, **more})


def draw_two(n: int = 400, shift: float = -1.5, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-shift - 2 * rng.normal(size=n)))
    return (rng.random(n) < p).astype(int), p


def draw_several(n_classes: int, n: int = 600) -> tuple[Any, Any]:
    """Draw classes of which the last is the rarest."""
    rng = np.random.default_rng(0)
    share = 0.7 ** np.arange(n_classes)
    y = rng.choice(n_classes, n, p=share / share.sum())
    odds = 2 * np.eye(n_classes)[y] + rng.normal(size=(n, n_classes))
    return y, np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)


def names(k: int) -> list[str]:
    return [HOSTILE, LONG, *(f"class {i}" for i in range(k - 2))]


Y, P = draw_two()
CASES: dict[str, Predictions] = {
    "usual": predict(Y, P),
    "hostile labels": predict(Y, P, labels=[HOSTILE, f"<b>{HOSTILE}"]),
    "long labels": predict(Y, P, labels=["no", LONG]),
    "rare": predict(*draw_two(3000, -6.5)),
    "many rows": predict(*draw_two(20_000, -3)),
    "one in 5000": predict((np.arange(5000) == 4900).astype(int), np.linspace(0, 1, 5000) ** 3),
    "perfect": predict([0] * 30 + [1] * 5, np.linspace(0, 1, 35)),
    "perfect, but two scores": predict([0] * 30 + [1] * 5, [0.0] * 30 + [1.0] * 5),
    "constant": predict([0] * 30 + [1] * 5, [0.2] * 35),
    "as bad as can be": predict([1] * 5 + [0] * 30, np.linspace(0.1, 0.9, 35)),
    "one positive": predict([0] * 20 + [1], np.linspace(0.1, 0.5, 21)),
    "one negative": predict([1] * 20 + [0], np.linspace(0.5, 0.1, 21)),
    "two rows": predict([0, 1], [0.3, 0.6]),
    "retargeted": predict(Y, P, class_weights=WEIGHTS),
    "costs": predict(Y, P, Costs(fp=2, fn=25)),
    "costs by row": predict(Y, P, Costs(fp=0.5, column="amount")),
    "passing on": predict(Y, P, Costs(fn=9, abstain=0.5)),
    "capacity": predict(Y, P, Capacity(k=20)),
    "floor": predict(Y, P, Floor("recall", 0.8)),
    "metric with a floor": predict(Y, P, BestMetric("recall_at_precision@0.6")),
    "untuned": replace(predict(Y, P), decision=Decision(BestMetric("f1"), Threshold(0.5))),
    "flags nothing": replace(predict(Y, P), codes=np.zeros(len(Y), dtype=int)),
    "decides nothing": replace(predict(Y, P), codes=np.full(len(Y), PASSED_ON)),
    "not calibrated": predict(Y, P, calibrated=None, estimates={}),
    "three classes": predict(*draw_several(3), labels=names(3)),
    "fifteen classes": predict(*draw_several(15), labels=names(15)),
    "three classes, of which one occurs": replace(
        predict(*draw_several(3), labels=["a", "b", "c"]),
        scored=Scored(np.zeros(600, dtype=int), draw_several(3)[1]), calibrated=None,
    ),
    "weighted classes": predict(
        *draw_several(3), labels=["a", "b", "c"], class_weights=np.array([0.5, 1.0, 3.0])
    ),
}  # fmt: skip
each_case = pytest.mark.parametrize("found", CASES.values(), ids=list(CASES))
OF_TWO = {name: found for name, found in CASES.items() if found.is_binary}
each_of_two = pytest.mark.parametrize("found", OF_TWO.values(), ids=list(OF_TWO))


def by_name(charts: Sequence[Chart]) -> dict[str, Chart]:
    return {chart.name: chart for chart in charts}


def trace(chart: Chart, start: str) -> dict[str, Any]:
    return next(dict(one) for one in chart.data if str(one.get("name")).startswith(start))


def texts(value: Any) -> Iterator[str]:
    """Find all texts in the values of a chart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts(one)


# What holds for all charts


def check(chart: Chart) -> None:
    """Check what the page relies on."""
    plain = json.loads(json.dumps([list(chart.data), chart.layout], allow_nan=False))
    assert plain == [list(chart.data), chart.layout], "JSON holds it as it is"
    assert re.fullmatch(r"[a-z_]+", chart.name)
    assert chart.title and chart.caption.endswith(".") and "nan" not in chart.caption.split()
    for one in chart.data:
        assert len(one["x"]) == len(one["y"])
        assert len(one["x"]) <= 400 or one["mode"] != "lines" or None in one["x"]
    assert 0 < len(chart.table.rows) <= 25
    assert {len(row) for row in chart.table.rows} == {len(chart.table.headers)}
    for row in chart.table.rows:
        assert all(isinstance(cell, str | int | float) for cell in row), row
    if chart.name != "parallel_coordinates":
        assert chart.layout["xaxis"]["title"]["text"]
    for text in texts(plain):
        left = re.sub(r"<br>|</?b>|<extra></extra>", "", text)
        assert "<" not in left and "script>" not in left, text
    used = set(re.findall(r"#[0-9A-Fa-f]{6}", json.dumps(plain)))
    assert used <= {*COLORS, "#888888"} - {"#444444"}


def draw(found: Predictions) -> list[Chart]:
    """Draw all that predictions show, as a report of a fit does."""
    if found.calibrated is None:
        return draw_curves(found)
    return [*draw_curves(found), draw_reliability(found, rank_classes(found))]


@each_case
def test_charts_are_plain_small_and_safe(found: Predictions) -> None:
    for chart in draw(found):
        check(chart)


def test_of_two_classes_there_is_every_chart() -> None:
    assert list(by_name(draw_curves(CASES["usual"]))) == [
        "precision_recall", "roc", "cost_curve", "cost_by_threshold", "gain", "lift",
        "score_histograms", "threshold_stability",
    ]  # fmt: skip


def test_what_makes_no_sense_is_left_out() -> None:
    drawn = {name: set(by_name(draw_curves(found))) for name, found in CASES.items()}
    usual = drawn["usual"]
    assert usual - drawn["capacity"] == usual - drawn["passing on"] == {"threshold_stability"}
    assert drawn["three classes"] == {"precision_recall", "roc", "true_class"}


def test_rows_of_one_class_are_refused() -> None:
    with pytest.raises(DataError, match="hold none of class 'yes'"):
        draw_curves(replace(CASES["usual"], scored=Scored(np.zeros(2, int), np.eye(2))))


@pytest.mark.parametrize("case", ["hostile labels", "three classes"])
def test_labels_are_shown_as_they_are(case: str) -> None:
    found = CASES[case]
    drawn = draw(found)
    label = max(map(str, found.labels.classes), key=lambda one: one.count("<"))
    shown = escape(label, quote=False)
    for chart in drawn:
        if chart.name in ("roc", "reliability", "score_histograms", "true_class"):
            told = " ".join(texts([list(chart.data), chart.layout])).replace("<br>", " ")
            assert shown in told, chart.name
    assert any(label in chart.caption for chart in draw(CASES["hostile labels"]))


# Against scikit-learn


@st.composite
def scored_rows(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    """Draw rows of both classes, with ties, and what a row of each class counts."""
    n = draw(st.integers(2, 60))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    y[:2] = [0, 1]
    scores = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.floats(0, 1))
    p = draw(st.lists(scores, min_size=n, max_size=n))
    weights = draw(st.sampled_from([None, WEIGHTS]))
    return np.array(y), np.array(p), weights


def rank(y: Any, p: Any, weights: Any) -> Ranked:
    rows = Scored(y, np.column_stack([1 - p, p]), None, weights)
    decision = Decision(BestMetric("f1"), Threshold(0.5))
    found = Predictions(rows, (p >= 0.5).astype(int), decision, Labels.of(list("aab")), "f1")
    (one,) = rank_classes(found)
    return one


@settings(deadline=None)
@given(scored_rows())
def test_curves_and_areas_are_scikit_learns(drawn: tuple[Any, Any, Any]) -> None:
    y, p, weights = drawn
    of_rows = None if weights is None else weights[y]
    one = rank(y, p, weights)
    precision, recall, thresholds = precision_recall_curve(y, p, sample_weight=of_rows)
    at = np.searchsorted(thresholds, one.thresholds)
    np.testing.assert_array_equal(thresholds[at], one.thresholds)
    np.testing.assert_allclose(precision[at], one.precision)
    np.testing.assert_allclose(recall[at], one.recall)
    hits, false = one.corners
    x, heights = false / one.n_others, hits / one.n_members
    fall_out, found, _ = roc_curve(y, p, sample_weight=of_rows, drop_intermediate=False)
    corners = np.column_stack([x, heights])
    for point in corners:  # each is one that some threshold gives
        assert np.isclose(np.column_stack([fall_out, found]), point).all(axis=1).any()
    assert auc(x, heights) == pytest.approx(auc(fall_out, found))
    assert one.roc_auc == pytest.approx(roc_auc_score(y, p, sample_weight=of_rows))
    known = average_precision_score(y, p, sample_weight=of_rows)
    assert one.average_precision == pytest.approx(known)


@settings(deadline=None)
@given(scored_rows())
def test_the_point_is_what_was_decided(drawn: tuple[Any, Any, Any]) -> None:
    y, p, weights = drawn
    w = np.ones(len(y)) if weights is None else weights[y]
    point, flagged = rank(y, p, weights).point, p >= 0.5
    assert point is not None
    assert point.recall == pytest.approx(w[flagged & (y == 1)].sum() / w[y == 1].sum())
    assert point.fall_out == pytest.approx(w[flagged & (y == 0)].sum() / w[y == 0].sum())
    assert point.flagged == pytest.approx(w[flagged].sum() / w.sum())
    if flagged.any():
        assert point.precision == pytest.approx(np.average(y[flagged], weights=w[flagged]))
    else:
        assert point.precision is None


@settings(deadline=None)
@given(scored_rows())
def test_what_the_highest_cases_hold_is_counted(drawn: tuple[Any, Any, Any]) -> None:
    y, p, _ = drawn
    shares = np.arange(len(y) + 1) / len(y)
    # The mean over both orders of tied rows, and over all that lie between.
    expected = pd.Series(y).groupby(p).transform("mean").to_numpy()[np.argsort(-p, kind="stable")]
    brute = np.append(0, np.cumsum(expected)) / y.sum()
    np.testing.assert_allclose(share_found(rank(y, p, None), shares), brute, atol=1e-12)


@settings(deadline=None)
@given(scored_rows())
def test_the_cost_curve_is_the_least_of_all_thresholds(drawn: tuple[Any, Any, Any]) -> None:
    y, p, _ = drawn
    fall_out, recall, _ = roc_curve(y, p, drop_intermediate=False)
    weight = np.linspace(0, 1, 41)
    brute = ((1 - recall)[:, None] * weight + fall_out[:, None] * (1 - weight)).min(axis=0)
    hits, false = rank(y, p, None).corners
    x, cost = lower_envelope(hits / hits[-1], false / false[-1])
    assert (np.diff(x) >= 0).all()
    np.testing.assert_allclose(np.interp(weight, x, cost), brute, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(scored_rows())
def test_the_cheapest_thresholds_are_those_of_a_search(drawn: tuple[Any, Any, Any]) -> None:
    y, p, _ = drawn
    chart = by_name(draw_curves(predict(y, p)))["cost_by_threshold"]
    tried = np.append(np.unique(p), 2.0)
    for ratio, (_, threshold, cost, *_) in zip(RATIOS, chart.table.rows, strict=True):
        brute = [
            1000 * np.mean(np.where(y == 1, ratio * (p < t), p >= t)) for t in tried
        ]  # fmt: skip
        assert cost == pytest.approx(min(brute), rel=1e-4)
        assert isinstance(threshold, float)


def test_several_weighted_classes_are_scikit_learns_too() -> None:
    found = CASES["weighted classes"]
    weights = found.scored.row_weights
    for one in rank_classes(found):
        code = "abc".index(one.name)
        own, p = found.members(code), found.scored.proba[:, code]
        known = average_precision_score(own, p, sample_weight=weights)
        assert one.average_precision == pytest.approx(known)
        assert one.roc_auc == pytest.approx(roc_auc_score(own, p, sample_weight=weights))


def test_of_many_classes_the_rarest_are_drawn_the_rarest_first() -> None:
    found = CASES["fifteen classes"]
    sizes = [len(one.members) for one in rank_classes(found)]
    counts = np.sort(np.bincount(found.scored.y))
    assert sizes == counts[counts > 0][:10].tolist()


# Few points


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 5000), st.integers(0, 99))
def test_a_thinned_line_keeps_its_ends_and_its_shape(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.random(n)), np.cumsum(rng.random(n)) / n
    places = thin(x, y)
    assert (places[0], places[-1]) == (0, n - 1)
    assert len(places) <= 400 and (np.diff(places) > 0).all()
    assert abs(np.interp(x, x[places], y[places]) - y).max() < 0.02


@each_of_two
def test_the_drawn_curve_has_the_area_of_the_whole_one(found: Predictions) -> None:
    y, p, w = found.scored.y, found.scored.proba[:, 1], found.scored.row_weights
    roc = by_name(draw_curves(found))["roc"].data[1]
    area = roc_auc_score(y, p, sample_weight=w)
    assert auc(roc["x"], roc["y"]) == pytest.approx(area, abs=1e-3)
    curve = by_name(draw_curves(found))["precision_recall"].data[1]
    steps = np.diff(curve["x"]) @ np.array(curve["y"])[1:]
    area = average_precision_score(y, p, sample_weight=w)
    assert steps == pytest.approx(area, abs=3e-3)


# What is said


def test_captions_say_what_the_decision_comes_to() -> None:
    y = np.repeat([0, 1], [950, 50])
    p = np.concatenate([np.full(890, 0.01), np.full(60, 0.3), np.full(10, 0.02), np.full(40, 0.3)])
    decision = Decision(BestMetric("f1"), Threshold(0.25))
    found = replace(predict(y, p), codes=(p >= 0.25).astype(int), decision=decision)
    drawn = by_name(draw_curves(found))
    told = "At the exported threshold 0.25 (marked), 80 of 100 positives are found and 40 of 100 "
    assert told + "alerts are right." in drawn["precision_recall"].caption
    assert "(0.600 on rows to come, 95 %: 0.500 to 0.700)" in drawn["precision_recall"].caption
    # 60 false alarms for 40 hits, 890 rejections for 10 misses
    assert "where a miss costs between 1.5 and 89 false alarms" in drawn["cost_curve"].caption
    assert "flags 10 of 100 cases and finds 80 of 100 positives" in drawn["gain"].caption
    assert "8 times as frequent; 20 times would be perfect" in drawn["lift"].caption


def test_the_decision_is_marked_where_it_lies() -> None:
    drawn = by_name(draw_curves(CASES["usual"]))
    (one,) = rank_classes(CASES["usual"])
    point = one.point
    assert point is not None and point.precision is not None
    marked = {
        "precision_recall": (point.recall, point.precision),
        "roc": (point.fall_out, point.recall),
        "gain": (point.flagged, point.recall),
        "lift": (point.flagged, point.precision / one.prevalence),
    }
    for name, (x, y) in marked.items():
        mark = trace(drawn[name], "exported decision")
        assert [mark["x"], mark["y"]] == [[pytest.approx(x, 1e-4)], [pytest.approx(y, 1e-4)]]


@pytest.mark.parametrize("case", ["passing on", "decides nothing"])
def test_a_decision_that_passes_rows_on_is_not_shown_among_thresholds(case: str) -> None:
    found = CASES[case]
    share = 100 * (found.codes == PASSED_ON).mean()
    drawn = by_name(draw_curves(found))
    for name in ("precision_recall", "roc", "cost_curve", "cost_by_threshold", "gain", "lift"):
        chart = drawn[name]
        told = re.findall(r"passes ([\d.]+) of 100 cases on", chart.caption)
        assert float(*told) == pytest.approx(share, abs=0.5)
        assert not {str(one["name"]) for one in chart.data} & {
            "exported decision", "at its own ratio, 9:1", "on rows to come, 95 % interval",
        }  # fmt: skip
        shown = " ".join(texts([*chart.table.headers, *chart.table.rows]))
        assert "exported" not in shown


def test_a_matrix_of_two_classes_has_a_ratio_of_its_own() -> None:
    found = predict(Y, P, CostMatrix(("no", "yes"), ((0.0, 2.0), (26.0, 0.0))))
    drawn = by_name(draw_curves(found))
    assert trace(drawn["cost_curve"], "at its own ratio, 13:1")["x"]
    assert "13 false alarms" in [row[0] for row in drawn["cost_curve"].table.rows]


def test_costs_are_written_in_full() -> None:
    y = np.repeat([0, 1], [100, 900])
    found = replace(predict(y, np.full(1000, 0.9)), codes=np.zeros(1000, dtype=int))
    caption = by_name(draw_curves(found))["cost_by_threshold"].caption
    assert caption.endswith("it is 22,500.")
    rare = by_name(draw_curves(CASES["one in 5000"]))
    assert "5,000 times would be perfect" in rare["lift"].caption
    for chart in rare.values():
        assert not re.search(r"\de[+-]\d", chart.caption), chart.caption


def test_the_cheapest_threshold_is_told_to_two_digits() -> None:
    found = predict([0, 0, 1, 1], [0.01, 0.02, 0.04356, 0.9])
    caption = by_name(draw_curves(found))["cost_by_threshold"].caption
    assert "a threshold of about 0.044 costs least" in caption


def test_probabilities_before_calibration_are_drawn_beside() -> None:
    found = CASES["usual"]
    rows = found.scored
    assert found.calibrated is not None
    each = rank_classes(found)
    chart = draw_reliability(found, each, rows.with_proba(rows.proba**1.5))
    assert "before calibration by" in chart.caption
    assert trace(chart, "before calibration")["x"]
    same = draw_reliability(found, each, rows)
    assert "before calibration" not in same.caption


def test_the_shares_of_each_class_add_up_to_all() -> None:
    for case in ("usual", "rare", "perfect"):
        chart = by_name(draw_curves(CASES[case]))["score_histograms"]
        assert [sum(one["y"]) for one in chart.data] == [pytest.approx(1, abs=1e-3)] * 2


# Of the columns


def explain(directions: Sequence[float | None]) -> dict[str, Any]:
    """Make the explanation of a model whose last column has no importance."""
    names = [f"<b>column {k}" for k in range(len(directions))]
    drops = [{"value": 0.2, "low": 0.1, "high": 0.3}] * (len(names) - 1)
    drops.append(dict.fromkeys(("value", "low", "high")))  # type: ignore[arg-type]
    importance = [{"column": a, "drop": b} for a, b in zip(names, drops, strict=True)]
    contributions = [
        {"column": name, "mean": 0.3, "direction": direction}
        for name, direction in zip(names, directions, strict=True)
    ]
    return {
        "importance": {
            "metric": "average_precision", "n_rows": 90, "columns": importance, "left_out": [],
        },
        "contributions": {"n_rows": 90, "columns": contributions},
    }  # fmt: skip


EXPLANATION = explain([0.9, -0.9, 0.0, None])


def test_charts_of_columns_are_plain_and_safe() -> None:
    for chart in draw_features(EXPLANATION):
        check(chart)


def test_an_importance_that_is_not_defined_has_no_bar() -> None:
    chart = by_name(draw_features(EXPLANATION))["feature_importance"]
    assert chart.data[0]["x"] == [0.2] * 3
    assert chart.table.rows[-1] == ("<b>column 3", *["not defined"] * 3)
    assert "lists 1 more" in chart.caption
    assert list(by_name(draw_features(explain([0.5])))) == ["feature_contributions"]


def test_columns_say_which_of_their_values_speak_for_the_positive_class() -> None:
    chart = by_name(draw_features(EXPLANATION))["feature_contributions"]
    words = [row[2] for row in chart.table.rows]
    assert words == ["when large", "when small", "either way", ""]
    assert len(set(chart.data[0]["marker"]["pattern"]["shape"])) == 4
    assert "large values speak for the positive class" in chart.caption
    assert "raw score, log-odds for most losses" in chart.caption


def test_without_directions_no_class_is_spoken_of() -> None:
    chart = by_name(draw_features(explain([None, None])))["feature_contributions"]
    assert chart.table.headers == ("column", "mean")
    assert {len(row) for row in chart.table.rows} == {2}
    assert set(chart.data[0]["marker"]["pattern"]["shape"]) == {""}
    assert "positive" not in chart.caption and "hatched" not in chart.caption.lower()


# Of the search


def by_search(result: FitResult) -> dict[str, Chart]:
    return by_name(draw_search(result))


def make_record(number: int, result: FitResult, value: float | None, **more: Any) -> TrialRecord:
    """Make a trial of the fit another one."""
    first = result.search.best
    model = Choice(f"<i>model {number % 17}</i>", "a.b")
    smote = Choice("smote", "c.d") if number % 3 else Choice("none")
    known = {} if value is None else {
        result.metric.name: replace(first.scores[result.metric.name], value=value)
    }  # fmt: skip
    configuration = Configuration(model, sampler=smote)
    state = "complete" if value is not None else ("failed", "pruned")[number % 2]
    changes = {"seconds": 0.1 * (number + 1), "is_calibrated": number % 5 != 0, **more}
    return replace(
        first, number=number, configuration=configuration, state=state, scores=known, **changes
    )


def with_trials(result: FitResult, values: Sequence[float | None]) -> FitResult:
    records = tuple(make_record(k, result, value) for k, value in enumerate(values))
    return replace(result, search=replace(result.search, records=records))


def test_a_search_of_few_trials_has_its_charts(fitted: Any) -> None:
    drawn = by_search(fitted.result)
    assert list(drawn) == [
        "strategies", *(["attribution"] if fitted.result.appraisal.parts else []),
        "optimisation_history", "parallel_coordinates",
    ]  # fmt: skip
    for chart in drawn.values():
        check(chart)


def test_what_a_search_does_not_know_is_left_out(fitted: Any) -> None:
    result: FitResult = fitted.result
    bare = replace(result, appraisal=replace(result.appraisal, gains=(), parts=()))
    assert list(by_search(bare)) == ["optimisation_history", "parallel_coordinates"]
    assert list(by_search(with_trials(bare, [None, 0.5, None]))) == ["optimisation_history"]
    assert by_search(with_trials(bare, [None])) == {}


def test_strategies_are_told_apart_by_symbols_and_the_exported_one_is_marked(fitted: Any) -> None:
    display = fitted.result.strategies()
    chart = by_search(fitted.result)["strategies"]
    kinds = [one for one in chart.data if one["name"] != "exported"]
    assert len({one["marker"]["symbol"] for one in kinds}) == len(kinds)
    gains = [gain for one in kinds for gain in one["x"]]
    np.testing.assert_allclose(sorted(gains), sorted(display.gain), rtol=1e-4)
    place = display.names.index(display.exported)
    assert trace(chart, "exported")["x"] == [pytest.approx(display.gain[place], rel=1e-4)]
    bold = [note["text"] for note in chart.layout["annotations"] if "<b>" in note["text"]]
    assert len(bold) == 1


def test_parts_beyond_doubt_are_plain_bars(fitted: Any) -> None:
    parts = (
        Comparison("sampler", 0.1, 0.05, 0.15, 0.02, 1.0),
        Comparison("decision", 0.01, -0.02, 0.04, 0.02, 0.7),
        Comparison("<b>unknown</b>", -0.1, -0.2, -0.05, 0.02, 0.0),
    )
    result = replace(fitted.result, appraisal=replace(fitted.result.appraisal, parts=parts))
    chart = by_search(result)["attribution"]
    check(chart)
    (bar,) = chart.data
    assert bar["x"] == [0.1, 0.01, -0.1]
    assert bar["marker"]["pattern"]["shape"] == ["", "/", ""]
    assert "Most is owed to the sampler, +0.100." in chart.caption


@pytest.mark.parametrize(
    ("metric", "best"), [("f1", [0.2, 0.5, 0.5, 0.9]), ("log_loss", [0.2, 0.2, 0.1, 0.1])]
)
def test_the_best_so_far_never_gets_worse(fitted: Any, metric: str, best: list[float]) -> None:
    result = replace(fitted.result, metric=get_metric(metric))
    first = replace(result.search.best, scores=dict.fromkeys(
        [metric], next(iter(result.search.best.scores.values()))))  # fmt: skip
    candidates = (replace(result.search.candidates[0], record=first),)
    result = replace(result, search=replace(result.search, candidates=candidates))
    chart = by_search(with_trials(result, [0.2, 0.5, None, 0.1, 0.9, None]))["optimisation_history"]
    assert trace(chart, "best so far")["y"] == [*best, best[-1]]
    check(chart)


def test_trials_without_a_score_are_told_apart(fitted: Any) -> None:
    chart = by_search(with_trials(fitted.result, [0.2, 0.5, None, None, 0.9, None]))[
        "optimisation_history"
    ]
    stopped, failed = trace(chart, "stopped early"), trace(chart, "failed")
    complete = trace(chart, "complete")
    assert (complete["x"], stopped["x"], failed["x"]) == ([0, 1, 4], [3, 5], [2])
    symbols = {one["marker"]["symbol"] for one in (complete, stopped, failed)}
    assert len(symbols) == 3
    assert max(stopped["y"] + failed["y"]) < 0.2
    assert "3 complete, 2 stopped early, 1 failed" in chart.caption


@pytest.mark.parametrize("n", [2, 40, 1000])
def test_each_trial_is_a_line_unless_they_are_very_many(fitted: Any, n: int) -> None:
    values = np.random.default_rng(0).random(n).tolist()
    chart = by_search(with_trials(fitted.result, values))["parallel_coordinates"]
    check(chart)
    n_lines = sum(one["x"].count(None) for one in chart.data)
    assert n_lines == n if n < 1000 else 300 <= n_lines <= 301
    best = max(x for one in chart.data[1:] for x in one["y"] if x is not None)
    assert best == 1.0
    assert ("are drawn" in chart.caption) is (n == 1000)


def test_importance_is_drawn_of_many_trials(fitted: Any) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))

    def score(trial: optuna.Trial) -> float:
        trial.suggest_float("sampler.<b>smote</b>.balance", 0, 1)
        return float(trial.suggest_categorical("sampler", ["a", "b"]) == "a")

    study.optimize(score, 40)
    result = replace(fitted.result, search=replace(fitted.result.search, study=study))
    chart = by_search(result)["choice_importance"]
    check(chart)
    assert chart.table.rows[0][0] == "which sampler"
    assert chart.data[0]["marker"]["pattern"]["shape"] == ["", "/"]


# In a browser


@pytest.fixture(scope="module")
def of_three(loans: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> FitResult:
    """A fit of three classes, two of them markup."""
    age = loans["age"].fillna(40)
    target = np.select([age < 32, age < 40], [HOSTILE, "<i>middle</i>"], "old")
    run = autoimb.fit(
        loans.drop(columns="default").assign(target=target), "target", n_trials=3,
        time_budget=None, space="fast", n_folds=2, executor="in_process", tracking_uri="off",
        run_dir=tmp_path_factory.mktemp("three") / "run",
    )  # fmt: skip
    return run.result


def write_page(charts: Sequence[Chart], path: Path) -> None:
    from plotly.offline import get_plotlyjs

    parts = [f"<!doctype html><meta charset=utf-8><script>{get_plotlyjs()}; drawn = []</script>"]
    for place, chart in enumerate(charts):
        values = (f"chart{place}", list(chart.data), {**chart.layout, "height": chart.height})
        told = ",".join(json.dumps(one).replace("<", "\\u003c") for one in values)
        parts.append(
            f"<div id=chart{place}></div><script>drawn.push(Plotly.newPlot({told}))</script>"
        )
    path.write_text("\n".join(parts), "utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("width", [1000, 400])
def test_a_browser_draws_every_chart(
    fitted: Any, of_three: FitResult, driver: Any, tmp_path: Path, width: int
) -> None:
    charts = [
        chart
        for result in (fitted.result, of_three)
        for chart in (*draw_search(result), *draw(result.predictions()))
    ]
    charts += draw(CASES["hostile labels"]) + draw(CASES["rare"])
    charts += draw_features(EXPLANATION)
    write_page(charts, tmp_path / "charts.html")
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    driver.get_log("browser")
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        driver.get((tmp_path / "charts.html").as_uri())
        driver.execute_async_script(
            "const done = arguments[0]; Promise.all(drawn).then(() => done())"
        )
        drawn = driver.execute_script(
            "return [...document.querySelectorAll('.js-plotly-plot')].map(div => "
            "div.querySelectorAll('.trace').length)"
        )
        assert len(drawn) == len(charts) and min(drawn) > 0
        assert driver.get_log("browser") == []
        assert not driver.find_elements("css selector", "svg b, svg i, svg img, svg script")
        # What is written at axes and in legends stays inside the picture.
        cut = driver.execute_script(
            "return [...document.querySelectorAll('.xtitle, .ytitle, .ytick text, .legendtext')]"
            ".map(text => [text.textContent, text.getBoundingClientRect()])"
            ".filter(([_, box]) => box.width && (box.left < 0 || box.right > innerWidth + 1))"
            ".map(([text, _]) => text)"
        )
        assert cut == []
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
