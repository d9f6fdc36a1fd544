"""What a rate that was counted on some rows promises for others."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, betaincinv, ndtri

from autoimb.arrays import FloatArray

__all__ = ["expected_below", "lower_bound", "rows_for_bound", "surety"]


def lower_bound(hits: FloatArray, n: FloatArray, confidence: float) -> FloatArray:
    """Bound a rate from below (Clopper and Pearson 1934).

    Parameters
    ----------
    hits, n : ndarray of shape (n_rates,)
        Hits, and rows that they were counted on; either may be a fraction.
    confidence : float
        That the rate is not below, in (0, 1).

    Returns
    -------
    ndarray of shape (n_rates,)

    Examples
    --------
    >>> lower_bound(np.array([9.0, 90.0, 0.0]), np.array([10.0, 100.0, 10.0]), 0.9).round(2)
    array([0.66, 0.85, 0.  ])
    """
    hits, n = np.asarray(hits, dtype=float), np.asarray(n, dtype=float)
    some = hits > 0
    found = betaincinv(np.where(some, hits, 1.0), np.where(some, n - hits, 0.0) + 1, 1 - confidence)
    return np.asarray(np.where(some, found, 0.0))


def surety(hits: FloatArray, n: FloatArray, floor: float) -> FloatArray:
    """Say how sure it is that rates are not below a floor: the confidence at which they reach it.

    Parameters
    ----------
    hits, n : ndarray of shape (n_rates,)
    floor : float
        In (0, 1).

    Returns
    -------
    ndarray of shape (n_rates,)
        `lower_bound` at this confidence is the floor.

    Examples
    --------
    >>> surety(np.array([9.0, 90.0, 0.0]), np.array([10.0, 100.0, 0.0]), 0.8).round(3)
    array([0.624, 0.994, 0.   ])
    """
    hits, n = np.asarray(hits, dtype=float), np.asarray(n, dtype=float)
    some = hits > 0
    found = np.zeros(hits.shape)
    found[some] = 1.0 - betainc(hits[some], np.maximum(n[some] - hits[some], 0.0) + 1, floor)
    return found


def expected_below(hits: FloatArray, n: FloatArray, floor: float) -> FloatArray:
    """Expect a rate where it is below a floor, and nothing where it is not.

    Parameters
    ----------
    hits, n : ndarray of shape (n_rates,)
    floor : float
        In (0, 1).

    Returns
    -------
    ndarray of shape (n_rates,)
        By the distribution whose quantiles `lower_bound` takes; 0 without a hit.

    Examples
    --------
    >>> expected_below(np.array([9.0, 90.0, 0.0]), np.array([10.0, 100.0, 0.0]), 0.95).round(2)
    array([0.73, 0.88, 0.  ])
    """
    hits, n = np.asarray(hits, dtype=float), np.asarray(n, dtype=float)
    some = hits > 0
    a, b = np.where(some, hits, 1.0), np.maximum(n - hits, 0.0) + 1
    return np.asarray(np.where(some, a / (a + b) * betainc(a + 1, b, floor), 0.0))


def rows_for_bound(rate: float, floor: float, confidence: float) -> float:
    """Say on how many rows a rate has to be counted for its bound to reach a floor.

    Parameters
    ----------
    rate : float
        As it was found.
    floor, confidence : float

    Returns
    -------
    float
        May be a fraction; infinite if the rate is not above the floor.

    Examples
    --------
    >>> round(rows_for_bound(1.0, 0.95, 0.9), 1), round(rows_for_bound(0.97, 0.95, 0.9))
    (44.9, 232)
    """
    from scipy.optimize import brentq  # whose import takes some tenths of a second

    if rate <= floor:
        return float("inf")
    perfect = np.log(1 - confidence) / np.log(floor)
    if rate >= 1:
        return float(perfect)

    def lacking(n: float) -> float:
        return float(surety(np.array([n * rate]), np.array([n]), floor)[0]) - confidence

    normal = (ndtri(max(confidence, 0.5)) / (rate - floor)) ** 2 * floor * (1 - floor)
    most = 10 * (perfect + normal)
    while lacking(most) < 0:
        most *= 2
    return float(brentq(lacking, perfect, most))
