"""Whether probabilities mean what they say."""

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
from autoimb.reporting.charts.layouts import (
    BLUE,
    NEUTRAL,
    ORANGE,
    bars,
    class_name,
    layout,
    line,
    log_odds_axis,
    score_axis,
    style,
)
from autoimb.reporting.charts.ranked import Ranked
from autoimb.reporting.charts.values import of_100, plain, round_off

__all__ = ["draw_reliability"]

# Whiskers of more classes than this cannot be told apart.
MAX_WHISKERS = 3
# Where all groups are predicted with, axes are linear.
LINEAR = (0.05, 0.95)


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
    if uncalibrated is not None and predictions.is_binary and _differ(uncalibrated, predictions):
        before = measure_reliability(uncalibrated.y, uncalibrated.proba[:, 1])
    scale = _Scale.suited([*known.values(), *([] if before is None else [before])])
    ends = scale.place(np.array([0.0, 1.0]))
    drawn = [line(ends, ends, "as predicted", NEUTRAL, "dash", hoverinfo="skip")]
    if before is not None:
        drawn += _trace(before, "before calibration", (ORANGE, "dot", "square-open"), scale)
    for place, (name, one) in enumerate(known.items()):
        of_class = (BLUE, "solid", "circle") if predictions.is_binary else style(place)
        with_whiskers = len(known) <= MAX_WHISKERS
        drawn += _trace(one, class_name(name), of_class, scale, whiskers=with_whiskers)
    if predictions.is_binary:
        (only,) = known.values()
        caption, table = _tell_reliability(only, before, scale), _tabulate_bins(only)
    else:
        caption, table = _tell_several(known, scale), _tabulate_classes(known)
    return Chart(
        "reliability", f"Calibration, {predictions.origin}",
        caption, drawn,
        layout(scale.axis("predicted probability"), scale.axis("share that occurs")),
        table, height=430 + 12 * len(known),
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


def _tell_scale(scale: _Scale) -> str:
    text = (
        "How often a class occurs among rows of about the same predicted probability, up to ten "
        "groups of about as many rows (equal probabilities stay together): on the dashed line "
        "probabilities mean what they say."
    )
    if not scale.is_linear:
        text += " Both axes show small probabilities and large ones alike (log-odds)."
    return text


def _tell_several(known: Mapping[str, Reliability], scale: _Scale) -> str:
    name, worst = max(known.items(), key=lambda item: item[1].ece)
    return (
        f"{_tell_scale(scale)} Farthest from it is '{name}', by {worst.ece:.2g} in the mean "
        "(expected calibration error)."
    )


def _tell_reliability(one: Reliability, before: Reliability | None, scale: _Scale) -> str:
    top = len(one.found) - 1
    predicted, found = of_100(one.predicted[top]), of_100(one.found[top])
    text = (
        f"{_tell_scale(scale)} Whiskers are 95 % intervals. In the highest group {predicted} rows "
        f"are predicted to be positive and {found} are (95 %: {100 * one.low[top]:.3g} to "
        f"{100 * one.high[top]:.3g}); in the mean of all groups both differ by {one.ece:.2g}"
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
