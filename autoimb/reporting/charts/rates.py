"""Precision against recall, and recall against false alarms, of one class or of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoimb.decision.rules import Threshold
from autoimb.displays.predictions import Interval, Predictions
from autoimb.reporting.chart import Chart, Table
from autoimb.reporting.charts.layouts import (
    BLUE,
    NEUTRAL,
    VERMILLION,
    bars,
    class_name,
    label,
    layout,
    line,
    mark,
    score_axis,
    style,
)
from autoimb.reporting.charts.ranked import Ranked, name_decision, tell_passed_on
from autoimb.reporting.charts.values import of_100, round_off, thin

__all__ = ["draw_precision_recall", "draw_roc"]

# Of lines on which F1 is the same.
LEVELS_OF_F1 = (0.2, 0.4, 0.6, 0.8)
# That the table tells the threshold of, and what it gives.
RECALLS = (0.05, *(k / 10 for k in range(1, 10)), 0.95, 0.99, 1.0)
FALL_OUTS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
OF_CURVE = "%{fullData.name}<br>recall %{x:.3f}<br>precision %{y:.3f}<extra></extra>"
OF_ROC = "%{fullData.name}<br>false alarms %{x:.4f}<br>recall %{y:.3f}<extra></extra>"


def draw_precision_recall(predictions: Predictions, each: Sequence[Ranked]) -> Chart:
    """Draw precision against recall at every threshold, and at the decision.

    Parameters
    ----------
    predictions : Predictions
    each : sequence of Ranked
        The positive class of two, or several.

    Returns
    -------
    Chart
    """
    drawn = [_equal_f1()]
    for place, one in enumerate(each):
        drawn += _trace_precision(one, place, is_alone=predictions.is_binary)
    if predictions.is_binary and not tell_passed_on(predictions):
        drawn += _expected(predictions.estimates)
    notes = [
        label(f1 / (2 - f1), 1.0, f"F1 {f1:g}", NEUTRAL, yanchor="bottom") for f1 in LEVELS_OF_F1
    ]
    axes = score_axis("recall: share found"), score_axis("precision: share of alerts right")
    return Chart(
        "precision_recall",
        f"Precision against recall, {predictions.origin}",
        _tell_precision(predictions, each),
        drawn,
        layout(*axes, annotations=notes),
        _tabulate_recalls(predictions, *each) if predictions.is_binary else _tabulate_classes(each),
        height=440 + 12 * len(each),
    )


def _equal_f1() -> dict[str, Any]:
    """Draw all lines as one, with gaps."""
    x: list[float | None] = []
    y: list[float | None] = []
    for f1 in LEVELS_OF_F1:
        recall = np.linspace(f1 / (2 - f1), 1.0, 40)
        x += [*recall.tolist(), None]
        y += [*(f1 * recall / (2 * recall - f1)).tolist(), None]
    return line(x, y, "equal F1", NEUTRAL, "dot", line={"width": 1}, opacity=0.6,
                hoverinfo="skip", showlegend=False)  # fmt: skip


def _trace_precision(one: Ranked, place: int, *, is_alone: bool) -> list[dict[str, Any]]:
    color, dash, symbol = (BLUE, "solid", "diamond") if is_alone else style(place)
    # To the left of its first point a curve is as precise as there.
    recall = np.append(0.0, one.recall)
    precision = np.append(one.precision[0], one.precision)
    found = thin(recall, precision)
    name = class_name(one.name, f"average precision {one.average_precision:.3f}")
    shape = {"shape": "vh"}
    drawn = [line(recall[found], precision[found], name, color, dash, line=shape,
                  hovertemplate=OF_CURVE)]  # fmt: skip
    if is_alone:
        level = f"prevalence {one.prevalence:.3g}: no skill"
        drawn.append(line([0, 1], [one.prevalence] * 2, level, NEUTRAL, "dash", hoverinfo="skip"))
    point = one.point
    if point is not None and point.precision is not None:
        of_mark = VERMILLION if is_alone else color
        words = "exported decision" if is_alone else f"{class_name(one.name)}, decision"
        drawn.append(mark([point.recall], [point.precision], words, of_mark, symbol,
                          showlegend=is_alone, hovertemplate=OF_CURVE))  # fmt: skip
    return drawn


def _expected(estimates: Mapping[str, Interval]) -> list[dict[str, Any]]:
    """Mark where precision and recall lie on rows to come, if that is known."""
    if not {"precision", "recall"} <= set(estimates):
        return []
    x, y = estimates["recall"], estimates["precision"]
    whiskers = {
        f"error_{axis}": bars([one.value], [one.low], [one.high], VERMILLION)
        for axis, one in (("x", x), ("y", y))
    }
    words = "on rows to come, 95 % interval"
    return [mark([x.value], [y.value], words, VERMILLION, "circle-open", 9,
                 hovertemplate=OF_CURVE, **whiskers)]  # fmt: skip


def _tell_precision(predictions: Predictions, each: Sequence[Ranked]) -> str:
    about = (
        "How many alerts are right (precision) for each share of a class that is found (recall), "
        "over all thresholds: the nearer to the upper right, the better."
    )
    if not predictions.is_binary:
        worst = min(each, key=lambda one: one.average_precision)
        return (
            f"{about} Each class is held against the rest, the rarest first. "
            f"{_tell_marks(predictions)} Hardest to tell is '{worst.name}', with an average "
            f"precision of {worst.average_precision:.3f} where no skill has {worst.prevalence:.3g}."
        )
    (one,) = each
    area = f"Average precision is {one.average_precision:.3f}"
    known = predictions.estimates.get("average_precision")
    if known is not None:
        area += f" ({known.value:.3f} on rows to come, 95 %: {known.low:.3f} to {known.high:.3f})"
    return f"{about} {_tell_point(predictions, one)}{area}; no skill has {one.prevalence:.3g}."


def _tell_marks(predictions: Predictions) -> str:
    return tell_passed_on(predictions) or "Marks are what the exported decision chose."


def _tell_point(predictions: Predictions, one: Ranked) -> str:
    """Say what the decision comes to, or that it passes rows on."""
    point = one.point
    if point is None:
        return f"{tell_passed_on(predictions)} "
    right = (
        "nothing is flagged"
        if point.precision is None
        else f"{of_100(point.recall)} positives are found and {of_100(point.precision)} alerts are "
        "right"
    )
    return f"{name_decision(predictions)}, {right}. "


def _tabulate_recalls(predictions: Predictions, one: Ranked) -> Table:
    """Tell the highest threshold that reaches each of some recalls, and the decision."""
    headers = ("to find", "threshold", "recall", "precision", "F1", "flagged per 1,000")
    rows: list[Sequence[str | float]] = []
    if one.point is not None and one.point.precision is not None:
        rates = one.point.recall, one.point.precision
        rule = predictions.decision.rule
        threshold = round_off(rule.value) if isinstance(rule, Threshold) else ""
        rows.append(_row("exported decision", threshold, *rates, one.point.flagged))
    hits, false = one.counts(one.thresholds)
    flagged = (hits + false) / (one.n_members + one.n_others)
    for wanted in RECALLS:
        at = int(np.searchsorted(one.recall, wanted - 1e-9))
        threshold = round_off(one.thresholds[at])
        rates = float(one.recall[at]), float(one.precision[at])
        rows.append(_row(f"{100 * wanted:g} %", threshold, *rates, float(flagged[at])))
    return Table(headers, rows)


def _row(
    name: str, threshold: str | float, recall: float, precision: float, flagged: float
) -> Sequence[str | float]:
    f1 = 2 * precision * recall / (precision + recall) if recall else 0.0
    return name, threshold, *map(round_off, (recall, precision, f1, 1000 * flagged))


def _tabulate_classes(each: Sequence[Ranked]) -> Table:
    headers = (
        "class", "prevalence", "average precision", "ROC AUC", "recall", "precision",
    )  # fmt: skip
    rows = []
    for one in each:
        point = one.point
        rates = ("", "") if point is None else (point.recall, point.precision)
        known = ["" if rate is None else round_off(rate) for rate in rates]
        areas = (one.prevalence, one.average_precision, one.roc_auc)
        rows.append((one.name, *(_known(area) for area in areas), *known))
    return Table(headers, rows)


def _known(value: float) -> str | float:
    number = round_off(value)
    return "not defined" if number is None else float(number)


def draw_roc(predictions: Predictions, each: Sequence[Ranked]) -> Chart:
    """Draw recall against the share of false alarms at every threshold, and at the decision.

    Parameters
    ----------
    predictions : Predictions
    each : sequence of Ranked
        The positive class of two, or several.

    Returns
    -------
    Chart
    """
    drawn = [line([0, 1], [0, 1], "no skill", NEUTRAL, "dash", hoverinfo="skip")]
    for place, one in enumerate(each):
        drawn += _trace_roc(one, place, is_alone=predictions.is_binary)
    axes = (
        score_axis("share of others flagged (false positive rate)"),
        score_axis("recall: share found"),
    )
    return Chart(
        "roc",
        f"Recall against false alarms (ROC), {predictions.origin}",
        _tell_roc(predictions, each),
        drawn,
        layout(*axes),
        _tabulate_fall_outs(*each) if predictions.is_binary else _tabulate_classes(each),
        height=430 + 12 * len(each),
    )


def _trace_roc(one: Ranked, place: int, *, is_alone: bool) -> list[dict[str, Any]]:
    color, dash, symbol = (BLUE, "solid", "diamond") if is_alone else style(place)
    hits, false = one.corners
    recall, fall_out = hits / one.n_members, false / (one.n_others or 1.0)
    found = thin(fall_out, recall)
    name = class_name(one.name, f"area {_area(one)}")
    drawn = [line(fall_out[found], recall[found], name, color, dash, hovertemplate=OF_ROC)]
    if one.point is not None:
        of_mark = VERMILLION if is_alone else color
        words = "exported decision" if is_alone else f"{class_name(one.name)}, decision"
        drawn.append(mark([one.point.fall_out], [one.point.recall], words, of_mark, symbol,
                          showlegend=is_alone, hovertemplate=OF_ROC))  # fmt: skip
    return drawn


def _area(one: Ranked) -> str:
    return f"{one.roc_auc:.3f}" if one.n_others else "none (there are no other rows)"


def _tell_roc(predictions: Predictions, each: Sequence[Ranked]) -> str:
    about = (
        "The share of a class that is found against the share of all other rows that is flagged "
        "with it: the nearer to the upper left, the better."
    )
    if not predictions.is_binary:
        worst = min(each, key=lambda one: np.nan_to_num(one.roc_auc, nan=2.0))
        return (
            f"{about} Each class is held against the rest. {_tell_marks(predictions)} Hardest to "
            f"tell is '{worst.name}', with an area of {_area(worst)} where no skill has 0.5."
        )
    (one,) = each
    rare = (
        " Where a class is rare a small share of the rest is many false alarms, which this curve "
        "does not show: see precision and recall."
        if one.prevalence < 0.1
        else ""
    )
    chosen = f"{tell_passed_on(predictions)} "
    if one.point is not None:
        chosen = (
            f"{name_decision(predictions)}, {of_100(one.point.recall)} positives are found and "
            f"{of_100(one.point.fall_out)} negatives are flagged. "
        )
    return (
        f"{about} {chosen}A positive is ranked above a negative with a chance of "
        f"{one.roc_auc:.3f} (the area under the curve).{rare}"
    )


def _tabulate_fall_outs(one: Ranked) -> Table:
    """Tell the recall that each of some shares of false alarms allows."""
    hits, false = one.corners
    rows: list[Sequence[str | float]] = []
    if one.point is not None:
        rows.append(
            ("exported decision", round_off(one.point.fall_out), round_off(one.point.recall))
        )
    for limit in FALL_OUTS:
        within = false <= (limit + 1e-12) * one.n_others
        best = float(hits[within].max() / one.n_members)
        share = float(false[within].max() / one.n_others)
        rows.append((f"at most {100 * limit:g} %", round_off(share), round_off(best)))
    return Table(("share of the rest flagged", "false positive rate", "recall"), rows)
