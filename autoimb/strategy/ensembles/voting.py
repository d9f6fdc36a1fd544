"""What ensembles have in common whose members vote: how they are trained and heard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import has_fit_parameter

from autoimb.arrays import FloatArray, IntArray

__all__ = ["Sizes", "Table", "VotingEnsemble", "predict_member", "wished_sizes"]

Sizes = Callable[[IntArray], dict[int, int]]


class Table(NamedTuple):
    """Rows, their class codes and, perhaps, weights; columns that hold codes of categories."""

    X: FloatArray
    codes: IntArray
    categories: list[int]
    weights: FloatArray | None = None


class VotingEnsemble(ClassifierMixin, BaseEstimator, ABC):
    """Members whose probabilities are averaged, each with its vote.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    estimators_ : list of classifier
    votes_ : list of float
        What each member counts.
    """

    estimator: Any
    random_state: int

    def fit(
        self, X: FloatArray, y: IntArray, categorical_feature: Sequence[int] | None = None
    ) -> VotingEnsemble:
        """Train the members.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            Labels of two classes or more.
        categorical_feature : sequence of int, optional
            Columns that hold codes of categories.

        Returns
        -------
        object
            Itself.
        """
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("an ensemble needs rows of two classes or more")
        self.estimators_: list[Any] = []
        self.votes_: list[float] = []
        table = Table(np.asarray(X), codes, list(categorical_feature or ()))
        self._grow(table, np.random.default_rng(self.random_state))
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict the mean of what members vote for, of shape (n_samples, n_classes)."""
        shares = np.array(self.votes_) / sum(self.votes_)
        return np.asarray(sum(share * self._hear(k, X) for k, share in enumerate(shares)))

    def predict(self, X: FloatArray) -> Any:
        """Predict labels of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @abstractmethod
    def _grow(self, table: Table, rng: np.random.Generator) -> None:
        """Train the members."""

    def _hear(self, place: int, X: FloatArray) -> FloatArray:
        """Return what a member votes for."""
        return predict_member(self.estimators_[place], X)

    def _train(self, shown: Table, rng: np.random.Generator) -> Any:
        """Train a member with weights, or without on rows drawn in proportion to them."""
        member = clone(self.estimator)
        if "random_state" in member.get_params(deep=False):
            member.set_params(random_state=self.random_state + len(self.estimators_))
        X, codes, categories, weights = shown
        given: dict[str, Any] = {}
        if categories and has_fit_parameter(member, "categorical_feature"):
            given["categorical_feature"] = categories
        if weights is not None and has_fit_parameter(member, "sample_weight"):
            given["sample_weight"] = weights / weights.mean()
        elif weights is not None:
            rows = _draw_by_weight(codes, weights, rng)
            X, codes = X[rows], codes[rows]
        return member.fit(X, codes, **given)


def predict_member(member: Any, X: FloatArray) -> FloatArray:
    """Predict the probabilities of one member, of shape (n_samples, n_classes)."""
    return np.asarray(member.predict_proba(X), dtype=float)


def _draw_by_weight(codes: IntArray, weights: FloatArray, rng: np.random.Generator) -> IntArray:
    """Draw as many rows as there are, with replacement, and the heaviest of a class that lacks."""
    rows = rng.choice(len(codes), size=len(codes), p=weights / weights.sum())
    lacking = np.setdiff1d(codes, codes[rows])
    heaviest = [np.argmax(np.where(codes == code, weights, -1.0)) for code in lacking]
    return np.concatenate([rows, np.array(heaviest, dtype=np.intp)])


def wished_sizes(codes: IntArray, strategy: Sizes | None, default: int) -> IntArray:
    """Return how many rows of each class are wished for.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
    strategy : callable or None
        Takes codes, returns the size of every class that changes, as
        `autoimb.strategy.resampling.BalanceTowards` does.
    default : int
        Without a strategy, the size of every class.

    Returns
    -------
    ndarray of shape (n_classes,)

    Examples
    --------
    >>> codes = np.array([0, 0, 0, 1])
    >>> wished_sizes(codes, lambda codes: {1: 2}, 3)
    array([3, 2])
    """
    sizes = np.bincount(codes)
    if strategy is None:
        return np.full(len(sizes), default)
    for code, size in strategy(codes).items():
        sizes[code] = size
    return sizes
