"""Resampling that keeps real rows as they are, gaps and categories included.

A sampler sees the encoded table that it needs. Of what it returns, real rows are taken
from the original table and only synthetic ones are decoded, so that any sampler goes
before any model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.utils import gen_batches

from autoimb.arrays import BoolArray, FloatArray, IntArray
from autoimb.strategy.encoding import Encoder

__all__ = ["BalanceTowards", "Resampled", "resample"]

# Rows that are compared at a time, so that none of a large table is copied.
ROWS_AT_A_TIME = 2**14


@dataclass(frozen=True)
class BalanceTowards:
    """Class sizes a share of the way to equal ones, as a `sampling_strategy`.

    The way is taken on the log scale: with an imbalance ratio of r, a share s leaves
    r ** (1 - s), whichever side is resampled.

    Parameters
    ----------
    share : float
        From 0 (as it is) to 1 (equal classes).
    direction : {"over", "under"}

    Examples
    --------
    >>> y = np.array([0] * 100 + [1] * 4)
    >>> BalanceTowards(0.5, "over")(y), BalanceTowards(0.5, "under")(y)
    ({1: 20}, {0: 20})
    """

    share: float
    direction: Literal["over", "under"]

    def __call__(self, y: IntArray) -> dict[Any, int]:
        """Return the wished-for size of every class that is to be resampled."""
        classes, sizes = np.unique(y, return_counts=True)
        goal = sizes.max() if self.direction == "over" else sizes.min()
        wished = np.rint(sizes * (goal / sizes) ** self.share).astype(int)
        return {
            label: int(wish)
            for label, size, wish in zip(classes.tolist(), sizes, wished, strict=True)
            if size != goal
        }


@dataclass(frozen=True)
class Resampled:
    """What a sampler made of a training part.

    Attributes
    ----------
    kept : ndarray of shape (n_kept,)
        Real rows, by number, perhaps repeated.
    synthetic : ndarray of shape (n_synthetic, n_features)
        Rows of the numeric matrix.
    y : ndarray of shape (n_kept + n_synthetic,)
        Class codes.
    """

    kept: IntArray
    synthetic: FloatArray
    y: IntArray


def resample(sampler: Any, encoder: Encoder, Z: FloatArray, y: IntArray) -> Resampled:
    """Let a sampler of imbalanced-learn's kind resample an encoded training part.

    Parameters
    ----------
    sampler : object
        With `fit_resample`.
    encoder : Encoder
        That encoded the rows.
    Z : ndarray of shape (n_samples, n_encoded)
    y : ndarray of shape (n_samples,)

    Returns
    -------
    Resampled

    Raises
    ------
    ValueError
        If a class has no row left.

    Examples
    --------
    >>> from imblearn.over_sampling import SMOTE
    >>> X = np.array([[0.0], [1], [2], [3], [4], [5], [6], [7]])
    >>> found = resample(SMOTE(k_neighbors=1), Encoder("raw", (0,)), X, np.array([0] * 5 + [1] * 3))
    >>> found.kept, found.y
    (array([0, 1, 2, 3, 4, 5, 6, 7]), array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]))
    """
    Z_resampled, y_resampled = sampler.fit_resample(Z, y)
    y_resampled = np.asarray(y_resampled, dtype=np.intp)
    if len(np.unique(y_resampled)) < len(np.unique(y)):
        raise ValueError(f"{type(sampler).__name__} left a class without rows")
    origin = _origin(sampler, Z, np.asarray(Z_resampled))
    real = origin >= 0
    # Real rows first: the order of rows must not tell them apart later.
    order = np.concatenate([np.flatnonzero(real), np.flatnonzero(~real)])
    synthetic = encoder.decode(np.asarray(Z_resampled)[~real])
    return Resampled(origin[real], synthetic, y_resampled[order])


def _origin(sampler: Any, Z: FloatArray, Z_resampled: FloatArray) -> IntArray:
    """Find the real row that each resampled one is; -1 for a synthetic one."""
    # SMOTE+ENN and SMOTE+Tomek clean what SMOTE returned: original rows, then synthetic ones.
    cleaner = getattr(sampler, "enn_", None) or getattr(sampler, "tomek_", None)
    told = getattr(cleaner or sampler, "sample_indices_", range(len(Z_resampled)))
    origin = np.array(told, dtype=np.intp)
    origin[origin >= len(Z)] = -1
    # The smoothed bootstrap names the row that each one was made of, though it moved it.
    for rows in gen_batches(len(origin), ROWS_AT_A_TIME):
        batch = origin[rows]
        batch[~_are_equal(Z_resampled[rows], Z[batch])] = -1
    return origin


def _are_equal(some: FloatArray, others: FloatArray) -> BoolArray:
    """Tell row by row whether all cells are equal or both missing."""
    return np.asarray(((some == others) | (np.isnan(some) & np.isnan(others))).all(axis=1))
