"""Detectors of outliers with one interface, and scores of rows that a detector has not seen.

All are fitted on rows of one class, and score any row by how little it looks like them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

from autoimb.arrays import BoolArray, FloatArray, IntArray
from autoimb.strategy.anomaly.ecod import ECOD

__all__ = ["DETECTORS", "CrossFitted", "cross_fit", "make_detector", "strangeness"]

DETECTORS = ("ecod", "isolation_forest", "local_outlier_factor", "one_class_svm")
# Detectors on samples, in the mean, find as much as one on all rows (Zimek et al. 2013), and do
# not grow with the square of the rows as neighbours and a one-class machine do.
MAX_ROWS = 2000
N_FOLDS = 5
TINY = 1e-300


class _DistinctLOF(BaseEstimator):
    """The logarithm of the local outlier factor among distinct rows (Breunig et al. 2000).

    Copies are at no distance from each other: what is near them has an infinite factor.
    """

    def __init__(self, n_neighbors: int = 20, n_jobs: int | None = None) -> None:
        self.n_neighbors = n_neighbors
        self.n_jobs = n_jobs

    def fit(self, X: FloatArray) -> _DistinctLOF:
        distinct = np.unique(X, axis=0)
        if len(distinct) == 1:
            distinct = np.repeat(distinct, 2, axis=0)
        n_neighbors = min(self.n_neighbors, len(distinct) - 1)
        self.lof_ = LocalOutlierFactor(n_neighbors, novelty=True, n_jobs=self.n_jobs).fit(distinct)
        return self

    def score_samples(self, X: FloatArray) -> FloatArray:
        return np.asarray(-np.log(-self.lof_.score_samples(X)))


class _DensitySVM(BaseEstimator):
    """The logarithm of the support of a row over that of the boundary (Schoelkopf et al. 2001).

    It ranks as the decision function does. But that one grows with the rows, so that fits to
    different rows cannot be compared, and far away from all rows it is flat.
    """

    def __init__(self, nu: float = 0.1, gamma: float = 1.0) -> None:
        self.nu = nu
        self.gamma = gamma

    def fit(self, X: FloatArray) -> _DensitySVM:
        scale = 1 / (X.shape[1] * float(X.var()) or 1.0)
        self.svm_ = OneClassSVM(gamma=self.gamma * scale, nu=self.nu).fit(X)
        return self

    def score_samples(self, X: FloatArray) -> FloatArray:
        support = self.svm_.score_samples(X) / float(self.svm_.offset_[0])
        return np.asarray(np.log(np.maximum(support, TINY)))


def make_detector(
    name: str,
    *,
    n_estimators: int = 100,
    max_features: float = 1.0,
    n_neighbors: int = 20,
    nu: float = 0.1,
    gamma: float = 1.0,
    random_state: int | None = None,
    n_jobs: int | None = None,
) -> Any:
    """Make a detector.

    Parameters
    ----------
    name : {"ecod", "isolation_forest", "local_outlier_factor", "one_class_svm"}
    n_estimators : int
        Trees of the forest, each of 256 rows (Liu, Ting and Zhou 2008).
    max_features : float
        Share of the columns that a tree of the forest sees.
    n_neighbors : int
        Of the local outlier factor; fewer where there are no more.
    nu : float
        Share of the rows that the one-class machine may leave outside, in (0, 1).
    gamma : float
        Of its kernel, as a multiple of what scikit-learn calls "scale".
    random_state, n_jobs : int, optional

    Returns
    -------
    object
        With `fit` and `score_samples`, which is low for outliers.

    Raises
    ------
    ValueError
        If the name is not known.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(300, 2))
    >>> detector = make_detector("local_outlier_factor").fit(rows)
    >>> strangeness(detector, np.array([[0.0, 0.0], [9.0, 9.0]])).round(1)
    array([0.1, 2.6])
    """
    match name:
        case "ecod":
            return ECOD()
        case "isolation_forest":
            return IsolationForest(
                n_estimators=n_estimators, max_features=max_features,
                random_state=random_state, n_jobs=n_jobs,
            )  # fmt: skip
        case "local_outlier_factor":
            return _DistinctLOF(n_neighbors, n_jobs)
        case "one_class_svm":
            return _DensitySVM(nu, gamma)
    raise ValueError(f"detector must be one of {', '.join(DETECTORS)}, but got {name!r}")


def strangeness(detector: Any, rows: FloatArray) -> FloatArray:
    """Score rows, of shape (n_samples,): the higher, the less like what the detector has seen."""
    return np.asarray(-detector.score_samples(rows), dtype=float)


@dataclass(frozen=True)
class CrossFitted:
    """Detectors that were each fitted on the normal rows of all folds but one.

    What rows to predict get is the mean. One detector, fitted on all normal rows, would be off
    by what is special to it: a forest by its draws, a one-class machine by its number of rows.

    Attributes
    ----------
    detectors : tuple of object
    """

    detectors: tuple[Any, ...]

    def __call__(self, rows: FloatArray) -> FloatArray:
        """Score rows that no detector has seen, as `strangeness` does."""
        return np.asarray(np.mean([strangeness(one, rows) for one in self.detectors], axis=0))


def cross_fit(
    detector: Any, rows: FloatArray, normal: BoolArray, rng: np.random.Generator
) -> tuple[CrossFitted, FloatArray]:
    """Fit a detector to normal rows, and score every row without those of its own fold.

    Rows of all kinds are dealt to the folds, so that all scores in one come from one detector.
    Of many normal rows a detector sees a sample of `MAX_ROWS`.

    Parameters
    ----------
    detector : object
        As `make_detector` makes it; is cloned.
    rows : ndarray of shape (n_samples, n_features)
    normal : ndarray of shape (n_samples,)
        Which rows a detector may be fitted on; at least two.
    rng : numpy.random.Generator

    Returns
    -------
    CrossFitted
    ndarray of shape (n_samples,)
        Scores of the rows.

    Raises
    ------
    ValueError
        If less than two rows are normal.

    Examples
    --------
    >>> rows = np.append(np.random.default_rng(0).normal(size=99), 9.0).reshape(-1, 1)
    >>> fitted, scores = cross_fit(ECOD(), rows, rows[:, 0] < 9, np.random.default_rng(0))
    >>> int(scores.argmax())
    99
    >>> fitted(np.array([[0.0], [5.0]])).round(1)
    array([0.8, 4.4])
    """
    n_normal = int(normal.sum())
    if n_normal < 2:
        raise ValueError(f"a detector needs two normal rows or more, but got {n_normal}")
    n_folds = min(N_FOLDS, n_normal)
    folds, scores, detectors = _deal(normal, n_folds, rng), np.empty(len(rows)), []
    for fold in range(n_folds):
        own = folds == fold
        seen = np.flatnonzero(normal & ~own)
        if len(seen) > MAX_ROWS:
            seen = np.sort(rng.choice(seen, MAX_ROWS, replace=False))
        detectors.append(clone(detector).fit(rows[seen]))
        scores[own] = strangeness(detectors[-1], rows[own])
    return CrossFitted(tuple(detectors)), scores


def _deal(normal: BoolArray, n_folds: int, rng: np.random.Generator) -> IntArray:
    """Deal rows to folds at random, those of either kind evenly."""
    shuffled = rng.permutation(len(normal))
    in_turn = shuffled[np.argsort(normal[shuffled], kind="stable")]
    folds = np.empty(len(normal), dtype=np.intp)
    folds[in_turn] = np.arange(len(normal)) % n_folds
    return folds
