"""What strategies gain over doing nothing, and what each part of the best one adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autoimb.displays.strategies import StrategiesDisplay
from autoimb.evaluation.compare import Comparison
from autoimb.fitting import FitResult
from autoimb.reporting.chart import Chart, Table
from autoimb.reporting.charts.layouts import (
    BLUE,
    GREEN,
    NEUTRAL,
    VERMILLION,
    axis,
    bars,
    layout,
    mark,
    upright,
)
from autoimb.reporting.charts.rows import UNLABELLED, name_rows, row_axis, row_bars
from autoimb.reporting.charts.values import plain, round_off, shown, spell

__all__ = ["draw_attribution", "draw_strategies"]

# Of each verdict: what it is called, colour and symbol.
VERDICTS = {
    "better": ("better beyond doubt", GREEN, "triangle-right"),
    "undecided": ("cannot be told from doing nothing", BLUE, "circle"),
    "worse": ("worse beyond doubt", VERMILLION, "triangle-left"),
    "reference": ("doing nothing", NEUTRAL, "square-open"),
}
# Pixels of a strategy: its name stands above its interval, where any screen has room for it.
ROW, AROUND = 46, 150
# Its interval, below the name.
BELOW = 0.2


def draw_strategies(display: StrategiesDisplay) -> Chart:
    """Draw what strategies gain over doing nothing, the best on top.

    Parameters
    ----------
    display : StrategiesDisplay

    Returns
    -------
    Chart
    """
    n, metric = len(display.names), spell(display.metric)
    drawn = [
        _trace(display, verdict, places)
        for verdict in VERDICTS
        if (places := [k for k in range(n) if display.verdicts[k] == verdict])
    ]
    exported = [k for k in range(n) if display.names[k] == display.exported]
    if exported:
        gain = [float(display.gain[exported[0]])]
        drawn.append(mark(gain, [-exported[0] - BELOW], "exported", VERMILLION, "diamond-open", 17,
                          hoverinfo="skip", marker={"line": {"width": 2}}))  # fmt: skip
    axes = axis(f"gain in {metric}"), row_axis(n)
    notes = name_rows(display.names, bold=display.exported)
    rows = [
        (name, *map(round_off, figures), verdict)
        for name, *figures, verdict in zip(
            display.names, display.gain, display.low, display.high, display.score,
            display.verdicts, strict=True,
        )
    ]  # fmt: skip
    headers = ("strategy", "gain", "95 % from", "to", metric, "verdict")
    return Chart(
        "strategies", "Gain over doing nothing", _tell_gains(display), drawn,
        layout(*axes, annotations=notes, shapes=[upright(0, NEUTRAL, "dash")], margin=UNLABELLED),
        Table(headers, rows[:25]), height=AROUND + ROW * n,
    )  # fmt: skip


def _trace(display: StrategiesDisplay, verdict: str, places: Sequence[int]) -> dict[str, Any]:
    words, color, symbol = VERDICTS[verdict]
    gain, low, high, score = (
        [float(values[k]) for k in places]
        for values in (display.gain, display.low, display.high, display.score)
    )
    about = [
        [shown(display.names[k]), *plain(each)]
        for k, *each in zip(places, low, high, score, strict=True)
    ]
    whiskers = {} if verdict == "reference" else {"error_x": bars(gain, low, high, color)}
    return mark(gain, [-k - BELOW for k in places], words, color, symbol, 10, customdata=about,
                hovertemplate=_HOVER, **whiskers)  # fmt: skip


_HOVER = (
    "%{customdata[0]}<br>gain %{x:+.4f} (%{customdata[1]:+.4f} to %{customdata[2]:+.4f})<br>"
    "score %{customdata[3]:.4f}<extra></extra>"
)


def _tell_gains(display: StrategiesDisplay) -> str:
    metric = spell(display.metric)
    about = (
        "What each strategy is ahead of doing nothing (the default model on the data as they are), "
        "with intervals that hold for all at once: one that lies on one side of the dashed line is "
        "beyond doubt."
    )
    if display.exported not in display.names:
        return about
    at = display.names.index(display.exported)
    gain, low, high = (float(each[at]) for each in (display.gain, display.low, display.high))
    words = {
        "better": "better beyond doubt", "worse": "worse beyond doubt",
        "undecided": "not told from doing nothing", "reference": "doing nothing itself",
    }[display.verdicts[at]]  # fmt: skip
    return (
        f"{about} The exported one (in bold) gains {gain:+.3f} in {metric} ({low:+.3f} to "
        f"{high:+.3f}): {words}."
    )


def draw_attribution(result: FitResult) -> Chart:
    """Draw what the best strategy loses without each of its parts.

    Parameters
    ----------
    result : FitResult
        With parts.

    Returns
    -------
    Chart
    """
    parts, metric = result.appraisal.parts, spell(result.metric.name)
    gain, low, high = (
        [float(getattr(one, name)) for one in parts] for name in ("difference", "low", "high")
    )
    colors, hatches = zip(*map(_look, parts), strict=True)
    about = [[shown(one.name), *plain((one.low, one.high))] for one in parts]
    bar = row_bars(
        gain, colors, hatches, error_x=bars(gain, low, high, NEUTRAL), customdata=about,
        name="part", hovertemplate=_OF_PART,
    )  # fmt: skip
    names = [_describe_part(result, one) for one in parts]
    axes = axis(f"gain in {metric}"), row_axis(len(parts))
    rows = [
        (name, *map(round_off, (one.difference, one.low, one.high)))
        for name, one in zip(names, parts, strict=True)
    ]
    return Chart(
        "attribution", "What each part adds", _tell_parts(result), [bar],
        layout(*axes, legend=False, annotations=name_rows(names), shapes=[upright(0, NEUTRAL)],
               margin=UNLABELLED),
        Table(("part", "adds", "95 % from", "to"), rows), height=100 + 58 * len(parts),
    )  # fmt: skip


_OF_PART = (
    "%{customdata[0]}<br>%{x:+.4f} (%{customdata[1]:+.4f} to %{customdata[2]:+.4f})<extra></extra>"
)


def _look(one: Comparison) -> tuple[str, str]:
    """Give colour and hatching: plain is beyond doubt."""
    if one.is_clear:
        return GREEN, ""
    return (VERMILLION, "") if one.is_clearly_worse else (BLUE, "/")


def _describe_part(result: FitResult, one: Comparison) -> str:
    """Name a part, and what it is in the best strategy."""
    choices = result.configuration.choices
    if one.name in choices:
        return f"{one.name}: {spell(choices[one.name].name)}"
    return {
        "decision": f"decision: {result.model.decision.criterion}",
        "blending": "blending with the next best",
        "parameters of the model": f"parameters of {spell(result.configuration.model.name)}",
    }.get(one.name, one.name)


def _tell_parts(result: FitResult) -> str:
    about = (
        f"What the best strategy is ahead of itself without one of its parts, in "
        f"{spell(result.metric.name)}: each is taken away alone, so that they need not add up. "
        "Bars are drawn with 95 % intervals; hatched ones cannot be told from 0."
    )
    parts = result.appraisal.parts
    clear = [one for one in parts if one.is_clear]
    if not clear:
        return f"{about} None adds anything beyond doubt."
    best = max(clear, key=lambda one: one.difference)
    return f"{about} Most is owed to the {best.name}, {best.difference:+.3f}."
