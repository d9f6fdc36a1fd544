"""The figures behind every plot against scikit-learn's, and what is drawn of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from html_reader import HOSTILE
from matplotlib import pyplot as plt
from predicted import predict_classes, predict_two
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    matthews_corrcoef,
    precision_recall_curve,
    precision_score,
    recall_score,
)

from autoimb.decision.capacity import Capacity
from autoimb.decision.costs import Costs
from autoimb.decision.criteria import BestMetric, Criterion
from autoimb.decision.deciding import Decision, describe_codes
from autoimb.decision.fixed import FixedThreshold
from autoimb.decision.floors import Floor
from autoimb.decision.rules import PASSED_ON, Threshold
from autoimb.displays import (
    CalibrationDisplay,
    PrecisionRecallDisplay,
    StrategiesDisplay,
    ThresholdDisplay,
)
from autoimb.displays.predictions import Predictions
from autoimb.errors import DataError, MissingPackageError, UsageError
from autoimb.evaluation.estimate import Estimate

ESTIMATES = {
    "f1": Estimate(0.6, 0.5, 0.7), "average_precision": Estimate(0.7, 0.6, 0.8),
    "precision": Estimate(0.6, 0.5, 0.7), "recall": Estimate(0.6, 0.5, 0.7),
}  # fmt: skip


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close what was drawn."""
    yield
    plt.close("all")


def figures_of(predictions: Predictions) -> dict[str, float]:
    found = predictions.decision.criterion
    return dict(describe_codes(found, predictions.scored, predictions.codes))


