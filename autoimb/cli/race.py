"""The exported model against the obvious strategies, and part by part, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from autoimb.cli.tables import Section, Table

if TYPE_CHECKING:
    from autoimb.evaluation.compare import Comparison
    from autoimb.recommendation.appraisal import Appraisal

__all__ = ["race_sections"]

COLUMNS = ("", "score", "difference", "95 % for all", "better in")


def race_sections(found: Appraisal, metric: str) -> Iterator[Section]:
    """Show the best-scoring strategy against each baseline, then against itself without a part.

    Parameters
    ----------
    found : Appraisal
    metric : str

    Yields
    ------
    Section
        None where there is nothing to compare.
    """
    if found.baselines:
        title = f"The best strategy against the obvious, by {metric} on the same folds:"
        yield Section(title, [_table(found.baselines, found.baseline_scores)])
    if found.parts:
        yield Section(f"What its parts buy, by {metric}:", [_table(found.parts, {})])


def _table(found: Iterable[Comparison], scores: Mapping[str, float]) -> Table:
    """Make a row of each; a column of which nothing is known is left out."""
    rows = [_cells(one, scores.get(one.name)) for one in found]
    shown = [place for place in range(len(COLUMNS)) if not place or any(row[place] for row in rows)]
    return Table(
        [COLUMNS[place] for place in shown],
        [[row[place] for place in shown] for row in rows],
        numbers=range(1, len(shown)),
        indent=2,
    )


def _cells(one: Comparison, score: float | None) -> tuple[str, ...]:
    return (
        one.name,
        "" if score is None else f"{score:.3f}",
        f"{one.difference:+.3f}",
        f"{one.low:+.3f} to {one.high:+.3f}",
        f"{100 * one.p_better:.0f} %",
    )
