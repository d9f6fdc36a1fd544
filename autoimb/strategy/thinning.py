"""Train on every row of the rare classes and on some of the frequent ones."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import FloatArray, IntArray

__all__ = ["thin"]


def thin(y: IntArray, max_rows: int, seed: int) -> tuple[IntArray, FloatArray]:
    """Choose rows so that the frequent classes are cut to one common size, the rest kept whole.

    The rarest class is never cut. A larger `max_rows` keeps what a smaller one does.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes; every code up to the largest occurs.
    max_rows : int
        At most so many, unless every class would become smaller than the rarest.
    seed : int

    Returns
    -------
    rows : ndarray of shape (n_kept,)
        In increasing order.
    rates : ndarray of shape (n_classes,)
        Share of each class that is kept, in (0, 1].

    Examples
    --------
    >>> y = np.array([0] * 90 + [1] * 10)
    >>> rows, rates = thin(y, 40, seed=0)
    >>> len(rows), rates.round(3)
    (40, array([0.333, 1.   ]))
    """
    sizes = np.bincount(y)
    limit = max(_common_size(sizes, max_rows), int(sizes.min()))
    kept = []
    for code, size in enumerate(sizes):
        rows, rng = np.flatnonzero(y == code), np.random.default_rng([seed, code])
        kept.append(rows if size <= limit else rng.permutation(rows)[:limit])
    return np.sort(np.concatenate(kept)), np.minimum(limit / sizes, 1.0)


def _common_size(sizes: IntArray, max_rows: int) -> int:
    """Find the size to which the largest classes are cut so that `max_rows` are left in all."""
    left = max_rows
    ordered = np.sort(sizes)
    for place, size in enumerate(ordered):
        share = left // (len(ordered) - place)
        if size > share:
            return int(share)
        left -= int(size)
    return int(ordered[-1])
