"""Which rows are trained on and which are scored."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import IntArray
from autoimb.data.dataset import Dataset
from autoimb.errors import DataError

__all__ = ["assign_folds", "deal", "feasible_folds"]


def feasible_folds(dataset: Dataset, n_folds: int) -> int:
    """Lower the number of folds to what the rarest class allows.

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
        If a class has a single row.

    Examples
    --------
    >>> import pandas as pd
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
    return min(n_folds, n_rows)


def assign_folds(dataset: Dataset, n_folds: int, seed: int) -> IntArray:
    """Give every row the fold that scores it, each class in equal shares.

    Rows whose features are all equal go to one fold: no copy of a training row is scored.

    Parameters
    ----------
    dataset : Dataset
    n_folds : int
    seed : int

    Returns
    -------
    ndarray of shape (n_samples,)
        From 0 to `n_folds` - 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from autoimb.data.dataset import make_dataset
    >>> table = pd.DataFrame({"x": [1, 1, 2, 3, 4, 5, 6, 7]})
    >>> fold = assign_folds(make_dataset(table, list("aaaabbbb")), 2, seed=0)
    >>> bool(fold[0] == fold[1]), sorted(fold.tolist())
    (True, [0, 0, 0, 0, 1, 1, 1, 1])
    """
    group = dataset.duplicate_groups
    group_class = np.zeros(group.max() + 1, dtype=np.intp)
    # The rarest class last: a group that crosses classes is stratified by its rarest one.
    for code in np.argsort(-dataset.class_counts, kind="stable"):
        group_class[group[dataset.y == code]] = code
    rng = np.random.default_rng(seed)
    folds = deal(group_class, n_folds, rng)[group]
    for code in range(dataset.n_classes):
        members = np.flatnonzero(dataset.y == code)
        # A class that is all copies of one row cannot be validated but by tearing them apart.
        if len(np.unique(folds[members])) == 1:
            folds[rng.permutation(members)] = np.arange(len(members)) % n_folds
    return folds


def deal(y: IntArray, n_folds: int, rng: np.random.Generator) -> IntArray:
    """Deal rows into folds, each class in equal shares.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes.
    n_folds : int
    rng : Generator

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
        folds[members] = (dealt + np.arange(len(members))) % n_folds
        dealt += len(members)
    return folds
