"""How probabilities are spread over the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.decision.calibration import log_odds
from autoimb.displays.predictions import Predictions
from autoimb.reporting.chart import Chart, Table
from autoimb.reporting.charts.costs import mark_threshold
from autoimb.reporting.charts.layouts import (
    BLUE,
    OF_THRESHOLDS,
    VERMILLION,
    axis,
    class_name,
    layout,
    line,
    log_odds_axis,
    style,
)
from autoimb.reporting.charts.ranked import Ranked
from autoimb.reporting.charts.values import round_off, wrapped

__all__ = ["draw_score_histograms", "draw_true_class"]

N_BINS, N_FEW_BINS = 50, 20
# Share of the scores at either end that no axis is stretched for.
TAIL = 0.002
# Characters of a label beside a ridge.
MAX_TICK = 18
# And of the title of an axis, on a narrow screen.
MAX_TITLE = 36
# Height of a ridge, of the distance to the next.
HEIGHT = 0.9


def draw_score_histograms(predictions: Predictions, one: Ranked) -> Chart:
    """Draw how the probabilities of both classes are spread, each by itself.

    Parameters
    ----------
    predictions : Predictions
    one : Ranked
        The positive class of two.

    Returns
    -------
    Chart
    """
    odds = [log_odds(each) for each in (one.members, one.others)]
    edges = _edges(odds)
    names = one.name, predictions.name_class(0)
    styles = ((VERMILLION, "solid", 0.35), (BLUE, "dash", 0.18))
    drawn = []
    for z, name, (color, dash, alpha) in zip(odds, names, styles, strict=True):
        n_each = np.histogram(np.clip(z, edges[0], edges[-1]), edges)[0]
        words = class_name(name, f"{len(z):,} rows")
        drawn.append(_steps(edges, n_each, len(z), words, color, dash, alpha))
    lines, notes = mark_threshold(predictions)
    title = wrapped(f"probability of '{one.name}'", MAX_TITLE)
    axes = (
        log_odds_axis(title, float(edges[0]), float(edges[-1])),
        axis("share of the class's rows", rangemode="tozero", tickformat=".0%"),
    )
    return Chart(
        "score_histograms", f"Probabilities of both classes, {predictions.origin}",
        _tell_spread(predictions, one), drawn,
        layout(*axes, annotations=notes, shapes=lines, meta=OF_THRESHOLDS),
        _tabulate_spread(predictions, one), height=380,
    )  # fmt: skip


def _edges(odds: Sequence[FloatArray]) -> FloatArray:
    """Divide what all but a few scores span; the outermost bins hold those too."""
    ends = [z[[int(TAIL * len(z)), int((1 - TAIL) * (len(z) - 1))]] for z in odds]
    low, high = float(np.min(ends)), float(np.max(ends))
    room = 0.02 * (high - low) or 0.5
    return np.linspace(low - room, high + room, N_BINS + 1)


def _steps(
    edges: FloatArray, n_each: Any, n: int, name: str, color: str, dash: str, alpha: float
) -> dict[str, Any]:
    shares = n_each / max(n, 1)
    middles, p = (edges[1:] + edges[:-1]) / 2, 1 / (1 + np.exp(-edges))
    about = [
        [round_off(low), round_off(high), int(k)]
        for low, high, k in zip(p[:-1], p[1:], n_each, strict=True)
    ]
    return line(
        middles, shares, name, color, dash, line={"shape": "hvh"}, fill="tozeroy",
        fillcolor=_clear(color, alpha), customdata=about, hovertemplate=_OF_STEP,
    )  # fmt: skip


_OF_STEP = (
    "%{fullData.name}<br>probability %{customdata[0]:.3g} to %{customdata[1]:.3g}<br>"
    "%{y:.2%}: %{customdata[2]:,} rows<extra></extra>"
)


def _clear(color: str, alpha: float) -> str:
    """Let the ground shine through a colour."""
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha})"


def _tell_spread(predictions: Predictions, one: Ranked) -> str:
    about = (
        "How the predicted probabilities of each class are spread, on an axis that shows small "
        "ones and large ones alike (log-odds). Each class is drawn as shares of its own rows, so "
        "that the rare one can be seen: the less the two overlap, the better."
    )
    half = [float(np.median(each)) for each in (one.members, one.others)]
    return (
        f"{about} Half of the rows of '{one.name}' have a probability above {half[0]:.3g}, half of "
        f"'{predictions.name_class(0)}' above {half[1]:.3g}."
    )


QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


def _tabulate_spread(predictions: Predictions, one: Ranked) -> Table:
    headers = ("share of rows below", one.name, predictions.name_class(0))
    # Sorted already: a quantile is found by its place.
    found = [each[np.round(np.array(QUANTILES) * (len(each) - 1)).astype(int)]
             for each in (one.members, one.others)]  # fmt: skip
    rows = [
        (f"{100 * share:g} %", round_off(a), round_off(b))
        for share, a, b in zip(QUANTILES, *found, strict=True)
    ]
    return Table(headers, rows)


def draw_true_class(predictions: Predictions, each: Sequence[Ranked]) -> Chart:
    """Draw the probability that rows of each of several classes have of their own class.

    Parameters
    ----------
    predictions : Predictions
    each : sequence of Ranked

    Returns
    -------
    Chart
    """
    edges, n = np.linspace(0, 1, N_FEW_BINS + 1), len(each)
    drawn, rows = [], []
    for place, one in enumerate(each):
        n_each = np.histogram(one.members, edges)[0]
        drawn.append(_ridge(edges, n_each, n - 1 - place, one, style(place)[0]))
        half = float(np.median(one.members))
        sure = float((one.members > 0.5).mean())
        rows.append((one.name, len(one.members), round_off(half), round_off(sure)))
    hardest = min(rows, key=lambda row: row[2])
    caption = (
        "The probability that rows have of the class that they belong to, the rarest class on top: "
        "the more of a ridge lies at the right, the better its rows are recognised. Hardest is "
        f"'{hardest[0]}', where half of the rows have less than {hardest[2]:.3g}."
    )
    axes = (
        axis("probability of the true class", range=[-0.02, 1.02], dtick=0.2),
        axis("", tickvals=list(range(n)), range=[-0.15, n + 0.1],
             ticktext=[wrapped(one.name, MAX_TICK) for one in reversed(each)]),
    )  # fmt: skip
    headers = ("class", "rows", "median probability", "share above 0.5")
    return Chart(
        "true_class", f"Probability of the true class, {predictions.origin}", caption, drawn,
        layout(*axes, legend=False), Table(headers, rows), height=150 + 62 * n,
    )  # fmt: skip


def _ridge(edges: FloatArray, n_each: Any, floor: int, one: Ranked, color: str) -> dict[str, Any]:
    heights = HEIGHT * n_each / max(n_each.max(), 1)
    x = np.repeat(edges, 2)
    y = floor + np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])
    about = np.concatenate([[0], np.repeat(n_each, 2), [0]])
    return line(
        x, y, class_name(one.name), color, fill="toself", fillcolor=_clear(color, 0.3),
        line={"width": 1.5}, customdata=[int(k) for k in about], hovertemplate=_OF_RIDGE,
    )  # fmt: skip


_OF_RIDGE = "%{fullData.name}<br>probability %{x:.2f}<br>%{customdata:,} rows<extra></extra>"
