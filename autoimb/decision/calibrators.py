"""Probabilities that mean what they say: curves, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import expit

from autoimb.arrays import BoolArray, FloatArray, IntArray
from autoimb.decision.calibration import LogisticCurve, Tally, fit_logistic, log_odds, tally

__all__ = [
    "CALIBRATORS", "NO_CALIBRATOR", "BetaCurve", "Calibrator", "IsotonicCurve", "NoCurve",
    "Temperature", "choose_calibrator", "fit_calibrator",
]  # fmt: skip

# Log-odds beyond the outermost blocks of an isotonic curve rise by this for each.
OUTER_SLOPE = 0.01
# Of a score in what it is found to mean.
TRACE = 1e-9
# Rows by which a curve is chosen at most; it is fitted to all.
MAX_ROWS = 20_000
# Of rows that are all of one fold.
N_PARTS = 5
# A curve has to do better than a simpler one by so many units of log loss on all rows together.
MIN_GAIN = 0.5


class Curve(Protocol):
    """Turns a score into a probability, never against its order."""

    def __call__(self, score: FloatArray) -> FloatArray:
        """Return what scores were found to mean."""


@dataclass(frozen=True)
class NoCurve:
    """Scores as they are."""

    @classmethod
    def fit_counts(cls, counts: Tally) -> NoCurve:
        """Fit nothing."""
        return cls()

    def __call__(self, score: FloatArray) -> FloatArray:
        """Return the scores."""
        return np.asarray(score, dtype=float)


@dataclass(frozen=True)
class Temperature:
    """Log-odds times a slope: more or less certain, with no shift (Guo et al. 2017).

    Attributes
    ----------
    slope : float
        One divided by the temperature, above 0.
    """

    slope: float

    @classmethod
    def fit_counts(cls, counts: Tally) -> Temperature:
        """Fit the slope."""
        z = counts.z[:, None]
        (slope,), _ = fit_logistic(z, counts.n_rows, counts.n_positive, with_intercept=False)
        return cls(max(slope, 1e-3))

    def __call__(self, score: FloatArray) -> FloatArray:
        """Return what scores were found to mean."""
        return np.asarray(expit(self.slope * log_odds(score)))


@dataclass(frozen=True)
class BetaCurve:
    """Log-odds that bend differently at either end (beta calibration; Kull et al. 2017).

    Attributes
    ----------
    a, b : float
        Factors of ln p and of -ln (1 - p), at least 0.
    c : float
    """

    a: float
    b: float
    c: float

    @classmethod
    def fit_counts(cls, counts: Tally) -> BetaCurve:
        """Fit the three parameters; a factor that would be negative is left out."""
        p = expit(counts.z)
        features = np.column_stack([np.log(p), -np.log1p(-p)])
        used = [0, 1]
        while used:
            slopes, c = fit_logistic(features[:, used], counts.n_rows, counts.n_positive)
            if min(slopes) >= 0:
                factors = dict(zip(used, slopes, strict=True))
                return cls(factors.get(0, 0.0), factors.get(1, 0.0), c)
            used.pop(int(np.argmin(slopes)))
        flat = LogisticCurve.fit_counts(counts)
        return cls(0.0, 0.0, flat.intercept)

    def __call__(self, score: FloatArray) -> FloatArray:
        """Return what scores were found to mean."""
        p = expit(log_odds(score))
        return np.asarray(expit(self.a * np.log(p) - self.b * np.log1p(-p) + self.c))


@dataclass(frozen=True)
class IsotonicCurve:
    """Shares of positives in blocks that rise with the score, joined by straight lines.

    The blocks are those of isotonic regression (Zadrozny and Elkan 2002); the lines between their
    centres keep rows apart that it would tie (centred isotonic regression; Oron and Flournoy
    2017).

    Attributes
    ----------
    z, odds : ndarray of shape (n_blocks,)
        Log-odds of the scores at the centres, and those that they mean.
    """

    z: FloatArray
    odds: FloatArray

    @classmethod
    def fit_counts(cls, counts: Tally) -> IsotonicCurve:
        """Fit the blocks."""
        from scipy.optimize import isotonic_regression

        prevalence = counts.n_positive.sum() / counts.n_rows.sum()
        found = isotonic_regression(
            counts.n_positive / counts.n_rows, weights=counts.n_rows.astype(float)
        )
        block = np.repeat(np.arange(len(found.blocks) - 1), np.diff(found.blocks))
        n = np.bincount(block, weights=counts.n_rows)
        centre = np.bincount(block, weights=counts.n_rows * counts.z) / n
        # One more row of the usual prevalence in each: no block is certain.
        share = (np.bincount(block, weights=counts.n_positive) + prevalence) / (n + 1)
        return cls(centre, np.maximum.accumulate(log_odds(share)))

    def __call__(self, score: FloatArray) -> FloatArray:
        """Return what scores were found to mean."""
        z = log_odds(score)
        beyond = z - np.clip(z, self.z[0], self.z[-1])
        return np.asarray(expit(np.interp(z, self.z, self.odds) + OUTER_SLOPE * beyond))


# From the simplest on.
CALIBRATORS: dict[str, Callable[[Tally], Curve]] = {
    "none": NoCurve.fit_counts,
    "temperature": Temperature.fit_counts,
    "platt": LogisticCurve.fit_counts,
    "beta": BetaCurve.fit_counts,
    "isotonic": IsotonicCurve.fit_counts,
}


@dataclass(frozen=True)
class Calibrator:
    """Makes the probabilities of a model those of the data it was made from.

    Attributes
    ----------
    name : str
        A key of `CALIBRATORS`.
    curves : tuple of Curve
        One for the positive class or, of several classes, one for each against the rest; those
        are then made to sum to one (Zadrozny and Elkan 2002).

    Examples
    --------
    >>> half = Calibrator("temperature", (Temperature(0.5),))
    >>> half(np.array([[0.1, 0.9]])).round(2)
    array([[0.25, 0.75]])
    """

    name: str = "none"
    curves: tuple[Curve, ...] = ()

    def __call__(self, proba: FloatArray) -> FloatArray:
        """Return probabilities of shape (n_samples, n_classes)."""
        if self.name == "none":
            return proba
        if len(self.curves) == 1:
            positive = _bend(self.curves[0], proba[:, 1])
            return np.column_stack([1 - positive, positive])
        each = np.column_stack([_bend(curve, proba[:, k]) for k, curve in enumerate(self.curves)])
        return np.asarray(each / each.sum(axis=1, keepdims=True))


def _bend(curve: Curve, score: FloatArray) -> FloatArray:
    """Apply a curve, with a trace of the score left: rows that a model ranks are never tied."""
    return np.asarray((1 - TRACE) * curve(score) + TRACE * score)


NO_CALIBRATOR = Calibrator()


def fit_calibrator(name: str, y: IntArray, proba: FloatArray) -> Calibrator:
    """Fit a calibrator to rows that the model has not seen.

    Parameters
    ----------
    name : str
        A key of `CALIBRATORS`.
    y : ndarray of shape (n_samples,)
        Class codes.
    proba : ndarray of shape (n_samples, n_classes)

    Returns
    -------
    Calibrator

    Examples
    --------
    >>> y, p = np.array([0, 0, 0, 1] * 9), np.array([0.4, 0.5, 0.6, 0.7] * 9)
    >>> found = fit_calibrator("platt", y, np.column_stack([1 - p, p]))
    >>> float(found(np.column_stack([1 - p, p]))[:, 1].mean().round(3))
    0.25
    """
    if name == "none":
        return NO_CALIBRATOR
    codes = [1] if proba.shape[1] == 2 else range(proba.shape[1])
    return Calibrator(name, tuple(_fit_curve(name, y == k, proba[:, k]) for k in codes))


def _fit_curve(name: str, is_member: BoolArray, score: FloatArray) -> Curve:
    counts = tally(is_member.astype(np.intp), score)
    # Of a class that is all rows or none there is nothing to tell but that.
    fit = CALIBRATORS[name] if 0 < is_member.mean() < 1 else LogisticCurve.fit_counts
    return fit(counts)


def choose_calibrator(
    y: IntArray, proba: FloatArray, folds: IntArray, names: Sequence[str] = tuple(CALIBRATORS)
) -> Calibrator:
    """Fit the calibrator that loses least on rows that it was not fitted on.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes.
    proba : ndarray of shape (n_samples, n_classes)
        Each row's by a model that has not seen it.
    folds : ndarray of shape (n_samples,)
        Each calibrator is fitted on all but one in turn, and judged by its log loss there.
    names : sequence of str
        From the simplest on; one that is less simple has to do better.

    Returns
    -------
    Calibrator
        Fitted on all rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.random(2000)
    >>> y, folds = (rng.random(2000) < p**3).astype(int), np.arange(2000) % 5
    >>> choose_calibrator(y, np.column_stack([1 - p, p]), folds).name
    'platt'
    """
    if len(names) == 1:
        return fit_calibrator(names[0], y, proba)
    if folds.min() == folds.max():
        folds = _deal(y)
    if folds.min() == folds.max():  # a row of each class: nothing to choose by
        return fit_calibrator(names[0], y, proba)
    chosen, least = names[0], np.inf
    some: slice | IntArray = slice(None)
    if len(y) > MAX_ROWS:
        some = np.random.default_rng(0).permutation(len(y))[:MAX_ROWS]
    for name in names:
        lost = _cross_fitted_loss(name, y[some], proba[some], folds[some])
        if lost < least - MIN_GAIN:
            chosen, least = name, lost
    return fit_calibrator(chosen, y, proba)


def _deal(y: IntArray) -> IntArray:
    """Deal the rows of each class into parts, where a single fold is at hand."""
    parts = np.empty(len(y), dtype=np.intp)
    for k in np.unique(y):
        rows = np.flatnonzero(y == k)
        parts[rows] = np.arange(len(rows)) % N_PARTS
    return parts


def _cross_fitted_loss(name: str, y: IntArray, proba: FloatArray, folds: IntArray) -> float:
    """Sum the log loss over all rows, each calibrated by a fit on the other folds."""
    lost = 0.0
    for fold in np.unique(folds):
        inside = folds == fold
        found = fit_calibrator(name, y[~inside], proba[~inside])(proba[inside])
        right = np.take_along_axis(found, y[inside, None], axis=1)
        lost -= float(np.log(np.clip(right, 1e-7, 1.0)).sum())
    return lost
