"""A representation learned from the classes as they are, and a head that balances them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.prevalence import match_prevalence, shift_prevalence
from autoimb.strategy.weights import class_weights

__all__ = ["LeafHead"]

# Of a class that the trees tell nothing about.
MIN_NORM = 1e-9


class LeafHead(ClassifierMixin, BaseEstimator):
    """Logistic regression on what the leaves of boosted trees add, stage by stage.

    Decoupled training (Kang, Xie, Rohrbach, Yan, Gordo, Feng and Kalantidis 2020): trees are
    grown on the natural distribution; only the head balances, by the weights of its rows
    (classifier re-training) or by the norms of its own weights (tau-normalisation).

    A row is represented by the values of its leaves, added up over `n_stages` runs of trees. One
    column for each leaf (He et al. 2014) would let the head learn the labels by heart, which the
    leaves were fitted to; so would sums of trees that have seen the row. The head is trained on
    sums of trees that were grown without the row, and then sees those of trees grown on all rows.

    Its probabilities are corrected for its weights, and then so that their mean over the
    representations that it was trained on is the natural prevalence: neither a head that is
    shrunk nor one whose norms are changed agrees with it otherwise.

    Parameters
    ----------
    power : float
        Weights of the head's rows: ``n_k ** -power``.
    tau : float
        Of several classes, the power of the norm that the weights of each are divided by; the
        paper has it with a `power` of 0. Norms are taken in proportion to their geometric mean:
        the scale of all scores stays, and of two classes nothing changes.
    C : float
        Of the head's logistic regression.
    n_folds : int
        Two or more: trees are grown so many times, and once more on all rows.
    n_stages : int
        Columns of the representation, for each class.
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
        C: float = 0.3,
        n_folds: int = 4,
        n_stages: int = 10,
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
        self.n_folds = n_folds
        self.n_stages = n_stages
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
            Labels of two classes or more; of every class at least two rows.
        categorical_feature : sequence of int, optional
            Columns that hold codes of categories.

        Returns
        -------
        LeafHead

        Raises
        ------
        ValueError
            If there is one class only, or a class has a single row.
        """
        X = np.asarray(X)
        self.classes_, codes, sizes = np.unique(y, return_inverse=True, return_counts=True)
        if len(sizes) < 2 or sizes.min() < 2:
            raise ValueError("a head needs two classes or more, and two rows of each")
        represented = self._represent_out_of_fold(X, codes, categorical_feature)
        self.trees_ = self._grow(X, codes, categorical_feature)
        weights = class_weights(codes, self.power)
        head = LogisticRegression(C=self.C, max_iter=1000)
        self._keep(head.fit(represented, codes, sample_weight=weights))
        self.divisors_ = weights[np.unique(codes, return_index=True)[1]]
        proba = self._of_representation(represented)
        self.divisors_ = self.divisors_ * match_prevalence(proba, sizes / len(codes))
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities of shape (n_samples, n_classes)."""
        return self._of_representation(self._represent(self.trees_, np.asarray(X)))

    def predict(self, X: FloatArray) -> Any:
        """Predict labels of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _keep(self, head: LogisticRegression) -> None:
        """Keep the head's weights, those of two classes as of several."""
        coef, intercept = head.coef_, head.intercept_
        if len(coef) == 1:
            coef, intercept = np.vstack([-coef, coef]) / 2, np.hstack([-intercept, intercept]) / 2
        norms = np.maximum(np.linalg.norm(coef, axis=1), MIN_NORM)
        norms /= np.exp(np.log(norms).mean())
        self.coef_ = coef / norms[:, None] ** self.tau
        self.intercept_ = intercept

    def _of_representation(self, represented: FloatArray) -> FloatArray:
        proba = softmax(represented @ self.coef_.T + self.intercept_, axis=1)
        return shift_prevalence(proba, 1 / self.divisors_)

    def _grow(
        self, X: FloatArray, codes: IntArray, categorical_feature: Sequence[int] | None
    ) -> LGBMClassifier:
        trees = LGBMClassifier(
            n_estimators=self.n_estimators, num_leaves=self.num_leaves,
            learning_rate=self.learning_rate, min_child_samples=self.min_child_samples,
            random_state=self.random_state, n_jobs=self.n_jobs, verbosity=-1, deterministic=True,
            force_row_wise=True,
        )  # fmt: skip
        return trees.fit(X, codes, categorical_feature=list(categorical_feature or ()) or "auto")

    def _represent(self, trees: LGBMClassifier, X: FloatArray) -> FloatArray:
        """Add the values of each row's leaves up, of shape (n_samples, n_columns)."""
        edges = np.unique(np.linspace(0, self.n_estimators, self.n_stages + 1).astype(int))
        stages = [
            np.asarray(
                trees.predict(X, raw_score=True, start_iteration=begin, num_iteration=end - begin)
            ).reshape(len(X), -1)
            for begin, end in pairwise(edges.tolist())
        ]
        return np.concatenate(stages, axis=1)

    def _represent_out_of_fold(
        self, X: FloatArray, codes: IntArray, categorical_feature: Sequence[int] | None
    ) -> FloatArray:
        n_folds = min(self.n_folds, int(np.bincount(codes).min()))
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=self.random_state)
        places, parts = [], []
        for others, own in folds.split(X, codes):
            trees = self._grow(X[others], codes[others], categorical_feature)
            places.append(own)
            parts.append(self._represent(trees, X[own]))
        return np.asarray(np.concatenate(parts)[np.argsort(np.concatenate(places))])
