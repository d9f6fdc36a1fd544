"""What a share of the cases holds, taken in the order of their scores: gain and lift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.displays.predictions import Predictions
from autoimb.markup import number
from autoimb.reporting.chart import Chart, Table
from autoimb.reporting.charts.layouts import (
    BLUE,
    GREEN,
    NEUTRAL,
    VERMILLION,
    axis,
    layout,
    line,
    log_axis,
    mark,
    score_axis,
)
from autoimb.reporting.charts.ranked import Ranked, tell_passed_on
from autoimb.reporting.charts.values import of_100, round_off, thin

__all__ = ["draw_gain", "draw_lift", "share_found"]

# Below it a linear axis would squeeze what matters into its left end.
LINEAR_FROM = 0.05
SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75)


def share_found(one: Ranked, shares: FloatArray) -> FloatArray:
    """Return what the highest cases hold of the class; of tied cases, what is to be expected.

    Parameters
    ----------
    one : Ranked
    shares : ndarray
        Of the cases.

    Returns
    -------
    ndarray
        Shares of the class.
    """
    hits, false = one.corners
    flagged = (hits + false) / (one.n_members + one.n_others)
    return np.asarray(np.interp(shares, flagged, hits / one.n_members))


def draw_gain(predictions: Predictions, one: Ranked) -> Chart:
    """Draw the share of positives that is found against the share of cases that is flagged.

    Parameters
    ----------
    predictions : Predictions
    one : Ranked

    Returns
    -------
    Chart
    """
    flagged, found = _trace(one)
    is_log, least = _scale(one, flagged)
    perfect, random = _ideal(one, least)
    drawn = [
        line(random, random, "in any order", NEUTRAL, "dash", hoverinfo="skip"),
        line(perfect, np.minimum(perfect / one.prevalence, 1.0), "perfect order", GREEN, "dot",
             hoverinfo="skip"),
        line(flagged, found, "by this model", BLUE, hovertemplate=_HOVER),
    ]  # fmt: skip
    if one.point is not None and one.point.flagged:
        drawn.append(mark([one.point.flagged], [one.point.recall], "exported decision", VERMILLION,
                          "diamond", hovertemplate=_HOVER))  # fmt: skip
    tenth = float(share_found(one, np.array([0.1]))[0])
    caption = (
        "The share of all positives among the cases with the highest probabilities: how much is "
        "found if only so many can be looked at. The nearer to the dotted line, the better. In "
        f"the highest 10 of 100 cases are {of_100(tenth)} positives"
    )
    if one.point is not None:
        caption += (
            f"; the exported decision (marked) flags {of_100(one.point.flagged)} cases and finds "
            f"{of_100(one.point.recall)} positives"
        )
    axes = _share_axis(is_log, least), score_axis("share of positives found")
    return Chart(
        "gain", f"Cumulative gain, {predictions.origin}",
        f"{caption}. {tell_passed_on(predictions)}".rstrip(), drawn, layout(*axes),
        _tabulate(one), height=420,
    )  # fmt: skip


_HOVER = "%{fullData.name}<br>flagged %{x:.3~%}<br>found %{y:.1%}<extra></extra>"


def draw_lift(predictions: Predictions, one: Ranked) -> Chart:
    """Draw how many times as frequent positives are among the highest cases.

    Parameters
    ----------
    predictions : Predictions
    one : Ranked

    Returns
    -------
    Chart
    """
    flagged, found = _trace(one)
    is_log, least = _scale(one, flagged)
    perfect, _ = _ideal(one, least)
    known = flagged > 0
    drawn = [
        line([least, 1], [1, 1], "in any order", NEUTRAL, "dash", hoverinfo="skip"),
        line(perfect, np.minimum(1 / one.prevalence, 1 / perfect), "perfect order", GREEN, "dot",
             hoverinfo="skip"),
        line(flagged[known], found[known] / flagged[known], "by this model", BLUE,
             hovertemplate=_OF_LIFT),
    ]  # fmt: skip
    caption = (
        "How many times as frequent positives are among the highest cases as among all: 1 is what "
        "any order gives."
    )
    point = one.point
    if point is not None and point.precision is not None:
        lift = point.precision / one.prevalence
        drawn.append(mark([point.flagged], [lift], "exported decision", VERMILLION, "diamond",
                          hovertemplate=_OF_LIFT))  # fmt: skip
        caption += (
            f" Among what the exported decision (marked) flags, {of_100(point.flagged)} cases, "
            f"they are {number(lift)} times as frequent"
        )
    else:
        tenth = 10 * float(share_found(one, np.array([0.1]))[0])
        caption += f" Among the highest 10 of 100 cases they are {number(tenth)} times as frequent"
    caption += (
        f"; {number(1 / one.prevalence)} times would be perfect. {tell_passed_on(predictions)}"
    )
    axes = _share_axis(is_log, least), axis("lift: times the prevalence", rangemode="tozero")
    return Chart(
        "lift", f"Lift, {predictions.origin}", caption.rstrip(), drawn, layout(*axes),
        _tabulate(one), height=400,
    )  # fmt: skip


_OF_LIFT = "%{fullData.name}<br>flagged %{x:.3~%}<br>lift %{y:.3g}<extra></extra>"


def _trace(one: Ranked) -> tuple[FloatArray, FloatArray]:
    """Return the curve of gain in as many points as a chart has."""
    hits, false = one.corners
    flagged, found = (hits + false) / (one.n_members + one.n_others), hits / one.n_members
    is_log, least = _scale(one, flagged)
    at = np.log(np.maximum(flagged, least)) if is_log else flagged
    places = thin(at, found)
    return flagged[places], found[places]


def _scale(one: Ranked, flagged: FloatArray) -> tuple[bool, float]:
    """Tell whether the axis of shares is logarithmic, and where it begins."""
    least = 1 / max(len(one.members) + len(one.others), 2)
    is_log = one.prevalence < LINEAR_FROM
    return is_log, max(least, 1e-6) if is_log else 0.0


def _share_axis(is_log: bool, least: float) -> dict[str, Any]:
    title = "share of cases flagged, highest first"
    return log_axis(title, least, 1.0) if is_log else score_axis(title)


def _ideal(one: Ranked, least: float) -> tuple[FloatArray, FloatArray]:
    """Return shares of cases from which both ideal lines are drawn."""
    start = least or 1e-9
    even = np.geomspace(least, 1, 60) if least else np.linspace(0, 1, 60)
    return np.unique(np.concatenate([np.maximum(even, start), [one.prevalence]])), even


def _tabulate(one: Ranked) -> Table:
    headers = ("highest cases", "positives found", "lift", "precision")
    rows: list[Sequence[str | float]] = []
    for share, found in zip(SHARES, share_found(one, np.array(SHARES)).tolist(), strict=True):
        lift = found / share
        figures = map(round_off, (found, lift, lift * one.prevalence))
        rows.append((f"{100 * share:g} %", *figures))
    point = one.point
    if point is not None and point.precision is not None:
        lift = point.precision / one.prevalence
        name = f"exported decision: {number(100 * point.flagged)} %"
        rows.append((name, *map(round_off, (point.recall, lift, point.precision))))
    return Table(headers, rows)
