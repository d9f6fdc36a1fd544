"""Metrics of a ranking, from the positives and rows at or above each of its places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray

__all__ = ["Ranking", "average_precision", "best_at_floor", "rank", "roc_auc"]


@dataclass(frozen=True)
class Ranking:
    """Rows and positives that stand at or above each place of a ranking, the highest first.

    Attributes
    ----------
    hits, rows : ndarray of shape (n_places, ...)
        Rows of equal score share one place. Further axes are those of resamples.
    """

    hits: FloatArray
    rows: FloatArray


def rank(y: IntArray, score: FloatArray) -> Ranking:
    """Rank rows by a score.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1 for the positive class, else 0.
    score : ndarray of shape (n_samples,)

    Returns
    -------
    Ranking

    Examples
    --------
    >>> rank(np.array([0, 1, 0, 1]), np.array([0.1, 0.5, 0.5, 0.9])).hits
    array([1., 2., 2.])
    """
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    return Ranking(np.cumsum(y[order])[last_of_tie].astype(float), (last_of_tie + 1).astype(float))


def average_precision(ranking: Ranking) -> FloatArray:
    """Mean precision over the positives, as scikit-learn defines it; NaN without any.

    Examples
    --------
    >>> average_precision(rank(np.array([0, 1, 0, 1]), np.array([0.1, 0.5, 0.6, 0.9])))
    array(0.83333333)
    """
    hits, rows = ranking.hits, ranking.rows
    found = np.diff(hits, axis=0, prepend=np.zeros_like(hits[:1]))
    # Where a resample holds no row above a place, it has found nothing there either.
    return _over((found * (hits / np.maximum(rows, 1e-30))).sum(axis=0), hits[-1])


def roc_auc(ranking: Ranking) -> FloatArray:
    """Share of pairs of a positive and a negative in the right order; ties count half.

    NaN where there is no pair.

    Examples
    --------
    >>> roc_auc(rank(np.array([0, 1, 0, 1]), np.array([0.1, 0.5, 0.6, 0.9])))
    array(0.75)
    """
    hits, false = ranking.hits, ranking.rows - ranking.hits
    start = np.zeros_like(hits[:1])
    below = false[-1] - false
    pairs = np.diff(hits, axis=0, prepend=start) * (
        below + np.diff(false, axis=0, prepend=start) / 2
    )
    return _over(pairs.sum(axis=0), hits[-1] * false[-1])


def _over(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Divide; NaN where there is nothing to divide by: a resample may lack a class."""
    nothing = np.full(np.shape(part), np.nan)
    return np.asarray(np.divide(part, whole, out=nothing, where=np.asarray(whole) > 0))


def best_at_floor(ranking: Ranking, floor: float, of_recall: bool) -> FloatArray:
    """Best recall at a precision (or precision at a recall) over all thresholds.

    Examples
    --------
    >>> ranking = rank(np.array([0, 1, 0, 1]), np.array([0.1, 0.5, 0.6, 0.9]))
    >>> best_at_floor(ranking, 0.9, of_recall=True)
    array(0.5)
    """
    hits, rows = ranking.hits, ranking.rows
    precision, recall = hits / np.maximum(rows, 1e-30), hits / np.maximum(hits[-1], 1)
    allowed, value = (precision, recall) if of_recall else (recall, precision)
    return np.asarray(np.where(allowed >= floor, value, 0.0).max(axis=0, initial=0.0))
