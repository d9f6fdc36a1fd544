"""LightGBM that decides by itself how many trees it grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightgbm
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split

from autoimb.arrays import FloatArray, IntArray

__all__ = ["EarlyStoppedLightGBM"]

# Rows of the smallest class below which a part of them says nothing about the log loss.
FEWEST_RARE = 20
# Rows of the smallest class that are kept aside at least.
RARE_ASIDE = 5
# Trees times learning rate where nothing is kept aside: as of LightGBM's defaults.
DISTANCE = 10


class EarlyStoppedLightGBM(ClassifierMixin, BaseEstimator):
    """Gradient boosting that stops when the log loss on rows kept aside gets no better.

    The rows are a stratified part of those that it is trained on, never rows that it is scored
    on. It is then grown again, on all rows, with the number of trees that was best. Where the
    smallest class has fewer than 20 rows nothing is kept aside: the number of trees follows from
    the learning rate.

    Parameters
    ----------
    n_estimators : int
        Trees at most.
    patience : int
        Trees in a row without improvement after which it stops.
    share : float
        Of the rows that are kept aside; more where it holds fewer than 5 of the smallest class.
    learning_rate, num_leaves, min_child_samples, subsample, colsample_bytree, reg_lambda,
    cat_smooth, extra_trees : object
        As of `lightgbm.LGBMClassifier`.
    random_state, n_jobs : int, optional

    Attributes
    ----------
    n_trees_ : int
        Trees that were grown in the end.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 3))
    >>> signal, noise = X[:, 0] + X[:, 1] > 2, rng.random(1000) < 0.1
    >>> model = EarlyStoppedLightGBM(random_state=0, n_jobs=1)
    >>> model.fit(X, signal).n_trees_ > model.fit(X, noise).n_trees_
    True
    """

    def __init__(
        self,
        n_estimators: int = 1000,
        *,
        patience: int = 30,
        share: float = 0.15,
        learning_rate: float = 0.05,
        num_leaves: int = 15,
        min_child_samples: int = 20,
        subsample: float = 1.0,
        colsample_bytree: float = 0.7,
        reg_lambda: float = 1.0,
        cat_smooth: float = 10.0,
        extra_trees: bool = False,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.patience = patience
        self.share = share
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.min_child_samples = min_child_samples
        self.subsample = subsample
        self.colsample_bytree = colsample_bytree
        self.reg_lambda = reg_lambda
        self.cat_smooth = cat_smooth
        self.extra_trees = extra_trees
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: FloatArray,
        y: IntArray,
        sample_weight: FloatArray | None = None,
        categorical_feature: Sequence[int] | None = None,
    ) -> EarlyStoppedLightGBM:
        """Find the number of trees, then grow as many on all rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            Labels of two classes or more.
        sample_weight : ndarray of shape (n_samples,), optional
            Counts in the log loss that it stops by, too.
        categorical_feature : sequence of int, optional
            Columns that hold codes of categories.

        Returns
        -------
        EarlyStoppedLightGBM

        Raises
        ------
        ValueError
            If there is one class only.
        """
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("boosting needs rows of two classes or more")
        settings = self._settings()
        rows = lightgbm.Dataset(
            X, codes, weight=sample_weight, categorical_feature=list(categorical_feature or ()),
            params=settings,
        )  # fmt: skip
        self.n_trees_ = self._count_trees(rows.construct(), codes, settings)
        self.booster_ = lightgbm.train(settings, rows, self.n_trees_)
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities of shape (n_samples, n_classes)."""
        proba = np.asarray(self.booster_.predict(X, num_threads=self.n_jobs or 0))
        return np.column_stack([1 - proba, proba]) if proba.ndim == 1 else proba

    def predict(self, X: FloatArray) -> Any:
        """Predict labels of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _count_trees(
        self, rows: lightgbm.Dataset, codes: IntArray, settings: dict[str, Any]
    ) -> int:
        """Return how many trees did best on rows kept aside."""
        n_rare = int(np.bincount(codes).min())
        if n_rare < FEWEST_RARE:
            return max(1, min(round(DISTANCE / self.learning_rate), self.n_estimators))
        parts = train_test_split(
            np.arange(len(codes)),
            test_size=max(self.share, RARE_ASIDE / n_rare),
            stratify=codes,
            random_state=self.random_state,
        )
        grown_on, aside = (rows.subset(sorted(part)) for part in parts)
        stop = lightgbm.early_stopping(self.patience, verbose=False)
        found = lightgbm.train(
            settings, grown_on, self.n_estimators, valid_sets=[aside], callbacks=[stop]
        )
        return max(found.best_iteration, 1)

    def _settings(self) -> dict[str, Any]:
        n_classes = len(self.classes_)
        kind = {"objective": "binary"} if n_classes == 2 else {
            "objective": "multiclass", "num_class": n_classes,
        }  # fmt: skip
        return {
            **kind, "learning_rate": self.learning_rate, "num_leaves": self.num_leaves,
            "min_data_in_leaf": self.min_child_samples, "bagging_fraction": self.subsample,
            "bagging_freq": 1, "feature_fraction": self.colsample_bytree,
            "lambda_l2": self.reg_lambda, "cat_smooth": self.cat_smooth,
            "extra_trees": self.extra_trees, "seed": self.random_state,
            "num_threads": self.n_jobs or 0, "verbosity": -1, "deterministic": True,
            "force_row_wise": True, "feature_pre_filter": False,
        }  # fmt: skip
