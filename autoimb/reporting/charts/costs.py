"""What errors cost: over all ratios of their costs, and over all thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.decision.calibration import log_odds
from autoimb.decision.rules import Threshold
from autoimb.displays.predictions import Predictions
from autoimb.markup import number
from autoimb.reporting.chart import Chart, Table
from autoimb.reporting.charts.layouts import (
    BLUE,
    GREEN,
    NEUTRAL,
    OF_THRESHOLDS,
    ORANGE,
    PINK,
    VERMILLION,
    axis,
    label,
    layout,
    line,
    log_axis,
    log_odds_axis,
    mark,
    upright,
)
from autoimb.reporting.charts.ranked import Point, Ranked, name_decision, tell_passed_on
from autoimb.reporting.charts.values import plain, round_off, thin
from autoimb.reporting.operating_points import stated_costs

__all__ = ["draw_cost_by_threshold", "draw_cost_curve", "lower_envelope"]

# How many false alarms a miss may cost.
RATIOS = (1, 5, 25, 100)
RATIO_STYLES = (
    (BLUE, "solid", "circle"), (GREEN, "dash", "square"), (ORANGE, "dashdot", "triangle-up"),
    (PINK, "dot", "cross"),
)  # fmt: skip
N_THRESHOLDS = 300
# Scores beyond which no axis is stretched for them.
EXTREME = 1e-5, 1 - 1e-5
HIGHEST = 0.53


def lower_envelope(recall: FloatArray, fall_out: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the least normalised expected cost that any threshold has.

    A threshold is a line from its share of false alarms to its share of misses (Drummond and Holte
    2006); those on the convex hull of the ROC curve are the lowest somewhere.

    Parameters
    ----------
    recall, fall_out : ndarray of shape (n_corners,)
        Rising, from (0, 0) to (1, 1).

    Returns
    -------
    x, y : ndarray
        Probability-cost, from 0 to 1, and cost at each bend.

    Examples
    --------
    >>> x, y = lower_envelope(np.array([0.0, 0.8, 1.0]), np.array([0.0, 0.1, 1.0]))
    >>> x.round(2).tolist(), y.round(2).tolist()
    ([0.0, 0.11, 0.82, 1.0], [0.0, 0.11, 0.18, 0.0])
    """
    # A point twice would be taken for one between its neighbours.
    is_other = np.append(True, (np.diff(fall_out) > 0) | (np.diff(recall) > 0))
    fall_out, recall = fall_out[is_other], recall[is_other]
    while True:
        u, v = np.diff(fall_out), np.diff(recall)
        # What lies on or below the line between its neighbours bounds nothing.
        is_hull = np.concatenate([[True], u[:-1] * v[1:] - v[:-1] * u[1:] < -1e-15, [True]])
        if is_hull.all():
            break
        fall_out, recall = fall_out[is_hull], recall[is_hull]
    at = u / (u + v)
    cost = (1 - recall[:-1]) * at + fall_out[:-1] * (1 - at)
    return np.concatenate([[0.0], at, [1.0]]), np.concatenate([[0.0], cost, [0.0]])


def draw_cost_curve(predictions: Predictions, one: Ranked) -> Chart:
    """Draw the least cost over all ratios of costs, and that of the decision.

    Parameters
    ----------
    predictions : Predictions
    one : Ranked

    Returns
    -------
    Chart
    """
    hits, false = one.corners
    x, y = lower_envelope(hits / one.n_members, false / one.n_others)
    found = thin(x, y)
    drawn = [
        line([0, 0.5, 1], [0, 0.5, 0], "flagging none, or all", NEUTRAL, "dash", hoverinfo="skip"),
        line(x[found], y[found], "best threshold for each ratio", BLUE, hovertemplate=_HOVER),
    ]
    if one.point is not None:
        ends = [one.point.fall_out, 1 - one.point.recall]
        drawn.append(line([0, 1], ends, "exported decision", VERMILLION, "dot", hoverinfo="skip"))
        own = _probability_cost(_own_ratio(predictions) or 1.0, one.prevalence)
        drawn.append(mark([own], [ends[1] * own + ends[0] * (1 - own)], _own_words(predictions),
                          VERMILLION, "diamond", hovertemplate=_HOVER))  # fmt: skip
    at = [_probability_cost(ratio, one.prevalence) for ratio in RATIOS]
    notes = [
        label(place, 1.0, f"{ratio}:1", yref="paper", yanchor="bottom")
        for place, ratio in zip(at, RATIOS, strict=True)
    ]
    axes = (
        axis("probability-cost: weight of misses", range=[0, 1]),
        axis("normalised expected cost", range=[0, HIGHEST]),
    )
    lines = [upright(place, NEUTRAL, "dot") for place in at]
    return Chart(
        "cost_curve", f"Cost curve, {predictions.origin}", _tell_curve(predictions, one), drawn,
        layout(*axes, annotations=notes, shapes=lines), _tabulate(predictions, one), height=430,
    )  # fmt: skip


