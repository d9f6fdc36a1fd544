"""What charts share: axes, legends, lines and marks, to be read without their colours too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.drawing import COLORS
from autoimb.reporting.charts.values import plain, round_off, wrapped

__all__ = [
    "BLUE", "GREEN", "NEUTRAL", "OF_THRESHOLDS", "ORANGE", "PINK", "VERMILLION", "axis", "bars",
    "class_name", "label", "layout", "line", "log_axis", "log_odds_axis", "mark", "score_axis",
    "style", "upright",
]  # fmt: skip

BLUE, VERMILLION, GREEN, PINK, ORANGE = COLORS[:5]
# Seen on a light ground and on a dark one, which the near-black of the palette is not.
NEUTRAL, GRID = "#888888", "rgba(136, 136, 136, 0.22)"
CLASS_COLORS = tuple(color for color in COLORS if color != "#444444")
DASHES = ("solid", "dash", "dot", "dashdot")
MARKS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "pentagon", "star")
SMALL = {"size": 11}
# Below the first power of ten of a logarithmic axis, for its label and what lies on its edge.
ROOM = 1.5
# Characters, for a legend to fit on a narrow screen.
MAX_LINE = 42
# Probabilities that are written on an axis of log-odds.
WRITTEN = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)
# Where these are too few, as on an axis that spans little.
_SMALL = tuple(a * 10.0**-k for k in range(6, 0, -1) for a in (1, 2, 5))
FINER = (*_SMALL[:-1], 0.3, 0.4, 0.5, 0.6, 0.7, *(1 - p for p in reversed(_SMALL[:-1])))
MIN_TICKS = 3
# By this the script of the page knows charts in which an explored threshold can be shown.
OF_THRESHOLDS = {"axis": "log-odds of thresholds"}


def layout(
    xaxis: Mapping[str, Any], yaxis: Mapping[str, Any], *, legend: bool = True, **more: Any
) -> dict[str, Any]:
    """Put axes together, with a legend along the lower edge."""
    return {
        "xaxis": dict(xaxis),
        "yaxis": dict(yaxis),
        "showlegend": legend,
        "legend": {
            "orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 0,
            "yanchor": "bottom", "itemwidth": 38,
        },
        "hovermode": "closest",
        "margin": {"l": 48, "r": 16, "t": 26, "b": 48},
        **more,
    }  # fmt: skip


def axis(title: str, **more: Any) -> dict[str, Any]:
    """Make an axis with a faint grid, and room for what is written at it."""
    return {
        "title": {"text": title, "standoff": 8},
        "automargin": True,
        "gridcolor": GRID,
        "zeroline": False,
        "showline": False,
        **more,
    }


def score_axis(title: str, **more: Any) -> dict[str, Any]:
    """Make an axis from 0 to 1, with room for lines and marks at its ends."""
    return axis(title, range=[-0.02, 1.03], tick0=0, dtick=0.2, **more)


def log_axis(title: str, low: float, high: float, **more: Any) -> dict[str, Any]:
    """Make a logarithmic axis that writes numbers in full, each power of ten once."""
    ends = [round_off(np.log10(low / ROOM)), round_off(np.log10(high))]
    powers = range(int(np.ceil(ends[0] - 1e-9)), int(np.floor(ends[1] + 1e-9)) + 1)
    tickvals = [10.0**power for power in powers]
    if len(tickvals) < MIN_TICKS:
        tickvals = sorted(m * 10.0**p for p in range(min(powers, default=0) - 1, 7)
                          for m in (1, 2, 5) if low <= m * 10.0**p <= high)  # fmt: skip
    ticktext = [_write(value) for value in tickvals]
    return axis(title, type="log", range=ends, tickvals=plain(tickvals), ticktext=ticktext, **more)


def log_odds_axis(title: str, low: float, high: float, **more: Any) -> dict[str, Any]:
    """Make an axis of log-odds that is labelled with probabilities."""
    for written in (WRITTEN, FINER):
        at = {p: float(np.log(p / (1 - p))) for p in written}
        inside = {p: z for p, z in at.items() if low <= z <= high}
        if len(inside) >= MIN_TICKS:
            break
    return axis(
        title, range=plain([low, high]), tickvals=plain(inside.values()),
        ticktext=[_write(p) for p in inside], **more,
    )  # fmt: skip


def _write(value: float) -> str:
    """Write a tick in full.

    Examples
    --------
    >>> _write(1e-6), _write(0.5), _write(1000.0), _write(0.99999)
    ('0.000001', '0.5', '1,000', '0.99999')
    """
    return f"{value:,.6f}".rstrip("0").rstrip(".")


def line(
    x: FloatArray | Sequence[float | None],
    y: FloatArray | Sequence[float | None],
    name: str,
    color: str,
    dash: str = "solid",
    **more: Any,
) -> dict[str, Any]:
    """Draw a line; its name comes from the program, or through `shown`."""
    of_line = {"color": color, "dash": dash, "width": 2, **more.pop("line", {})}
    return {
        "type": "scatter", "mode": "lines", "x": plain(x), "y": plain(y), "name": name,
        "line": of_line, **more,
    }  # fmt: skip


def mark(
    x: Sequence[float | None], y: Sequence[float | None], name: str, color: str, symbol: str,
    size: int = 12, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """Draw marks."""
    of_mark = {"color": color, "symbol": symbol, "size": size, **more.pop("marker", {})}
    return {
        "type": "scatter", "mode": "markers", "x": plain(x), "y": plain(y), "name": name,
        "marker": of_mark, **more,
    }  # fmt: skip


def bars(
    values: Sequence[float], lows: Sequence[float], highs: Sequence[float], color: str
) -> dict[str, Any]:
    """Make the whiskers from low to high of some values."""
    return {
        "type": "data", "symmetric": False, "color": color, "thickness": 1.5, "width": 4,
        "array": plain(high - value for value, high in zip(values, highs, strict=True)),
        "arrayminus": plain(value - low for value, low in zip(values, lows, strict=True)),
    }  # fmt: skip


def style(place: int) -> tuple[str, str, str]:
    """Give colour, dash and symbol of one of several classes."""
    return (
        CLASS_COLORS[place % len(CLASS_COLORS)], DASHES[place % len(DASHES)],
        MARKS[place % len(MARKS)],
    )  # fmt: skip


def label(
    x: float | None, y: float | None, text: str, color: str | None = None, **more: Any
) -> dict[str, Any]:
    """Write beside what is drawn; the text comes from the program, or through `shown`."""
    font = SMALL if color is None else {**SMALL, "color": color}
    placed = {"x": round_off(x), "y": round_off(y), "text": text, "font": font}
    return {**placed, "showarrow": False, **more}


def upright(x: float, color: str, dash: str = "solid") -> dict[str, Any]:
    """Draw a vertical line over the whole height."""
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": round_off(x), "x1": round_off(x),
        "y0": 0, "y1": 1, "line": {"color": color, "dash": dash, "width": 1.5}, "layer": "below",
    }  # fmt: skip


def class_name(name: str, figures: str = "") -> str:
    """Quote the label of a class, with what is known of it, on more than one line if it is long.

    Examples
    --------
    >>> class_name("<yes>", "12 rows")
    "'&lt;yes&gt;', 12 rows"
    """
    return wrapped(f"'{name}', {figures}" if figures else f"'{name}'", MAX_LINE)
