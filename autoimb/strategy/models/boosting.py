"""LightGBM with losses of its own, whose probabilities are those of the natural prevalence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.prevalence import match_prevalence
from autoimb.strategy.models.losses import (
    Asymmetric,
    Focal,
    LogitAdjusted,
    Loss,
    Margins,
    Poly,
    start_from_prior,
    to_one,
)
from autoimb.strategy.weights import effective_number_weights

__all__ = ["LossBoosting"]

# A leaf of rows that are all right has hardly any curvature.
MIN_HESSIAN = 1e-6


class LossBoosting(ClassifierMixin, BaseEstimator):
    """Gradient boosting of trees by a loss for rare classes.

    It starts from the scores of the prior, follows exact gradients and, where the loss is not
    convex, the size of the curvature (Dauphin et al. 2014). Its probabilities are those for
    which the scores have the least expected loss, weights divided out; of "ldam", whose weights
    come late, divided so that their mean on the training rows is the prior.

    Parameters
    ----------
    loss : {"focal", "class_balanced", "logit_adjusted", "ldam", "asymmetric", "poly"}
        "class_balanced" is the focal loss weighted by the inverse effective number of rows (Cui,
        Jia, Lin, Song and Belongie 2019); "ldam" has margins in proportion to
        ``n_k ** -0.25`` and is weighted in the same way, but late (Cao et al. 2019). For the
        others see `autoimb.strategy.models.losses`.
    gamma : float
        Of "focal" and "class_balanced".
    epsilon : float
        Of "poly".
    tau : float
        Of "logit_adjusted".
    max_margin : float
        Of "ldam": that of the rarest class.
    beta : float
        Of "ldam" and "class_balanced": below 1; 0 weighs nothing.
    deferred : float
        Of "ldam": share of the trees that are grown before rows are weighted.
    gamma_positive, gamma_negative, margin : float
        Of "asymmetric".
    n_estimators, learning_rate, num_leaves, min_child_samples, subsample, colsample_bytree,
    reg_lambda, cat_smooth, extra_trees : object
        As of `lightgbm.LGBMClassifier`.
    random_state, n_jobs : int, optional

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 2))
    >>> y = (X[:, 0] + rng.normal(size=400) > 2).astype(int)
    >>> model = LossBoosting("focal", n_estimators=30).fit(X, y)
    >>> bool(abs(model.predict_proba(X)[:, 1].mean() - y.mean()) < 0.01)
    True
    """

    def __init__(
        self,
        loss: str = "focal",
        *,
        gamma: float = 2.0,
        epsilon: float = 1.0,
        tau: float = 1.0,
        max_margin: float = 1.0,
        beta: float = 0.999,
        deferred: float = 0.7,
        gamma_positive: float = 0.0,
        gamma_negative: float = 2.0,
        margin: float = 0.05,
        n_estimators: int = 200,
        learning_rate: float = 0.05,
        num_leaves: int = 15,
        min_child_samples: int = 20,
        subsample: float = 1.0,
        colsample_bytree: float = 0.7,
        reg_lambda: float = 1.0,
        cat_smooth: float = 10.0,
        extra_trees: bool = False,
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.loss = loss
        self.gamma = gamma
        self.epsilon = epsilon
        self.tau = tau
        self.max_margin = max_margin
        self.beta = beta
        self.deferred = deferred
        self.gamma_positive = gamma_positive
        self.gamma_negative = gamma_negative
        self.margin = margin
        self.n_estimators = n_estimators
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
        categorical_feature: Any = "auto",
    ) -> LossBoosting:
        """Grow the trees.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            Labels of two classes or more.
        sample_weight : ndarray of shape (n_samples,), optional
            Is not divided out of the probabilities.
        categorical_feature : list of int or "auto"
            Columns that hold codes of categories.

        Returns
        -------
        LossBoosting

        Raises
        ------
        ValueError
            If the loss is not known, or there is one class only.
        """
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("boosting needs rows of two classes or more")
        if self.loss not in LOSSES:
            raise ValueError(f"loss must be one of {', '.join(LOSSES)}, but is {self.loss!r}")
        sizes = np.bincount(codes)
        self.loss_ = LOSSES[self.loss](self, sizes)
        weights, begin = self._weigh(sizes)
        early = np.ones(len(sizes)) if begin else weights
        self.start_ = start_from_prior(self.loss_, sizes * early)
        given = np.ones(len(codes)) if sample_weight is None else np.asarray(sample_weight)
        objective = _Objective(self.loss_, codes, given, weights, begin)
        start = np.tile(self._of_scores(self.start_[None]), (len(codes), 1))
        rows = lightgbm.Dataset(
            X, codes, init_score=start.squeeze(axis=1) if start.shape[1] == 1 else start,
            categorical_feature=categorical_feature,
            params={"verbosity": -1, "feature_pre_filter": False},
        )  # fmt: skip
        self.booster_ = lightgbm.train(self._settings(objective), rows, self.n_estimators)
        # Weights that came late have not had their whole effect.
        self.divisors_ = weights
        if begin:
            self.divisors_ = match_prevalence(self._posterior(X), sizes / len(codes))
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities of shape (n_samples, n_classes)."""
        return to_one(self._posterior(X) / self.divisors_)

    def _posterior(self, X: FloatArray) -> FloatArray:
        raw = np.asarray(self.booster_.predict(X, raw_score=True, num_threads=self.n_jobs or 0))
        if len(self.classes_) == 2:
            raw = np.column_stack([np.zeros(len(raw)), raw])
            start = np.array([0.0, self.start_[1] - self.start_[0]])
        else:
            start = self.start_
        return self.loss_.posterior(raw + start)

    def predict(self, X: FloatArray) -> Any:
        """Predict labels of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _weigh(self, sizes: IntArray) -> tuple[FloatArray, int]:
        """Return the weight of each class, and the tree from which on it counts."""
        if self.loss not in ("class_balanced", "ldam"):
            return np.ones(len(sizes)), 0
        weights = effective_number_weights(sizes, self.beta)
        return weights, round(self.deferred * self.n_estimators) if self.loss == "ldam" else 0

    def _of_scores(self, columns: FloatArray) -> FloatArray:
        """Return what is boosted: of two classes the difference of their scores."""
        return columns[:, 1:] - columns[:, :1] if columns.shape[1] == 2 else columns

    def _settings(self, objective: _Objective) -> dict[str, Any]:
        n_classes = len(self.classes_)
        return {
            "objective": objective, "num_class": 1 if n_classes == 2 else n_classes,
            "learning_rate": self.learning_rate, "num_leaves": self.num_leaves,
            "min_data_in_leaf": self.min_child_samples, "bagging_fraction": self.subsample,
            "bagging_freq": 1, "feature_fraction": self.colsample_bytree,
            "lambda_l2": self.reg_lambda, "cat_smooth": self.cat_smooth,
            "extra_trees": self.extra_trees, "seed": self.random_state,
            "num_threads": self.n_jobs or 0, "verbosity": -1, "deterministic": True,
            "force_row_wise": True, "feature_pre_filter": False,
        }  # fmt: skip


@dataclass
class _Objective:
    """Derivatives of a loss for LightGBM, weighted by class from some tree on."""

    loss: Loss
    y: IntArray
    sample_weight: FloatArray
    class_weights: FloatArray
    begin: int
    n_grown: int = 0

    def __call__(self, raw: FloatArray, rows: lightgbm.Dataset) -> tuple[FloatArray, FloatArray]:
        scores = raw if raw.ndim == 2 else np.column_stack([np.zeros(len(raw)), raw])
        weights = self.sample_weight
        if self.n_grown >= self.begin:
            weights = weights * self.class_weights[self.y]
        self.n_grown += 1
        gradients, hessians = self.loss.derive(scores, self.y)
        gradients = gradients * weights[:, None]
        hessians = np.maximum(abs(hessians), MIN_HESSIAN) * weights[:, None]
        if raw.ndim == 2:
            return gradients, hessians
        return gradients[:, 1], hessians[:, 1]


def _ldam_margins(model: LossBoosting, sizes: IntArray) -> Loss:
    margins = sizes**-0.25
    return Margins(model.max_margin * margins / margins.max())


LOSSES: Mapping[str, Callable[[LossBoosting, IntArray], Loss]] = {
    "focal": lambda model, sizes: Focal(model.gamma),
    "class_balanced": lambda model, sizes: Focal(model.gamma),
    "logit_adjusted": lambda model, sizes: LogitAdjusted(sizes / sizes.sum(), model.tau),
    "ldam": _ldam_margins,
    "asymmetric": lambda model, sizes: Asymmetric(
        model.gamma_positive, model.gamma_negative, model.margin
    ),
    "poly": lambda model, sizes: Poly(model.epsilon),
}
