"""Which rows are kept aside before anything is fitted, to be scored once, at the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoimb.arrays import AnyArray, BoolArray, FloatArray, IntArray
from autoimb.data.dataset import Dataset
from autoimb.errors import DataError, UsageError

__all__ = ["Aside", "check_share", "keep_aside"]

# How often units are drawn anew where a class would lie on one side.
MAX_DRAWS = 100
# Units of a class that are left, if there are enough: validation needs as many.
MIN_LEFT = 2


@dataclass(frozen=True)
class Aside:
    """Which rows a fit may see, and which it may not.

    Attributes
    ----------
    kept : ndarray of shape (n_samples,)
        Marks the rows that are fitted on.
    aside : ndarray of shape (n_samples,)
        Marks those that are scored at the end. In time there may be rows that are neither: earlier
        ones that belong together with a later one.
    """

    kept: BoolArray
    aside: BoolArray


def check_share(share: float | None) -> None:
    """Raise a UsageError for what is no share of the rows.

    Examples
    --------
    >>> check_share(0.2)
    """
    if share is not None and not 0 < share < 1:
        raise UsageError(f"holdout must be a share between 0 and 1, as 0.2, but got {share:g}.")


def keep_aside(dataset: Dataset, share: float, seed: int) -> Aside:
    """Choose rows to keep aside: of each class its share, in time the latest rows.

    Rows of a group, and copies of a row, are kept aside together.

    Parameters
    ----------
    dataset : Dataset
    share : float
        Of the rows.
    seed : int
        Without effect in time.

    Returns
    -------
    Aside

    Raises
    ------
    DataError
        If a class would not be on both sides.

    Examples
    --------
    >>> import pandas as pd
    >>> from autoimb.data.dataset import make_dataset
    >>> data = make_dataset(pd.DataFrame({"x": range(50)}), ["a"] * 40 + ["b"] * 10)
    >>> found = keep_aside(data, 0.2, seed=0)
    >>> np.bincount(data.y[found.aside]), bool((found.aside != found.kept).all())
    (array([8, 2]), True)
    """
    if dataset.times is not None:
        aside = _latest(dataset.times, share)
        kept = ~aside & ~np.isin(dataset.units, dataset.units[aside])
        return _checked(dataset, Aside(kept, aside), share)
    rng = np.random.default_rng(seed)
    for _ in range(MAX_DRAWS):
        aside = _draw(dataset.y, dataset.units, share, rng)
        found = Aside(~aside, aside)
        if _lacking(dataset, found) is None:
            return found
    return _checked(dataset, found, share)


def _latest(times: FloatArray, share: float) -> BoolArray:
    """Mark the latest rows, cut between two times so that their share is nearest to what is due."""
    moments, counts = np.unique(times, return_counts=True)
    later = np.cumsum(counts[::-1])[::-1] / len(times)
    return np.asarray(times >= moments[int(np.abs(later - share).argmin())])


def _draw(y: IntArray, units: IntArray, share: float, rng: np.random.Generator) -> BoolArray:
    """Mark whole units, of each class as many rows as are due, the rarest class first."""
    _, unit = np.unique(units, return_inverse=True)
    n_units, n_classes = unit.max() + 1, y.max() + 1
    counts = np.bincount(unit * n_classes + y, minlength=n_units * n_classes)
    counts = counts.reshape(n_units, n_classes)
    due = np.maximum(np.rint(share * counts.sum(axis=0)), 1).astype(np.intp)
    rarest_first = np.argsort(counts.sum(axis=0), kind="stable")
    # A unit that holds several classes counts as one of the rarest.
    stratum = rarest_first[(counts[:, rarest_first] > 0).argmax(axis=1)]
    # Many copies under one label, with a few under another, would be too many of the first.
    fits = (counts <= due).all(axis=1)
    aside = np.zeros(n_units, dtype=bool)
    for code in rarest_first:
        members = rng.permutation(np.flatnonzero(stratum == code))
        most = max(len(members) - MIN_LEFT, len(members) // 2)
        able = members[fits[members]]
        has = int(counts[aside, code].sum())
        drawn = able[_fill(counts[able, code], due[code] - has)]
        if not has and not len(drawn):
            drawn = members[counts[members].sum(axis=1).argsort()[:1]]
        aside[drawn[:most]] = True
    return aside[unit]


def _fill(sizes: IntArray, due: int) -> IntArray:
    """Choose units, one after the other, that fit into the rows that are due."""
    drawn = [np.empty(0, dtype=np.intp)]
    left = np.arange(len(sizes))
    while len(left := left[sizes[left] <= due]):
        total = np.cumsum(sizes[left])
        n = int(np.searchsorted(total, due, side="right"))
        drawn.append(left[:n])
        due, left = due - int(total[n - 1]), left[n:]
    return np.concatenate(drawn)


def _lacking(dataset: Dataset, found: Aside) -> tuple[int, str] | None:
    """Name a class that is not on both sides, and the side that lacks it."""
    sides = {"aside": found.aside, "to fit on": found.kept}
    for name, rows in sides.items():
        counts = np.bincount(dataset.y[rows], minlength=dataset.n_classes)
        if not counts.all():
            return int(counts.argmin()), name
    return None


def _checked(dataset: Dataset, found: Aside, share: float) -> Aside:
    lacking = _lacking(dataset, found)
    if lacking is None:
        return found
    code, side = lacking
    label = f"{str(dataset.labels.by_code[code])!r}"
    raise DataError(
        f"--holdout {share:g} leaves no row of class {label} {side}: {_why(dataset, code)}, or "
        "give rows of their own by --test FILE."
    )


def _why(dataset: Dataset, code: int) -> str:
    """Say what keeps a class on one side, and what to do."""
    rows: AnyArray = dataset.y == code
    if dataset.times is not None:
        return (
            f"rows are kept aside from a time of '{dataset.time_column}' on, and none that belongs "
            "together with them is fitted on. Ask for another share"
        )
    n, n_units = int(rows.sum()), len(np.unique(dataset.units[rows]))
    where = f" in {n_units} group{'s' * (n_units > 1)} of '{dataset.group_column}'"
    if dataset.groups is None:
        where = f", copies of {n_units}" if n_units < n else ""
    return f"it has {n} row{'s' * (n > 1)}{where}. Collect more, leave that class out"
