"""Every threshold of a binary score at once, by one sort."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.metrics import Counts

__all__ = ["Sweep", "sweep_thresholds"]


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
    order = np.argsort(-score, kind="stable")
    falling = np.asarray(score, dtype=float)[order]
    last_of_tie = np.flatnonzero(np.append(np.diff(falling) != 0, True))
    predicted = np.append(0, last_of_tie + 1).astype(float)
    hits = np.append(0, np.cumsum(y[order])[last_of_tie]).astype(float)
    # The same sum as the last of `hits`: another order of adding would differ by rounding.
    n, n_positive = float(len(y)), float(hits[-1])
    ends = np.append(falling[last_of_tie], falling[-1] - abs(falling[-1]))
    middles = (ends[:-1] + ends[1:]) / 2
    # Between neighbouring floats there is no middle: the upper one itself separates them.
    thresholds = np.append(falling[0] + 1.0, np.where(middles > ends[1:], middles, ends[:-1]))
    rejected_rightly = np.maximum((n - n_positive) - (predicted - hits), 0.0)
    return Sweep(
        thresholds,
        Counts(
            true=np.broadcast_to([n - n_positive, n_positive], (len(thresholds), 2)),
            predicted=np.column_stack([n - predicted, predicted]),
            correct=np.column_stack([rejected_rightly, hits]),
        ),
    )
