"""Which rows are trained on and which are scored."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from autoimb.arrays import AnyArray, BoolArray, IntArray
from autoimb.data.dataset import Dataset
from autoimb.data.time_blocks import MIN_TRAINED, cut_in_time
from autoimb.errors import DataError

__all__ = ["Folds", "assign_folds", "deal", "deal_units", "feasible_folds", "tear_apart"]

# In time the first fold is the past of the second, which is the least that is judged.
MIN_FOLDS = 2
# How often units are dealt anew where a class would lie in one fold.
MAX_DEALS = 100


@dataclass(frozen=True)
class Folds:
    """Which fold scores each row, and what may be known when it does.

    Attributes
    ----------
    number : ndarray of shape (n_samples,)
        The fold that scores each row; -1 for rows that are never scored.
    units : ndarray of shape (n_samples,)
        Rows with the same number belong together; by default each row is by itself.
    in_time : bool
        Whether folds are numbered in time order, and only what is earlier may be known.

    Examples
    --------
    >>> folds = Folds(np.array([-1, 0, 0, 1, 2]), in_time=True)
    >>> folds.each(), folds.tuned_on(1), folds.judged
    (array([0, 1, 2]), array([False,  True,  True, False, False]), \
array([False, False, False,  True,  True]))
    """

    number: IntArray
    units: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    in_time: bool = False

    def __post_init__(self) -> None:
        """Let each row be by itself where nothing else is said."""
        if len(self.units) != len(self.number):
            object.__setattr__(self, "units", np.arange(len(self.number)))

    def each(self) -> IntArray:
        """Return the distinct folds, in order."""
        return np.unique(self.number[self.number >= 0])

    def take(self, rows: AnyArray) -> Folds:
        """Keep some rows, given by a mask or by their places."""
        return Folds(self.number[rows], self.units[rows], self.in_time)

    def trained_on(self, fold: int) -> BoolArray:
        """Mark the rows that are trained on to score a fold: all others or, in time, earlier ones.

        In time rows belong to any block: those that belong together with a scored one are left out.
        """
        if not self.in_time:
            return np.asarray(self.number != fold)
        is_scored = np.zeros(self.units.max(initial=-1) + 1, dtype=bool)
        is_scored[self.units[self.number == fold]] = True
        return np.asarray((self.number < fold) & ~is_scored[self.units])

    def tuned_on(self, fold: int) -> BoolArray:
        """Mark the scored rows by which calibration, decision and blend of a fold are tuned."""
        is_known = self.number < fold if self.in_time else self.number != fold
        return np.asarray(is_known & (self.number >= 0))

    @property
    def judged(self) -> BoolArray:
        """Mark the rows that scores are made of: in time, nothing can tune the earliest fold."""
        first = self.number[self.number >= 0].min(initial=len(self.number)) if self.in_time else -1
        return np.asarray(self.number > first)


def feasible_folds(dataset: Dataset, n_folds: int) -> int:
    """Lower the number of folds to what the rarest class allows, its groups, and their times.

    Parameters
    ----------
    dataset : Dataset
    n_folds : int
        As wished for, at least 2.

    Returns
    -------
    int

    Raises
    ------
    DataError
        If a class has a single row, lies in a single group, or does not occur at times enough.

    Examples
    --------
    >>> from autoimb.data.dataset import make_dataset
    >>> table = pd.DataFrame({"x": range(9)})
    >>> feasible_folds(make_dataset(table, ["a"] * 6 + ["b"] * 3), 5)
    3
    """
    rarest = int(dataset.class_counts.argmin())
    n_rows = int(dataset.class_counts[rarest])
    if n_rows < 2:
        label = dataset.labels.by_code[rarest]
        raise DataError(
            f"target '{dataset.target}' has {n_rows} row of class {label!r}; validation needs at "
            "least 2 of each. Collect more, or leave that class out."
        )
    if dataset.times is not None:
        return _feasible_in_time(dataset, min(n_folds, n_rows))
    if dataset.groups is None:
        return min(n_folds, n_rows)
    n_units = [len(np.unique(dataset.units[dataset.y == k])) for k in range(dataset.n_classes)]
    if min(n_units) < 2:
        raise DataError(_one_unit(dataset, int(np.argmin(n_units))))
    return min(n_folds, *n_units)


def _one_unit(dataset: Dataset, code: int) -> str:
    """Say that a class cannot be split, and why."""
    assert dataset.groups is not None
    label, n_groups = (
        dataset.labels.by_code[code],
        len(np.unique(dataset.groups[dataset.y == code])),
    )
    found = f"lies in a single group of '{dataset.group_column}'"
    if n_groups > 1:
        found = (
            f"lies in {n_groups} groups of '{dataset.group_column}' that equal rows join into one"
        )
    return (
        f"class {label!r} {found}; validation needs at least 2. Collect more, leave that class "
        "out, or do without --groups."
    )


def _feasible_in_time(dataset: Dataset, n_folds: int) -> int:
    """Lower the number of folds until each is trained and scored on every class."""
    for n in range(n_folds, MIN_FOLDS - 1, -1):
        number = _cut(dataset, n)
        if number is not None and _holds_every_class(dataset, Folds(number, dataset.units, True)):
            return n
    whole = "" if dataset.groups is None else f" and of their '{dataset.group_column}'"
    raise DataError(
        f"time column '{dataset.time_column}' cannot be cut into a past and {MIN_FOLDS} folds "
        f"after it, each with rows of every class and {MIN_TRAINED} of each before it (copies of "
        f"scored rows{whole} do not count). Collect rows over a longer time, leave rare classes "
        "out, or do without --time."
    )


def _cut(dataset: Dataset, n_folds: int) -> IntArray | None:
    assert dataset.times is not None
    return cut_in_time(dataset.times, dataset.y == dataset.class_counts.argmin(), n_folds)


def _holds_every_class(dataset: Dataset, folds: Folds) -> bool:
    """Tell whether every fold is scored on every class, and trained on enough rows of each."""

    def fewest(rows: BoolArray) -> int:
        return int(np.bincount(dataset.y[rows], minlength=dataset.n_classes).min())

    return all(
        fewest(folds.number == fold) and fewest(folds.trained_on(fold)) >= MIN_TRAINED
        for fold in folds.each().tolist()
    )


def assign_folds(dataset: Dataset, n_folds: int, seed: int) -> IntArray:
    """Give every row the fold that scores it, each class in equal shares.

    Rows whose features are all equal go to one fold, as those of one group do: no copy of a
    training row is scored. Where times are known, folds follow one another in time.

    Parameters
    ----------
    dataset : Dataset
    n_folds : int
        That is feasible.
    seed : int
        Without effect in time.

    Returns
    -------
    ndarray of shape (n_samples,)
        From 0 to `n_folds` - 1; -1 for the earliest rows in time, which are not scored.

    Raises
    ------
    DataError
        If the groups or times of a class do not allow so many folds.

    Examples
    --------
    >>> from autoimb.data.dataset import make_dataset
    >>> table = pd.DataFrame({"x": [1, 1, 2, 3, 4, 5, 6, 7]})
    >>> fold = assign_folds(make_dataset(table, list("aaaabbbb")), 2, seed=0)
    >>> bool(fold[0] == fold[1]), sorted(fold.tolist())
    (True, [0, 0, 0, 0, 1, 1, 1, 1])
    """
    if dataset.times is not None:
        number = _cut(dataset, n_folds)
        if number is None:
            _feasible_in_time(dataset, MIN_FOLDS)
            raise DataError(f"the times do not allow {n_folds} folds. Ask for fewer.")
        return number
    rng = np.random.default_rng(seed)
    if dataset.groups is not None:
        return _deal_groups(dataset, n_folds, rng)
    folds = deal_units(dataset.y, dataset.units, n_folds, rng, by_size=False)
    return tear_apart(folds, dataset.y, n_folds, rng)


def _deal_groups(dataset: Dataset, n_folds: int, rng: np.random.Generator) -> IntArray:
    """Deal groups whole, so that no fold holds all of a class."""
    for attempt in range(MAX_DEALS):
        # Groups of several classes may tie one of these to a fold: then by chance alone.
        folds = deal_units(dataset.y, dataset.units, n_folds, rng, by_size=attempt == 0)
        if all(np.ptp(folds[dataset.y == code]) for code in range(dataset.n_classes)):
            return folds
    raise DataError(
        f"the groups of '{dataset.group_column}' cannot be dealt into {n_folds} folds so that "
        "there is a part to train on without each that has every class. Do without --groups."
    )


def deal_units(
    y: IntArray, units: IntArray, n_folds: int, rng: np.random.Generator, *, by_size: bool = True
) -> IntArray:
    """Deal rows into folds, those of a unit into one, each class in shares as equal as that allows.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes.
    units : ndarray of shape (n_samples,)
    n_folds : int
    rng : Generator
    by_size : bool
        Whether large units are dealt before small ones.

    Returns
    -------
    ndarray of shape (n_samples,)
        From 0 to `n_folds` - 1.

    Examples
    --------
    >>> y, units = np.array([0, 0, 0, 0, 1, 1]), np.array([7, 7, 3, 2, 5, 6])
    >>> folds = deal_units(y, units, 2, np.random.default_rng(0))
    >>> bool(folds[0] == folds[1]), np.bincount(folds[:4])
    (True, array([2, 2]))
    """
    units = pd.factorize(units)[0]
    stratum = np.zeros(units.max() + 1, dtype=np.intp)
    # The rarest class last: a unit that crosses classes is stratified by its rarest one.
    for code in np.argsort(-np.bincount(y), kind="stable"):
        stratum[units[y == code]] = code
    sizes = np.bincount(units[y == stratum[units]], minlength=len(stratum)) if by_size else None
    return deal(stratum, n_folds, rng, sizes)[units]


def tear_apart(folds: IntArray, y: IntArray, n_folds: int, rng: np.random.Generator) -> IntArray:
    """Deal classes row by row that lie in one fold.

    A class that is all copies of one row cannot be validated but by tearing them apart.

    Parameters
    ----------
    folds, y : ndarray of shape (n_samples,)
    n_folds : int
    rng : Generator

    Returns
    -------
    ndarray of shape (n_samples,)

    Examples
    --------
    >>> tear_apart(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]), 2, np.random.default_rng(0))
    array([0, 1, 0, 1])
    """
    folds = folds.copy()
    for code in np.unique(y):
        members = np.flatnonzero(y == code)
        if len(np.unique(folds[members])) == 1:
            folds[rng.permutation(members)] = np.arange(len(members)) % n_folds
    return folds


def deal(
    y: IntArray, n_folds: int, rng: np.random.Generator, sizes: IntArray | None = None
) -> IntArray:
    """Deal rows into folds, each class in equal shares.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes.
    n_folds : int
    rng : Generator
    sizes : ndarray of shape (n_samples,), optional
        Of what the rows stand for: the largest of each class are dealt first, the others to and
        fro among the folds.

    Returns
    -------
    ndarray of shape (n_samples,)
        From 0 to `n_folds` - 1.

    Examples
    --------
    >>> folds = deal(np.array([0, 0, 0, 0, 1, 1]), 2, np.random.default_rng(0))
    >>> np.bincount(folds[:4]), np.bincount(folds[4:])
    (array([2, 2]), array([1, 1]))
    """
    folds = np.empty(len(y), dtype=np.intp)
    dealt = 0
    for code in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == code))
        turns = np.arange(len(members))
        if sizes is not None and np.ptp(sizes[members]):
            members = members[np.argsort(-sizes[members], kind="stable")]
            # To and fro, or the first fold would get the largest of every round.
            laps, turns = np.divmod(turns, n_folds)
            turns = np.where(laps % 2, n_folds - 1 - turns, turns)
        folds[members] = (dealt + turns) % n_folds
        dealt += len(members)
    return folds
