"""What a model or a sampler is fed: the numeric matrix as it is, or filled, encoded, scaled.

Inputs, from the plainest: "raw" keeps gaps and category codes; "mixed" fills and scales
numbers and keeps category codes; "numeric" fills numbers and encodes categories; "scaled"
is numeric on one scale. An encoder is fitted on training rows only.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.preprocessing import TargetEncoder
from sklearn.utils import gen_batches

from autoimb.arrays import FloatArray, IntArray

__all__ = ["Encoder"]

# Up to this many levels get a column each; more are encoded by what the target was for them.
MAX_ONE_HOT = 20
# Numbers are squashed smoothly into (-BOUND, BOUND), so that no outlier rules a distance.
BOUND = 3.0
# Deviations beyond this are all alike.
FAR = 1e9
# Two categories are at distance 1 when each of their two columns differs by 1 / sqrt(2).
ONE_HOT_HEIGHT = 2**-0.5
# Rows that are encoded at a time: what is computed on the way stays small beside the table.
ROWS_AT_A_TIME = 2**14


@dataclass(frozen=True)
class _Scale:
    """Location, spread and extent of number columns; the median fills their gaps."""

    centre: FloatArray
    width: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, X: FloatArray, columns: Iterable[int]) -> _Scale:
        each = [_quartiles(X[:, j]) for j in columns]
        low, lower, centre, upper, high = np.array(each).reshape(-1, 5).T
        # The factor makes the interquartile range of a normal distribution its deviation.
        width = np.where(upper > lower, (upper - lower) / 1.349, (high - low) / 2)
        return cls(centre, np.where(width > 0, width, 1.0), low, high)

    def fill(self, numbers: FloatArray) -> FloatArray:
        return np.where(np.isnan(numbers), self.centre, numbers)

    def squash(self, numbers: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            z = np.clip((numbers - self.centre) / self.width, -FAR, FAR)
        return np.asarray(z / np.sqrt(1 + (z / BOUND) ** 2))

    def stretch(self, squashed: FloatArray) -> FloatArray:
        z = np.clip(squashed, -BOUND * (1 - 1e-9), BOUND * (1 - 1e-9))
        numbers = z / np.sqrt(1 - (z / BOUND) ** 2) * self.width + self.centre
        return np.asarray(np.clip(numbers, self.low, self.high))


def _quartiles(column: FloatArray) -> FloatArray:
    known = column[~np.isnan(column)]
    return np.asarray(np.quantile(known if len(known) else [0.0], [0, 0.25, 0.5, 0.75, 1]))


class Encoder:
    """Encode the numeric matrix for one kind of input, and decode what a sampler made of it.

    Parameters
    ----------
    input : {"raw", "mixed", "numeric", "scaled"}
    n_levels : sequence of int
        Categories of each column; 0 for numbers.
    seed : int
        For the folds within which target statistics are taken (Micci-Barreca 2001).
    dtype : type
        Of what is encoded; "raw" rows stay as they are.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [np.nan, 1.0], [3.0, 0.0], [5.0, 1.0]])
    >>> encoder = Encoder("numeric", n_levels=(0, 2))
    >>> Z = encoder.fit_transform(X, np.array([0, 1, 0, 1]))
    >>> Z.round(1)
    array([[1. , 0. , 0.7, 0. , 0. ],
           [3. , 0.7, 0. , 0.7, 0. ],
           [3. , 0. , 0.7, 0. , 0. ],
           [5. , 0. , 0. , 0.7, 0. ]])
    >>> bool(np.array_equal(encoder.decode(Z), X, equal_nan=True))
    True
    """

    def __init__(
        self,
        input: str,
        n_levels: Sequence[int],
        seed: int = 0,
        dtype: type[np.floating[Any]] = np.float64,
    ) -> None:
        levels = np.asarray(n_levels, dtype=np.intp)
        self.input = input
        self.n_levels = levels
        self.seed = seed
        self.dtype = dtype
        self.numbers = np.flatnonzero(levels == 0)
        self.categories = np.flatnonzero(levels > 0)
        self.few = np.flatnonzero((levels > 0) & (levels <= MAX_ONE_HOT))
        self.many = np.flatnonzero(levels > MAX_ONE_HOT)

    @property
    def categorical_features(self) -> IntArray:
        """Columns of the encoded table that hold category codes."""
        return self.categories if self.input in ("raw", "mixed") else np.empty(0, dtype=np.intp)

    @property
    def sources(self) -> IntArray:
        """Column of the numeric matrix that each encoded column is made of, once it is fitted."""
        if self.input in ("raw", "mixed"):
            return np.arange(len(self.n_levels))
        one_hot = np.repeat(self.few, self.n_levels[self.few] + 1)
        statistics = np.repeat(self.many, self.n_statistics_ // max(len(self.many), 1))
        return np.concatenate([self.numbers, self.numbers[self.gaps_], one_hot, statistics])

    def fit_transform(self, X: FloatArray, y: IntArray) -> FloatArray:
        """Learn from training rows and encode them.

        Target statistics of a row are taken from other rows, so that a model cannot
        read the row's own label off them.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)

        Returns
        -------
        ndarray of shape (n_samples, n_encoded)
        """
        if self.input == "raw":
            return X
        self.scale_ = _Scale.of(X, self.numbers)
        self.n_statistics_ = 0
        self.gaps_ = np.flatnonzero([np.isnan(X[:, j]).any() for j in self.numbers])
        if self.input == "mixed" or not len(self.many):
            return self.transform(X)
        n_folds = max(2, min(5, int(np.bincount(y).min())))
        self.target_ = TargetEncoder(
            categories=[np.arange(self.n_levels[j] + 1.0) for j in self.many],
            target_type="binary" if y.max() == 1 else "multiclass",
            cv=n_folds,
            random_state=self.seed,
        )
        with warnings.catch_warnings():
            # scikit-learn 1.9 wants a splitter instead of a seed, which 1.7 refuses.
            warnings.simplefilter("ignore", FutureWarning)
            statistics = self.target_.fit_transform(self._codes(X, self.many), y)
        self.n_statistics_ = statistics.shape[1]
        self.target_scale_ = _Scale.of(statistics, range(self.n_statistics_))
        return self._assemble(X, statistics)

    def transform(self, X: FloatArray) -> FloatArray:
        """Encode rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_encoded)
        """
        if self.input == "raw":
            return X
        statistics = np.empty((len(X), self.n_statistics_))
        if self.n_statistics_ and len(X):
            statistics = self.target_.transform(self._codes(X, self.many))
        return self._assemble(X, statistics)

    def decode(self, Z: FloatArray) -> FloatArray:
        """Turn encoded rows, real or synthetic, back into the numeric matrix.

        Every synthetic row becomes a valid one: a category is one of its levels.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_encoded)

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        if self.input == "raw":
            return Z
        X = np.empty((len(Z), len(self.n_levels)))
        if self.input == "mixed":
            X[:, self.numbers] = self.scale_.stretch(Z[:, self.numbers])
            X[:, self.categories] = np.rint(Z[:, self.categories])
        else:
            self._decode_blocks(Z, X)
        for j in self.categories:
            X[X[:, j] >= self.n_levels[j], j] = np.nan
        return X

    def _assemble(self, X: FloatArray, statistics: FloatArray) -> FloatArray:
        n_encoded = self._assemble_some(X[:0], statistics[:0]).shape[1]
        Z = np.empty((len(X), n_encoded), dtype=self.dtype)
        with np.errstate(over="ignore"):
            for rows in gen_batches(max(len(X), 1), ROWS_AT_A_TIME):
                Z[rows] = self._assemble_some(X[rows], statistics[rows])
        return Z

    def _assemble_some(self, X: FloatArray, statistics: FloatArray) -> FloatArray:
        if self.input == "mixed":
            mixed = X.copy()
            mixed[:, self.numbers] = self._number_block(X)
            mixed[:, self.categories] = self._codes(X, self.categories)
            return mixed
        if self.input == "scaled" and statistics.shape[1]:
            statistics = self.target_scale_.squash(statistics)
        gaps = np.isnan(X[:, self.numbers[self.gaps_]]) * ONE_HOT_HEIGHT
        one_hot = [
            (self._codes(X, [int(j)]) == np.arange(self.n_levels[j] + 1)) * ONE_HOT_HEIGHT
            for j in self.few
        ]
        return np.concatenate([self._number_block(X), gaps, *one_hot, statistics], axis=1)

    def _number_block(self, X: FloatArray) -> FloatArray:
        filled = self.scale_.fill(X[:, self.numbers])
        return filled if self.input == "numeric" else self.scale_.squash(filled)

    def _codes(self, X: FloatArray, columns: Sequence[int] | IntArray) -> FloatArray:
        """Category codes, with one of their own for missing cells."""
        codes = X[:, columns]
        return np.where(np.isnan(codes), self.n_levels[columns].astype(float), codes)

    def _decode_blocks(self, Z: FloatArray, X: FloatArray) -> None:
        """Fill X from numbers, gap marks, one-hot blocks and target statistics."""
        widths = [len(self.numbers), len(self.gaps_), *(self.n_levels[self.few] + 1).tolist()]
        numbers, gaps, *blocks, statistics = np.split(Z, np.cumsum(widths), axis=1)
        X[:, self.numbers] = self.scale_.stretch(numbers) if self.input == "scaled" else numbers
        for place, j in enumerate(self.numbers[self.gaps_]):
            X[gaps[:, place] > ONE_HOT_HEIGHT / 2, j] = np.nan
        for j, block in zip(self.few, blocks, strict=True):
            X[:, j] = block.argmax(axis=1)
        per_column = np.split(statistics, len(self.many), axis=1) if len(self.many) else []
        for place, own in enumerate(per_column):
            X[:, self.many[place]] = self._nearest_level(place, own)

    def _nearest_level(self, place: int, statistics: FloatArray) -> IntArray:
        """Find the level whose target statistics are nearest."""
        j = self.many[place]
        levels = np.zeros((self.n_levels[j] + 1, len(self.many)))
        levels[:, place] = np.arange(self.n_levels[j] + 1)
        known = self.target_.transform(levels)
        if self.input == "scaled":
            known = self.target_scale_.squash(known)
        own = np.split(known, len(self.many), axis=1)[place]
        # Two classes have one statistic a level, so nearest is a look-up in sorted order.
        order = np.argsort(own[:, 0], kind="stable")
        middles = (own[order, 0][1:] + own[order, 0][:-1]) / 2
        return np.asarray(order[np.searchsorted(middles, statistics[:, 0])])
