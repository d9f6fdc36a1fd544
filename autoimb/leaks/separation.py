"""Whether what belongs together stays on one side of every split."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np

from autoimb.arrays import AnyArray, FloatArray, IntArray
from autoimb.evaluation.engine import Evaluator
from autoimb.leaks.report import Check, counted
from autoimb.leaks.setup import SecondsLeft, Setup

__all__ = ["check_units", "number_rows"]

NAME = "units_apart"
EQUAL = "equal a row that is trained on"
GROUPED = "share the group of a row that is trained on"
NOT_LATER = "are not later than a row that is trained or tuned on"
ROWS_AT_A_TIME = 2**14


def check_units(setup: Setup, seconds_left: SecondsLeft) -> Check:
    """Look for rows to score that equal a row that is trained on, share its group or precede it."""
    evaluator = setup.evaluator
    marks = _marks(setup)
    shared = {name: _count_shared(evaluator, mark) for name, mark in marks.items()}
    shared[NOT_LATER] = _count_early(evaluator, setup.dataset.times)
    broken = [f"{counted(n, 'scored row')} {name}" for name, n in shared.items() if n]
    n_repeats = len(evaluator.assignments)
    splits = f"{n_repeats} x {counted(evaluator.n_folds, 'fold')}"
    if broken:
        return Check(NAME, "failed", f"{' and '.join(broken)}, in {splits}.", _advise(setup))
    told = [f"No row is on both sides of a split: {counted(len(evaluator.y), 'row')}"]
    if n_copies := len(evaluator.y) - len(np.unique(marks[EQUAL])):
        told.append(f"{counted(n_copies, 'exact duplicate')} among them")
    if GROUPED in marks:
        told.append(f"{counted(len(np.unique(marks[GROUPED])), 'group')}, each on one side")
    if setup.dataset.times is not None:
        told.append("each scored later than what is trained or tuned on")
    return Check(NAME, "passed", f"{', '.join(told)}, in {splits}.")


def _marks(setup: Setup) -> dict[str, IntArray]:
    """Give what may not be on both sides, and how to say that it is.

    Not taken from what the splitting goes by: the test would share its errors.
    """
    marks = {EQUAL: number_rows(setup.evaluator.X)}
    if setup.dataset.groups is not None:
        marks[GROUPED] = setup.dataset.groups
    return marks


def _count_shared(evaluator: Evaluator, mark: IntArray) -> int:
    """Count the rows whose mark is on both sides, over all assignments."""
    return sum(
        int(np.isin(_of_table(mark, scored), _of_table(mark, trained)).sum())
        for trained, _, scored in _splits(evaluator)
    )


def _count_early(evaluator: Evaluator, times: FloatArray | None) -> int:
    """Count the scored rows that are not later than all that is trained or tuned on."""
    if times is None:
        return 0
    return sum(
        int((_of_table(times, scored) <= _of_table(times, known).max(initial=-np.inf)).sum())
        for trained, tuned, scored in _splits(evaluator)
        for known in [np.union1d(trained, tuned)]
    )


def _of_table(values: AnyArray, rows: IntArray) -> AnyArray:
    """Take the values of rows; there are further ones where rows are made before the split."""
    return np.asarray(values[rows[rows < len(values)]])


def _splits(evaluator: Evaluator) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """Yield what each fold is trained on, what it is tuned on in time, and what it scores."""
    for repeat, number in enumerate(evaluator.assignments):
        for fold in range(evaluator.n_folds):
            tuned = np.flatnonzero((number >= 0) & (number < fold))
            yield evaluator.training_rows(fold, repeat), tuned, evaluator.scored_rows(fold, repeat)


def number_rows(X: FloatArray) -> IntArray:
    """Give every row the number of the distinct row that it equals, gaps being equal.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples,)

    Examples
    --------
    >>> number_rows(np.array([[1.0, np.nan], [0.0, 2.0], [1.0, np.nan], [-0.0, 2.0]]))
    array([0, 1, 0, 1])
    """
    numbers = np.empty(len(X), dtype=np.intp)
    seen: dict[bytes, int] = {}
    for start in range(0, len(X), ROWS_AT_A_TIME):
        # 0.0 and -0.0 are equal, and so are all that are no number, but not their bits.
        some = X[start : start + ROWS_AT_A_TIME] + 0.0
        some[np.isnan(some)] = np.nan
        for i, row in enumerate(some, start):
            numbers[i] = seen.setdefault(blake2b(row, digest_size=16).digest(), len(seen))
    return numbers


def _advise(setup: Setup) -> str:
    """Tell data that cannot be split otherwise from a split that is wrong."""
    dataset, row = setup.dataset, number_rows(setup.dataset.X)
    alike = [
        f"'{label}'"
        for code, label in enumerate(dataset.labels.by_code)
        if len(np.unique(row[dataset.y == code])) == 1
    ]
    if alike:
        return (
            f"All rows of class {alike[0]} are copies of one: it cannot be validated. Collect "
            "others, or leave that class out."
        )
    return "Do not trust the scores: this is a fault of the splitting, please report it."
