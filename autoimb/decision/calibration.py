"""Curves that turn a model's scores into probabilities that can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from autoimb.arrays import FloatArray, IntArray

__all__ = ["LogisticCurve", "Tally", "fit_logistic", "log_odds", "tally", "tally_counts"]

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
        return cls.fit_counts(tally(y, score))

    @classmethod
    def fit_counts(cls, counts: Tally) -> LogisticCurve:
        """Fit a curve to counted rows, as `fit` does."""
        z, n_rows, n_positive = counts.z, counts.n_rows, counts.n_positive
        prevalence = n_positive.sum() / n_rows.sum()
        flat = cls(0.0, float(log_odds(prevalence)))
        if len(z) == 1 or not 0 < prevalence < 1:
            return flat
        (slope,), intercept = fit_logistic(z[:, None], n_rows, n_positive)
        return cls(slope, intercept) if slope > 0 else flat

    def __call__(self, score: FloatArray) -> FloatArray:
        """Return what the scores were found to mean."""
        return np.asarray(expit(self.slope * log_odds(score) + self.intercept))


@dataclass(frozen=True)
class Tally:
    """Rows and positives at each distinct value of the log-odds, in steps.

    Attributes
    ----------
    z : ndarray of shape (n_values,)
        Rising.
    n_rows, n_positive : ndarray of shape (n_values,)
    """

    z: FloatArray
    n_rows: FloatArray
    n_positive: FloatArray


def tally(y: IntArray, score: FloatArray) -> Tally:
    """Count rows and positives at each distinct value of the log-odds, in steps.

    Examples
    --------
    >>> tally(np.array([0, 1, 1]), np.array([0.2, 0.5, 0.5])).n_positive
    array([0., 2.])
    """
    return tally_counts(score, np.ones(len(score)), np.asarray(y, dtype=float))


def tally_counts(score: FloatArray, n_rows: FloatArray, n_positive: FloatArray) -> Tally:
    """Add counts up at each distinct value of the log-odds, in steps."""
    steps = np.rint(log_odds(score) / STEP).astype(np.intp)
    lowest = steps.min()
    rows: FloatArray = np.bincount(steps - lowest, weights=n_rows).astype(float)
    positive: FloatArray = np.bincount(steps - lowest, weights=n_positive).astype(float)
    found = np.flatnonzero(rows)
    return Tally(np.asarray((found + lowest) * STEP), rows[found], positive[found])


def fit_logistic(
    features: FloatArray,
    n_rows: FloatArray,
    n_positive: FloatArray,
    with_intercept: bool = True,
) -> tuple[tuple[float, ...], float]:
    """Fit slopes and intercept to counts by Newton's method, with a slight penalty on the slopes.

    Every trial fits one for each fold: for two or three parameters a general solver takes fifty
    times as long in being called.

    Parameters
    ----------
    features : ndarray of shape (n_values, n_features)
    n_rows, n_positive : ndarray of shape (n_values,)
    with_intercept : bool

    Returns
    -------
    slopes : tuple of float
    intercept : float
    """
    centre = np.average(features, axis=0, weights=n_rows) * with_intercept
    spread = np.average((features - centre) ** 2, axis=0, weights=n_rows)
    width = np.sqrt(np.where(spread > 0, spread, 1.0))
    design = np.column_stack([(features - centre) / width, np.ones(len(features))])
    # Either nothing is known of the scores, or they are right as they are.
    flat = np.append(np.zeros(len(width)), logit(n_positive.sum() / n_rows.sum()))
    right = np.append(width, centre.sum())
    starts = (flat, right)
    if not with_intercept:
        design, starts = design[:, :-1], (flat[:-1], right[:-1])
    penalty = np.full(design.shape[1], PENALTY)
    penalty[len(width) :] = 0.0
    w = _descend(design, starts, penalty, n_rows, n_positive)
    slopes = w[: len(width)] / width
    intercept = w[-1] - slopes @ centre if with_intercept else 0.0
    return tuple(slopes.tolist()), float(intercept)


def _descend(
    design: FloatArray,
    starts: tuple[FloatArray, ...],
    penalty: FloatArray,
    n_rows: FloatArray,
    n_positive: FloatArray,
) -> FloatArray:
    def loss(w: FloatArray) -> float:
        odds = design @ w
        lost = n_rows * np.logaddexp(0, odds) - n_positive * odds
        return float(lost.sum() + (penalty * w**2).sum() / 2)

    w = min(starts, key=loss)
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
    return w


def log_odds(score: FloatArray | float) -> FloatArray:
    """Return the logarithm of p / (1 - p), within the bounds of `MIN_PROBABILITY`."""
    return np.asarray(logit(np.clip(score, MIN_PROBABILITY, 1 - MIN_PROBABILITY)))
