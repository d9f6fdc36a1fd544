"""Outliers told by how far out in the tails of its columns a row lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from autoimb.arrays import FloatArray, IntArray

__all__ = ["ECOD"]

# A third moment that is this small beside what it could be is rounding.
SYMMETRIC = 1e-9


class ECOD(OutlierMixin, BaseEstimator):
    """Add up the logarithms of the tail probabilities of a row's cells.

    Li, Zhao, Hu, Botta, Ionescu and Chen 2022, algorithm 1: the left tails, the right tails, and
    of each column the tail that its skewness points to, are summed over the columns; the score
    is the largest of the three sums. A row is scored as if it had been appended to the training
    rows, so that no tail is empty. Of n rows besides, ``(1 + n_beyond) / (1 + n)`` is the tail
    probability. A missing cell adds nothing, and counts nowhere.

    Parameters
    ----------
    contamination : float
        Share of the training rows that `predict` is to call outliers, above 0 and at most 0.5.

    Attributes
    ----------
    tails_ : list of object
        What is known of each column.
    offset_ : float
        Scores below it are outliers'.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> ECOD().fit(X).predict([[0.0, 0.1], [4.0, 4.0]])
    array([ 1, -1])
    """

    def __init__(self, contamination: float = 0.1) -> None:
        self.contamination = contamination

    def fit(self, X: FloatArray, y: object = None) -> ECOD:
        """Sort the cells of each column.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            NaN where a cell is missing.
        y : object
            Is not looked at.

        Returns
        -------
        ECOD

        Raises
        ------
        ValueError
            If `contamination` is no share of at most a half.
        """
        if not 0 < self.contamination <= 0.5:
            raise ValueError(
                f"contamination must be in (0, 0.5], but got {self.contamination!r}; "
                "give the share of outliers that you expect."
            )
        X = self._read(X, reset=True)
        self.tails_ = [_Tails.of(column[~np.isnan(column)]) for column in X.T]
        self.offset_ = float(np.quantile(self._score(X), self.contamination))
        return self

    def score_samples(self, X: FloatArray) -> FloatArray:
        """Return the negated score of the paper, of shape (n_samples,): low for an outlier."""
        check_is_fitted(self)
        return self._score(self._read(X, reset=False))

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return scores of shape (n_samples,) that are negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: FloatArray) -> IntArray:
        """Return -1 for outliers and 1 for other rows, of shape (n_samples,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that cells may be missing."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _read(self, X: FloatArray, *, reset: bool) -> FloatArray:
        dtype, finite = [np.float64, np.float32], "allow-nan"
        return np.asarray(
            validate_data(self, X, dtype=dtype, ensure_all_finite=finite, reset=reset)
        )

    def _score(self, X: FloatArray) -> FloatArray:
        sums = np.zeros((3, len(X)))
        for column, tails in zip(X.T, self.tails_, strict=True):
            both = tails(column)
            sums += [*both, both[0 if tails.points_left else 1]]
        return np.asarray(sums.min(axis=0))


@dataclass(frozen=True)
class _Tails:
    """The distinct values of a column, and the cells up to each, from none to all."""

    values: FloatArray
    n_below: IntArray
    points_left: bool

    @classmethod
    def of(cls, known: FloatArray) -> _Tails:
        values, sizes = np.unique(known, return_counts=True)
        return cls(values, np.append(0, np.cumsum(sizes)), _points_left(known))

    def __call__(self, column: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the logarithms of each cell's tail probabilities, of a missing one 0."""
        n = self.n_below[-1]
        place = np.searchsorted(self.values, column, side="right")
        # A value is part of both of its tails.
        met = np.append(self.values, np.nan)[place - 1] == column
        in_left, in_right = self.n_below[place], n - self.n_below[place - met]
        missing = np.isnan(column)
        left, right = (
            np.where(missing, 0.0, np.log((1 + each) / (1 + n))) for each in (in_left, in_right)
        )
        return left, right


def _points_left(values: FloatArray) -> bool:
    """Tell whether a column is skewed to the left; one without skewness passes for the other."""
    largest = abs(values).max(initial=0)
    if not largest:
        return False
    # Before cells are raised to the third power they are brought to a size that allows it.
    scaled = values / np.float64(largest)
    centred = scaled - scaled.mean()
    centred /= abs(centred).max() or 1.0
    return bool((centred**3).sum() < -SYMMETRIC * (abs(centred) ** 3).sum())
