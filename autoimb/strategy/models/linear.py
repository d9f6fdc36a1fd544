"""Linear models: of natural splines, and with the widest margin."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from autoimb.arrays import FloatArray, IntArray

__all__ = ["LinearSVM", "SplineLogistic"]

# Folds whose scores a linear SVM's curve is fitted to.
N_FOLDS = 3


class SplineLogistic(ClassifierMixin, BaseEstimator):
    """Logistic regression on a natural cubic spline of every column.

    Harrell 2001, section 2.4.5: knots at quantiles, linear beyond the outer ones. What bends is
    made orthogonal to what is straight, and both are put on one scale, so that the penalty treats
    them alike. Columns of no more distinct values than knots stay as they are.

    Parameters
    ----------
    n_knots : int
        At least 3.
    C : float
        Inverse strength of the penalty.
    max_iter : int

    Examples
    --------
    >>> X = np.linspace(-3, 3, 200)[:, None]
    >>> model = SplineLogistic(n_knots=4).fit(X, abs(X[:, 0]) > 2)
    >>> model.predict([[-3.0], [0.0], [3.0]])
    array([ True, False,  True])
    """

    def __init__(self, n_knots: int = 5, *, C: float = 1.0, max_iter: int = 300) -> None:
        self.n_knots = n_knots
        self.C = C
        self.max_iter = max_iter

    def fit(
        self, X: FloatArray, y: IntArray, sample_weight: FloatArray | None = None
    ) -> SplineLogistic:
        """Place the knots, then fit the coefficients.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Without gaps, on one scale.
        y : ndarray of shape (n_samples,)
        sample_weight : ndarray of shape (n_samples,), optional

        Returns
        -------
        SplineLogistic
        """
        X = np.asarray(X, dtype=float)
        self.splines_ = [_Spline.of(column, self.n_knots) for column in X.T]
        model = LogisticRegression(C=self.C, max_iter=self.max_iter)
        self.model_ = model.fit(self._bend(X), y, sample_weight=sample_weight)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities of shape (n_samples, n_classes)."""
        return np.asarray(self.model_.predict_proba(self._bend(np.asarray(X, dtype=float))))

    def predict(self, X: FloatArray) -> Any:
        """Predict labels of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _bend(self, X: FloatArray) -> FloatArray:
        return np.column_stack(
            [spline(column) for spline, column in zip(self.splines_, X.T, strict=True)]
        )


class _Spline:
    """A column and what bends it at its knots."""

    def __init__(self, knots: FloatArray, centre: FloatArray, mixing: FloatArray) -> None:
        self.knots = knots
        self.centre = centre
        self.mixing = mixing

    @classmethod
    def of(cls, column: FloatArray, n_knots: int) -> _Spline:
        # The outer knots lie a little inside, where there still are rows beyond them.
        knots = np.unique(np.quantile(column, np.linspace(0.05, 0.95, n_knots)))
        if len(np.unique(column)) <= n_knots or len(knots) < 3:
            return cls(np.empty(0), np.zeros(1), np.eye(1))
        basis = _natural_basis(column, knots)
        centre = basis.mean(axis=0)
        triangle = np.linalg.qr((basis - centre) / len(basis) ** 0.5, mode="r")
        return cls(knots, centre, np.linalg.pinv(triangle, rcond=1e-6))

    def __call__(self, column: FloatArray) -> FloatArray:
        basis = _natural_basis(column, self.knots) if len(self.knots) else column[:, None]
        return np.asarray((basis - self.centre) @ self.mixing)


def _natural_basis(column: FloatArray, knots: FloatArray) -> FloatArray:
    """Return the column and, for all knots but two, a cubic that is straight beyond the last."""
    *inner, before, last = knots
    cubes = [np.maximum(column - knot, 0) ** 3 for knot in (*inner, before, last)]
    width, size = last - before, (last - knots[0]) ** 2
    bent = [
        (cube - cubes[-2] * (last - knot) / width + cubes[-1] * (before - knot) / width) / size
        for knot, cube in zip(inner, cubes, strict=False)
    ]
    return np.column_stack([column, *bent])


class LinearSVM(ClassifierMixin, BaseEstimator):
    """Linear support vector machine, whose scores a logistic curve turns into probabilities.

    The curve (Platt 1999; of several classes a multinomial one of all their scores) is fitted to
    scores of rows that the machine did not see, cross-fitted, and without weights: whatever the
    machine was weighted by, the probabilities are those of the rows as they are.

    Parameters
    ----------
    C : float
        Inverse strength of the penalty.
    max_iter : int
    random_state : int

    Examples
    --------
    >>> X = np.arange(40.0)[:, None] / 40
    >>> model = LinearSVM().fit(X, X[:, 0] > 0.7)
    >>> model.predict([[0.1], [0.9]])
    array([False,  True])
    """

    def __init__(self, C: float = 1.0, *, max_iter: int = 2000, random_state: int = 0) -> None:
        self.C = C
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: FloatArray, y: IntArray, sample_weight: FloatArray | None = None) -> LinearSVM:
        """Fit the machine and the curve.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Without gaps, on one scale.
        y : ndarray of shape (n_samples,)
        sample_weight : ndarray of shape (n_samples,), optional

        Returns
        -------
        LinearSVM

        Raises
        ------
        ValueError
            If a class has a single row.
        """
        self.classes_, codes = np.unique(y, return_inverse=True)
        fewest = int(np.bincount(codes).min())
        if len(self.classes_) < 2 or fewest < 2:
            raise ValueError("a curve needs two classes or more, and two rows of each")
        weights = np.ones(len(codes)) if sample_weight is None else np.asarray(sample_weight)
        machine = LinearSVC(
            C=self.C, max_iter=self.max_iter, dual=False, random_state=self.random_state
        )
        scores = np.empty((len(codes), 1 if len(self.classes_) == 2 else len(self.classes_)))
        folds = StratifiedKFold(min(N_FOLDS, fewest), shuffle=True, random_state=self.random_state)
        for rows, tested in folds.split(X, codes):
            seen = clone(machine).fit(X[rows], codes[rows], sample_weight=weights[rows])
            scores[tested] = _scores(seen, X[tested])
        self.curve_ = LogisticRegression(C=100.0, max_iter=300).fit(scores, codes)
        self.machine_ = machine.fit(X, codes, sample_weight=weights)
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities of shape (n_samples, n_classes)."""
        return np.asarray(self.curve_.predict_proba(_scores(self.machine_, X)))

    def predict(self, X: FloatArray) -> Any:
        """Predict labels of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _scores(machine: LinearSVC, X: FloatArray) -> FloatArray:
    """Return the distance from each plane, of shape (n_samples, n_planes)."""
    return np.asarray(machine.decision_function(X)).reshape(len(X), -1)
