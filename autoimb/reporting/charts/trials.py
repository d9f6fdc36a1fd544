"""How a search went: its trials in their order, and the best so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoimb.fitting import FitResult
from autoimb.reporting.chart import Chart, Table
from autoimb.reporting.charts.layouts import (
    BLUE,
    GREEN,
    ORANGE,
    VERMILLION,
    axis,
    layout,
    line,
    mark,
)
from autoimb.reporting.charts.values import round_off, spell, wrapped
from autoimb.search.records import TrialRecord

__all__ = ["draw_history", "name_exported", "scored_trials"]

# Of a line of text that appears over a point.
MAX_HOVER = 60
MAX_ROWS = 25


def scored_trials(result: FitResult) -> list[TrialRecord]:
    """List the trials that have a score.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    list of TrialRecord
        In the order of their numbers.
    """
    name = result.metric.name
    return [
        record
        for record in result.search.records
        if record.state == "complete" and np.isfinite(record.scores[name].value)
    ]


def name_exported(result: FitResult) -> str:
    """Say what the first of the exported strategies is."""
    return "exported" if len(result.exported.members) == 1 else "leads the exported blend"


def draw_history(result: FitResult) -> Chart:
    """Draw the score of each trial by its number, and the best so far.

    Parameters
    ----------
    result : FitResult
        With a trial that has a score.

    Returns
    -------
    Chart
    """
    known, metric = scored_trials(result), result.metric
    values = np.array([record.scores[metric.name].value for record in known])
    numbers = [record.number for record in known]
    best = _best_so_far(result, values)
    drawn = [
        line([*numbers, _last(result)], [*best, best[-1]], "best so far", GREEN,
             line={"shape": "hv"}, hoverinfo="skip"),
        mark(numbers, values.tolist(), "complete", BLUE, "circle", 7,
             text=[_tell_trial(result, record) for record in known], hovertemplate=_HOVER),
    ]  # fmt: skip
    drawn += _without_score(result, values)
    own = [k for k, number in enumerate(numbers) if number == result.exported.members[0].number]
    drawn.append(
        mark([numbers[k] for k in own], values[own].tolist(), name_exported(result), VERMILLION,
             "diamond-open", 14, hoverinfo="skip", marker={"line": {"width": 2}})
    )  # fmt: skip
    axes = axis("trial", range=[-1, _last(result) + 1]), axis(spell(metric.name))
    return Chart(
        "optimisation_history", "Trials in their order", _tell_history(result, numbers, best),
        drawn, layout(*axes), _tabulate_progress(result, known, best), height=400,
    )  # fmt: skip


_HOVER = "%{text}<extra></extra>"


def _best_so_far(result: FitResult, values: Any) -> list[float]:
    grow = np.maximum if result.metric.greater_is_better else np.minimum
    return [float(value) for value in grow.accumulate(values)]


def _last(result: FitResult) -> int:
    return max(record.number for record in result.search.records)


def _without_score(result: FitResult, values: Any) -> list[dict[str, Any]]:
    """Mark trials that have no score along the lower edge."""
    low, high = float(values.min()), float(values.max())
    step = 0.06 * (high - low) or 0.01
    kinds = (("pruned", "stopped early", ORANGE, "x-thin-open"),
             ("failed", "failed", VERMILLION, "triangle-down"))  # fmt: skip
    drawn = []
    for place, (state, words, color, symbol) in enumerate(kinds, 1):
        known = [record for record in result.search.records if record.state == state]
        if known:
            y = low - place * step
            drawn.append(
                mark([record.number for record in known], [y] * len(known),
                     f"{words}, without a score", color, symbol, 7,
                     text=[_tell_trial(result, record) for record in known],
                     hovertemplate=_HOVER)
            )  # fmt: skip
    return drawn


def _tell_trial(result: FitResult, record: TrialRecord) -> str:
    strategy = wrapped(f"trial {record.number}: {spell(str(record.configuration))}", MAX_HOVER)
    took = f"{record.seconds:.2g} s" if record.seconds else ""
    if record.state != "complete":
        return "<br>".join(filter(None, (strategy, wrapped(record.reason, MAX_HOVER), took)))
    score = record.scores[result.metric.name]
    figures = f"{score.value:.4f}, over the folds ± {score.spread:.4f}"
    gate = "" if record.is_calibrated else "probabilities could not be repaired"
    return "<br>".join(filter(None, (strategy, figures, gate, took)))


def _tell_history(result: FitResult, numbers: Sequence[int], best: Sequence[float]) -> str:
    states = [str(record.state) for record in result.search.records]
    kinds = {"complete": "complete", "pruned": "stopped early", "failed": "failed"}
    counted = ", ".join(f"{states.count(kind):,} {words}" for kind, words in kinds.items())
    first = numbers[best.index(best[-1])]
    end = "highest" if result.metric.greater_is_better else "lowest, the best,"
    return (
        "The score of each trial, cross-validated, in the order in which they were tried: "
        f"{counted}. Those without a score stand along the lower edge. The {end} is {best[-1]:.4f} "
        f"of trial {first}, of {len(states):,} in all; what is exported is chosen by more than the "
        "score and need not be it."
    )


def _tabulate_progress(
    result: FitResult, known: Sequence[TrialRecord], best: Sequence[float]
) -> Table:
    """List the trials that were better than all before them."""
    name = result.metric.name
    rows = [
        (record.number, spell(str(record.configuration)), round_off(record.scores[name].value),
         round_off(record.scores[name].spread), round_off(record.seconds))
        for place, record in enumerate(known)
        if place == 0 or best[place] != best[place - 1]
    ]  # fmt: skip
    headers = ("trial that was the best so far", "strategy", spell(name), "spread", "seconds")
    return Table(headers, rows[-MAX_ROWS:])
