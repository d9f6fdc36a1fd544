"""How a search went: its trials in their order, what they owe their scores to, and all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoimb.fitting import FitResult
from autoimb.reporting.chart import Chart, Table
from autoimb.reporting.charts.layouts import (
    BLUE,
    GREEN,
    ORANGE,
    UNLABELLED,
    VERMILLION,
    axis,
    label,
    layout,
    line,
    mark,
)
from autoimb.reporting.charts.values import round_off, shown, wrapped
from autoimb.search.importance import count_leading, measure_importance
from autoimb.search.records import TrialRecord

__all__ = ["draw_history", "draw_importance", "name_exported", "scored_trials"]

# Of a line of text that appears over a point.
MAX_HOVER = 60
MAX_ROWS = 25
MAX_BARS = 12
STAGE_WORDS = {
    "model": "which model", "ensemble": "which ensemble", "sampler": "which sampler",
    "weight": "which weight",
}  # fmt: skip


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
    axes = axis("trial", rangemode="tozero"), axis(_spell(metric.name))
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
    strategy = wrapped(f"trial {record.number}: {_spell(str(record.configuration))}", MAX_HOVER)
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
        (record.number, _spell(str(record.configuration)), round_off(record.scores[name].value),
         round_off(record.scores[name].spread), round_off(record.seconds))
        for place, record in enumerate(known)
        if place == 0 or best[place] != best[place - 1]
    ]  # fmt: skip
    headers = ("trial that was the best so far", "strategy", _spell(name), "spread", "seconds")
    return Table(headers, rows[-MAX_ROWS:])


def draw_importance(result: FitResult, shares: Mapping[str, float] | None = None) -> Chart | None:
    """Draw which choices the best trials owe most to.

    Parameters
    ----------
    result : FitResult
    shares : mapping of str to float, optional
        As `measure_importance` gives them, which is asked by default.

    Returns
    -------
    Chart or None
        None where too few trials are complete.
    """
    shares = measure_importance(result.search.study) if shares is None else shares
    if not shares:
        return None
    top = list(shares.items())[:MAX_BARS]
    rest = sum(shares.values()) - sum(share for _, share in top)
    places = [-float(k) for k in range(len(top))]
    names = [_name_choice(name) for name, _ in top]
    is_stage = [name in STAGE_WORDS for name, _ in top]
    bar = {
        "type": "bar", "orientation": "h", "x": [round_off(share) for _, share in top],
        "y": places, "width": 0.34, "offset": -0.42, "name": "importance",
        "customdata": [shown(name) for name in names],
        "marker": {
            "color": [BLUE if each else GREEN for each in is_stage],
            "pattern": {"shape": ["" if each else "/" for each in is_stage]},
        },
        "hovertemplate": "%{customdata}<br>%{x:.1%}<extra></extra>",
    }  # fmt: skip
    notes = [
        label(0, place, wrapped(f"{name}, {_percent(share)}", MAX_HOVER), xref="paper",
              xanchor="left", yanchor="bottom", align="left")
        for place, name, (_, share) in zip(places, names, top, strict=True)
    ]  # fmt: skip
    axes = (
        axis("share of importance", tickformat=".0%", rangemode="tozero"),
        axis("", range=[-len(top) + 0.4, 0.6], showticklabels=False, showgrid=False),
    )
    n = len(scored_trials(result))
    caption = (
        f"How far the choices of the best {count_leading(n)} of {n:,} complete trials differ from "
        "those of all (PED-ANOVA): what has no share might as well have been chosen blindly. "
        "Hatched bars are parameters of a component, the others components. First is "
        f"{names[0]}, with {_percent(top[0][1])}; of so few trials take no more than the order."
    )
    rows = [(name, round_off(share)) for name, (_, share) in zip(names, top, strict=True)]
    rows += [("all others together", round_off(rest))] if len(shares) > len(top) else []
    return Chart(
        "choice_importance", "What the best trials owe their scores to", caption, [bar],
        layout(*axes, legend=False, annotations=notes, margin=UNLABELLED),
        Table(("choice", "share"), rows), height=90 + 42 * len(top),
    )  # fmt: skip


def _name_choice(name: str) -> str:
    """Name a stage, or a parameter of a component.

    Examples
    --------
    >>> _name_choice("sampler"), _name_choice("model.lightgbm.num_leaves")
    ('which sampler', 'num leaves (model lightgbm)')
    """
    if name in STAGE_WORDS:
        return STAGE_WORDS[name]
    stage, component, parameter = name.split(".", 2)
    return f"{_spell(parameter)} ({stage} {_spell(component)})"


def _percent(share: float) -> str:
    """Write a share in whole percent.

    Examples
    --------
    >>> _percent(0.123), _percent(0.001)
    ('12 %', 'below 1 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.005 else "below 1 %"


def _spell(name: str) -> str:
    return name.replace("_", " ")
