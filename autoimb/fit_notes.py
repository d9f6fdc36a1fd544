"""What a fit tells of itself: what was assumed, left out, or cut short."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autoimb.data.dataset import Dataset
from autoimb.evaluation.engine import Evaluator
from autoimb.planning import Plan
from autoimb.search.blend import Exported
from autoimb.search.records import SearchResult
from autoimb.search.resources import Resources

__all__ = ["note_choice", "note_data", "note_end"]


def note_data(
    dataset: Dataset, plan: Plan, evaluator: Evaluator, resources: Resources
) -> list[str]:
    """Say what was assumed of the data and the machine, and what was left out.

    Parameters
    ----------
    dataset : Dataset
    plan : Plan
    evaluator : Evaluator
    resources : Resources

    Returns
    -------
    list of str
    """
    notes = [resources.note] if resources.note else []
    if evaluator.n_folds < plan.n_folds:
        why = _why_fewer(dataset, evaluator.n_folds)
        notes.append(f"{evaluator.n_folds} folds instead of {plan.n_folds}: {why}.")
    notes += _split_notes(dataset, evaluator)
    dropped = [c for c in dataset.schema.columns if c.kind == "dropped"]
    if dropped:
        shown = ", ".join(f"'{c.name}' ({c.why_dropped})" for c in dropped[:5])
        more = f" and {len(dropped) - 5} more" if len(dropped) > 5 else ""
        notes.append(f"left out {shown}{more}.")
    return notes


def _why_fewer(dataset: Dataset, n_folds: int) -> str:
    rarest = int(dataset.class_counts.argmin())
    if n_folds == dataset.class_counts[rarest]:
        return f"class {dataset.labels.by_code[rarest]!r} has only {n_folds} rows"
    if dataset.times is not None:
        return "more would leave some without a class, or too little of it before them"
    return f"a class lies in only {n_folds} groups of '{dataset.group_column}'"


def _split_notes(dataset: Dataset, evaluator: Evaluator) -> Iterator[str]:
    """Say what scores are made of where rows are not split at random."""
    if dataset.groups is not None:
        yield (
            f"the rows of each '{dataset.group_column}' ({int(dataset.groups.max()) + 1:,} in all) "
            "stay on one side of every split."
        )
    if dataset.times is not None:
        share = 100 * np.mean(evaluator.folds < 0)
        yield (
            f"the earliest {share:.0f} % of the rows by "
            f"'{dataset.time_column}' are trained on but not scored; what follows is scored by "
            "models of what came before it, and its first fold only tunes decisions."
        )


def note_choice(chosen: Exported, best: Exported) -> list[str]:
    """Say that a blend is not exported, where it is clearly worse than its first."""
    if len(best.members) == len(chosen.members):
        return []
    n = len(chosen.members)
    return [f"the best strategy is exported alone: a blend of {n} is clearly worse."]


def note_end(found: SearchResult, n_folds: int) -> list[str]:
    """Say how far the search came, where that is not what was asked for."""
    notes = []
    if found.level.n_folds < n_folds and found.level.max_rows is None:
        notes.append(
            f"strategies were compared on {found.level.n_folds} of {n_folds} folds: the time did "
            "not suffice for all. Give a larger budget."
        )
    if found.level.max_rows is not None:
        notes.append(
            f"strategies were compared by models of {found.level.max_rows:,} rows: the time did "
            "not suffice for all. Give a larger budget."
        )
    if found.interrupted:
        notes.append(f"interrupted after {len(found.records)} trials: this is the best so far.")
    return notes
