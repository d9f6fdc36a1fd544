"""Every threshold of a binary score at once, by one sort."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoimb.arrays import AnyArray, FloatArray, IntArray
from autoimb.metrics import Counts

__all__ = ["Sweep", "sweep_corners", "sweep_masses", "sweep_thresholds"]


@dataclass(frozen=True)
class Sweep:
    """The counts that every possible threshold gives.

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


def sweep_thresholds(y: IntArray | FloatArray, score: FloatArray) -> Sweep:
    """Count what each distinct threshold would predict.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1 for the positive class, else 0; shares in between are counted as such.
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
    array([1.6, 0.4, 0.1])
    >>> found.counts.correct[:, 1]
    array([0., 2., 2.])
    """
    positive = np.asarray(y, dtype=float)
    return sweep_masses(score, 1.0 - positive, positive)


def sweep_masses(score: FloatArray, negative: FloatArray, positive: FloatArray) -> Sweep:
    """Sum what each distinct threshold would flag, where rows count more or less than one.

    Parameters
    ----------
    score : ndarray of shape (n_samples,)
    negative, positive : ndarray of shape (n_samples,)
        What of each row is of either class, at least 0.

    Returns
    -------
    Sweep
        Its counts are the sums.

    Examples
    --------
    >>> found = sweep_masses(np.array([0.2, 0.6]), np.array([1.0, 0.0]), np.array([0.0, 250.0]))
    >>> found.counts.correct[:, 1]
    array([  0., 250., 250.])
    """
    order = np.argsort(-score, kind="stable")
    falling = np.asarray(score, dtype=float)[order]
    last_of_tie = np.flatnonzero(np.append(np.diff(falling) != 0, True))
    hits = np.append(0.0, np.cumsum(positive[order])[last_of_tie])
    false = np.append(0.0, np.cumsum(negative[order])[last_of_tie])
    return Sweep(_between(falling[last_of_tie]), _counts(hits, false, hits[-1], false[-1]))


def sweep_corners(y: IntArray, score: FloatArray) -> Sweep:
    """Count only what thresholds predict that no other surpasses in both classes at once.

    Below any of them comes a negative, above it a positive: a metric that rewards every hit and
    punishes every false alarm has its best threshold among them. One sort of the scores, each with
    its label as last bit, finds them in a fraction of the time that all thresholds take.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1 for the positive class, else 0.
    score : ndarray of shape (n_samples,), float32 or float64
        At least 0; single precision is sorted in half the time.

    Returns
    -------
    Sweep
        First the threshold above every score, last the one below.

    Examples
    --------
    >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    >>> found = sweep_corners(np.array([0, 0, 1, 0, 1, 1]), p)
    >>> found.thresholds.round(2)
    array([1.6 , 0.45, 0.25, 0.05])
    """
    whole = np.dtype(np.uint32 if score.dtype == np.float32 else np.uint64)
    one = whole.type(1)
    # Floats that are not negative are ordered as their bits are; + 0 turns -0.0 into 0.0.
    keys: AnyArray = (score + score.dtype.type(0)).view(whole)
    np.left_shift(keys, one, out=keys)
    np.bitwise_or(keys, y.astype(whole), out=keys)
    keys.sort()
    positives = np.flatnonzero(np.bitwise_and(keys, one))
    n, n_positive = len(keys), len(positives)
    cuts = _corner_cuts(keys, positives)
    at = np.append(cuts, 0)
    hits = n_positive - np.searchsorted(positives, at)
    scores = (keys[np.concatenate([at, cuts - 1, [n - 1]])] >> one).view(score.dtype)
    ends, lower, highest = np.split(scores.astype(float), [len(at), len(at) + len(cuts)])
    lower = np.append(lower, ends[-1] - abs(ends[-1]))
    middles = (ends + lower) / 2
    thresholds = np.append(highest + 1.0, np.where(middles > lower, middles, ends))
    counts = _counts(np.append(0, hits), np.append(0, n - at - hits), n_positive, n - n_positive)
    return Sweep(thresholds, counts)


def _corner_cuts(keys: AnyArray, positives: IntArray) -> IntArray:
    """Find, in falling order, before which places of the sorted keys a corner may lie.

    That is where a negative is followed by a positive, or the ends of the tie that they share.
    """
    if not len(positives):
        return positives
    follows = np.diff(positives, prepend=-1) > 1
    turns = positives[follows]
    one = keys.dtype.type(1)
    tied = turns[keys[turns - 1] >> one == keys[turns] >> one]
    parted = turns[keys[turns - 1] >> one != keys[turns] >> one]
    starts = np.searchsorted(keys, keys[tied] & ~one)
    stops = np.searchsorted(keys, keys[tied] | one, side="right")
    cuts = np.unique(np.concatenate([parted, starts, stops]))
    return cuts[(cuts > 0) & (cuts < len(keys))][::-1]


def _between(falling: FloatArray) -> FloatArray:
    """Put thresholds half-way between distinct scores, one above all and one below."""
    ends = np.append(falling, falling[-1] - abs(falling[-1]))
    middles = (ends[:-1] + ends[1:]) / 2
    # Between neighbouring floats there is no middle: the upper one itself separates them.
    return np.append(falling[0] + 1.0, np.where(middles > ends[1:], middles, ends[:-1]))


def _counts(
    hits: FloatArray | IntArray, false: FloatArray | IntArray, n_positive: float, n_negative: float
) -> Counts:
    rejected = np.maximum(n_negative - false, 0.0)
    missed = np.maximum(n_positive - hits, 0.0)
    return Counts(
        true=np.broadcast_to([float(n_negative), float(n_positive)], (len(hits), 2)),
        predicted=np.column_stack([rejected + missed, hits + false]).astype(float),
        correct=np.column_stack([rejected, hits]).astype(float),
    )
