"""Whether probabilities mean what they say, and how they are spread over the classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.decision.calibration import log_odds
from autoimb.decision.reliability import Reliability, measure_reliability
from autoimb.decision.scored import Scored
from autoimb.displays.calibration import CalibrationDisplay
from autoimb.displays.predictions import Predictions
from autoimb.reporting.chart import Chart, Table
from autoimb.reporting.charts.costs import mark_threshold
from autoimb.reporting.charts.layouts import (
    BLUE,
    NEUTRAL,
    ORANGE,
    VERMILLION,
    axis,
    bars,
    class_name,
    layout,
    line,
    log_odds_axis,
    score_axis,
    style,
)
from autoimb.reporting.charts.ranked import Ranked
from autoimb.reporting.charts.values import of_100, plain, round_off, wrapped

__all__ = ["draw_reliability", "draw_score_histograms", "draw_true_class"]

N_BINS, N_FEW_BINS = 50, 20
# Share of the scores at either end that no axis is stretched for.
TAIL = 0.002
# Whiskers of more classes than this cannot be told apart.
MAX_WHISKERS = 3
# Where all groups are predicted with, axes are linear.
LINEAR = (0.05, 0.95)
# Characters of a label beside a ridge.
MAX_TICK = 18
# And of the title of an axis, on a narrow screen.
MAX_TITLE = 36
# Height of a ridge, of the distance to the next.
HEIGHT = 0.9


def draw_reliability(
    predictions: Predictions, each: Sequence[Ranked], uncalibrated: Scored | None = None
) -> Chart:
    """Draw how often classes occur where they are predicted with a probability.

    Parameters
    ----------
    predictions : Predictions
        With rows whose probabilities were calibrated without them.
    each : sequence of Ranked
        The classes in the order of all charts.
    uncalibrated : Scored, optional
        Rows as the models gave them.

    Returns
    -------
    Chart
    """
    display = CalibrationDisplay.from_predictions(predictions)
    measured_of = display.reliability
    known = {one.name: measured_of[one.name] for one in each if one.name in measured_of}
    before = None
    if uncalibrated is not None and _differ(uncalibrated, predictions) and len(known) == 1:
        before = measure_reliability(uncalibrated.y, uncalibrated.proba[:, 1])
    scale = _Scale.suited([*known.values(), *([] if before is None else [before])])
    ends = scale.place(np.array([0.0, 1.0]))
    drawn = [line(ends, ends, "as predicted", NEUTRAL, "dash", hoverinfo="skip")]
    if before is not None:
        drawn += _trace(before, "before calibration", (ORANGE, "dot", "square-open"), scale)
    for place, (name, one) in enumerate(known.items()):
        of_class = style(place) if len(known) > 1 else (BLUE, "solid", "circle")
        with_whiskers = len(known) <= MAX_WHISKERS
        drawn += _trace(one, class_name(name), of_class, scale, whiskers=with_whiskers)
    return Chart(
        "reliability", f"Calibration, {predictions.origin}",
        _tell_reliability(known, before, scale), drawn,
        layout(scale.axis("predicted probability"), scale.axis("share that occurs")),
        _tabulate_bins(*known.values()) if len(known) == 1 else _tabulate_classes(known),
        height=430 + 12 * len(known),
    )  # fmt: skip


def _differ(uncalibrated: Scored, predictions: Predictions) -> bool:
    rows = predictions.calibrated
    if rows is None or rows.proba.shape != uncalibrated.proba.shape:
        return True
    return not np.allclose(uncalibrated.proba, rows.proba, atol=1e-4)


@dataclass(frozen=True)
class _Scale:
    """Both axes of a reliability curve: of log-odds where probabilities are small or large."""

    low: float = 0.0
    high: float = 1.0

    @classmethod
    def suited(cls, measured: Sequence[Reliability]) -> _Scale:
        predicted = np.concatenate([one.predicted for one in measured])
        if ((predicted >= LINEAR[0]) & (predicted <= LINEAR[1])).all():
            return cls()
        each = np.concatenate([predicted, *(one.found for one in measured)])
        inside = each[(each > 0) & (each < 1)]
        low, high = (inside.min(), inside.max()) if len(inside) else LINEAR
        # Beyond the outermost there is room for what never or always occurs.
        return cls(max(float(low) / 2, 1e-6), min(1 - (1 - float(high)) / 2, 1 - 1e-6))

    @property
    def is_linear(self) -> bool:
        return self.low == 0.0

    def place(self, p: FloatArray) -> FloatArray:
        return p if self.is_linear else log_odds(np.clip(p, self.low, self.high))

    def axis(self, title: str) -> dict[str, Any]:
        if self.is_linear:
            return score_axis(title)
        low, high = self.place(np.array([0.0, 1.0])).tolist()
        return log_odds_axis(title, low - 0.4, high + 0.4)


def _trace(
    one: Reliability, name: str, of_class: tuple[str, str, str], scale: _Scale,
    *, whiskers: bool = True,
) -> list[dict[str, Any]]:  # fmt: skip
    """Draw a curve; of groups with all or none of the class, which have no odds, marks at edges."""
    color, dash, symbol = of_class
    known = np.array([one.predicted, one.found, one.low, one.high, one.n_each])
    is_inner = np.ones(known.shape[1], dtype=bool)
    if not scale.is_linear:
        is_inner = (known[1] > 0) & (known[1] < 1)
    curve = _marks(known[:, is_inner], name, color, dash, symbol, scale, whiskers=whiskers)
    if is_inner.all():
        return [curve]
    outer = known[:, ~is_inner]
    words = f"{name}: none of a group, or all"
    rest = _marks(outer, words, color, dash, symbol, scale, whiskers=whiskers)
    rest["marker"]["symbol"] = [
        "triangle-down-open" if found == 0 else "triangle-up-open" for found in outer[1]
    ]
    return [curve, {**rest, "mode": "markers", "showlegend": False}]


def _marks(
    known: FloatArray, name: str, color: str, dash: str, symbol: str, scale: _Scale,
    *, whiskers: bool,
) -> dict[str, Any]:  # fmt: skip
    x, y, low, high = scale.place(known[:4]).tolist()
    more: dict[str, Any] = {"error_y": bars(y, low, high, color)} if whiskers else {}
    about = [[*plain(row[:4]), int(row[4])] for row in known.T]
    return line(
        x, y, name, color, dash, mode="lines+markers", marker={"symbol": symbol, "size": 8},
        customdata=about, hovertemplate=_OF_BIN, **more,
    )  # fmt: skip


_OF_BIN = (
    "%{fullData.name}<br>predicted %{customdata[0]:.4g}<br>occurs %{customdata[1]:.4g}<br>"
    "95 %: %{customdata[2]:.4g} to %{customdata[3]:.4g}<br>%{customdata[4]:,} rows<extra></extra>"
)


def _tell_reliability(
    known: Mapping[str, Reliability], before: Reliability | None, scale: _Scale
) -> str:
    about = (
        "How often a class occurs among rows of about the same predicted probability, ten groups "
        "of as many rows: on the dashed line probabilities mean what they say."
    )
    if not scale.is_linear:
        about += " Both axes show small probabilities and large ones alike (log-odds)."
    if len(known) > 1:
        name, worst = max(known.items(), key=lambda item: item[1].ece)
        return (
            f"{about} Farthest from it is '{name}', by {worst.ece:.2g} in the mean (expected "
            "calibration error)."
        )
    (one,) = known.values()
    top = len(one.found) - 1
    text = (
        f"{about} Whiskers are 95 % intervals. In the highest group {of_100(one.predicted[top])} "
        f"rows are predicted to be positive and {of_100(one.found[top])} are (95 %: "
        f"{100 * one.low[top]:.3g} to {100 * one.high[top]:.3g}); in the mean of all groups both "
        f"differ by {one.ece:.2g}"
    )
    if before is not None:
        text += f", before calibration by {before.ece:.2g}"
    return f"{text}."


def _tabulate_bins(one: Reliability) -> Table:
    headers = ("mean prediction", "share that occurs", "95 % from", "to", "rows")
    each = zip(one.predicted, one.found, one.low, one.high, one.n_each, strict=True)
    return Table(headers, [tuple(map(round_off, row)) for row in each])


def _tabulate_classes(known: Mapping[str, Reliability]) -> Table:
    headers = ("class", "prevalence", "mean prediction", "calibration error", "Brier score")
    rows = [
        (name, *map(round_off, (one.prevalence, one.mean, one.ece, one.brier)))
        for name, one in known.items()
    ]
    return Table(headers, rows)


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
        layout(*axes, annotations=notes, shapes=lines), _tabulate_spread(predictions, one),
        height=380,
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
