"""Detectors of outliers with one interface, and scores of rows that a detector has not seen.

All are fitted on rows of one class, and score any row by how little it looks like them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

from autoimb.arrays import BoolArray, FloatArray, IntArray
from autoimb.strategy.ecod import ECOD

__all__ = ["DETECTORS", "fit_detector", "make_detector", "score_out_of_fold", "strangeness"]

DETECTORS = ("ecod", "isolation_forest", "local_outlier_factor", "one_class_svm")
# The time of a one-class machine and of a search for neighbours grows with the square of the
# rows, and what they say of the density hardly changes.
MAX_ROWS = 5000
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
    """The logarithm of the mean kernel to the support vectors (Schoelkopf et al. 2001).

    It ranks as the decision function does. But that one grows with the rows, so that a fit to
    more rows and one to fewer cannot be compared, and far away from all rows it is flat.
    """

    def __init__(self, nu: float = 0.1, gamma: float = 1.0) -> None:
        self.nu = nu
        self.gamma = gamma

    def fit(self, X: FloatArray) -> _DensitySVM:
        scale = 1 / (X.shape[1] * float(X.var()) or 1.0)
        self.svm_ = OneClassSVM(gamma=self.gamma * scale, nu=self.nu).fit(X)
        return self

    def score_samples(self, X: FloatArray) -> FloatArray:
        mean_kernel = self.svm_.score_samples(X) / self.svm_.dual_coef_.sum()
        return np.asarray(np.log(np.maximum(mean_kernel, TINY)))


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


def fit_detector(detector: Any, rows: FloatArray, rng: np.random.Generator) -> Any:
    """Fit a clone of a detector to rows, of many to a sample of `MAX_ROWS`."""
    if len(rows) > MAX_ROWS:
        rows = rows[np.sort(rng.choice(len(rows), MAX_ROWS, replace=False))]
    return clone(detector).fit(rows)


def strangeness(detector: Any, rows: FloatArray) -> FloatArray:
    """Score rows, of shape (n_samples,): the higher, the less like what the detector has seen."""
    return np.asarray(-detector.score_samples(rows), dtype=float)


def score_out_of_fold(
    detector: Any, rows: FloatArray, normal: BoolArray, rng: np.random.Generator
) -> FloatArray:
    """Score every row by a detector that was fitted on normal rows of the other folds.

    Rows of all kinds are dealt to the folds, so that all scores in one come from one detector.

    Parameters
    ----------
    detector : object
        As `make_detector` makes it.
    rows : ndarray of shape (n_samples, n_features)
    normal : ndarray of shape (n_samples,)
        Which rows a detector may be fitted on; at least two.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If less than two rows are normal.

    Examples
    --------
    >>> rows = np.append(np.random.default_rng(0).normal(size=99), 9.0).reshape(-1, 1)
    >>> scores = score_out_of_fold(ECOD(), rows, rows[:, 0] < 9, np.random.default_rng(0))
    >>> int(scores.argmax())
    99
    """
    n_normal = int(normal.sum())
    if n_normal < 2:
        raise ValueError(f"a detector needs two normal rows or more, but got {n_normal}")
    n_folds = min(N_FOLDS, n_normal)
    folds = _deal(normal, n_folds, rng)
    scores = np.empty(len(rows))
    for fold in range(n_folds):
        own = folds == fold
        if own.any():
            fitted = fit_detector(detector, rows[normal & ~own], rng)
            scores[own] = strangeness(fitted, rows[own])
    return scores


def _deal(normal: BoolArray, n_folds: int, rng: np.random.Generator) -> IntArray:
    """Deal rows to folds at random, those of either kind evenly."""
    shuffled = rng.permutation(len(normal))
    in_turn = shuffled[np.argsort(normal[shuffled], kind="stable")]
    folds = np.empty(len(normal), dtype=np.intp)
    folds[in_turn] = np.arange(len(normal)) % n_folds
    return folds
