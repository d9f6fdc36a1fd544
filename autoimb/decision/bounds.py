"""What a rate that was counted on some rows promises for others."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, betaincinv, ndtri

from autoimb.arrays import BoolArray, FloatArray

__all__ = ["approximate_bound", "holds", "lower_bound", "rows_for_bound"]


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


def holds(hits: FloatArray, n: FloatArray, floor: float, confidence: float) -> BoolArray:
    """Tell where `lower_bound` reaches a floor, in a fraction of its time.

    Examples
    --------
    >>> holds(np.array([9.0, 90.0]), np.array([10.0, 100.0]), 0.8, 0.9)
    array([False,  True])
    """
    hits, n = np.asarray(hits, dtype=float), np.asarray(n, dtype=float)
    found = np.zeros(len(hits), dtype=bool)
    hopeful = hits > floor * n
    found[hopeful] = betainc(hits[hopeful], n[hopeful] - hits[hopeful] + 1, floor) <= 1 - confidence
    return found


def approximate_bound(hits: FloatArray, n: FloatArray, confidence: float) -> FloatArray:
    """Bound rates from below about as `lower_bound` does, in closed form (Wilson 1927).

    Examples
    --------
    >>> approximate_bound(np.array([9.0, 90.0, 0.0]), np.array([10.0, 100.0, 0.0]), 0.9).round(2)
    array([0.72, 0.85, 0.  ])
    """
    z2, n = ndtri(confidence) ** 2, np.maximum(n, 1e-12)
    rate = hits / n
    margin = np.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n**2)))
    return np.asarray(np.maximum((rate + z2 / (2 * n) - margin) / (1 + z2 / n), 0.0))


def rows_for_bound(rate: float, floor: float, confidence: float) -> float:
    """Estimate on how many rows a rate has to be counted for its bound to reach a floor.

    Parameters
    ----------
    rate : float
        As it was found.
    floor, confidence : float

    Returns
    -------
    float
        Infinite if the rate is not above the floor.

    Examples
    --------
    >>> rows_for_bound(1.0, 0.95, 0.9), rows_for_bound(0.97, 0.95, 0.9)
    (45.0, 196.0)
    """
    if rate <= floor:
        return float("inf")
    perfect = np.log(1 - confidence) / np.log(floor)
    usual = (ndtri(confidence) / (rate - floor)) ** 2 * floor * (1 - floor)
    return float(np.ceil(max(perfect, usual)))
