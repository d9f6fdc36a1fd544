"""How thoroughly a configuration is evaluated: on how many rows, folds and repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoimb.arrays import IntArray

__all__ = ["Level", "plan_levels"]

# Rows from which trials are first trained on a part of them.
MANY_ROWS = 50_000
# Rows of that part, and how much larger the next one is.
FIRST_ROWS = 20_000
GROWTH = 5
# Rows of the rarest class in one fold from which that fold alone tells strategies apart.
ENOUGH_SCORED = 200
# Rows of the rarest class below which leading configurations are scored on further folds.
FEW_ROWS = 200
N_REPEATS = 2


@dataclass(frozen=True)
class Level:
    """What one evaluation of a configuration is made of.

    Attributes
    ----------
    n_folds : int
        Folds that are scored: all, or only the first.
    max_rows : int or None
        Rows that are trained on at most: all of the rarest class, fewer of the frequent ones.
    repeat : int
        Which of several assignments of rows to folds is used; 0 is the first.

    Examples
    --------
    >>> print(Level(5), "|", Level(1, max_rows=20_000), "|", Level(5, repeat=1))
    5 folds | 1 fold, 20,000 rows | 5 folds, repeat 1
    """

    n_folds: int
    max_rows: int | None = None
    repeat: int = 0

    def __str__(self) -> str:
        """Say it in a few words."""
        rows = "" if self.max_rows is None else f", {self.max_rows:,} rows"
        repeat = f", repeat {self.repeat}" if self.repeat else ""
        return f"{self.n_folds} fold{'s' * (self.n_folds > 1)}{rows}{repeat}"

    def share_trained(self, n_rows: int, n_folds: int) -> float:
        """Rows that are trained on in all, as a share of the table's (beyond 1 over many folds).

        Parameters
        ----------
        n_rows : int
            Of the table.
        n_folds : int
            That the table is dealt into.
        """
        part = n_rows * (1 - 1 / n_folds)
        return self.n_folds * min(part, self.max_rows or part) / n_rows


def plan_levels(class_counts: Sequence[int] | IntArray, n_folds: int) -> tuple[Level, ...]:
    """Plan what every trial gets, and what the leading ones earn beyond it.

    With many rows, trials begin with all rows of the rarest class and some of the others, as in
    successive halving (Jamieson and Talwalkar 2016); only the leading ones see everything. Where
    positives are few, the leading ones are scored on further folds, so that the best is not the
    one with the luckiest.

    Parameters
    ----------
    class_counts : sequence of int
    n_folds : int

    Returns
    -------
    tuple of Level
        The first is that of every trial.

    Examples
    --------
    >>> [str(level) for level in plan_levels([900, 100], 5)]
    ['5 folds', '5 folds, repeat 1', '5 folds, repeat 2']
    >>> [str(level) for level in plan_levels([990_000, 10_000], 5)]
    ['1 fold, 20,000 rows', '1 fold, 100,000 rows', '1 fold', '5 folds']
    """
    counts = np.asarray(class_counts)
    n_rows, n_rarest = int(counts.sum()), int(counts.min())
    levels = []
    if n_rows > MANY_ROWS:
        scored = 1 if n_rarest / n_folds >= ENOUGH_SCORED else n_folds
        rows = max(FIRST_ROWS, 2 * n_rarest)
        while rows * 2 < n_rows * (1 - 1 / n_folds):
            levels.append(Level(scored, rows))
            rows *= GROWTH
        if len(levels) > 1 and scored < n_folds:
            levels.append(Level(scored))
    levels.append(Level(n_folds))
    if n_rarest < FEW_ROWS:
        levels += [Level(n_folds, repeat=k + 1) for k in range(N_REPEATS)]
    return tuple(levels)
