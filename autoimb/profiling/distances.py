"""Numbers and categories on one scale, so that Euclidean distances compare rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autoimb.arrays import AnyArray, FloatArray
from autoimb.data.dataset import Dataset

__all__ = ["DistanceEncoder"]

# The most frequent levels have a column each; the rest share one, the missing another.
MAX_ONE_HOT = 10
# Two columns differ where two levels do: the squared distance grows by one in all.
ONE_HOT_HEIGHT = 2**-0.5
# A value further out than five standard deviations would alone decide who is near.
CLIP = 5.0


@dataclass(frozen=True)
class DistanceEncoder:
    """Puts rows where Euclidean distance compares them, whatever their columns hold.

    Numbers become z-scores clipped at five, missing numbers the median beside an indicator of
    height 1 / sqrt(2); categories become indicators of that height, so that all levels are
    equally far apart. It never looks at the target, which would understate how classes overlap.

    Attributes
    ----------
    numeric, categorical : ndarray of int
        Places of such columns.
    centre, spread, median : ndarray of shape (n_numeric,)
    with_gaps : ndarray of int
        Which of the numeric columns have missing cells.
    levels : ndarray of shape (2, n_indicators)
        Column and code of each indicator; the code of missing cells is NaN.
    """

    numeric: AnyArray
    categorical: AnyArray
    centre: FloatArray
    spread: FloatArray
    median: FloatArray
    with_gaps: AnyArray
    levels: FloatArray

    @classmethod
    def fit(cls, dataset: Dataset) -> DistanceEncoder:
        """Learn the scale of every column.

        Examples
        --------
        >>> import pandas as pd
        >>> from autoimb.data.dataset import make_dataset
        >>> table = pd.DataFrame({"x": [1.0, 3.0, None], "c": ["a", "b", "a"]})
        >>> dataset = make_dataset(table, [0, 1, 0])
        >>> DistanceEncoder.fit(dataset).encode(dataset.X).round(2)
        array([[-1.22,  0.  ,  0.71,  0.  ],
               [ 1.22,  0.  ,  0.  ,  0.71],
               [ 0.  ,  0.71,  0.71,  0.  ]])
        """
        is_categorical = np.asarray(dataset.schema.is_categorical, dtype=bool)
        numeric, categorical = np.flatnonzero(~is_categorical), np.flatnonzero(is_categorical)
        scales = [_scale(dataset.X[:, j]) for j in numeric]
        centre, spread, median, gaps = np.array(scales).reshape(-1, 4).T
        levels = [(j, code) for j in categorical for code in _indicator_codes(dataset.X[:, j])]
        return cls(
            numeric,
            categorical,
            centre,
            spread,
            median,
            np.flatnonzero(gaps),
            np.array(levels, dtype=float).reshape(-1, 2).T,
        )

    @property
    def n_columns(self) -> int:
        """Columns of the encoded rows."""
        return len(self.numeric) + len(self.with_gaps) + len(self.levels[0])

    def encode(self, X: FloatArray, dtype: DTypeLike = np.float64) -> Any:
        """Place rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        dtype : data-type
            Of the result: 32 bits halve the time of distances.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
        """
        n_numbers, n_gaps = len(self.numeric), len(self.with_gaps)
        Z = np.empty((len(X), self.n_columns), dtype=dtype)
        numbers = X[:, self.numeric] if len(self.categorical) else X
        if n_gaps:
            missing = np.isnan(numbers[:, self.with_gaps])
            numbers = np.where(np.isnan(numbers), self.median, numbers)
            Z[:, n_numbers : n_numbers + n_gaps] = missing * ONE_HOT_HEIGHT
        scaled = (numbers - self.centre) / self.spread
        np.clip(scaled, -CLIP, CLIP, out=Z[:, :n_numbers], casting="same_kind")
        if len(self.categorical):
            Z[:, n_numbers + n_gaps :] = self._indicators(X) * ONE_HOT_HEIGHT
        return Z

    def _indicators(self, X: FloatArray) -> AnyArray:
        """Mark the level of each category; codes are in the order of frequency."""
        columns, codes = self.levels
        found = np.minimum(X[:, columns.astype(np.intp)], MAX_ONE_HOT)
        return np.asarray((found == codes) | (np.isnan(found) & np.isnan(codes)))


def _scale(column: FloatArray) -> tuple[float, float, float, float]:
    """Give mean, standard deviation and median, gaps filled with the latter; and if any."""
    column = np.ascontiguousarray(column)
    missing = np.isnan(column)
    has_gaps = bool(missing.any())
    median = float(np.median(column[~missing])) if has_gaps else 0.0
    filled = np.where(missing, median, column) if has_gaps else column
    # Huge numbers are scaled down first: their squares need not fit.
    largest = max(float(filled.max()), -float(filled.min())) or 1.0
    scaled = filled / largest
    return float(scaled.mean()) * largest, float(scaled.std()) * largest or 1.0, median, has_gaps


def _indicator_codes(column: FloatArray) -> AnyArray:
    return np.unique(np.minimum(column, MAX_ONE_HOT), equal_nan=True)
