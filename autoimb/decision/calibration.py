"""Curves that turn a model's scores into probabilities that can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from autoimb.arrays import FloatArray, IntArray

__all__ = ["LogisticCurve", "log_odds"]

# Log-odds beyond those of this probability tell no more.
MIN_PROBABILITY = 1e-6
# Log-odds are told apart to this much, so that a million rows make a few thousand distinct ones.
STEP = 0.005
# Just enough of a penalty that a curve exists where the classes are apart.
PENALTY = 1e-3
MAX_STEPS, TOLERANCE = 100, 1e-9


@dataclass(frozen=True)
class LogisticCurve:
    """A logistic curve over the log-odds of a score (Platt 1999).

    Attributes
    ----------
    slope : float
        At least 0: the curve never turns a ranking round.
    intercept : float

    Examples
    --------
    >>> LogisticCurve(slope=1.0, intercept=0.0)(np.array([0.2, 0.9]))
    array([0.2, 0.9])
    """

    slope: float
    intercept: float

    @classmethod
    def fit(cls, y: IntArray, score: FloatArray) -> LogisticCurve:
        """Fit a curve to scores of rows that the model has not seen.

        Parameters
        ----------
        y : ndarray of shape (n_samples,)
            1 for the positive class, else 0.
        score : ndarray of shape (n_samples,)
            Probability of the positive class, well calibrated or not.

        Returns
        -------
        LogisticCurve
            Flat at the prevalence if a higher score does not mean more positives.

        Examples
        --------
        >>> curve = LogisticCurve.fit(np.array([0, 0, 0, 1]), np.array([0.4, 0.4, 0.4, 0.4]))
        >>> curve(np.array([0.1, 0.9]))
        array([0.25, 0.25])
        """
        z, n_rows, n_positive = _tally(y, score)
        prevalence = n_positive.sum() / n_rows.sum()
        flat = cls(0.0, float(log_odds(prevalence)))
        if len(z) == 1 or not 0 < prevalence < 1:
            return flat
        centre = np.average(z, weights=n_rows)
        width = np.sqrt(np.average((z - centre) ** 2, weights=n_rows))
        slope, intercept = _fit_logistic((z - centre) / width, n_rows, n_positive)
        return cls(slope / width, intercept - slope / width * centre) if slope > 0 else flat

    def __call__(self, score: FloatArray) -> FloatArray:
        """Return what the scores were found to mean."""
        return np.asarray(expit(self.slope * log_odds(score) + self.intercept))


def _tally(y: IntArray, score: FloatArray) -> tuple[FloatArray, IntArray, FloatArray]:
    """Count rows and positives at each distinct value of the log-odds, in steps."""
    steps = np.rint(log_odds(score) / STEP).astype(np.intp)
    lowest = steps.min()
    n_rows = np.bincount(steps - lowest)
    n_positive = np.bincount(steps - lowest, weights=y.astype(float))
    found = np.flatnonzero(n_rows)
    return np.asarray((found + lowest) * STEP), n_rows[found], np.asarray(n_positive[found])


def _fit_logistic(x: FloatArray, n_rows: IntArray, n_positive: FloatArray) -> tuple[float, float]:
    """Fit slope and intercept to counts by Newton's method, with a penalty on the slope.

    Every trial fits one for each fold: for two parameters a general solver takes fifty times as
    long in being called.
    """
    design, penalty = np.column_stack([x, np.ones(len(x))]), np.array([PENALTY, 0.0])

    def loss(w: FloatArray) -> float:
        odds = design @ w
        lost = n_rows * np.logaddexp(0, odds) - n_positive * odds
        return float(lost.sum() + (penalty * w**2).sum() / 2)

    w = np.array([0.0, float(logit(n_positive.sum() / n_rows.sum()))])
    lost = loss(w)
    for _ in range(MAX_STEPS):
        p = expit(design @ w)
        gradient = design.T @ (n_rows * p - n_positive) + penalty * w
        curvature = (design.T * (n_rows * p * (1 - p))) @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        while (after := loss(w - step)) > lost and abs(step).max() > TOLERANCE:
            step = step / 2
        w, lost = w - step, after
        if abs(step).max() <= TOLERANCE:
            break
    return float(w[0]), float(w[1])


def log_odds(score: FloatArray | float) -> FloatArray:
    """Return the logarithm of p / (1 - p), within the bounds of `MIN_PROBABILITY`."""
    return np.asarray(logit(np.clip(score, MIN_PROBABILITY, 1 - MIN_PROBABILITY)))