def legend(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


# The threshold


@pytest.mark.parametrize("weights", [None, np.array([1.2, 0.3])], ids=["as is", "retargeted"])
@pytest.mark.parametrize("shift", [-1.5, -4.0, 0.0])
def test_curves_over_thresholds_are_scikit_learns(shift: float, weights: Any) -> None:
    found = predict_two(n=900, shift=shift, class_weights=weights)
    display = ThresholdDisplay.from_predictions(found)
    y, p = found.scored.y, found.scored.proba[:, 1]
    precision, recall, thresholds = precision_recall_curve(
        y, p, sample_weight=found.scored.row_weights
    )
    np.testing.assert_array_equal(display.thresholds, thresholds)
    np.testing.assert_allclose(display.curves["precision"], precision[:-1])
    np.testing.assert_allclose(display.curves["recall"], recall[:-1])
    for place in (0, len(thresholds) // 2, -1):
        expected = f1_score(y, p >= thresholds[place], sample_weight=found.scored.row_weights)
        assert display.curves["f1"][place] == pytest.approx(expected)


@pytest.mark.parametrize("shift", [-1.5, -4.0])
def test_of_very_many_thresholds_those_near_the_chosen_one_stay(shift: float) -> None:
    found = predict_two(n=9000, shift=shift)
    rng = np.random.default_rng(0)
    p = np.clip(found.scored.proba[:, 1] + rng.normal(0, 1e-5, 9000), 0, 1)
    rows = found.scored.with_proba(np.column_stack([1 - p, p]))
    display = ThresholdDisplay.from_predictions(replace(found, scored=rows))
    n = len(display.thresholds)
    assert 1000 <= n <= 2000
    assert (np.diff(display.thresholds) > 0).all()
    here = np.searchsorted(np.unique(p), display.threshold)
    assert set(np.unique(p)[here - 200 : here + 200]) <= set(display.thresholds)
    assert display.thresholds[[0, -1]].tolist() == [p.min(), p.max()]


@pytest.mark.parametrize("weights", [None, np.array([1.2, 0.3])], ids=["as is", "retargeted"])
def test_the_chosen_threshold_is_worth_what_the_decision_says(weights: Any) -> None:
    found = predict_two(class_weights=weights)
    display = ThresholdDisplay.from_predictions(found)
    told = figures_of(found)
    assert display.threshold == found.decision.rule.value
    assert display.chosen["precision"] == pytest.approx(told["precision"])
    assert display.chosen["recall"] == pytest.approx(told["recall"])
    stable = found.decision.stability
    assert (display.interval, display.flat) == (stable.intervals[0], stable.flat)
    y, p, w = found.scored.y, found.scored.proba[:, 1], found.scored.row_weights
    assert display.usual["f1"] == pytest.approx(f1_score(y, p >= 0.5, sample_weight=w))


def test_the_curve_and_its_marks_stand_where_they_are() -> None:
    display = ThresholdDisplay.from_predictions(predict_two(estimates=ESTIMATES)).plot()
    ax = display.ax_
    dots = {
        tuple(line.get_xydata()[0]) for line in ax.lines if len(line.get_xdata()) == 1
    }  # fmt: skip
    for name in ("f1", "precision", "recall"):
        assert (display.threshold, display.chosen[name]) in dots
        assert (0.5, display.usual[name]) in dots
        x, y = display.lines_[name].get_xdata(), display.lines_[name].get_ydata()
        # To the left of a probability lies what it gives as a threshold.
        assert y[np.searchsorted(x, display.threshold)] == pytest.approx(display.chosen[name])
    assert (display.threshold, 0.6) in dots  # what is expected on rows to come
    assert f"chosen, {display.threshold:.3g}: f1 {display.chosen['f1']:.3f}" in legend(ax)[5]
    assert "f1 on rows to come: 0.600 (95 %: 0.500 to 0.700)" in legend(ax)


@pytest.mark.parametrize(
    ("criterion", "names", "estimated"),
    [
        (BestMetric("average_precision"), ["f1", "precision", "recall"], "f1"),
        (BestMetric("mcc"), ["mcc", "precision", "recall"], "mcc"),
        (Costs(fn=9), ["cost of a row", "f1", "precision", "recall"], "cost"),
        (Floor("recall", 0.8), ["precision", "recall", "f1"], "precision"),
        (Floor("specificity", 0.8), ["recall", "specificity", "precision", "f1"], "recall"),
        (
            BestMetric("recall_at_precision@0.6"),
            ["recall_at_precision@0.6", "precision", "recall"],
            "recall_at_precision@0.6",
        ),
    ],
    ids=str,
)
def test_what_the_decision_serves_comes_first(
    criterion: Criterion, names: list[str], estimated: str
) -> None:
    expected = Estimate(0.5, 0.4, 0.6)
    display = ThresholdDisplay.from_predictions(
        predict_two(criterion, estimates={estimated: expected})
    ).plot()
    assert list(display.curves) == names
    assert display.estimate is expected
    assert set(display.lines_) == set(names)


def test_another_metric_is_scikit_learns_too() -> None:
    found = predict_two(BestMetric("mcc"))
    display = ThresholdDisplay.from_predictions(found)
    y, p = found.scored.y, found.scored.proba[:, 1]
    for place in (3, 40, 90):
        expected = matthews_corrcoef(y, p >= display.thresholds[place])
        assert display.curves["mcc"][place] == pytest.approx(expected)


@pytest.mark.parametrize("costs", [Costs(fn=9), Costs(fp=2, fn=30, tp=3, tn=0.5)], ids=str)
@pytest.mark.parametrize("weights", [None, np.array([1.2, 0.3])], ids=["as is", "retargeted"])
def test_costs_are_those_of_the_decision_on_a_scale_of_their_own(
    costs: Costs, weights: Any
) -> None:
    estimates = {"cost": Estimate(0.3, 0.2, 0.4)}
    found = predict_two(costs, class_weights=weights, estimates=estimates)
    display = ThresholdDisplay.from_predictions(found).plot()
    assert display.chosen["cost of a row"] == pytest.approx(figures_of(found)["cost"])
    assert display.curves["cost of a row"].min() >= display.chosen["cost of a row"] - 0.1
    assert display.cost_ax_ is not display.ax_
    assert display.lines_["cost of a row"] in display.cost_ax_.lines
    assert display.lines_["precision"] in display.ax_.lines
    assert legend(display.ax_)[:4] == ["cost of a row", "f1", "precision", "recall"]
    assert legend(display.ax_)[-1] == "cost of a row on rows to come: 0.300 (95 %: 0.200 to 0.400)"


def test_a_promise_is_drawn_as_a_line() -> None:
    display = ThresholdDisplay.from_predictions(predict_two(Floor("recall", 0.8))).plot()
    assert display.promise == ("recall", 0.8)
    assert "promised: a recall of 0.8" in legend(display.ax_)


def test_below_its_floor_a_metric_is_not_drawn() -> None:
    found = predict_two(BestMetric("recall_at_precision@0.6"))
    display = ThresholdDisplay.from_predictions(found)
    is_below = display.curves["precision"] < 0.6 - 1e-9
    own = display.curves["recall_at_precision@0.6"]
    assert np.isnan(own[is_below]).all()
    np.testing.assert_array_equal(own[~is_below], display.curves["recall"][~is_below])


def test_small_thresholds_get_a_logarithmic_scale() -> None:
    scales = [
        ThresholdDisplay.from_predictions(predict_two(criterion)).plot().ax_.get_xscale()
        for criterion in (BestMetric("f1"), Costs(fn=60))
    ]
    assert scales == ["linear", "log"]


def test_an_untuned_threshold_has_no_ranges() -> None:
    found = predict_two()
    found = replace(found, decision=Decision(BestMetric("f1"), Threshold(0.5)))
    display = ThresholdDisplay.from_predictions(found).plot()
    assert (display.interval, display.flat, display.chosen) == (None, None, display.usual)
    assert not [text for text in legend(display.ax_) if "resamples" in text or "tuning" in text]


REFUSED: dict[str, tuple[Callable[[], Predictions], str]] = {
    "several classes": (
        lambda: predict_classes(3),
        "a threshold belongs to two classes, but the target has 3. plot_pr shows the decision for "
        "each class.",
    ),
    "capacity": (
        lambda: predict_two(Capacity(k=20)),
        "the decision is no single threshold on the probability, but 'the 20 highest of a batch'. "
        "plot_pr shows where it lies.",
    ),
    "costs by row": (
        lambda: predict_two(Costs(fp=0.5, column="amount")),
        "the decision is no single threshold on the probability, but 'probability x 'amount'",
    ),
    "passing on": (
        lambda: predict_two(Costs(fn=9, abstain=0.5)),
        "the decision is no single threshold on the probability, but 'threshold 0.",
    ),
}


@pytest.mark.parametrize(("make", "start"), REFUSED.values(), ids=list(REFUSED))
def test_where_a_threshold_means_nothing_one_line_says_so(
    make: Callable[[], Predictions], start: str
) -> None:
    with pytest.raises(UsageError) as caught:
        ThresholdDisplay.from_predictions(make())
    assert str(caught.value).startswith(start)
    assert "\n" not in str(caught.value)


# Precision and recall


@pytest.mark.parametrize("weights", [None, np.array([1.2, 0.3])], ids=["as is", "retargeted"])
def test_the_curve_of_two_classes_is_scikit_learns(weights: Any) -> None:
    found = predict_two(class_weights=weights)
    ((name, curve),) = PrecisionRecallDisplay.from_predictions(found).curves.items()
    y, p, w = found.scored.y, found.scored.proba[:, 1], found.scored.row_weights
    precision, recall, thresholds = precision_recall_curve(
        y, p, sample_weight=w, drop_intermediate=True
    )
    assert name == "yes"
    np.testing.assert_array_equal(curve.precision, precision)
    np.testing.assert_array_equal(curve.recall, recall)
    np.testing.assert_array_equal(curve.thresholds, thresholds)
    assert curve.average_precision == average_precision_score(y, p, sample_weight=w)
    assert curve.prevalence == pytest.approx(np.average(y, weights=w))


@pytest.mark.parametrize("weights", [None, np.array([1.2, 0.3])], ids=["as is", "retargeted"])
@pytest.mark.parametrize(
    "criterion",
    [BestMetric("f1"), Costs(fn=9), Costs(fn=9, abstain=0.5), Costs(column="amount"),
     Floor("precision", 0.6), Capacity(k=30), FixedThreshold(0.3)],
    ids=str,
)  # fmt: skip
def test_the_marked_point_is_what_the_decision_says(criterion: Criterion, weights: Any) -> None:
    found = predict_two(criterion, class_weights=weights)
    display = PrecisionRecallDisplay.from_predictions(found).plot()
    told, curve = figures_of(found), display.curves["yes"]
    assert curve.point == pytest.approx((told["recall"], told["precision"]))
    dots = [
        line for line in display.ax_.lines if line.get_marker() == "o" and len(line.get_xdata())
    ]
    assert dots[0].get_xydata().tolist() == [list(curve.point)]


def test_the_point_of_a_threshold_lies_on_the_curve() -> None:
    found = predict_two()
    curve = PrecisionRecallDisplay.from_predictions(found).curves["yes"]
    recall, precision = curve.point
    upright = curve.precision[np.isclose(curve.recall, recall)]
    assert upright.min() <= precision <= upright.max()


@pytest.mark.parametrize("n_classes", [3, 15])
def test_of_several_classes_each_has_a_curve_and_a_point(n_classes: int) -> None:
    found = predict_classes(n_classes)
    display = PrecisionRecallDisplay.from_predictions(found).plot()
    drawn = range(n_classes)[-10:]
    assert list(display.curves) == [f"class {k}" for k in drawn]
    assert len(display.lines_) == len(drawn)
    for k, curve in zip(drawn, display.curves.values(), strict=True):
        y, decided = found.scored.y == k, found.codes == k
        assert curve.average_precision == average_precision_score(y, found.scored.proba[:, k])
        if decided.any():
            expected = recall_score(y, decided), precision_score(y, decided)
            assert curve.point == pytest.approx(expected)


def test_a_class_that_no_row_is_decided_for_has_no_point() -> None:
    found = predict_classes(3)
    display = PrecisionRecallDisplay.from_predictions(replace(found, codes=0 * found.codes)).plot()
    assert [curve.point is None for curve in display.curves.values()] == [False, True, True]


def test_rows_that_were_passed_on_do_not_count() -> None:
    found = predict_two(Costs(fn=9, abstain=0.5))
    assert (found.codes == PASSED_ON).any()
    clear = found.codes != PASSED_ON
    curve = PrecisionRecallDisplay.from_predictions(found).curves["yes"]
    y, decided = found.scored.y[clear], found.codes[clear]
    assert curve.point == pytest.approx((recall_score(y, decided), precision_score(y, decided)))


def test_what_is_expected_on_rows_to_come_stands_beside_the_curve() -> None:
    texts = legend(
        PrecisionRecallDisplay.from_predictions(predict_two(estimates=ESTIMATES)).plot().ax_
    )
    assert texts[0].endswith("; on rows to come 0.700 (95 %: 0.600 to 0.800)")
    assert any(
        text == "95 % on rows to come: precision 0.500 to 0.700, recall 0.500 to 0.700"
        for text in texts
    )
    texts = legend(PrecisionRecallDisplay.from_predictions(predict_two()).plot().ax_)
    assert not [text for text in texts if "rows to come" in text]


@pytest.mark.parametrize("display", [PrecisionRecallDisplay, ThresholdDisplay])
@pytest.mark.parametrize("only", [0, 1])
def test_rows_of_one_class_are_refused(display: Any, only: int) -> None:
    found = predict_two(n=40)
    kept = found.scored.y == only
    found = replace(found, scored=found.scored.take(kept), codes=found.codes[kept])
    with pytest.raises(DataError) as caught:
        display.from_predictions(found)
    absent = ("yes", "no")[only]
    assert str(caught.value) == (
        f"the {kept.sum()} rows hold none of class '{absent}'. Give rows of both classes."
    )


# Calibration


def test_reliability_is_measured_on_the_rows_that_the_calibrator_has_not_seen() -> None:
    found, other = predict_two(n=2000), predict_two(n=2000, seed=1)
    display = CalibrationDisplay.from_predictions(replace(found, calibrated=other.scored))
    one = display.reliability["yes"]
    y, p = other.scored.y, other.scored.proba[:, 1]
    assert one.brier == pytest.approx(brier_score_loss(y, p))
    # Over bins of equal mass the shares are those of the rows in each.
    assert np.average(one.found, weights=one.n_each) == pytest.approx(y.mean())
    ends = zip(one.low, one.found, one.high, strict=True)
    assert all(low <= share <= high for low, share, high in ends)


@pytest.mark.parametrize(("shift", "scale"), [(0.0, "linear"), (-6.0, "log")])
def test_rare_classes_get_logarithmic_axes(shift: float, scale: str) -> None:
    display = CalibrationDisplay.from_predictions(predict_two(n=3000, shift=shift)).plot()
    assert display.scale == display.ax_.get_yscale() == display.histogram_ax_.get_xscale() == scale
    assert display.ax_.get_xlim() == display.histogram_ax_.get_xlim()


@pytest.mark.parametrize("shift", [0.0, -6.0])
def test_every_row_is_in_the_histogram_of_its_class(shift: float) -> None:
    found = predict_two(n=3000, shift=shift)
    one = CalibrationDisplay.from_predictions(found).histograms["yes"]
    assert one.members.sum() == pytest.approx(1)
    assert one.others.sum() == pytest.approx(1)
    p = np.clip(found.scored.proba[:, 1], one.edges[0], 1)
    n = np.histogram(p[found.scored.y == 1], one.edges)[0]
    np.testing.assert_allclose(one.members * found.scored.y.sum(), n)


def test_the_curve_of_calibration_is_drawn_with_its_intervals() -> None:
    display = CalibrationDisplay.from_predictions(predict_two(n=2000)).plot()
    one = display.reliability["yes"]
    np.testing.assert_array_equal(display.lines_[0].get_xdata(), one.predicted)
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), one.found)
    texts = legend(display.histogram_ax_)
    assert f"'yes': ECE {one.ece:.3f}, Brier {one.brier:.3f}" in texts
    assert "rows of 'yes'" in texts


