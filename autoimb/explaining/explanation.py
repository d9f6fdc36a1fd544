"""All that is computed to explain a fit: classes, hardest rows, importance, contributions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from autoimb.errors import one_line
from autoimb.explaining.class_table import ClassTable, tabulate_classes
from autoimb.explaining.contributions import Contributions, is_explained, sum_contributions
from autoimb.explaining.fold_fits import NO_TIME, find_fits
from autoimb.explaining.hardest import HardRow, find_hardest
from autoimb.explaining.importance import Importance, SecondsLeft, measure_importance
from autoimb.explaining.subject import Subject
from autoimb.explaining.table_columns import TableColumn, list_columns
from autoimb.explaining.unseen import Fits
from autoimb.metrics import get_metric
from autoimb.search.executors import Executor
from autoimb.threads import limit_threads

__all__ = ["Explanation", "explain"]

T = TypeVar("T")

# Of the time, for a training without a fold; of what is left then, for contributions, and for
# those to the hardest rows.
TRAINING_SHARE, CONTRIBUTIONS_SHARE, HARDEST_SHARE = 0.6, 0.4, 0.1
# For what is measured of columns, which is planned to take one. Without a limit the work counts,
# so that the same is found each time; yet some models take a hundred times as long as most.
MEASURING_SECONDS, PATIENCE = 2.0, 10.0
SHARED = (
    "columns that tell the same share their importance: each can be shuffled without much loss as "
    "long as the others stay."
)


@dataclass(frozen=True)
class Explanation:
    """What an exported model goes by, and where it errs.

    Attributes
    ----------
    classes : ClassTable
        How each class fares: of the rows that scores are made of, decided by the other folds.
    hardest : tuple of HardRow
        The rows that are predicted worst: the only part that holds cells of rows.
    importance : Importance or None
        What is lost without each column; None if it could not be measured, of which `notes` tells.
    contributions : Contributions or None
        What each column adds to predictions; None but of LightGBM.
    notes : tuple of str
        How to read it, and what is missing.
    """

    classes: ClassTable
    hardest: tuple[HardRow, ...] = ()
    importance: Importance | None = None
    contributions: Contributions | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give plain values that JSON can hold."""
        return {
            "classes": self.classes.to_dict(),
            "hardest": [row.to_dict() for row in self.hardest],
            "importance": None if self.importance is None else self.importance.to_dict(),
            "contributions": None if self.contributions is None else self.contributions.to_dict(),
            "notes": list(self.notes),
        }


def explain(
    subject: Subject,
    executor: Executor,
    seconds: float | None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Explanation:
    """Explain what a fit exports.

    How classes fare and which rows are hardest follows from what was predicted anyway. Importance
    and contributions are those of the first strategy that is exported: fits without a fold
    predict rows of that fold.

    Parameters
    ----------
    subject : Subject
    executor : Executor
        Trains without a fold, where no such fit is exported.
    seconds : float or None
        That it should take; None measures as much as is planned.
    clock : callable
        Seconds since some moment.

    Returns
    -------
    Explanation
    """
    begun = clock()
    with limit_threads(subject.evaluator.n_threads):
        judged = subject.judge()
        units = subject.evaluator.drawn_together(judged.rows)
        classes = tabulate_classes(judged.y, judged.codes, subject.dataset.labels, units)
        until = math.inf if seconds is None else begun + seconds
        fits, notes = _find_fits(subject, executor, until - clock(), clock)
        until = min(until, clock() + (PATIENCE if seconds is None else MEASURING_SECONDS))

        def left() -> float:
            return until - clock()

        importance, contributions, more = _explain_columns(subject, fits, left)
        columns = _most_important_first(subject, importance or contributions)
        # Of what cannot be explained in general, single rows cannot be either.
        hardest = find_hardest(subject, judged, fits if contributions else {}, columns, left)
    return Explanation(classes, hardest, importance, contributions, (*notes, *more))


def _find_fits(
    subject: Subject, executor: Executor, left: float, clock: Callable[[], float]
) -> tuple[Fits, list[str]]:
    """Find fits without a fold, as far as time is left to do something with them."""
    if left <= 0:
        return {}, [NO_TIME]
    seconds = None if math.isinf(left) else left * TRAINING_SHARE
    fits, note = find_fits(subject, executor, seconds, clock)
    return fits, [note] if note else []


def _explain_columns(
    subject: Subject, fits: Fits, left: SecondsLeft
) -> tuple[Importance | None, Contributions | None, list[str]]:
    """Measure what can be measured of columns; also say how to read it, and what is missing."""
    if not fits:
        return None, None, []
    notes: list[str] = []
    given = fits, subject.dataset, subject.evaluator
    contributions, whole = None, left()
    reserved = (1 - CONTRIBUTIONS_SHARE) * whole
    if is_explained(next(iter(fits.values()))):
        contributions = _attempt(
            "contributions", lambda: sum_contributions(*given, lambda: left() - reserved), notes
        )
    order = _most_important_first(subject, contributions) if contributions else ()
    kept = HARDEST_SHARE * whole if contributions else 0.0
    importance = _attempt(
        "importance",
        lambda: measure_importance(*given, subject.calibrate, lambda: left() - kept, order),
        notes,
    )
    if importance is not None and not importance.columns:
        importance = None
        notes.append(NO_TIME)
    if importance or contributions:
        notes += _note_blend(subject)
    return importance, contributions, [*notes, *_reading_notes(subject, importance)]


def _attempt(what: str, measure: Callable[[], T], notes: list[str]) -> T | None:
    """Measure something; what fails is a note, never a lost fit."""
    try:
        return measure()
    except Exception as error:
        notes.append(f"{what} could not be measured: {one_line(error)}.")
        return None


def _note_blend(subject: Subject) -> list[str]:
    n_members = len(subject.trained.exported.members)
    if n_members == 1:
        return []
    return [f"of the {n_members} strategies that are blended, columns are explained of the first."]


def _reading_notes(subject: Subject, importance: Importance | None) -> Iterator[str]:
    """Say how to read what was found of columns."""
    if importance is None:
        return
    searched = get_metric(subject.evaluator.metric)
    if searched.needs_decision:
        yield (
            f"importance is measured by {importance.metric}: {searched.name} also depends on a "
            "threshold, which would have to be found anew for every shuffling."
        )
    if importance.left_out:
        yield (
            f"{len(importance.left_out):,} columns were not shuffled: the time did not suffice. "
            "They are those that count least in the model itself, as far as it tells."
        )
    if len(importance.columns) > 1:
        yield SHARED


def _most_important_first(
    subject: Subject, found: Importance | Contributions | None
) -> list[TableColumn]:
    order = [] if found is None else [one.column for one in found.columns]
    place = {name: k for k, name in enumerate(order)}
    columns = list_columns(subject.dataset.schema)
    return sorted(columns, key=lambda column: place.get(column.name, len(place)))
