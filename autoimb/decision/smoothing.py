"""Labels leant towards calibrated probabilities, so that a threshold is not won by luck."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import AnyArray, FloatArray, IntArray
from autoimb.decision.calibration import LogisticCurve, tally_counts

__all__ = ["PSEUDO_POSITIVES", "lean_counts", "smooth_labels"]

# The calibrated curve counts as much as this many positives; benchmarks/threshold.py measures it.
PSEUDO_POSITIVES = 200
# Below this share the fit is not worth its time.
MIN_SHARE = 0.05


def smooth_labels(
    y: IntArray, score: FloatArray, pseudo_positives: float = PSEUDO_POSITIVES
) -> AnyArray:
    """Mix each label with the probability that its score was found to mean.

    A threshold that is best on the rows at hand follows single rows where positives are few.
    The expected counts of a calibrated score have no such accidents, but trust the form of the
    calibration (Lipton, Elkan and Naryanaswamy 2014 derive F1's threshold from them). The mean
    of both, weighted as if the calibration were worth `PSEUDO_POSITIVES` positives, leans on it
    where positives are few and on the rows where they are many.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1 for the positive class, else 0.
    score : ndarray of shape (n_samples,)
        Probability of the positive class, by a model that has not seen the row; it is calibrated
        here by a `LogisticCurve`.
    pseudo_positives : float
        How many positives the calibration counts as; 0 leaves the labels.

    Returns
    -------
    ndarray of shape (n_samples,)
        In [0, 1]; `y` itself where the score tells nothing or positives abound.

    Examples
    --------
    >>> y, score = np.array([0, 0, 1, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.6, 0.8, 0.9])
    >>> smooth_labels(y, score).round(1)
    array([0.1, 0.2, 0.3, 0.6, 0.8, 0.9])
    """
    ones = np.ones(len(y))
    positive = np.asarray(y, dtype=float)
    leant = lean_counts(np.asarray(score, dtype=float), ones, positive, pseudo_positives)
    return y if leant is None else leant


def lean_counts(
    score: FloatArray, n_rows: FloatArray, n_positive: FloatArray, pseudo_positives: float
) -> FloatArray | None:
    """Mix counts of positives with those that their scores lead to expect, as `smooth_labels`.

    Parameters
    ----------
    score, n_rows, n_positive : ndarray of shape (n_groups,)
        Score of each group of rows, how many they are, and how many of them are positive.
    pseudo_positives : float

    Returns
    -------
    ndarray of shape (n_groups,) or None
        None where the score tells nothing or positives abound.
    """
    share = pseudo_positives / (pseudo_positives + float(n_positive.sum()) + 1e-12)
    if share < MIN_SHARE:
        return None
    curve = LogisticCurve.fit_counts(tally_counts(score, n_rows, n_positive))
    if not curve.slope:
        return None
    return np.asarray((1 - share) * n_positive + share * n_rows * curve(score))
