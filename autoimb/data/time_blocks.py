"""Blocks of time: the past to train on, and folds that are scored one after the other."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import BoolArray, FloatArray, IntArray

__all__ = ["MIN_TRAINED", "cut_in_time"]

# Rows of every class in whatever is trained on.
MIN_TRAINED = 2


def cut_in_time(times: FloatArray, is_rare: BoolArray, n_folds: int) -> IntArray | None:
    """Cut rows at distinct times into folds, and a block before them that is only trained on.

    Parameters
    ----------
    times : ndarray of shape (n_samples,)
    is_rare : ndarray of shape (n_samples,)
        Which rows are of the rarest class: every block holds equally many, as far as ties allow.
    n_folds : int

    Returns
    -------
    ndarray of shape (n_samples,), or None
        The fold of each row, -1 for the block before them; None where the rare rows lie at too
        few times.

    Examples
    --------
    >>> times = np.array([3.0, 1.0, 2.0, 1.0, 5.0, 4.0])
    >>> cut_in_time(times, np.ones(6, dtype=bool), 2)
    array([ 0, -1,  0, -1,  1,  1])
    """
    moments, counts = np.unique(times[is_rare], return_counts=True)
    total = np.cumsum(counts)
    wanted = total[-1] * np.arange(1, n_folds + 1) / (n_folds + 1)
    after = np.searchsorted(total, wanted)
    before = np.maximum(after - 1, 0)
    places = np.where(wanted - total[before] < total[after] - wanted, before, after)
    # One cut after the other: from the first that leaves enough to train on, to the last but one.
    first, order = int(np.searchsorted(total, MIN_TRAINED)), np.arange(n_folds)
    places = np.maximum.accumulate(np.maximum(places, first) - order) + order
    places = np.minimum(places, len(moments) - 1 - n_folds + order)
    if places[0] < first:
        return None
    return np.asarray(np.searchsorted(moments[places], times) - 1)
