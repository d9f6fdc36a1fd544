"""What a model goes by: what it loses without a column, and what a column adds to predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autoimb.reporting.chart import Chart, Table
from autoimb.reporting.charts.layouts import (
    BLUE,
    GREEN,
    NEUTRAL,
    VERMILLION,
    axis,
    bars,
    label,
    layout,
    upright,
)
from autoimb.reporting.charts.values import plain, round_off, shown, wrapped

__all__ = ["draw_features"]

MAX_COLUMNS = 15
# Characters, for a name to fit on a narrow screen.
MAX_NAME = 46
# Pixels of a column, whose name stands above its bar, and of what is around all.
ROW, AROUND = 42, 100


def draw_features(explanation: Mapping[str, Any]) -> list[Chart]:
    """Draw what is known of the columns, the most important first.

    Parameters
    ----------
    explanation : mapping
        As `Explanation.to_dict` gives it.

    Returns
    -------
    list of Chart
        ``feature_importance``, and ``feature_contributions`` of a LightGBM.
    """
    importance, contributions = explanation["importance"], explanation["contributions"]
    charts = [_draw_importance(importance)] if importance and importance["columns"] else []
    if contributions and contributions["columns"]:
        charts.append(_draw_contributions(contributions))
    return charts


def _draw_importance(found: Mapping[str, Any]) -> Chart:
    columns = found["columns"][:MAX_COLUMNS]
    ends = ("value", "low", "high")
    value, low, high = ([float(one["drop"][end] or 0) for one in columns] for end in ends)
    metric = found["metric"].replace("_", " ")
    clear = [bound > 0 for bound in low]
    trace = {
        **_bars([one["column"] for one in columns], value),
        "error_x": bars(value, low, high, NEUTRAL),
        "marker": {
            "color": [GREEN if sure else BLUE for sure in clear],
            "pattern": {"shape": ["" if sure else "/" for sure in clear]},
        },
    }
    rows = [
        (one["column"], *(round_off(one["drop"][end]) for end in ends)) for one in found["columns"]
    ]
    return Chart(
        "feature_importance", "What the model goes by", _tell_importance(found, metric), [trace],
        _layout([one["column"] for one in columns], f"loss of {metric}, 95 % interval"),
        Table(("column", "loss", "95 % from", "to"), rows), height=AROUND + ROW * len(columns),
    )  # fmt: skip


def _tell_importance(found: Mapping[str, Any], metric: str) -> str:
    told = (
        f"What is lost of {metric} when a column is shuffled, in {found['n_rows']:,} rows that the "
        "model had not seen: how much it goes by that column. Hatched bars cannot be told from 0."
    )
    more = len(found["columns"]) - MAX_COLUMNS
    told += f" The table lists {more:,} more." if more > 0 else ""
    left_out = len(found["left_out"])
    return told + (f" Time did not suffice for {left_out:,} others." if left_out else "")


def _draw_contributions(found: Mapping[str, Any]) -> Chart:
    columns = found["columns"][:MAX_COLUMNS]
    toward = [_direction(one["direction"]) for one in columns]
    trace = {
        **_bars([one["column"] for one in columns], [one["mean"] for one in columns]),
        "marker": {
            "color": [{"up": VERMILLION, "down": BLUE}.get(each, NEUTRAL) for each in toward],
            "pattern": {"shape": [{"up": "", "down": "/"}.get(each, ".") for each in toward]},
        },
    }
    rows = [
        (one["column"], round_off(one["mean"]), WORDS[each])
        for one, each in zip(found["columns"], map(_direction, _directions(found)), strict=True)
    ]
    caption = (
        "How far each column moves a prediction of the leading LightGBM in the mean (SHAP values, "
        f"in log-odds; {found['n_rows']:,} rows that it had not seen). Plain bars: large values "
        "speak for the positive class; hatched: small ones do; dotted: neither. A column that "
        "moves predictions much need not be missed where others tell the same: what is lost "
        "without it says the chart before."
    )
    return Chart(
        "feature_contributions", "What each column adds to predictions", caption, [trace],
        _layout([one["column"] for one in columns], "mean absolute contribution"),
        Table(("column", "mean", "speaks for the positive class"), rows),
        height=AROUND + ROW * len(columns),
    )  # fmt: skip


WORDS = {"up": "when large", "down": "when small", "": "either way"}
# Of the rank correlation of value and contribution.
CLEAR = 0.3


def _directions(found: Mapping[str, Any]) -> list[float | None]:
    return [one["direction"] for one in found["columns"]]


def _direction(correlation: float | None) -> str:
    if correlation is None or abs(correlation) < CLEAR:
        return ""
    return "up" if correlation > 0 else "down"


def _bars(names: Sequence[str], values: Sequence[float | None]) -> dict[str, Any]:
    return {
        "type": "bar", "orientation": "h", "x": plain(values),
        "y": [-float(k) for k in range(len(names))], "width": 0.34, "offset": -0.42,
        "customdata": [shown(name) for name in names],
        "hovertemplate": "%{customdata}: %{x:.4g}<extra></extra>",
    }  # fmt: skip


def _layout(names: Sequence[str], title: str) -> dict[str, Any]:
    """Write each name above its bar, where any screen has room for it."""
    notes = [
        label(0, -float(k), wrapped(name, MAX_NAME), xref="paper", xanchor="left",
              yanchor="bottom", align="left")
        for k, name in enumerate(names)
    ]  # fmt: skip
    upright_axis = axis("", range=[-len(names) + 0.4, 0.6], showticklabels=False, showgrid=False)
    return layout(
        axis(title), upright_axis, legend=False, annotations=notes, shapes=[upright(0, NEUTRAL)]
    )
