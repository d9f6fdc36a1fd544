"""Whether what belongs together stays on one side of every split."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.evaluation.engine import Evaluator
from autoimb.leaks.report import Check, counted
from autoimb.leaks.setup import SecondsLeft, Setup

__all__ = ["check_units", "number_rows"]

NAME = "units_apart"
ROWS_AT_A_TIME = 2**14


def check_units(setup: Setup, seconds_left: SecondsLeft) -> Check:
    """Look for rows to score that equal, in all their features, a row that is trained on."""
    evaluator = setup.evaluator
    marks = _marks(setup)
    shared = {name: _count_shared(evaluator, mark) for name, mark in marks.items()}
    broken = [f"{counted(n, 'scored row')} {name}" for name, n in shared.items() if n]
    n_repeats = len(evaluator.assignments)
    splits = f"{n_repeats} x {counted(evaluator.n_folds, 'fold')}"
    if broken:
        return Check(NAME, "failed", f"{' and '.join(broken)}, in {splits}.", _advise(setup))
    n_copies = len(evaluator.y) - len(np.unique(next(iter(marks.values()))))
    copies = f", {counted(n_copies, 'exact duplicate')} among them" if n_copies else ""
    finding = f"No row is on both sides of a split: {counted(len(evaluator.y), 'row')}{copies}, "
    return Check(NAME, "passed", f"{finding}in {splits}.")


def _marks(setup: Setup) -> dict[str, IntArray]:
    """Give what may not be on both sides, and how to say that it is.

    Not taken from what the splitting goes by: the test would share its errors.
    """
    return {"equal a row that is trained on": number_rows(setup.evaluator.X)}


def _count_shared(evaluator: Evaluator, mark: IntArray) -> int:
    """Count the rows whose mark is on both sides, over all assignments."""
    return sum(
        int(np.isin(mark[scored], mark[trained]).sum()) for trained, scored in _splits(evaluator)
    )


def _splits(evaluator: Evaluator) -> Iterator[tuple[IntArray, IntArray]]:
    for repeat in range(len(evaluator.assignments)):
        for fold in range(evaluator.n_folds):
            yield evaluator.training_rows(fold, repeat), evaluator.scored_rows(fold, repeat)


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
