"""Choosing rows, and how far what they say may be off."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import AnyArray, IntArray
from autoimb.profiling.measures import Estimate

__all__ = ["NORMAL_95", "mean_estimate", "share_estimate", "thin"]

NORMAL_95 = 1.959964


def thin(rows: IntArray, n_most: int, rng: np.random.Generator) -> IntArray:
    """Choose at most so many rows at random, in order.

    Examples
    --------
    >>> thin(np.arange(3), 5, np.random.default_rng(0))
    array([0, 1, 2])
    """
    if len(rows) <= n_most:
        return rows
    return np.sort(rng.choice(rows, n_most, replace=False))


def share_estimate(found: AnyArray, n_all: int) -> Estimate:
    """Estimate a share from a random part of `n_all` rows, without replacement.

    Parameters
    ----------
    found : ndarray of bool of shape (n_used,)
    n_all : int

    Returns
    -------
    Estimate
        Half-width 1.96 sqrt(p (1 - p) / m (1 - m / n_all)).

    Examples
    --------
    >>> share_estimate(np.array([True, False]), 2).half_width
    0.0
    """
    return mean_estimate(found.astype(float), n_all)


def mean_estimate(values: AnyArray, n_all: int) -> Estimate:
    """Estimate a mean from a random part of `n_all` rows, without replacement."""
    m = len(values)
    spread = float(values.std()) / np.sqrt(m) * np.sqrt(max(1 - m / n_all, 0.0))
    return Estimate(float(values.mean()), float(NORMAL_95 * spread), m)
