"""The rows that are predicted worst by models that have not seen them, for a person to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.rules import PASSED_ON
from autoimb.explaining.contributions import contribute, is_explained
from autoimb.explaining.importance import SecondsLeft
from autoimb.explaining.subject import Judged, Subject
from autoimb.explaining.table_columns import Cell, TableColumn
from autoimb.explaining.unseen import Fits, Unseen
from autoimb.profiling.row_checks import name_rows

__all__ = ["HardRow", "choose_hardest", "find_hardest"]

# Of each class, and classes at most, the rarest first.
N_ROWS, MAX_CLASSES = 10, 5
# Columns whose cells are shown, and whose contributions are.
N_VALUES, N_CONTRIBUTIONS = 6, 3


@dataclass(frozen=True)
class HardRow:
    """A row that is predicted badly.

    Attributes
    ----------
    row : int or str
        Its label in the index, or its place in the file counted from 0.
    label : str
        Its true class.
    decided : str or None
        The class that was decided for it; None where it was passed on.
    probability : float
        Of its true class, calibrated, by a model that has not seen it.
    values : mapping of str to float, str or None
        Cells of the most important columns, None where missing.
    contributions : mapping of str to float
        What the columns that matter most for this row add to the raw score of the positive class
        or, of several, of its true class; empty where the model that has not seen the row is not at
        hand, is no LightGBM, or there was no time.
    findings : tuple of str
        Checks of the profile that name the row, such as ``label_noise``.
    """

    row: int | str
    label: str
    decided: str | None
    probability: float
    values: Mapping[str, Cell]
    contributions: Mapping[str, float]
    findings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give plain values."""
        return {**asdict(self), "findings": list(self.findings)}


def choose_hardest(y: IntArray, proba: FloatArray, same: IntArray) -> IntArray:
    """Choose the rows whose true class was given the lowest probability, some of each class.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes.
    proba : ndarray of shape (n_samples, n_classes)
    same : ndarray of shape (n_samples,)
        Rows with the same number are copies: of each class one of them is chosen.

    Returns
    -------
    ndarray of shape (n_chosen,)
        Classes from the rarest on, in each the hardest row first.

    Examples
    --------
    >>> y, p = np.array([0, 0, 0, 1, 1]), np.array([0.1, 0.7, 0.2, 0.9, 0.4])
    >>> choose_hardest(y, np.column_stack([1 - p, p]), np.array([0, 1, 1, 2, 3]))
    array([4, 3, 1, 0])
    """
    sizes = np.bincount(y)
    rarest = [k for k in np.argsort(sizes, kind="stable") if sizes[k]][:MAX_CLASSES]
    return np.concatenate([_hardest_of(np.flatnonzero(y == k), proba[:, k], same) for k in rarest])


def _hardest_of(members: IntArray, probability: FloatArray, same: IntArray) -> IntArray:
    ordered = members[np.argsort(probability[members], kind="stable")]
    firsts = np.unique(same[ordered], return_index=True)[1]
    return np.asarray(ordered[np.sort(firsts)[:N_ROWS]])


def find_hardest(
    subject: Subject,
    judged: Judged,
    fits: Fits,
    columns: Sequence[TableColumn],
    left: SecondsLeft,
) -> tuple[HardRow, ...]:
    """Find the rows whose true class was given the lowest probability, and describe them.

    Parameters
    ----------
    subject : Subject
    judged : Judged
    fits : mapping of int to TrainedPipeline
        By the fold that each was trained without, as far as they are at hand.
    columns : sequence of TableColumn
        The most important first.
    left : callable
        Seconds left: once there are none, the rows of the fits that remain have no contributions.

    Returns
    -------
    tuple of HardRow
        Classes from the rarest on, in each the hardest row first.
    """
    dataset = subject.dataset
    same = dataset.duplicate_groups[judged.rows]
    chosen = choose_hardest(judged.y, judged.proba, same)
    names = name_rows(dataset, judged.rows[chosen])
    added = _contribute_each(subject, judged.rows[chosen], fits, left)
    told = {one.check: set(one.rows) for one in subject.findings if one.rows}
    labels, rows = dataset.labels.by_code, []
    for name, place, each in zip(names, chosen, added, strict=True):
        row, y, code = int(judged.rows[place]), int(judged.y[place]), int(judged.codes[place])
        cells = dataset.X[row]
        rows.append(
            HardRow(
                row=name,
                label=str(labels[y]),
                decided=None if code == PASSED_ON else str(labels[code]),
                probability=float(judged.proba[place, y]),
                values={column.name: column.show(cells) for column in columns[:N_VALUES]},
                contributions={} if each is None else _largest(each, y, columns),
                findings=tuple(check for check, named in told.items() if name in named),
            )
        )
    return tuple(rows)


def _contribute_each(
    subject: Subject, rows: IntArray, fits: Fits, left: SecondsLeft
) -> list[FloatArray | None]:
    """Explain rows by the fits that have not seen them; None where that cannot be had."""
    found: list[FloatArray | None] = [None] * len(rows)
    unseen = Unseen(fits, rows, subject.evaluator.folds[rows], np.ones(len(rows)))
    for pipeline, places in unseen.parts():
        if is_explained(pipeline) and left() > 0:
            each = contribute(pipeline, subject.dataset.X[rows[places]])
            for place, added in zip(places, each, strict=True):
                found[place] = added
    return found


def _largest(added: FloatArray, y: int, columns: Sequence[TableColumn]) -> dict[str, float]:
    """Give what the columns that matter most for a row add to the score."""
    own = added[0] if len(added) == 1 else added[y]
    each = {column.name: float(own[column.places].sum()) for column in columns}
    return dict(sorted(each.items(), key=lambda pair: -abs(pair[1]))[:N_CONTRIBUTIONS])