_HOVER = "%{fullData.name}<br>probability-cost %{x:.3f}<br>cost %{y:.4f}<extra></extra>"


def _probability_cost(ratio: float, prevalence: float) -> float:
    """Return where a ratio of costs stands on the axis of a cost curve."""
    return ratio * prevalence / (ratio * prevalence + 1 - prevalence)


def _own_ratio(predictions: Predictions) -> float | None:
    """Return how many false alarms a miss costs, if the decision was told."""
    stated = stated_costs(predictions.decision.criterion)
    return None if stated is None else stated[1] / stated[0]


def _own_words(predictions: Predictions) -> str:
    ratio = _own_ratio(predictions)
    return "at equal costs" if ratio is None else f"at its own ratio, {number(ratio)}:1"


def _tell_curve(predictions: Predictions, one: Ranked) -> str:
    about = (
        "What errors cost where a miss costs as much as so many false alarms (dotted uprights: "
        f"{', '.join(f'{ratio}:1' for ratio in RATIOS)}), at the prevalence of "
        f"{number(one.prevalence)}; 1 is the cost of deciding all rows wrongly. The line is "
        "the best that any threshold can do, the dashed roof what flagging none or all costs "
        "(Drummond and Holte 2006)."
    )
    return f"{about} {_tell_range(predictions, one)}".rstrip()


def _tell_range(predictions: Predictions, one: Ranked) -> str:
    """Say for which ratios of costs the decision is worth anything."""
    point = one.point
    if point is None or not point.precision:
        return tell_passed_on(predictions)
    name = name_decision(predictions)
    low = (1 - point.precision) / point.precision
    missed = one.prevalence * (1 - point.recall)
    if missed == low == 0:
        return f"{name}, there are no errors."
    if missed == 0:
        return (
            f"{name}, errors cost less than flagging none where a miss costs more than "
            f"{number(low)} false alarms."
        )
    high = (1 - one.prevalence) * (1 - point.fall_out) / missed
    if high <= low:
        return f"{name}, errors cost more than flagging none or all, whatever the ratio."
    return (
        f"{name}, errors cost less than flagging none or all where a miss costs between "
        f"{number(low)} and {number(high)} false alarms."
    )


def draw_cost_by_threshold(predictions: Predictions, one: Ranked) -> Chart:
    """Draw the cost of 1,000 cases against the threshold, for several ratios of costs.

    Parameters
    ----------
    predictions : Predictions
    one : Ranked

    Returns
    -------
    Chart
    """
    odds, thresholds = _spread(one)
    hits, false = one.counts(thresholds)
    each = [_cost(one, ratio, hits, false) for ratio in RATIOS]
    best = [_cheapest(one, ratio) for ratio in RATIOS]
    known = np.concatenate([*each, [cost for _, cost in best]])
    # What costs nothing stands on the edge of a logarithmic axis.
    known = known[known > 0] if known.any() else np.ones(1)
    floor, ceiling = float(known.min()) / 1.5, float(known.max()) * 1.5
    drawn: list[dict[str, Any]] = []
    told = plain(thresholds)
    for ratio, costs, (threshold, cost), (color, dash, symbol) in zip(
        RATIOS, each, best, RATIO_STYLES, strict=True
    ):
        name = f"a miss costs {ratio} false alarm{'s' * (ratio > 1)}"
        costs = np.maximum(costs, floor)
        drawn.append(line(odds, costs, name, color, dash, customdata=told, hovertemplate=_OF_COST))
        at = [float(log_odds(threshold))]
        drawn.append(mark(at, [max(cost, floor)], f"least at {ratio}:1", color, symbol, 11,
                          showlegend=False, customdata=plain([threshold]),
                          hovertemplate=_OF_COST))  # fmt: skip
    lines, notes = mark_threshold(predictions)
    ends = _ends(one, [threshold for threshold, _ in best], predictions)
    axes = (
        log_odds_axis("threshold on the probability", *ends),
        log_axis("cost per 1,000 cases", floor, ceiling),
    )
    return Chart(
        "cost_by_threshold", f"Cost by threshold, {predictions.origin}",
        _tell_costs(predictions, one, best), drawn,
        layout(*axes, annotations=notes, shapes=lines, meta=OF_THRESHOLDS),
        _tabulate(predictions, one), height=430,
    )  # fmt: skip


