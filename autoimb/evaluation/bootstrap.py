"""Bootstrap resamples of scored rows, and every metric on all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from autoimb.arrays import AnyArray, FloatArray, IntArray
from autoimb.decision.rules import PASSED_ON
from autoimb.decision.scored import Scored
from autoimb.metrics import Counts, Metric
from autoimb.rankings import Ranking

__all__ = ["Bins", "Weights", "bin_rows", "count_resamples", "draw_resamples", "score_resamples"]

# How often each row was drawn: a row for each row, a column for each resample.
Weights = NDArray[np.float32]


def draw_resamples(
    strata: IntArray | None, units: IntArray, n_resamples: int, rng: np.random.Generator
) -> Weights:
    """Draw rows with replacement, as many of each stratum as there are.

    Parameters
    ----------
    strata : ndarray of shape (n_samples,) or None
        Class codes; None draws from all rows alike, for another sample would not have as many
        of each class.
    units : ndarray of shape (n_samples,)
        Rows of one unit are drawn together, as often as it is; a unit that holds several strata
        counts as one of the rarest.
    n_resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_samples, n_resamples), float32
        How often each row is drawn.

    Examples
    --------
    >>> y = np.array([0, 0, 0, 1, 1])
    >>> drawn = draw_resamples(y, np.arange(5), 3, np.random.default_rng(0))
    >>> drawn[y == 0].sum(axis=0), drawn[y == 1].sum(axis=0)
    (array([3., 3., 3.], dtype=float32), array([2., 2., 2.], dtype=float32))
    """
    _, unit = np.unique(units, return_inverse=True)
    stratum = np.zeros(unit.max() + 1, dtype=np.intp)
    if strata is not None:
        for code in np.argsort(-np.bincount(strata), kind="stable"):
            stratum[unit[strata == code]] = code
    drawn = np.zeros((len(stratum), n_resamples), dtype=np.float32)
    for code in np.unique(stratum):
        members = np.flatnonzero(stratum == code)
        n = len(members)
        places = rng.integers(0, n, (n_resamples, n)) + n * np.arange(n_resamples)[:, None]
        drawn[members] = np.bincount(places.ravel(), minlength=n * n_resamples).reshape(-1, n).T
    return drawn if len(drawn) == len(units) and (unit[1:] > unit[:-1]).all() else drawn[unit]


@dataclass(frozen=True)
class Bins:
    """Rows in the order of a score, in no more bins than it takes to rank any resample of them.

    Attributes
    ----------
    members : sparse array of shape (2 * n_bins, n_samples)
        Which rows lie in each bin, the highest first: the positives, then the others.
    lowest : ndarray of shape (n_bins,)
        Score of the last row of each.
    """

    members: csr_array
    lowest: FloatArray

    def rank(self, weights: AnyArray) -> Ranking:
        """Rank the rows of every resample.

        Parameters
        ----------
        weights : ndarray of shape (n_samples, n_resamples)

        Returns
        -------
        Ranking
            Of shape (n_bins, n_resamples).
        """
        positive, negative = np.split(self.members @ weights, 2)
        hits = np.cumsum(positive, axis=0)
        return Ranking(hits, hits + np.cumsum(negative, axis=0))


def bin_rows(is_positive: IntArray, score: FloatArray, max_bins: int | None = None) -> Bins:
    """Put rows into bins between the scores that positives have.

    Where a row of one class follows one of the same, no threshold between them is ever the best,
    nor does the place of either among the others of its class change a curve. So a bin ends with
    each score that positives have, and one before it.

    Parameters
    ----------
    is_positive : ndarray of shape (n_samples,)
        1 for the positive class, else 0.
    score : ndarray of shape (n_samples,)
    max_bins : int, optional
        More are thinned out: then rows of nearly equal score count as tied.

    Returns
    -------
    Bins

    Examples
    --------
    >>> found = bin_rows(np.array([0, 1, 0, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4, 0.5]))
    >>> found.rank(np.ones((5, 1))).rows[:, 0]
    array([1., 3., 4., 5.])
    """
    order = np.argsort(-score)
    falling = score[order]
    last = np.flatnonzero(np.append(np.diff(falling) != 0, True))
    holds_positive = np.diff(np.cumsum(is_positive[order])[last], prepend=0) > 0
    ends = holds_positive | np.append(holds_positive[1:], True)
    kept = last[ends]
    if max_bins is not None and len(kept) > max_bins:
        kept = kept[np.unique(np.linspace(0, len(kept) - 1, max_bins).astype(int))]
        kept[-1] = last[-1]
    positive = is_positive[order] == 1
    n_positive = np.cumsum(positive)[kept]
    ends = np.concatenate([[0], n_positive, n_positive[-1] + kept + 1 - n_positive])
    members = _gather(np.concatenate([order[positive], order[~positive]]), ends)
    return Bins(members, falling[kept])


def _gather(rows: IntArray, ends: IntArray) -> csr_array:
    """Make the array that sums rows up, each group those from one end to the next."""
    ones = np.ones(len(rows), dtype=np.float32)
    return csr_array((ones, rows, ends), (len(ends) - 1, len(rows)))


def count_resamples(y: IntArray, codes: IntArray, n_classes: int, weights: Weights) -> Counts:
    """Count the rows of every resample that a class was decided for.

    Parameters
    ----------
    y, codes : ndarray of shape (n_samples,)
        True and decided class codes.
    n_classes : int
    weights : ndarray of shape (n_samples, n_resamples)

    Returns
    -------
    Counts
        Of shape (n_resamples, n_classes).

    Examples
    --------
    >>> drawn = np.array([[1, 0], [1, 2], [1, 1]], dtype=np.float32)
    >>> count_resamples(np.array([0, 1, 1]), np.array([0, 1, 0]), 2, drawn).correct
    array([[1., 1.],
           [0., 2.]])
    """
    cell = np.where(codes == PASSED_ON, n_classes**2, n_classes * y + codes)
    ends = np.append(0, np.cumsum(np.bincount(cell, minlength=n_classes**2 + 1)))
    cells = (_gather(np.argsort(cell), ends) @ weights)[:-1].astype(float)
    table = cells.reshape(n_classes, n_classes, -1)
    return Counts(table.sum(axis=1).T, table.sum(axis=0).T, np.einsum("kkb->bk", table))


def score_resamples(
    metric: Metric, scored: Scored, proba: FloatArray, codes: IntArray, weights: Weights
) -> FloatArray:
    """Score every resample by one metric.

    Parameters
    ----------
    metric : Metric
    scored : Scored
        Whose probabilities rank the rows.
    proba : ndarray of shape (n_samples, n_classes)
        Calibrated, for losses.
    codes : ndarray of shape (n_samples,)
        Decided.
    weights : ndarray of shape (n_samples, n_resamples)

    Returns
    -------
    ndarray of shape (n_resamples,)

    Examples
    --------
    >>> from autoimb.metrics import METRICS
    >>> y, p = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.8])
    >>> scored = Scored(y, np.column_stack([1 - p, p]))
    >>> drawn = np.array([[1, 2], [1, 0], [1, 1], [1, 1]], dtype=np.float32)
    >>> score_resamples(METRICS["roc_auc"], scored, scored.proba, y, drawn)
    array([0.75, 1.  ])
    """
    if metric.of_ranking is not None:
        sizes = np.bincount(scored.y, minlength=scored.n_classes)
        classes = metric.ranked_classes(sizes)
        bins = (bin_rows((scored.y == k).astype(int), scored.proba[:, k]) for k in classes)
        values = [metric.of_ranking(each.rank(weights)) for each in bins]
        return _mean_of_classes(metric, values, sizes[classes].tolist(), weights.shape[1])
    if metric.of_rows is not None:
        lost = metric.of_rows(scored.y, proba).astype(np.float32)
        return np.asarray(lost @ weights / weights.sum(axis=0), dtype=float)
    return np.asarray(metric.of_counts(count_resamples(scored.y, codes, scored.n_classes, weights)))


def _mean_of_classes(
    metric: Metric, values: Sequence[FloatArray], sizes: Sequence[int], n_resamples: int
) -> FloatArray:
    if not values:
        return np.full(n_resamples, np.nan)
    return np.asarray(metric.mean_of_classes(values, sizes), dtype=float)
