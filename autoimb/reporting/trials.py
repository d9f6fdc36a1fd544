"""What a search tried, what became of it and what it cost, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoimb.markup import element, escape, section
from autoimb.reporting.chart import Table
from autoimb.reporting.elements import draw_table, fold_away

__all__ = ["render_leaderboard", "render_spent", "render_tried", "render_unfinished"]

BY_BEST_TRIAL = (
    "Each strategy by its best trial, cross-validated; those that were evaluated most thoroughly "
    "come first. These are scores of trials in their own folds; above, strategies are held against "
    "each other on the same rows. Decided at 0.5, the default model on the data as they are is "
    "doing nothing."
)
UNFINISHED = {
    "failed": "failed",
    "pruned": "ended early, for they could not catch up",
}
STATES = {"complete": "complete", "pruned": "ended early", "failed": "failed"}


def render_leaderboard(findings: Mapping[str, Any]) -> str:
    """List the strategies, each by its best trial."""
    rows = [
        (
            place,
            one["strategy"] + ("" if one["calibrated"] else " (not calibrated)"),
            one["decision"],
            f"{one['score']:.3f} ± {one['spread']:.3f}",
            one["trials"],
            "exported" if one["exported"] else "",
        )
        for place, one in enumerate(findings.get("leaderboard", ()), 1)
    ]
    heads = ("", "strategy", "decision", "score ± over folds", "trials", "")
    told = element("p", BY_BEST_TRIAL)
    if not rows:
        return ""
    return section("All strategies", told, draw_table(Table(heads, rows)), level=3)


def render_spent(findings: Mapping[str, Any]) -> str:
    """Say in a sentence what the search cost."""
    spent = findings.get("spent")
    if not spent:
        return ""
    states = ", ".join(f"{spent[state]:,} {words}" for state, words in STATES.items())
    early = " It was ended by hand before its time." * bool(spent["interrupted"])
    told = (
        f"{spent['trials']:,} trials ({states}) in {spent['seconds']:.0f} s; the workers spent "
        f"{spent['in_trials']:.0f} s on them.{early}"
    )
    return element("p", escape(told))


def render_tried(findings: Mapping[str, Any]) -> str:
    """Count the trials of every component."""
    rows = [
        (
            one["stage"],
            one["component"],
            *(one[state] for state in STATES),
            round(one["seconds"], 1),
        )
        for one in findings.get("tried", ())
    ]
    heads = ("part", "component", *STATES.values(), "seconds")
    table = draw_table(Table(heads, rows))
    folded = fold_away("Trials of each component", table)
    return section("What was tried", folded, level=3) if rows else ""


def render_unfinished(findings: Mapping[str, Any]) -> str:
    """List what failed or was ended early, and why."""
    rows = [
        (one["trial"], one["strategy"], STATES[one["state"]], one["reason"])
        for one in findings.get("unfinished", ())
    ]
    if not rows:
        told = "No trial failed or was ended early." if findings else ""
        return element("p", told) if told else ""
    spent = findings["spent"]
    counted = [f"{spent[state]:,} {words}" for state, words in UNFINISHED.items() if spent[state]]
    more = spent["failed"] + spent["pruned"] - len(rows)
    counted += [f"the list leaves out {more:,} of them"] if more else []
    text = element("p", "; ".join(counted) + ".")
    table = draw_table(Table(("trial", "strategy", "state", "why"), rows))
    title = "What failed or was ended early"
    return section(title, text, fold_away("List of trials", table), level=3)
