"""How thoroughly a configuration is evaluated: on how many rows, folds and repeats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from autoimb.arrays import IntArray

__all__ = ["FEW_ROWS", "Level", "has_few", "plan_levels"]

# Rows from which trials are first trained on a part of them.
MANY_ROWS = 50_000
# Rows of that part, and how much larger the next one is.
FIRST_ROWS = 20_000
GROWTH = 5
# Rows of the rarest class in the folds that are scored from which those tell strategies apart.
ENOUGH_SCORED = 200
# Of fewer rows, trials are scored on as many folds: how much one varies shows only beside another.
MIN_FOLDS = 2
# Rows of the rarest class below which the fits of the folds are exported too, and their mean is
# scored, on one further assignment of rows to folds; below the lower limit on two.
FEW_ROWS, VERY_FEW_ROWS = 1000, 200


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
    is_halved : bool
        Whether half of the other folds are trained on, to see what fewer rows cost.

    Examples
    --------
    >>> print(Level(5), "|", Level(1, max_rows=20_000), "|", Level(5, repeat=1))
    5 folds | 1 fold, 20,000 rows | 5 folds, repeat 1
    """

    n_folds: int
    max_rows: int | None = None
    repeat: int = 0
    is_halved: bool = False

    def __str__(self) -> str:
        """Say it in a few words."""
        rows = "" if self.max_rows is None else f", {self.max_rows:,} rows"
        repeat = f", repeat {self.repeat}" if self.repeat else ""
        return f"{self.n_folds} fold{'s' * (self.n_folds > 1)}{rows}{repeat}"

    def is_begin_of(self, other: Level) -> bool:
        """Tell whether the other scores these folds and further ones, alike in all else.

        Examples
        --------
        >>> Level(2).is_begin_of(Level(5)), Level(1, max_rows=20_000).is_begin_of(Level(1))
        (True, False)
        """
        return self.n_folds < other.n_folds and replace(self, n_folds=other.n_folds) == other

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


def has_few(n_rarest: int) -> bool:
    """Tell whether the fits of the folds are exported beside the one on all rows.

    Their mean varies less from sample to sample than any of them, which matters where
    positives are few; with many it is only slower.

    Parameters
    ----------
    n_rarest : int
        Rows of the rarest class.
    """
    return n_rarest < FEW_ROWS


def plan_levels(
    class_counts: Sequence[int] | IntArray, n_folds: int, *, in_time: bool = False
) -> tuple[Level, ...]:
    """Plan what every trial gets, and what the leading ones earn beyond it.

    As in successive halving (Jamieson and Talwalkar 2016), only the leading ones see everything.
    Trials begin with the folds that it takes to score enough rows of the rarest class and, where
    rows are many, with all of that class and some of the others. Where the rarest class is small,
    the leading ones are scored on further folds, so that the best is not the one with the
    luckiest, and that a mean of several fits can be scored, as is exported. In time, the first
    folds are least like what is to come, and there is one way to cut:
    all are scored from the first trial on, once.

    Parameters
    ----------
    class_counts : sequence of int
    n_folds : int
    in_time : bool
        Whether folds follow one another in time.

    Returns
    -------
    tuple of Level
        The first is that of every trial.

    Examples
    --------
    >>> [str(level) for level in plan_levels([900, 100], 5)]
    ['5 folds', '5 folds, repeat 1', '5 folds, repeat 2']
    >>> [str(level) for level in plan_levels([900, 400], 5)]
    ['5 folds', '5 folds, repeat 1']
    >>> [str(level) for level in plan_levels([9_000, 1_000], 5)]
    ['2 folds', '5 folds']
    >>> [str(level) for level in plan_levels([990_000, 10_000], 5)]
    ['1 fold, 20,000 rows', '1 fold, 100,000 rows', '1 fold', '5 folds']
    """
    counts = np.asarray(class_counts)
    n_rows, n_rarest = int(counts.sum()), int(counts.min())
    if in_time:
        growing = _growing(n_rows, n_rarest, n_folds, n_folds) if n_rows > MANY_ROWS else []
        return (*growing, Level(n_folds))
    n_enough = math.ceil(ENOUGH_SCORED * n_folds / n_rarest)
    if n_rows > MANY_ROWS:
        return (*_growing(n_rows, n_rarest, n_folds, n_enough), *_complete(n_rarest, n_folds))
    first = max(n_enough, MIN_FOLDS)
    begun = (Level(first),) if 2 * first <= n_folds else ()
    return (*begun, *_complete(n_rarest, n_folds))


def _growing(n_rows: int, n_rarest: int, n_folds: int, n_enough: int) -> list[Level]:
    """Plan what comes before all rows and folds where rows are many."""
    scored = 1 if n_enough == 1 else n_folds
    levels, rows = [], max(FIRST_ROWS, 2 * n_rarest)
    while rows * 2 < n_rows * (1 - 1 / n_folds):
        levels.append(Level(scored, rows))
        rows *= GROWTH
    if len(levels) > 1 and scored < n_folds:
        levels.append(Level(scored))
    return levels


def _complete(n_rarest: int, n_folds: int) -> list[Level]:
    """Plan all folds and, where the rarest class is small, their repeats."""
    n_repeats = has_few(n_rarest) + (n_rarest < VERY_FEW_ROWS)
    return [Level(n_folds, repeat=k) for k in range(n_repeats + 1)]
