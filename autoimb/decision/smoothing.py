"""Labels leant towards calibrated probabilities, so that a threshold is not won by luck."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.calibration import LogisticCurve

__all__ = ["PSEUDO_POSITIVES", "smooth_labels"]

# The calibrated curve counts as much as this many positives; benchmarks/threshold.py measures it.
PSEUDO_POSITIVES = 200
# Below this share the fit is not worth its time.
MIN_SHARE = 0.05


def smooth_labels(y: IntArray, score: FloatArray) -> FloatArray:
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

    Returns
    -------
    ndarray of shape (n_samples,)
        In [0, 1]; the labels themselves where the score tells nothing or positives abound.

    Examples
    --------
    >>> y, score = np.array([0, 0, 1, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.6, 0.8, 0.9])
    >>> smooth_labels(y, score).round(1)
    array([0.1, 0.2, 0.3, 0.6, 0.8, 0.9])
    """
    share = PSEUDO_POSITIVES / (PSEUDO_POSITIVES + float(np.sum(y)))
    curve = LogisticCurve.fit(y, score) if share >= MIN_SHARE else None
    if curve is None or not curve.slope:
        return np.asarray(y, dtype=float)
    return (1 - share) * y + share * curve(score)