@pytest.mark.parametrize(("n_classes", "n_drawn"), [(3, 3), (15, 10)])
def test_the_calibration_of_each_class(n_classes: int, n_drawn: int) -> None:
    display = CalibrationDisplay.from_predictions(predict_classes(n_classes)).plot()
    assert len(display.lines_) == len(display.reliability) == len(display.histograms) == n_drawn


def test_without_such_rows_one_line_says_what_is_needed() -> None:
    with pytest.raises(UsageError, match="Give labelled rows, X and y, that it was not"):
        CalibrationDisplay.from_predictions(predict_two(calibrated=None))


# Strategies


def make_strategies(**changes: Any) -> StrategiesDisplay:
    usual = StrategiesDisplay(
        names=("blend led by lightgbm", "SMOTE 1:1", "do nothing", "random undersampling"),
        gain=np.array([0.05, 0.01, 0.0, -0.2]), low=np.array([0.02, -0.02, 0.0, -0.3]),
        high=np.array([0.08, 0.04, 0.0, -0.1]), score=np.array([0.65, 0.61, 0.6, 0.4]),
        metric="average_precision", reference="do nothing", exported="blend led by lightgbm",
    )  # fmt: skip
    return replace(usual, **changes)


def test_strategies_are_told_apart_and_the_exported_one_is_marked() -> None:
    display = make_strategies().plot()
    assert display.verdicts == ("better", "undecided", "reference", "worse")
    labels = display.ax_.get_yticklabels()
    assert [label.get_text() for label in labels] == list(display.names)
    assert [label.get_fontweight() for label in labels] == ["bold", *["normal"] * 3]
    assert display.ax_.get_ylim()[0] > display.ax_.get_ylim()[1]  # the first is on top
    written = [text.get_text() for text in display.ax_.texts]
    assert written == ["0.650", "0.610", "0.600", "0.400", "score"]
    assert len(legend(display.ax_)) == 4
    assert len(legend(make_strategies(exported=None).plot().ax_)) == 3


