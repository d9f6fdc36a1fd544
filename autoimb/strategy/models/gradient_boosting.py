"""Boosting by CatBoost, XGBoost and InterpretML, told which columns hold categories.

Each package is imported when a model is trained: none of them is a dependency.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from autoimb.arrays import FloatArray, IntArray

__all__ = ["CatBoost", "ExplainableBoosting", "XGBoost"]

# Beyond it a number is infinite in single precision, which XGBoost refuses.
LARGEST = float(np.finfo(np.float32).max)


class _Boosting(ClassifierMixin, BaseEstimator, ABC):
    """A model of another package, which sees codes of categories as categories."""

    def fit(
        self,
        X: FloatArray,
        y: IntArray,
        sample_weight: FloatArray | None = None,
        categorical_feature: Sequence[int] | None = None,
    ) -> _Boosting:
        """Grow the trees.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Missing cells are NaN.
        y : ndarray of shape (n_samples,)
            Labels of two classes or more.
        sample_weight : ndarray of shape (n_samples,), optional
        categorical_feature : sequence of int, optional
            Columns that hold codes of categories.

        Returns
        -------
        object
            Itself.

        Raises
        ------
        ValueError
            If there is one class only.
        """
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("boosting needs rows of two classes or more")
        self.categorical_ = tuple(categorical_feature or ())
        model = self._build(X.shape[1])
        self.model_ = model.fit(self._prepare(X), codes, sample_weight=sample_weight)
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities of shape (n_samples, n_classes)."""
        return np.asarray(self.model_.predict_proba(self._prepare(X)), dtype=float)

    def predict(self, X: FloatArray) -> Any:
        """Predict labels of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @abstractmethod
    def _build(self, n_columns: int) -> Any:
        """Return the model of the package, not trained."""

    def _prepare(self, X: FloatArray) -> Any:
        """Return the rows as the package wants them."""
        return np.clip(X, -LARGEST, LARGEST)

    def _kinds(self, n_columns: int, number: str, category: str) -> list[str]:
        return [category if j in self.categorical_ else number for j in range(n_columns)]


class CatBoost(_Boosting):
    """Ordered statistics of categories and symmetric trees (Prokhorenkova et al. 2018).

    Numbers are cut into 64 bins; statistics are of single columns of more than 16 categories, not
    of combinations, and others are split category by category: much faster, for similar trees.

    Parameters
    ----------
    iterations : int
        Trees.
    learning_rate : float
    depth : int
        Of the trees.
    l2_leaf_reg : float
    subsample : float
        Share of the rows that each tree is grown on.
    random_state, n_jobs : int, optional

    Examples
    --------
    >>> X = np.arange(40.0)[:, None]
    >>> model = CatBoost(20, learning_rate=0.3, random_state=0, n_jobs=1).fit(X, X[:, 0] > 30)
    >>> model.predict([[5.0], [38.0]])
    array([False,  True])
    """

    def __init__(
        self,
        iterations: int = 200,
        *,
        learning_rate: float = 0.05,
        depth: int = 5,
        l2_leaf_reg: float = 3.0,
        subsample: float = 0.8,
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.iterations = iterations
        self.learning_rate = learning_rate
        self.depth = depth
        self.l2_leaf_reg = l2_leaf_reg
        self.subsample = subsample
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _build(self, n_columns: int) -> Any:
        from catboost import CatBoostClassifier

        return CatBoostClassifier(
            iterations=self.iterations, learning_rate=self.learning_rate, depth=self.depth,
            l2_leaf_reg=self.l2_leaf_reg, bootstrap_type="Bernoulli", subsample=self.subsample,
            border_count=64, max_ctr_complexity=1, one_hot_max_size=16, boosting_type="Plain",
            cat_features=list(self.categorical_), random_seed=self.random_state,
            # of several classes it cannot
            boost_from_average=len(self.classes_) == 2,
            thread_count=self.n_jobs or -1, allow_writing_files=False, verbose=False,
        )  # fmt: skip

    def _prepare(self, X: FloatArray) -> Any:
        if not self.categorical_:
            return super()._prepare(np.asarray(X))
        columns = {j: pd.Series(column) for j, column in enumerate(super()._prepare(X).T)}
        for j in self.categorical_:
            columns[j] = columns[j].fillna(-1).astype(int)
        return pd.DataFrame(columns)


class XGBoost(_Boosting):
    """Second-order boosting of regularised trees (Chen and Guestrin 2016).

    Parameters
    ----------
    n_estimators : int
    learning_rate : float
    max_depth : int
    min_child_weight : float
        Least sum of ``p * (1 - p)`` in a leaf: of rare classes a small one.
    subsample, colsample_bynode : float
    reg_alpha, reg_lambda : float
    max_cat_to_onehot : int
        Levels up to which each is split from all others.
    random_state, n_jobs : int, optional

    Examples
    --------
    >>> X = np.arange(40.0)[:, None]
    >>> model = XGBoost(20, learning_rate=0.5, n_jobs=1).fit(X, X[:, 0] > 30)
    >>> model.predict([[5.0], [38.0]])
    array([False,  True])
    """

    def __init__(
        self,
        n_estimators: int = 200,
        *,
        learning_rate: float = 0.05,
        max_depth: int = 5,
        min_child_weight: float = 1.0,
        subsample: float = 1.0,
        colsample_bynode: float = 0.7,
        reg_alpha: float = 0.0,
        reg_lambda: float = 1.0,
        max_cat_to_onehot: int = 4,
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.min_child_weight = min_child_weight
        self.subsample = subsample
        self.colsample_bynode = colsample_bynode
        self.reg_alpha = reg_alpha
        self.reg_lambda = reg_lambda
        self.max_cat_to_onehot = max_cat_to_onehot
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _build(self, n_columns: int) -> Any:
        from xgboost import XGBClassifier

        return XGBClassifier(
            **self.get_params(deep=False), tree_method="hist", enable_categorical=True,
            feature_types=self._kinds(n_columns, "q", "c"), verbosity=0,
        )  # fmt: skip


class ExplainableBoosting(_Boosting):
    """A curve for each column, to be read, boosted in turn (Lou, Caruana and Gehrke 2012).

    It keeps a part of its training rows aside for each bag, and stops when the log loss on them
    gets no better. ``model_`` is InterpretML's, whose `explain_global` draws the curves (Nori,
    Jenkins, Koch and Caruana 2019).

    Parameters
    ----------
    interactions : int
        Pairs of columns that get a surface.
    max_bins : int
        Steps of a curve at most.
    outer_bags : int
        Fits on parts of the rows that are averaged.
    learning_rate : float
    min_samples_leaf : int
    smoothing_rounds : int
        Rounds with splits at random before those that are chosen: more make smoother curves.
    random_state, n_jobs : int, optional

    Examples
    --------
    >>> X = np.arange(100.0)[:, None]
    >>> model = ExplainableBoosting(random_state=0, n_jobs=1).fit(X, X[:, 0] > 70)
    >>> model.predict([[5.0], [98.0]])
    array([False,  True])
    """

    def __init__(
        self,
        interactions: int = 0,
        *,
        max_bins: int = 256,
        outer_bags: int = 2,
        learning_rate: float = 0.05,
        min_samples_leaf: int = 4,
        smoothing_rounds: int = 25,
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.interactions = interactions
        self.max_bins = max_bins
        self.outer_bags = outer_bags
        self.learning_rate = learning_rate
        self.min_samples_leaf = min_samples_leaf
        self.smoothing_rounds = smoothing_rounds
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _build(self, n_columns: int) -> Any:
        from interpret.glassbox import ExplainableBoostingClassifier

        return ExplainableBoostingClassifier(
            **self.get_params(deep=False), max_interaction_bins=16, max_rounds=2000,
            early_stopping_rounds=50,
            feature_types=self._kinds(n_columns, "continuous", "nominal"),
        )  # fmt: skip
