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
    layout,
    upright,
)
from autoimb.reporting.charts.rows import UNLABELLED, name_rows, row_axis, row_bars
from autoimb.reporting.charts.values import round_off, shown, spell

__all__ = ["draw_features"]

MAX_COLUMNS = 15
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
        ``feature_importance``, without bars of columns whose importance is not defined, and
        ``feature_contributions`` of a LightGBM.
    """
    importance, contributions = explanation["importance"], explanation["contributions"]
    charts = []
    if importance and any(_is_known(one["drop"]) for one in importance["columns"]):
        charts.append(_draw_importance(importance))
    if contributions and contributions["columns"]:
        charts.append(_draw_contributions(contributions))
    return charts


def _draw_importance(found: Mapping[str, Any]) -> Chart:
    columns = [one for one in found["columns"] if _is_known(one["drop"])][:MAX_COLUMNS]
    names = [one["column"] for one in columns]
    value, low, high = ([float(one["drop"][end]) for one in columns] for end in ENDS)
    clear = [bound > 0 for bound in low]
    bar = row_bars(
        value, [GREEN if sure else BLUE for sure in clear], ["" if sure else "/" for sure in clear],
        error_x=bars(value, low, high, NEUTRAL), **_hover(names),
    )  # fmt: skip
    rows = [
        (one["column"], *(_write(one["drop"][end]) for end in ENDS)) for one in found["columns"]
    ]
    metric = spell(found["metric"])
    return Chart(
        "feature_importance", "What the model goes by", _tell_importance(found, metric, columns),
        [bar], _layout(names, f"loss of {metric}, 95 % interval"),
        Table(("column", "loss", "95 % from", "to"), rows), height=AROUND + ROW * len(columns),
    )  # fmt: skip


ENDS = ("value", "low", "high")


def _is_known(drop: Mapping[str, float | None]) -> bool:
    return all(drop[end] is not None for end in ENDS)


def _write(value: float | None) -> str | float:
    return "not defined" if value is None else float(round_off(value))


def _tell_importance(
    found: Mapping[str, Any], metric: str, columns: Sequence[Mapping[str, Any]]
) -> str:
    told = (
        f"What is lost of {metric} when a column is shuffled, in {found['n_rows']:,} rows that the "
        "model had not seen: how much it goes by that column. Hatched bars cannot be told from 0."
    )
    more = len(found["columns"]) - len(columns)
    told += f" The table lists {more:,} more." if more > 0 else ""
    left_out = len(found["left_out"])
    return told + (f" Time did not suffice for {left_out:,} others." if left_out else "")


# Of a direction: which values speak for the positive class, colour and hatching of the bar.
UP = ("when large", VERMILLION, "")
DOWN = ("when small", BLUE, "/")
NEITHER = ("either way", NEUTRAL, ".")
# Of categories, and of several classes.
UNORDERED = ("", GREEN, "x")
# Of the rank correlation of value and contribution.
CLEAR = 0.3


def _direction(correlation: float | None) -> tuple[str, str, str]:
    if correlation is None:
        return UNORDERED
    if abs(correlation) < CLEAR:
        return NEITHER
    return UP if correlation > 0 else DOWN


def _draw_contributions(found: Mapping[str, Any]) -> Chart:
    columns = found["columns"][:MAX_COLUMNS]
    names = [one["column"] for one in columns]
    each = [_direction(one["direction"]) for one in found["columns"]]
    is_told = set(each) != {UNORDERED}
    _, colors, hatches = zip(*each[: len(columns)], strict=True)
    bar = row_bars(
        [one["mean"] for one in columns], colors, hatches if is_told else [""] * len(columns),
        **_hover(names),
    )  # fmt: skip
    headers = ("column", "mean", "speaks for the positive class")
    rows = [
        (one["column"], round_off(one["mean"]), words)
        for one, (words, *_) in zip(found["columns"], each, strict=True)
    ]
    kept = len(headers) if is_told else 2
    return Chart(
        "feature_contributions", "What each column adds to predictions",
        _tell_contributions(found, each if is_told else ()), [bar],
        _layout(names, "mean absolute contribution"),
        Table(headers[:kept], [row[:kept] for row in rows]), height=AROUND + ROW * len(columns),
    )  # fmt: skip


def _tell_contributions(found: Mapping[str, Any], directions: Sequence[Any]) -> str:
    told = (
        "How far each column moves a prediction of the leading LightGBM in the mean (SHAP values "
        f"of its raw score, log-odds for most losses; {found['n_rows']:,} rows that it had not "
        "seen)."
    )
    if directions:
        told += (
            " Plain bars: large values speak for the positive class; hatched: small ones do; "
            "dotted: neither."
        )
    if UNORDERED in directions:
        told += " Crossed ones have values without an order."
    return (
        f"{told} A column that moves predictions much need not be missed where others tell the "
        "same: what is lost without it says the chart before."
    )


def _hover(names: Sequence[str]) -> dict[str, Any]:
    return {
        "customdata": [shown(name) for name in names],
        "hovertemplate": "%{customdata}: %{x:.4g}<extra></extra>",
    }


def _layout(names: Sequence[str], title: str) -> dict[str, Any]:
    return layout(
        axis(title), row_axis(len(names)), legend=False, annotations=name_rows(names),
        shapes=[upright(0, NEUTRAL)], margin=UNLABELLED,
    )  # fmt: skip
