"""A representation learned from the classes as they are, and a head that balances them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.prevalence import shift_prevalence
from autoimb.strategy.weights import class_weights

__all__ = ["LeafHead"]


class LeafHead(ClassifierMixin, BaseEstimator):
    """Logistic regression on the leaves that boosted trees put a row into.

    Decoupled training (Kang, Xie, Rohrbach, Yan, Gordo, Feng and Kalantidis 2020): trees are
    grown on the natural distribution; only the head balances, by weights or by the norms of its
    weights. Leaves as features are from He et al. 2014. The probabilities are corrected for the
    weights, so that they are those of the natural prevalence.

    Parameters
    ----------
    power : float
        Weights of the head's rows: ``n_k ** -power``.
    tau : float
        Of several classes, the power of the norm that the head's weights are divided by. Of two
        classes both norms are the same.
    C : float
        Of the head's logistic regression.
    n_estimators, num_leaves, learning_rate, min_child_samples : object
        Of the trees, as of `lightgbm.LGBMClassifier`.
    random_state, n_jobs : int, optional

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 2))
    >>> y = (X[:, 0] * X[:, 1] + 0.3 * rng.normal(size=1000) > 1).astype(int)
    >>> model = LeafHead(n_jobs=1).fit(X, y)
    >>> bool(model.predict_proba([[2.0, 2.0]])[0, 1] > 0.5)
    True
    """

    def __init__(
        self,
        power: float = 1.0,
        *,
        tau: float = 0.0,
        C: float = 0.01,
        n_estimators: int = 100,
        num_leaves: int = 8,
        learning_rate: float = 0.1,
        min_child_samples: int = 20,
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.power = power
        self.tau = tau
        self.C = C
        self.n_estimators = n_estimators
        self.num_leaves = num_leaves
        self.learning_rate = learning_rate
        self.min_child_samples = min_child_samples
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self, X: FloatArray, y: IntArray, categorical_feature: Sequence[int] | None = None
    ) -> LeafHead:
        """Grow the trees, then train the head.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
        categorical_feature : sequence of int, optional
            Columns that hold codes of categories.

        Returns
        -------
        LeafHead
        """
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.trees_ = LGBMClassifier(
            n_estimators=self.n_estimators, num_leaves=self.num_leaves,
            learning_rate=self.learning_rate, min_child_samples=self.min_child_samples,
            random_state=self.random_state, n_jobs=self.n_jobs, verbosity=-1, deterministic=True,
            force_row_wise=True,
        )  # fmt: skip
        self.trees_.fit(X, codes, categorical_feature=list(categorical_feature or ()))
        self.leaves_ = OneHotEncoder(handle_unknown="ignore", dtype=np.float32)
        represented = self.leaves_.fit_transform(self._leaves(X))
        weights = class_weights(codes, self.power)
        head = LogisticRegression(C=self.C, max_iter=300)
        self.head_ = head.fit(represented, codes, sample_weight=weights)
        _, first = np.unique(codes, return_index=True)
        self.weights_ = weights[first]
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities of shape (n_samples, n_classes)."""
        represented = self.leaves_.transform(self._leaves(np.asarray(X)))
        if len(self.classes_) == 2:
            proba = self.head_.predict_proba(represented)
        else:
            norms = np.linalg.norm(self.head_.coef_, axis=1) ** self.tau
            scores = represented @ (self.head_.coef_ / norms[:, None]).T + self.head_.intercept_
            proba = softmax(scores, axis=1)
        return shift_prevalence(np.asarray(proba, dtype=float), 1 / self.weights_)

    def predict(self, X: FloatArray) -> Any:
        """Predict labels of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _leaves(self, X: FloatArray) -> IntArray:
        return np.asarray(self.trees_.predict(X, pred_leaf=True))
