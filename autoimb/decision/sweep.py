"""Every threshold of a binary score at once, by one sort."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.metrics import Counts

__all__ = ["Sweep", "between", "make_counts", "sweep_corners", "sweep_thresholds"]


@dataclass(frozen=True)
class Sweep:
    """The counts that thresholds give.

    Attributes
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Falling; a row is positive when its score is at least the threshold. The first is
        above every score. Others lie half-way between two neighbouring scores.
    counts : Counts
        Of both classes, arrays of shape (n_thresholds, 2).
    """

    thresholds: FloatArray
    counts: Counts


def sweep_thresholds(y: IntArray, score: FloatArray) -> Sweep:
    """Count what each distinct threshold would predict.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1 for the positive class, else 0.
    score : ndarray of shape (n_samples,)
        Greater means more likely positive; tied rows are decided together.

    Returns
    -------
    Sweep

    Examples
    --------
    >>> import numpy as np
    >>> found = sweep_thresholds(np.array([0, 1, 1]), np.array([0.2, 0.6, 0.6]))
    >>> found.thresholds.round(2)
    array([0.6, 0.4, 0.1])
    >>> found.counts.correct[:, 1]
    array([0., 2., 2.])
    """
    order = np.argsort(-score, kind="stable")
    falling = np.asarray(score, dtype=float)[order]
    last_of_tie = np.flatnonzero(np.append(np.diff(falling) != 0, True))
    hits = np.append(0, np.cumsum(y[order])[last_of_tie])
    false = np.append(0, last_of_tie + 1) - hits
    ends = np.append(falling[last_of_tie], falling[-1] - abs(falling[-1]))
    return Sweep(
        np.append(_above(falling[0]), between(ends[:-1], ends[1:])),
        make_counts(hits, false, hits[-1], false[-1]),
    )


def sweep_corners(y: IntArray, score: FloatArray) -> Sweep:
    """Count only what thresholds predict that no other surpasses in both classes at once.

    Such a threshold lies just below a positive, with a negative between it and the positive that
    follows: a metric that rewards every hit and punishes every false alarm has its best among
    them. Sorting each class by itself and looking the positives up among the negatives finds them
    in hardly more time than the sort.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1 for the positive class, else 0.
    score : ndarray of shape (n_samples,), float32 or float64
        Single precision is sorted in half the time.

    Returns
    -------
    Sweep
        First the threshold above every score, last the one below.

    Examples
    --------
    >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    >>> found = sweep_corners(np.array([0, 0, 1, 0, 1, 1]), p)
    >>> found.thresholds.round(2)
    array([0.6 , 0.45, 0.25, 0.05])
    """
    is_positive = np.asarray(y) == 1
    positives, negatives = score[is_positive], score[~is_positive]
    positives.sort()
    negatives.sort()
    lowest_of_tie = np.flatnonzero(np.append(True, np.diff(positives) > 0)[: len(positives)])
    n_below = np.searchsorted(negatives, positives[lowest_of_tie])
    is_corner = np.diff(n_below, prepend=0) > 0
    at, n_below = lowest_of_tie[is_corner][::-1], n_below[is_corner][::-1]
    lowest = min(float(each[0]) for each in (positives, negatives) if len(each))
    highest = max(each[-1] for each in (positives, negatives) if len(each))
    upper = np.append(positives[at], score.dtype.type(lowest))
    lower = np.append(negatives[n_below - 1], score.dtype.type(lowest - abs(lowest)))
    n_negative, n_positive = len(negatives), len(positives)
    hits = np.concatenate([[0], n_positive - at, [n_positive]])
    false = np.concatenate([[0], n_negative - n_below, [n_negative]])
    return Sweep(
        np.append(_above(highest), between(upper, lower)),
        make_counts(hits, false, n_positive, n_negative),
    )


def _above(highest: np.floating) -> float:
    """Return the next number of the same precision: nearer to the scores than any other."""
    return float(np.nextafter(highest, highest.dtype.type(np.inf)))


def between(upper: FloatArray, lower: FloatArray) -> FloatArray:
    """Halve the way; between neighbouring floats the upper one itself separates them."""
    middles = (upper + lower) / upper.dtype.type(2)
    return np.where(middles > lower, middles, upper).astype(float)


def make_counts(
    hits: FloatArray | IntArray, false: FloatArray | IntArray, n_positive: float, n_negative: float
) -> Counts:
    """Put hits and false alarms of several thresholds in the form that metrics read."""
    rejected = np.maximum(n_negative - false, 0.0)
    missed = np.maximum(n_positive - hits, 0.0)
    return Counts(
        true=np.broadcast_to([float(n_negative), float(n_positive)], (len(hits), 2)),
        predicted=np.column_stack([rejected + missed, hits + false]).astype(float),
        correct=np.column_stack([rejected, hits]).astype(float),
    )
