"""Synthetic rows between neighbours of one class, in a table as a model sees it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.neighbors import NearestNeighbors

from autoimb.arrays import FloatArray, IntArray
from autoimb.strategy.encoding import Encoder

__all__ = ["Interpolation"]

# Of a larger class, synthetic rows are made from so many of its rows.
MAX_ROWS = 10_000


class Interpolation:
    """Make rows between a row and one of its nearest neighbours of the same class.

    SMOTE (Chawla, Bowyer, Hall and Kegelmeyer 2002) for tables that may hold gaps and codes of
    categories, as SMOTE-NC does it, with two differences: neighbours are the nearest ones in the
    table as `Encoder` gives it for "scaled", where gaps are filled and marked; and a category is
    that of the neighbour the likelier the nearer the new row is to it, so that there are no
    levels but those of the two rows. A gap among numbers stays one; among categories it is a
    level.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    codes : ndarray of shape (n_samples,)
        Class codes.
    categories : sequence of int
        Columns that hold codes of categories.
    k_neighbors : int
        At least one; a smaller class has fewer.

    Examples
    --------
    >>> X = np.array([[0.0, 3], [1.0, 3], [np.nan, 4], [9.0, 5], [9.0, 5]])
    >>> between = Interpolation(X, np.array([0, 0, 0, 1, 1]), [1], 1)
    >>> own, made = between.draw(1, 2, np.random.default_rng(0))
    >>> made
    array([[9., 5.],
           [9., 5.]])
    """

    def __init__(
        self,
        X: FloatArray,
        codes: IntArray,
        categories: Sequence[int],
        k_neighbors: int,
    ) -> None:
        self.X = X
        self.codes = codes
        self.categories = np.asarray(categories, dtype=np.intp)
        self.k_neighbors = k_neighbors
        levels = np.zeros(X.shape[1], dtype=np.intp)
        for j in self.categories:
            levels[j] = np.nan_to_num(X[:, j], nan=0.0).max() + 1
        self._scaled = Encoder("scaled", levels.tolist()).fit_transform(X, codes)
        self._neighbors: dict[int, tuple[IntArray, IntArray]] = {}

    def draw(self, code: int, n_rows: int, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
        """Make rows of a class.

        Parameters
        ----------
        code : int
        n_rows : int
        rng : Generator

        Returns
        -------
        own : ndarray of shape (n_rows,)
            The row that each one starts from.
        made : ndarray of shape (n_rows, n_features)
        """
        rows, near = self._neighbors_of(code, rng)
        place = rng.integers(len(rows), size=n_rows)
        own = rows[place]
        other = near[place, rng.integers(near.shape[1], size=n_rows)]
        part = rng.random((n_rows, 1))
        start, end = self.X[own], self.X[other]
        made = start + part * (np.where(np.isnan(end), start, end) - start)
        taken = rng.random((n_rows, len(self.categories))) < part
        made[:, self.categories] = np.where(
            taken, end[:, self.categories], start[:, self.categories]
        )
        return own, made.astype(self.X.dtype, copy=False)

    def _neighbors_of(self, code: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Find the neighbours of each row of a class, once."""
        if code not in self._neighbors:
            rows = np.flatnonzero(self.codes == code)
            if len(rows) > MAX_ROWS:
                rows = np.sort(rng.choice(rows, MAX_ROWS, replace=False))
            k = min(self.k_neighbors, len(rows) - 1)
            if not k:  # it has no neighbour but itself
                return rows, rows[:, None]
            nearest = NearestNeighbors(n_neighbors=k).fit(self._scaled[rows])
            self._neighbors[code] = rows, rows[nearest.kneighbors(return_distance=False)]
        return self._neighbors[code]
