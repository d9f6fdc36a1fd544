"""What every threshold would give, and how sure the chosen one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoimb.decision.calibration import log_odds
from autoimb.displays.predictions import Predictions
from autoimb.displays.threshold import ThresholdDisplay
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
    log_odds_axis,
    mark,
    upright,
)
from autoimb.reporting.charts.values import plain, round_off, thin

__all__ = ["draw_threshold_stability"]

STYLES = {
    "precision": (GREEN, "dash"), "recall": (VERMILLION, "dot"), "specificity": (PINK, "dashdot"),
    "cost of a row": (ORANGE, "dashdot"),
}  # fmt: skip
OWN = BLUE, "solid"
SHADE = "rgba(0, 114, 178, 0.16)"
N_ROWS = 16
# Room beside the thresholds that matter, in log-odds.
ROOM = 2.5


def draw_threshold_stability(predictions: Predictions) -> Chart:
    """Draw precision, recall and what was decided by against the threshold, and where that lies.

    Parameters
    ----------
    predictions : Predictions
        Decided by a single threshold.

    Returns
    -------
    Chart
    """
    display = ThresholdDisplay.from_predictions(predictions)
    odds = np.asarray(log_odds(display.thresholds))
    drawn: list[dict[str, Any]] = []
    for name, values in display.curves.items():
        # Costs are on a scale of their own; the chart of costs shows them.
        if name != "cost of a row":
            drawn += _trace(display, name, odds, values)
    ends = _ends(display, odds)
    shapes, notes = _mark_ranges(display)
    axes = (
        log_odds_axis("threshold on the probability", *ends),
        axis("score", range=[min([-0.02, *_lowest(drawn)]), 1.03]),
    )
    return Chart(
        "threshold_stability", f"Threshold, {predictions.origin}", _tell(display), drawn,
        layout(*axes, shapes=shapes, annotations=notes, meta=OF_THRESHOLDS),
        _tabulate(display), height=430,
    )  # fmt: skip


def _trace(
    display: ThresholdDisplay, name: str, odds: Any, values: Any
) -> list[dict[str, Any]]:  # fmt: skip
    color, dash = STYLES.get(name, OWN)
    # Of what is shown, with a point beside it.
    low, high = _ends(display, odds)
    start = max(int(np.searchsorted(odds, low)) - 1, 0)
    shown = slice(start, int(np.searchsorted(odds, high)) + 1)
    places = start + thin(odds[shown], np.nan_to_num(values[shown]))
    told, words = plain(display.thresholds[places]), name.replace("_", " ")
    more = {"customdata": told, "hovertemplate": _HOVER}
    at, value = [float(log_odds(display.threshold))], [display.chosen[name]]
    return [
        line(odds[places], values[places], words, color, dash, line={"shape": "vh"}, **more),
        mark(at, value, f"{words}, exported", color, "diamond", 10, showlegend=False,
             **{**more, "customdata": plain([display.threshold])}),
    ]  # fmt: skip


_HOVER = "%{fullData.name} %{y:.3f}<br>threshold %{customdata:.4g}<extra></extra>"


def _lowest(drawn: Sequence[dict[str, Any]]) -> list[float]:
    return [1.05 * y for one in drawn for y in one["y"] if y is not None and y < 0]


def _ends(display: ThresholdDisplay, odds: Any) -> tuple[float, float]:
    """Return the thresholds that are shown: those around what matters, and 0.5."""
    known = [display.threshold, 0.5, *(display.interval or ()), *(display.flat or ())]
    each = log_odds(np.array(known))
    low = max(float(each.min()) - ROOM, float(odds[0]) - 0.3)
    high = min(float(each.max()) + ROOM, float(odds[-1]) + 0.3)
    return min(low, float(each.min()) - 0.3), max(high, float(each.max()) + 0.3)


def _mark_ranges(display: ThresholdDisplay) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Mark the threshold, its interval, and that of 0.5 if it is another."""
    at = float(log_odds(display.threshold))
    shapes = [upright(at, NEUTRAL)]
    text = f"exported {display.threshold:.3g}"
    notes = [label(at, 1.0, text, yref="paper", yanchor="bottom")]
    if display.threshold != 0.5:
        shapes.append(upright(0.0, NEUTRAL, "dot"))
        # Where both would be written over each other, the exported one is.
        if abs(at) > 1.5:
            notes.append(label(0.0, 1.0, "0.5", yref="paper", yanchor="bottom"))
    if display.interval is not None:
        low, high = (round_off(float(log_odds(end))) for end in display.interval)
        shapes.append(
            {"type": "rect", "xref": "x", "yref": "paper", "x0": low, "x1": high, "y0": 0, "y1": 1,
             "fillcolor": SHADE, "line": {"width": 0}, "layer": "below", "showlegend": True,
             "name": "threshold in 95 % of resamples"}
        )  # fmt: skip
    return shapes, notes


def _tell(display: ThresholdDisplay) -> str:
    about = (
        f"What each threshold on the probability of '{display.positive}' would give; the exported "
        "one is marked."
    )
    each = ", ".join(
        f"{name.replace('_', ' ')} {value:.3f}" for name, value in display.chosen.items()
    )
    text = f"{about} At {display.threshold:.3g}: {each}."
    if display.interval is not None:
        low, high = display.interval
        text += (
            f" Other rows of the same kind would have put it between {low:.3g} and {high:.3g} "
            "(shaded; 95 % of resamples)."
        )
    if display.flat is not None:
        low, high = display.flat
        text += f" From {low:.3g} to {high:.3g} at most 1 % of the best value is lost."
    return text


def _tabulate(display: ThresholdDisplay) -> Table:
    names = list(display.curves)
    headers = ("threshold", *(name.replace("_", " ") for name in names))
    rows: list[Sequence[str | float]] = [
        (f"exported: {display.threshold:.4g}", *(_known(display.chosen[name]) for name in names)),
    ]
    if display.threshold != 0.5:
        rows.append(("untuned: 0.5", *(_known(display.usual[name]) for name in names)))
    odds = log_odds(display.thresholds)
    even = np.linspace(*_ends(display, odds), N_ROWS)
    for at in np.unique(np.minimum(np.searchsorted(odds, even), len(odds) - 1)):
        figures = (_known(display.curves[name][at]) for name in names)
        rows.append((round_off(display.thresholds[at]), *figures))
    return Table(headers, rows)


def _known(value: float) -> str | float:
    number = round_off(value)
    return "not defined" if number is None else number
