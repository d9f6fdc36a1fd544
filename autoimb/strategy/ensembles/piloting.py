"""Train on the rare rows and on those of the others that a pilot model finds hard.

Wang, Zhang and Wang 2021, "Nonuniform negative sampling and log odds correction with rare
events data": where a class is rare the information is in its rows, and in the others that look
like them. A row of class k at x is kept with a known probability; where all kept rows look like
``p_k(x) * kept_k(x)``, up to a constant, the log-odds of the data themselves follow exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier
from scipy.optimize import brentq, minimize
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import has_fit_parameter

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.prevalence import shift_prevalence

__all__ = ["PilotSampled"]

# Rows of the others that pilots are trained on, for each of the rarest class.
PILOT_RATIO = 5
PILOT: dict[str, Any] = {
    "n_estimators": 60,
    "num_leaves": 7,
    "learning_rate": 0.1,
    "min_child_samples": 10,
}
TINY = 1e-12


class PilotSampled(ClassifierMixin, BaseEstimator):
    """Keep frequent rows in proportion to how hard a pilot finds them, and correct for it.

    Two pilots are trained on equal parts of the rare rows and of a small uniform sample of the
    others. A row that a pilot has seen is scored by the other one: by its own it would pass for
    right already, and what it was kept with would not be the probability for its like. No row is
    kept with less than `floor` of what a uniform sample of that size would keep, so that a pilot
    that is sure and wrong costs no more than rows.

    LightGBM and logistic regression are trained with the logarithm of those probabilities as an
    offset of their scores; what other models predict is divided by them.

    Parameters
    ----------
    estimator : classifier
    floor : float
        From 0 to 1, which is a uniform sample.
    sampling_strategy : callable, optional
        Takes codes, returns how many rows of every class that is cut are to be kept, as
        `autoimb.strategy.resampling.BalanceTowards` does; by default ten times as many as the
        smallest class has.
    random_state : int
    n_jobs : int, optional
        Threads of the pilots.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = (rng.random(20_000) < 0.01).astype(int)
    >>> X = rng.normal(size=(20_000, 1)) + 2 * y[:, None]
    >>> model = PilotSampled(LogisticRegression(), n_jobs=1).fit(X, y)
    >>> bool(abs(model.predict_proba(X)[:, 1].mean() / y.mean() - 1) < 0.1)
    True
    """

    def __init__(
        self,
        estimator: Any,
        *,
        floor: float = 0.3,
        sampling_strategy: Callable[[IntArray], dict[int, int]] | None = None,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.floor = floor
        self.sampling_strategy = sampling_strategy
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self, X: FloatArray, y: IntArray, categorical_feature: Sequence[int] | None = None
    ) -> PilotSampled:
        """Train the pilots, choose rows, and train the model on them.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            Labels; of every class at least two rows.
        categorical_feature : sequence of int, optional
            Columns that hold codes of categories, for models that want to know.

        Returns
        -------
        PilotSampled

        Raises
        ------
        ValueError
            If a class has a single row.
        """
        self.classes_, codes = np.unique(y, return_inverse=True)
        sizes = np.bincount(codes)
        if len(sizes) < 2 or sizes.min() < 2:
            raise ValueError("pilots need two classes or more, and two rows of each")
        given = {"categorical_feature": categorical_feature} if categorical_feature else {}
        rng = np.random.default_rng(self.random_state)
        hardness = self._pilot(X, codes, given, rng)
        self._scale(hardness, codes, self._goals(codes))
        kept = self._keep(hardness)
        rows = np.flatnonzero(rng.random(len(codes)) < kept[np.arange(len(codes)), codes])
        knows = has_fit_parameter(self.estimator, "categorical_feature")
        self._train(X[rows], codes[rows], kept[rows], sizes / sizes.sum(), given if knows else {})
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities of shape (n_samples, n_classes)."""
        if self.start_ is not None:
            scores = _scores(self.estimator_, X) + self.start_
            return np.asarray(softmax(scores, axis=1), dtype=float)
        proba = np.asarray(self.estimator_.predict_proba(X), dtype=float)
        return shift_prevalence(proba, 1 / self._keep(self._hardness(X)))

    def predict(self, X: FloatArray) -> Any:
        """Predict labels of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _goals(self, codes: IntArray) -> FloatArray:
        sizes = np.bincount(codes).astype(float)
        if self.sampling_strategy is None:
            return np.asarray(np.minimum(sizes, 10 * sizes.min()))
        for code, goal in self.sampling_strategy(codes).items():
            sizes[code] = goal
        return sizes

    def _pilot(
        self, X: FloatArray, codes: IntArray, given: dict[str, Any], rng: np.random.Generator
    ) -> FloatArray:
        """Train two pilots and score every row by one that has not seen it."""
        sizes = np.bincount(codes)
        limit = PILOT_RATIO * sizes.min()
        halves = np.full(len(codes), -1)
        for code, size in enumerate(sizes):
            chosen = rng.permutation(np.flatnonzero(codes == code))[: min(size, limit)]
            halves[chosen] = np.arange(len(chosen)) % 2
        self.rates_ = np.minimum(limit / sizes, 1.0)
        self.pilots_ = []
        for half in (0, 1):
            pilot = LGBMClassifier(
                **PILOT, n_jobs=self.n_jobs, random_state=self.random_state, verbosity=-1
            )
            self.pilots_.append(pilot.fit(X[halves == half], codes[halves == half], **given))
        each = [self._score(pilot, X) for pilot in self.pilots_]
        hardness = np.asarray((each[0] + each[1]) / 2)
        for half in (0, 1):
            hardness[halves == half] = each[1 - half][halves == half]
        return hardness

    def _hardness(self, X: FloatArray) -> FloatArray:
        return np.asarray(np.mean([self._score(pilot, X) for pilot in self.pilots_], axis=0))

    def _score(self, pilot: Any, X: FloatArray) -> FloatArray:
        """Give what the probability of every class lacks of 1, at the natural prevalence."""
        return np.asarray(1 - shift_prevalence(pilot.predict_proba(X), 1 / self.rates_))

    def _scale(self, hardness: FloatArray, codes: IntArray, goals: FloatArray) -> None:
        """Find the factors by which as many rows of each class are expected as are wanted."""
        self.means_ = np.ones(len(goals))
        self.factors_ = np.full(len(goals), np.inf)
        for code, goal in enumerate(goals):
            own = hardness[codes == code, code]
            self.means_[code] = max(own.mean(), TINY)
            if goal < len(own):
                share = self._mix(own, code)
                self.factors_[code] = brentq(
                    lambda f, share=share, goal=goal: np.minimum(f * share, 1).sum() - goal,
                    0.0, 1 / share.min(),
                )  # fmt: skip

    def _mix(self, hardness: FloatArray, code: int) -> FloatArray:
        return np.asarray(self.floor + (1 - self.floor) * hardness / self.means_[code])

    def _keep(self, hardness: FloatArray) -> FloatArray:
        """Give the probability with which a row is kept, were it of each of the classes."""
        kept = np.ones_like(hardness)
        for code, factor in enumerate(self.factors_):
            if np.isfinite(factor):
                kept[:, code] = np.minimum(factor * self._mix(hardness[:, code], code), 1)
        return np.maximum(kept, TINY)

    def _train(
        self, X: FloatArray, y: IntArray, kept: FloatArray, prior: FloatArray, given: dict[str, Any]
    ) -> None:
        """Train the model, with an offset if it takes one."""
        offset, model = np.log(kept), clone(self.estimator)
        self.estimator_: Any
        self.start_: FloatArray | None = np.log(prior)
        if isinstance(model, LGBMClassifier):
            scores = offset + self.start_
            if len(prior) == 2:
                scores = scores[:, 1] - scores[:, 0]
            self.estimator_ = model.fit(X, y, init_score=scores, **given)
        elif isinstance(model, LogisticRegression):
            self.start_ = np.zeros(len(prior))
            self.estimator_ = _OffsetLogistic(model.C, model.max_iter).fit(X, y, offset)
        else:
            self.start_ = None
            self.estimator_ = model.fit(X, y, **given)


def _scores(model: Any, X: FloatArray) -> FloatArray:
    """Return raw scores, a column for each class."""
    if isinstance(model, _OffsetLogistic):
        return model.scores(X)
    raw = np.asarray(model.predict_proba(X, raw_score=True))
    return raw if raw.ndim == 2 else np.column_stack([np.zeros(len(raw)), raw])


class _OffsetLogistic:
    """Logistic regression whose scores have a known part; penalised as scikit-learn's."""

    def __init__(self, C: float, max_iter: int) -> None:
        self.C = C
        self.max_iter = max_iter

    def fit(self, X: FloatArray, y: IntArray, offset: FloatArray) -> _OffsetLogistic:
        n_classes, Z = offset.shape[1], np.column_stack([X, np.ones(len(X))])
        own = np.arange(n_classes) == y[:, None]
        penalty = np.append(np.ones(X.shape[1]), 0.0)[:, None] / self.C

        def loss(flat: FloatArray) -> tuple[float, FloatArray]:
            weights = flat.reshape(-1, n_classes)
            log_p = log_softmax(Z @ weights + offset, axis=1)
            value = -log_p[own].sum() + (penalty * weights**2).sum() / 2
            slope = Z.T @ (np.exp(log_p) - own) + penalty * weights
            return float(value), slope.ravel()

        start = np.zeros(Z.shape[1] * n_classes)
        found = minimize(
            loss, start, jac=True, method="L-BFGS-B", options={"maxiter": self.max_iter}
        )
        self.weights = found.x.reshape(-1, n_classes)
        return self

    def scores(self, X: FloatArray) -> FloatArray:
        return np.asarray(X @ self.weights[:-1] + self.weights[-1])
