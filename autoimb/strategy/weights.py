"""Weights by class, applied after any sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import has_fit_parameter

from autoimb.arrays import FloatArray, IntArray

__all__ = ["ClassWeighted", "class_weights", "effective_number_weights"]


def class_weights(y: IntArray, power: float) -> FloatArray:
    """Weight every row by a power of its class's size.

    The weight of class k is ``n_k ** -power``, scaled so that the mean weight is 1: a power
    of 0 changes nothing, 1 gives every class the same total (King and Zeng 2001).

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes.
    power : float
        From 0 to 1; beyond 1 rare classes outweigh frequent ones.

    Returns
    -------
    ndarray of shape (n_samples,)

    Examples
    --------
    >>> class_weights(np.array([0, 0, 0, 1]), 1.0).round(3)
    array([0.667, 0.667, 0.667, 2.   ])
    """
    sizes = np.bincount(y).astype(float)
    weights = np.maximum(sizes, 1.0)[y] ** -power
    return np.asarray(weights / weights.mean())


def effective_number_weights(sizes: IntArray, beta: float) -> FloatArray:
    """Weight classes by the inverse of the effective number of their rows.

    The weight of class k is ``(1 - beta) / (1 - beta ** n_k)``, scaled so that the mean over
    the rows is 1 (Cui, Jia, Lin, Song and Belongie 2019, eq. 4 and 6).

    Parameters
    ----------
    sizes : ndarray of shape (n_classes,)
        Rows of each class, at least one.
    beta : float
        From 0, where all weigh alike, to below 1, where each class gets nearly the same total.

    Returns
    -------
    ndarray of shape (n_classes,)

    Examples
    --------
    >>> effective_number_weights(np.array([900, 100]), 0.999).round(2)
    array([0.66, 4.09])
    """
    effective = -np.expm1(np.asarray(sizes) * np.log(beta)) / (1 - beta) if beta else 1.0
    weights = np.ones(len(sizes)) / effective
    return np.asarray(weights * np.sum(sizes) / (weights @ sizes))


class ClassWeighted(ClassifierMixin, BaseEstimator):
    """Fit a classifier with rows weighted by a power of their class's size.

    Parameters
    ----------
    estimator : classifier
        Its `fit` takes `sample_weight`.
    power : float
        As in `class_weights`.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = np.arange(6.0).reshape(-1, 1), np.array([0, 0, 0, 0, 1, 1])
    >>> ClassWeighted(LogisticRegression(), power=1.0).fit(X, y).predict([[3.5]])
    array([1])
    """

    def __init__(self, estimator: Any, power: float = 0.5) -> None:
        self.estimator = estimator
        self.power = power

    def fit(self, X: FloatArray, y: IntArray, **fit_parameters: Any) -> ClassWeighted:
        """Fit the wrapped classifier.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            Class codes.
        **fit_parameters : object
            Passed on.

        Returns
        -------
        ClassWeighted

        Raises
        ------
        TypeError
            If the wrapped classifier takes no weights.
        """
        if not has_fit_parameter(self.estimator, "sample_weight"):
            raise TypeError(f"{type(self.estimator).__name__} takes no sample_weight")
        weights = class_weights(y, self.power)
        self.estimator_ = clone(self.estimator).fit(X, y, sample_weight=weights, **fit_parameters)
        self.classes_ = self.estimator_.classes_
        return self

    def predict(self, X: FloatArray) -> IntArray:
        """Predict codes of shape (n_samples,)."""
        return np.asarray(self.estimator_.predict(X))

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities of shape (n_samples, n_classes)."""
        return np.asarray(self.estimator_.predict_proba(X))