# All of them

DRAWN: dict[str, Callable[[str], Any]] = {
    "threshold": lambda name: ThresholdDisplay.from_predictions(
        predict_two(labels=("no", name), estimates=ESTIMATES)
    ),
    "threshold by costs": lambda name: ThresholdDisplay.from_predictions(
        predict_two(Costs(fn=90), labels=("no", name), estimates={"cost": ESTIMATES["f1"]})
    ),
    "precision and recall": lambda name: PrecisionRecallDisplay.from_predictions(
        predict_two(labels=("no", name), estimates=ESTIMATES)
    ),
    "precision and recall of several": lambda name: PrecisionRecallDisplay.from_predictions(
        predict_classes(12, labels=[f"{k} {name}" for k in range(12)])
    ),
    "calibration": lambda name: CalibrationDisplay.from_predictions(
        predict_two(labels=("no", name), n=2000)
    ),
    "calibration of several": lambda name: CalibrationDisplay.from_predictions(
        predict_classes(12, labels=[f"{k} {name}" for k in range(12)])
    ),
    "strategies": lambda name: make_strategies(names=(name, "b", "c", "d"), exported=name),
}
AWKWARD = [
    "yes", HOSTILE, "W" * 300,
    # to draw each takes a second
    *(pytest.param(n, marks=pytest.mark.slow) for n in ("$x_1$ ${", "東京都の人口", "", "a\nb")),
]  # fmt: skip
each_display = pytest.mark.parametrize("make", DRAWN.values(), ids=list(DRAWN))


