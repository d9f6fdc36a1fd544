"""What single columns and one straight line say about a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import rankdata

from autoimb.arrays import AnyArray, BoolArray, FloatArray, IntArray
from autoimb.profiling.measures import Estimate, undefined

__all__ = [
    "Sample",
    "describe_columns",
    "fisher_direction",
    "fisher_ratio",
    "overlap_coefficients",
    "spread_over_groups",
    "univariate_auc",
]

N_BINS = 32
MINORITY_ROWS_A_BIN = 10
OVERLAPPING = 0.9
RIDGE = 1e-9
N_GROUPS = 5
STUDENT_95_OF_4 = 2.776445


@dataclass(frozen=True)
class Sample:
    """Rows drawn from a class and from the rest.

    Attributes
    ----------
    X : ndarray of shape (n_used, n_features)
        As the dataset holds them, categories as codes.
    Z : ndarray of shape (n_used, n_columns)
        The same rows, encoded for distances.
    is_member : ndarray of shape (n_used,)
    is_categorical : ndarray of shape (n_features,)
    share : float
        Of the class in the whole table.
    """

    X: FloatArray
    Z: FloatArray
    is_member: BoolArray
    is_categorical: BoolArray
    share: float

    def part(self, rows: IntArray) -> Sample:
        """Take some of the rows."""
        return Sample(
            self.X[rows], self.Z[rows], self.is_member[rows], self.is_categorical, self.share
        )

    @cached_property
    def places(self) -> FloatArray:
        """Share of the rest below each number, and of the class; half of those at it count.

        Of shape (2, n_used, n_numbers).
        """
        numbers = np.ascontiguousarray(self.X[:, ~self.is_categorical].T)
        numbers[np.isnan(numbers)] = np.inf
        filled = np.isfinite(numbers)
        order = np.argsort(numbers, axis=1)
        below = _count_below(np.take_along_axis(numbers, order, axis=1), self.is_member[order])
        places = np.empty((2, *numbers.shape))
        for which in (0, 1):
            n = np.maximum(filled[:, self.is_member == bool(which)].sum(axis=1), 1)
            np.put_along_axis(places[which], order, below[which] / n[:, None], axis=1)
        return places.transpose(0, 2, 1)

    @cached_property
    def bins(self) -> IntArray:
        """Numbers by quantiles of both classes weighted alike, categories by level, gaps last.

        Ten rows of the class in each bin on average: with fewer, chance alone would make the
        classes look apart. An even number of bins parts classes that are apart.
        """
        gaps = np.isnan(self.X)
        n_bins = 2 * np.clip(self.is_member.sum() // (2 * MINORITY_ROWS_A_BIN), 1, N_BINS // 2)
        bins = np.minimum(self.X, N_BINS - 1)
        bins[:, ~self.is_categorical] = np.floor(self.places.mean(axis=0) * n_bins)
        return np.where(gaps, N_BINS, np.minimum(bins, N_BINS - 1)).astype(np.intp)


def describe_columns(
    sample: Sample, overlaps: FloatArray, auc: FloatArray, is_whole: BoolArray
) -> dict[str, Estimate]:
    """Measure a class column by column.

    Parameters
    ----------
    sample : Sample
    overlaps, auc : ndarray of shape (n_features,)
        As `overlap_coefficients` and `univariate_auc` give them.
    is_whole : ndarray of shape (2,)
        Whether all others, and all rows of the class, are in the sample: if so, there is no
        interval due to the choice.

    Returns
    -------
    dict of str to Estimate
    """

    def measure(rows: IntArray) -> dict[str, float]:
        part = sample.part(rows)
        return _sum_up(part, overlap_coefficients(part), univariate_auc(part))

    all_used = bool(is_whole.all())
    widths = {} if all_used else spread_over_groups(measure, sample.is_member, is_whole)
    n, n_columns = len(sample.is_member), sample.Z.shape[1]
    estimates = {
        name: Estimate(value, widths.get(name, 0.0), n)
        for name, value in _sum_up(sample, overlaps, auc).items()
    }
    if n_columns + 2 >= n:
        why = f"{n_columns} encoded columns and {n} rows: any labels could be told apart"
        estimates["fisher_f1v"] = undefined(why)
    return {"fisher_f1v": undefined("a class of one row has no spread"), **estimates}


def _sum_up(sample: Sample, overlaps: FloatArray, auc: FloatArray) -> dict[str, float]:
    found = {
        "ovl_min": float(overlaps.min()),
        "ovl_mean": float(overlaps.mean()),
        "informative_share": float((overlaps < OVERLAPPING - _chance_shortfall(sample)).mean()),
        "auc_max": float(np.maximum(auc, 1 - auc).max()),
    }
    n, n_members = len(sample.is_member), int(sample.is_member.sum())
    if min(n_members, n - n_members) > 1 and sample.Z.shape[1] + 2 < n:
        found["fisher_f1v"] = fisher_direction(sample.Z, sample.is_member, sample.share)
    return found


def spread_over_groups(
    measure: Callable[[IntArray], Mapping[str, float]], strata: AnyArray, is_whole: AnyArray
) -> dict[str, float]:
    """Give half-widths of 95 % intervals from five parts of a sample.

    Parameters
    ----------
    measure : callable
        Gives values by name, of the rows whose places it is given.
    strata : ndarray of shape (n_used,)
        What was drawn from, as codes.
    is_whole : ndarray of shape (n_strata,)
        Of which strata every row was drawn: these are in every part, the others are dealt out.

    Returns
    -------
    dict of str to float
    """
    place = np.empty(len(strata), dtype=np.intp)
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        place[rows] = np.arange(len(rows)) % N_GROUPS
    stays = np.asarray(is_whole)[np.asarray(strata, dtype=np.intp)]
    parts = [measure(np.flatnonzero(stays | (place == g))) for g in range(N_GROUPS)]
    return {
        name: float(np.std([part[name] for part in parts], ddof=1))
        * STUDENT_95_OF_4
        / np.sqrt(N_GROUPS)
        for name in parts[0]
        if all(name in part for part in parts)
    }


def fisher_ratio(Z: FloatArray, y: IntArray, sizes: IntArray) -> float:
    """Compute F1, the discriminant ratio of the best column.

    Parameters
    ----------
    Z : ndarray of shape (n_used, n_columns)
    y : ndarray of shape (n_used,)
        Class codes.
    sizes : ndarray of shape (n_classes,)
        Rows of each class in the whole table, of which `Z` may be a part.

    Returns
    -------
    float
        1 / (1 + max r_f), from 0 (some column tells the classes apart) to 1.

    Examples
    --------
    >>> fisher_ratio(np.array([[0.0], [2.0], [4.0], [6.0]]), np.array([0, 0, 1, 1]),
    ...              np.array([2, 2]))
    0.2
    """
    means = np.array([Z[y == c].mean(axis=0) for c in range(len(sizes))])
    within = sum(n * Z[y == c].var(axis=0) for c, n in enumerate(sizes))
    between = sizes @ (means - sizes @ means / sizes.sum()) ** 2
    # A column without spread inside the classes tells them apart, or is constant.
    ratio = np.divide(between, within, out=np.zeros_like(between), where=within > 0)
    ratio[(within == 0) & (between > 0)] = np.inf
    return float(1 / (1 + ratio.max()))


def fisher_direction(Z: FloatArray, is_member: BoolArray, share: float) -> float:
    """Compute F1v, the discriminant ratio along Fisher's direction.

    Parameters
    ----------
    Z : ndarray of shape (n_used, n_columns)
    is_member : ndarray of shape (n_used,)
        At least two rows of the class and two others.
    share : float
        Of the class in the whole table.

    Returns
    -------
    float
        From 0 (a hyperplane tells the classes apart) to 1.

    Examples
    --------
    >>> Z = np.array([[0.0], [2.0], [4.0], [6.0]])
    >>> round(fisher_direction(Z, np.array([False, False, True, True]), 0.5), 4)
    0.1111
    """
    members, others = Z[is_member], Z[~is_member]
    gap = members.mean(axis=0) - others.mean(axis=0)
    pooled = share * np.cov(members.T) + (1 - share) * np.cov(others.T)
    pooled = np.atleast_2d(pooled)
    pooled[np.diag_indices_from(pooled)] += RIDGE * (np.trace(pooled) / len(gap) or 1.0)
    return float(1 / (1 + gap @ np.linalg.solve(pooled, gap)))


def overlap_coefficients(sample: Sample) -> FloatArray:
    """Compute the overlap coefficient of every feature.

    Parameters
    ----------
    sample : Sample

    Returns
    -------
    ndarray of shape (n_features,)
        From 0 (apart) to 1 (the same distribution).
    """
    rest, minority = _bin_shares(sample)
    return np.asarray(np.minimum(rest, minority).sum(axis=1))


def _bin_shares(sample: Sample) -> tuple[FloatArray, FloatArray]:
    """Share of the rest, and of the class, in each bin (columns) of each feature (rows)."""
    n_features = sample.bins.shape[1]
    cells = sample.bins + np.arange(n_features) * (N_BINS + 1)
    rest, minority = (
        np.bincount(cells[part].ravel(), minlength=n_features * (N_BINS + 1))
        .reshape(n_features, -1) / part.sum()
        for part in (~sample.is_member, sample.is_member)
    )  # fmt: skip
    return rest, minority


def _chance_shortfall(sample: Sample) -> FloatArray:
    """Tell how far chance alone takes an overlap below 1, at so many rows of the class."""
    rest, _ = _bin_shares(sample)
    n = int(sample.is_member.sum())
    return np.asarray(np.sqrt(rest * (1 - rest) / (2 * np.pi * n)).sum(axis=1))


def univariate_auc(sample: Sample) -> FloatArray:
    """Compute the ROC AUC of every feature alone.

    Missing numbers count as the median. The levels of a category are ordered by their rate in
    the other half of the rows, so that many levels are no advantage.

    Parameters
    ----------
    sample : Sample

    Returns
    -------
    ndarray of shape (n_features,)
        Below .5 where the class has the lower values.
    """
    auc = np.full(sample.X.shape[1], 0.5)
    numbers = sample.X[:, ~sample.is_categorical]
    found = sample.places[0, sample.is_member].mean(axis=0)
    for j in np.flatnonzero(np.isnan(numbers).any(axis=0)):
        found[j] = _auc(_fill(numbers[:, j]), sample.is_member)
    auc[~sample.is_categorical] = found
    half = _halves(sample.is_member)
    for j in np.flatnonzero(sample.is_categorical):
        codes = np.where(np.isnan(sample.X[:, j]), -1, sample.X[:, j]).astype(np.intp) + 1
        sides = []
        for test in (half, ~half):
            rates = _rates(codes, sample.is_member, ~test)[codes[test]]
            sides.append(_auc(rates, sample.is_member[test]))
        auc[j] = np.mean(sides)
    return auc


def _halves(is_member: BoolArray) -> BoolArray:
    half = np.zeros(len(is_member), dtype=bool)
    for stratum in (True, False):
        half[np.flatnonzero(is_member == stratum)[::2]] = True
    return half


def _rates(codes: IntArray, is_member: BoolArray, rows: BoolArray) -> FloatArray:
    """Rate of the class at each level, drawn towards the overall rate where rows are few."""
    n = np.bincount(codes[rows], minlength=codes.max() + 1)
    members = np.bincount(codes[rows & is_member], minlength=codes.max() + 1)
    return np.asarray((members + is_member.mean()) / (n + 1))


def _fill(column: FloatArray) -> FloatArray:
    """Put the median where cells are missing; nothing but gaps is constant."""
    gaps = np.isnan(column)
    return np.where(gaps, 0.0 if gaps.all() else np.median(column[~gaps]), column)


def _count_below(values: FloatArray, is_member: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Count the others, and the members, before each of the sorted values; ties count half."""
    n = values.shape[1]
    is_first = np.ones(values.shape, dtype=bool)
    is_first[:, 1:] = values[:, 1:] != values[:, :-1]
    is_last = np.ones(values.shape, dtype=bool)
    is_last[:, :-1] = is_first[:, 1:]
    place = np.arange(n)
    first = np.maximum.accumulate(np.where(is_first, place, 0), axis=1)
    last = np.minimum.accumulate(np.where(is_last, place, n)[:, ::-1], axis=1)[:, ::-1]
    members = np.zeros((len(values), n + 1))
    np.cumsum(is_member, axis=1, out=members[:, 1:])
    before, after = (np.take_along_axis(members, i, axis=1) for i in (first, last + 1))
    members_below = (before + after) / 2
    return (first + last + 1) / 2 - members_below, members_below


def _auc(values: FloatArray, is_member: BoolArray) -> float:
    n = int(is_member.sum())
    others = len(is_member) - n
    if not n or not others:
        return 0.5
    return float((rankdata(values)[is_member].sum() - n * (n + 1) / 2) / (n * others))