_OF_COST = (
    "%{fullData.name}<br>threshold %{customdata:.4g}<br>cost %{y:.4g} per 1,000<extra></extra>"
)


def _spread(one: Ranked) -> tuple[FloatArray, FloatArray]:
    """Spread thresholds evenly over the log-odds of all scores; also return these log-odds."""
    known = [each[[0, -1]] for each in (one.members, one.others) if len(each)]
    ends = log_odds(np.concatenate(known))
    odds = np.linspace(ends.min() - 0.25, ends.max() + 0.25, N_THRESHOLDS)
    return odds, 1 / (1 + np.exp(-odds))


def _ends(one: Ranked, best: Sequence[float], predictions: Predictions) -> tuple[float, float]:
    """Return which thresholds are shown: those of all but a few members, and all marked ones."""
    rule = predictions.decision.rule
    own = [rule.value] if isinstance(rule, Threshold) else []
    scores = np.clip(one.members[[len(one.members) // 100, -1]], *EXTREME)
    each = log_odds(np.array([*scores, *best, *own]))
    return float(each.min()) - 0.7, float(each.max()) + 0.3


def mark_threshold(
    predictions: Predictions,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Draw the exported threshold into axes of log-odds, with its name; nothing of other rules."""
    rule = predictions.decision.rule
    if not isinstance(rule, Threshold):
        return [], []
    at = float(log_odds(rule.value))
    text = f"exported {rule.value:.3g}"
    return [upright(at, NEUTRAL)], [label(at, 1.0, text, yref="paper", yanchor="bottom")]


def _cost(one: Ranked, ratio: float, hits: FloatArray, false: FloatArray) -> FloatArray:
    """Return what 1,000 cases cost, in false alarms."""
    total = one.n_members + one.n_others
    return np.asarray(1000 * (false + ratio * (one.n_members - hits)) / total)


def _cheapest(one: Ranked, ratio: float) -> tuple[float, float]:
    """Return the threshold that costs least, and what it costs; above all scores flags none."""
    none = float(np.nextafter(max(each[-1] for each in (one.members, one.others)), np.inf))
    thresholds = np.append(none, one.thresholds)
    costs = _cost(one, ratio, *one.counts(thresholds))
    at = int(costs.argmin())
    return float(thresholds[at]), float(costs[at])


def _tell_costs(predictions: Predictions, one: Ranked, best: Sequence[tuple[float, float]]) -> str:
    about = (
        "What 1,000 cases cost, counted in false alarms, if a miss costs as much as 1, 5, 25 or "
        "100 of them. Marks are where each costs least; costs stand on a logarithmic axis."
    )
    place = RATIOS.index(25)
    threshold, cost = best[place]
    found = (
        f"If a miss costs 25 false alarms, a threshold of about {threshold:.2g} costs least, "
        f"{number(cost)}"
    )
    if one.point is None:
        return f"{about} {found}. {tell_passed_on(predictions)}".rstrip()
    own = _point_cost(one, one.point, 25)
    start = name_decision(predictions, is_marked=False)
    return f"{about} {found}; {start[0].lower()}{start[1:]} it is {number(own)}."


def _point_cost(one: Ranked, point: Point, ratio: float) -> float:
    misses, false = one.prevalence * (1 - point.recall), (1 - one.prevalence) * point.fall_out
    return 1000 * (false + ratio * misses)


def _tabulate(predictions: Predictions, one: Ranked) -> Table:
    own_header = () if one.point is None else ("exported",)
    headers = ("a miss costs", "best threshold", "cost per 1,000", *own_header, "flag none",
               "flag all")  # fmt: skip
    own = _own_ratio(predictions)
    ratios = sorted({*RATIOS, *([] if own is None else [own])})
    rows = []
    for ratio in ratios:
        threshold, cost = _cheapest(one, ratio)
        exported = [] if one.point is None else [_point_cost(one, one.point, ratio)]
        none, every = 1000 * ratio * one.prevalence, 1000 * (1 - one.prevalence)
        figures = map(round_off, (threshold, cost, *exported, none, every))
        rows.append((f"{number(ratio)} false alarm{'s' * (ratio != 1)}", *figures))
    return Table(headers, rows)
