"""One probability from those of several models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.calibration import LogisticCurve

__all__ = ["Blend", "LogisticStack"]

# Inverse strength of the penalty on what makes a weight differ from the others.
C = 0.01
# The mean is made so much larger than the differences that the penalty hardly touches it.
MEAN_SCALE = 10.0


@dataclass(frozen=True)
class LogisticStack:
    """A logistic regression on the log-odds that several models give.

    Attributes
    ----------
    weights : ndarray of shape (n_models,)
    intercept : float

    Examples
    --------
    >>> from autoimb.decision.calibration import log_odds
    >>> stack = LogisticStack(weights=np.array([0.5, 0.5]), intercept=0.0)
    >>> stack(log_odds(np.array([[0.2, 0.2], [0.3, 0.7]]))).round(3)
    array([0.2, 0.5])
    """

    weights: FloatArray
    intercept: float

    @classmethod
    def fit(cls, y: IntArray, odds: FloatArray) -> LogisticStack:
        """Weight the models, shrunk towards equal weights.

        Each model is calibrated first, since a sampler or a weight shifts its probabilities. The
        regression (Wolpert 1992) sees the mean of the calibrated log-odds and, penalised, each
        model's difference from it: with few positives the plain mean is left, which no luck can
        tilt; with many the better models gain weight.

        Parameters
        ----------
        y : ndarray of shape (n_samples,)
            1 for the positive class, else 0.
        odds : ndarray of shape (n_samples, n_models)
            Log-odds of the positive class, by models that have not seen the row.

        Returns
        -------
        LogisticStack
            Constant at the prevalence if no model tells anything.
        """
        from sklearn.linear_model import LogisticRegression

        curves = [LogisticCurve.fit(y, expit(column)) for column in odds.T]
        slopes = np.array([curve.slope for curve in curves])
        intercepts = np.array([curve.intercept for curve in curves])
        calibrated = odds * slopes + intercepts
        mean = calibrated.mean(axis=1)
        width = mean.std()
        if width == 0 or not 0 < np.mean(y) < 1:
            return cls(np.zeros(len(curves)), float(intercepts.mean()))
        differences = calibrated - mean[:, None]
        table = np.column_stack([MEAN_SCALE * mean, differences]) / width
        model = LogisticRegression(C=C, max_iter=1000).fit(table, y)
        of_mean, *of_differences = model.coef_[0] / width
        shares = MEAN_SCALE * of_mean / len(curves) + of_differences - np.mean(of_differences)
        intercept = model.intercept_[0] + shares @ intercepts
        return cls(np.asarray(shares * slopes), float(intercept))

    def __call__(self, odds: FloatArray) -> FloatArray:
        """Return the probability of the positive class, given each model's log-odds."""
        return np.asarray(expit(odds @ self.weights + self.intercept))


@dataclass(frozen=True)
class Blend:
    """Stacks over the same models, that give a probability for every class.

    Attributes
    ----------
    stacks : tuple of LogisticStack
        One for the positive class or, of several classes, one for each against the rest; those
        are then made to sum to one (Zadrozny and Elkan 2002).

    Examples
    --------
    >>> from autoimb.decision.calibration import log_odds
    >>> y, p = np.array([0, 0, 1, 0, 1, 1] * 5), np.array([0.1, 0.2, 0.3, 0.6, 0.8, 0.9] * 5)
    >>> good, useless = np.column_stack([1 - p, p]), np.full((30, 2), 0.5)
    >>> odds = log_odds(np.stack([good, useless], axis=2))
    >>> Blend.fit(y, odds)(odds)[:6, 1].round(2)
    array([0.14, 0.25, 0.34, 0.61, 0.78, 0.88])
    """

    stacks: tuple[LogisticStack, ...]

    @classmethod
    def equal(cls, n_classes: int, n_models: int) -> Blend:
        """Make the plain mean of the log-odds, where there are no rows to fit weights to."""
        mean = LogisticStack(np.full(n_models, 1 / n_models), 0.0)
        return cls((mean,) * (1 if n_classes == 2 else n_classes))

    @classmethod
    def fit(cls, y: IntArray, odds: FloatArray) -> Blend:
        """Fit the stacks.

        Parameters
        ----------
        y : ndarray of shape (n_samples,)
            Class codes; of two classes, 1 is the positive one.
        odds : ndarray of shape (n_samples, n_classes, n_models)
            Log-odds of every class, by models that have not seen the row.

        Returns
        -------
        Blend
        """
        n_classes = odds.shape[1]
        codes = [1] if n_classes == 2 else range(n_classes)
        return cls(tuple(LogisticStack.fit((y == k).astype(int), odds[:, k]) for k in codes))

    def __call__(self, odds: FloatArray) -> FloatArray:
        """Return probabilities of shape (n_samples, n_classes)."""
        if len(self.stacks) == 1:
            positive = self.stacks[0](odds[:, 1])
            return np.column_stack([1 - positive, positive])
        each = np.column_stack([stack(odds[:, k]) for k, stack in enumerate(self.stacks)])
        return np.asarray(each / each.sum(axis=1, keepdims=True))