@each_display
def test_plot_returns_itself_with_what_it_drew_on(make: Callable[[str], Any]) -> None:
    display = make("yes")
    assert display.plot() is display
    assert plt.gcf() is display.figure_ is display.ax_.figure
    figure, axes = plt.subplots(1, 2, layout="constrained")
    display.plot(axes[1])
    assert (display.ax_, display.figure_) == (axes[1], figure)
    assert not axes[0].lines
    assert len(plt.get_fignums()) == 2


@each_display
@pytest.mark.parametrize("name", AWKWARD)
def test_nothing_written_leaves_its_figure(make: Callable[[str], Any], name: str) -> None:
    figure = make(name).plot().figure_
    figure.canvas.draw()
    width, height = figure.get_size_inches()
    box = figure.get_tightbbox()
    assert box.x0 > -0.02 and box.y0 > -0.02, box
    assert box.x1 < width + 0.02 and box.y1 < height + 0.02, box


@each_display
def test_without_matplotlib_one_line_says_so(
    make: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    display = make("yes")
    for module in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackageError) as caught:
        display.plot()
    assert str(caught.value) == (
        "plots need matplotlib, which is not installed. Install it: pip install matplotlib"
    )
    assert isinstance(caught.value, ImportError)


def test_the_result_of_a_run_draws_as_a_classifier_does(fitted: Any) -> None:
    result = fitted.result
    display = result.plot_threshold()
    assert display.threshold == result.model.rule.value
    assert result.plot_strategies().names == result.strategies().names
    assert result.plot_calibration().reliability
