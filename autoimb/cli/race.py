"""The exported model against the obvious strategies, and part by part, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autoimb.evaluation.compare import Comparison
    from autoimb.recommendation.appraisal import Appraisal

__all__ = ["race_lines"]

COLUMNS = ("", "score", "difference", "95 % for all", "better in")


def race_lines(found: Appraisal, metric: str) -> str:
    """Show the best-scoring strategy against each baseline, then against itself without a part.

    Parameters
    ----------
    found : Appraisal
    metric : str

    Returns
    -------
    str
        Empty where there is nothing to compare.
    """
    tables = [
        _table(
            f"The best strategy against the obvious, by {metric} on the same folds:",
            found.baselines,
            found.baseline_scores,
        ),
        _table(f"What its parts buy, by {metric}:", found.parts, {}),
    ]
    return "\n\n".join(table for table in tables if table)


def _table(title: str, found: Iterable[Comparison], scores: Mapping[str, float]) -> str:
    rows = [_cells(one, scores.get(one.name)) for one in found]
    if not rows:
        return ""
    columns = [
        place for place in range(len(COLUMNS)) if place == 0 or any(row[place] for row in rows)
    ]
    cells = [[row[place] for place in columns] for row in (COLUMNS, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    lines = [
        "  " + "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]  # fmt: skip
    return "\n".join([title, *lines])


def _cells(one: Comparison, score: float | None) -> tuple[str, ...]:
    return (
        one.name,
        "" if score is None else f"{score:.3f}",
        f"{one.difference:+.3f}",
        f"{one.low:+.3f} to {one.high:+.3f}",
        f"{100 * one.p_better:.0f} %",
    )
