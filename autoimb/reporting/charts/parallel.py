"""All trials at once: a line for each, through what was chosen and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.fitting import FitResult
from autoimb.reporting.chart import Chart, Table
from autoimb.reporting.charts.layouts import BLUE, NEUTRAL, VERMILLION, label, layout, line
from autoimb.reporting.charts.trials import name_exported, scored_trials
from autoimb.reporting.charts.values import round_off, shown, wrapped
from autoimb.search.records import TrialRecord
from autoimb.strategy.configuration import STAGES

__all__ = ["draw_parallel_coordinates"]

# Lines of a scatter plot, for Plotly's own parallel coordinates are drawn by WebGL: where a browser
# has none, they are an error message in their place. They also cut long names at the edge and lay
# all trials of a choice over each other. Its parallel categories are SVG, but hold no numbers.

MAX_LINES = 300
# Of fewer leading trials nothing is in common.
MIN_BEST = 5
MAX_ROWS = 25
BEST, MAX_BEST = 0.1, 15
# Part of the height of a category that its lines spread over, for how many there are to be seen.
SPREAD = 0.5
# Characters of a label, and its size, to fit between two axes on a narrow screen.
MAX_LABEL, LABEL_SIZE = 9, 10
TITLE_HEIGHT = 16
MAX_CATEGORIES = 14
# From one axis to the next, for names and for numbers.
WIDE, NARROW = 1.2, 0.85
OTHERS = "others"


@dataclass(frozen=True)
class _Dimension:
    """An axis: its name, where trials cross it, what is written at it and how wide that is."""

    name: str
    at: FloatArray
    ticks: Sequence[tuple[float, str]]
    room: float


def draw_parallel_coordinates(result: FitResult) -> Chart:
    """Draw what was chosen in each trial, and what came of it.

    Parameters
    ----------
    result : FitResult
        With two trials that have scores, at least.

    Returns
    -------
    Chart
    """
    every = _best_first(result)
    n_best = min(int(np.ceil(BEST * len(every))), MAX_BEST)
    winner = result.exported.members[0].number
    even = np.linspace(n_best, len(every), MAX_LINES - n_best, endpoint=False).astype(int)
    kept = {*range(n_best), *even.tolist()}
    known = [one for k, one in enumerate(every) if k in kept or one.number == winner]
    each = _dimensions(result, known)
    own = [k for k, record in enumerate(known) if record.number == winner]
    leading = [k for k in range(n_best) if k not in own]
    others = [k for k in range(n_best, len(known)) if k not in own]
    drawn = [
        _lines(each, others, "all others", {"color": NEUTRAL, "width": 1, "dash": "dot"}, 0.5),
        _lines(each, leading, f"the best {n_best}", {"color": BLUE, "width": 1.6}, 0.9),
        {
            **_lines(each, own, name_exported(result), {"color": VERMILLION, "width": 2.6}, 1.0),
            "mode": "lines+markers",
            "marker": {"symbol": "diamond", "size": 8},
        },
    ]
    hidden = {"visible": False, "fixedrange": True}
    shapes, notes = _axes(each)
    n_most = max(len(one.ticks) for one in each)
    return Chart(
        "parallel_coordinates", "All trials at once", _tell(result, known, n_best), drawn,
        layout(
            {**hidden, "range": [-0.1, sum(one.room for one in each)]},
            {**hidden, "range": [-0.04, 1.02]},
            shapes=shapes, annotations=notes, margin={"l": 8, "r": 8, "t": 66, "b": 30},
        ),
        _tabulate(result, every), height=max(420, 130 + 34 * n_most),
    )  # fmt: skip


def _best_first(result: FitResult) -> list[TrialRecord]:
    metric = result.metric
    return sorted(
        scored_trials(result), key=lambda one: -metric.utility(one.scores[metric.name].value)
    )


def _dimensions(result: FitResult, known: Sequence[TrialRecord]) -> list[_Dimension]:
    """Choose the axes: stages in which there was a choice, then what came of it."""
    named = {stage: [one.configuration.choices[stage].name for one in known] for stage in STAGES}
    named["calibrated"] = ["yes" if one.is_calibrated else "no" for one in known]
    found = [_categories(name, values) for name, values in named.items() if len(set(values)) > 1]
    score = result.metric.name
    values = np.array([one.scores[score].value for one in known])
    spreads = np.array([one.scores[score].spread for one in known])
    seconds = np.array([one.seconds for one in known])
    found.append(_numbers("fold spread", spreads))
    if (seconds > 0).all():
        found.append(_numbers("seconds", seconds, is_log=True))
    up = result.metric.greater_is_better
    return [*found, _numbers(score.replace("_", " "), values, digits=3, is_reversed=not up)]


def _categories(name: str, values: Sequence[str]) -> _Dimension:
    """Put what has the best trials on top; the trials of each, best first, one below the other."""
    order = list(dict.fromkeys(values))
    if len(order) > MAX_CATEGORIES:
        kept = set(order[: MAX_CATEGORIES - 1])
        values = [value if value in kept else OTHERS for value in values]
        order = list(dict.fromkeys(values))
    slot = 1 / len(order)
    at = np.empty(len(values))
    for place, value in enumerate(order):
        own = [k for k, one in enumerate(values) if one == value]
        low = 1 - (place + 1) * slot
        at[own] = low + slot * SPREAD * (1 - np.linspace(0, 1, len(own) + 2)[1:-1])
    ticks = [
        (1 - (place + 1) * slot + slot * (SPREAD + 0.02), value.replace("_", " "))
        for place, value in enumerate(order)
    ]
    return _Dimension(name, at, ticks, WIDE)


def _numbers(
    name: str,
    values: FloatArray,
    *,
    digits: int = 2,
    is_log: bool = False,
    is_reversed: bool = False,
) -> _Dimension:
    values = np.nan_to_num(values)
    scaled = np.log(values) if is_log else values
    low, high = float(scaled.min()), float(scaled.max())
    at = (scaled - low) / (high - low) if high > low else np.full(len(scaled), 0.5)
    ends = [f"{float(end):.{digits}g}" for end in (values.min(), values.max())]
    if is_reversed:
        at, ends = 1 - at, ends[::-1]
    ticks = [(0.0, ends[0]), (1.0, ends[1])] if high > low else [(0.5, ends[0])]
    return _Dimension(name, at, ticks, NARROW)


def _lines(
    each: Sequence[_Dimension], places: Sequence[int], name: str, of_line: dict[str, Any],
    opacity: float,
) -> dict[str, Any]:  # fmt: skip
    """Draw trials as one line with gaps."""
    x: list[float | None] = []
    y: list[float | None] = []
    for k in places:
        x += [*_places(each), None]
        y += [*(float(one.at[k]) for one in each), None]
    return line(x, y, name, NEUTRAL, line=of_line, opacity=opacity, hoverinfo="skip")


def _places(each: Sequence[_Dimension]) -> list[float]:
    """Return where the axes stand."""
    return [sum(one.room for one in each[:place]) for place in range(len(each))]


def _axes(each: Sequence[_Dimension]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    shapes = [
        {"type": "line", "x0": place, "x1": place, "y0": 0, "y1": 1,
         "line": {"color": NEUTRAL, "width": 1.2}}
        for place in _places(each)
    ]  # fmt: skip
    notes = []
    for number, (place, one) in enumerate(zip(_places(each), each, strict=True)):
        # On two levels, so that each has the room of two axes; the last one, above both, ends at
        # the edge.
        is_last = number == len(each) - 1
        at, side = (1.0, "right") if is_last else (place, "left")
        notes.append(
            label(at, 1.0, f"<b>{shown(one.name)}</b>", xref="paper" if is_last else "x",
                  yref="paper", xanchor=side, xshift=0 if is_last else -4, yanchor="bottom",
                  yshift=4 + TITLE_HEIGHT * (2 if is_last else number % 2))
        )  # fmt: skip
        for at, text in one.ticks:
            notes.append(
                {**label(place, at, wrapped(text, MAX_LABEL), xanchor="left", xshift=2,
                         yanchor="top" if at == 1.0 else "bottom", align="left"),
                 "font": {"size": LABEL_SIZE}}
            )  # fmt: skip
    return shapes, notes


def _tell(result: FitResult, known: Sequence[TrialRecord], n_best: int) -> str:
    about = (
        "Each line is a complete trial, from what was chosen at the left to what came of it at the "
        "right; better scores lie higher, and each choice is sorted by its best trial."
    )
    n_all = len(scored_trials(result))
    if len(known) < n_all:
        about += f" Of {n_all:,} trials {len(known):,} are drawn, the best among them."
    if n_best < MIN_BEST:
        return about
    stage, share, name = _commonest(known[:n_best])
    return f"{about} Of the best {n_best}, {share:,} have the {stage} {name}."


def _commonest(best: Sequence[TrialRecord]) -> tuple[str, int, str]:
    """Name what most of the best have in common."""
    counted = []
    for stage in ("model", "sampler", "weight"):
        names = [one.configuration.choices[stage].name for one in best]
        name = max(sorted(set(names)), key=names.count)
        if stage == "model" or name != "none":
            counted.append((names.count(name), stage, name))
    n, stage, name = max(counted, key=lambda one: one[0])
    return stage, n, f"'{name.replace('_', ' ')}'"


def _tabulate(result: FitResult, every: Sequence[TrialRecord]) -> Table:
    """List the best trials."""
    metric = result.metric.name
    headers = (
        "trial", "model", "ensemble", "sampler", "weight", "calibrated", "spread", "seconds",
        metric.replace("_", " "),
    )  # fmt: skip
    rows = [
        (
            one.number, *(choice.name for choice in one.configuration.choices.values()),
            "yes" if one.is_calibrated else "no",
            *map(round_off, (one.scores[metric].spread, one.seconds, one.scores[metric].value)),
        )
        for one in every[:MAX_ROWS]
    ]  # fmt: skip
    return Table(headers, [["" if cell is None else cell for cell in row] for row in rows])
