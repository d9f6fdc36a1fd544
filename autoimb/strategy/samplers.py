"""Samplers that imbalanced-learn does not have, in its manner."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.under_sampling.base import BaseCleaningSampler
from lightgbm import LGBMClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.utils import _safe_indexing, check_random_state

from autoimb.arrays import FloatArray, IntArray

__all__ = ["ConfidentCleaning", "Remix"]


class Remix(BaseOverSampler):
    """Make rows of a rare class by mixing its rows with rows of any class.

    Mixup (Zhang, Cisse, Dauphin and Lopez-Paz 2018) whose label is that of the rarer row as long
    as it has a large enough part in the mixture (Remix: Chou, Chang, Pan, Wei and Juan 2020,
    eq. 5). A row has one label here, so that no row is made that would have two.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable
        As of every oversampler.
    alpha : float
        The part of the rarer row has a Beta(alpha, alpha) distribution; near 0 rows are hardly
        mixed, at 1 by any part.
    tau : float
        From 0 to 1: the part of the other row is below it.
    random_state : int, RandomState instance or None

    Examples
    --------
    >>> X = np.arange(20.0).reshape(-1, 1)
    >>> y = np.repeat([0, 1], [16, 4])
    >>> X_more, y_more = Remix(random_state=0).fit_resample(X, y)
    >>> np.bincount(y_more)
    array([16, 16])
    """

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        alpha: float = 0.5,
        tau: float = 0.5,
        random_state: Any = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.alpha = alpha
        self.tau = tau
        self.random_state = random_state

    def _fit_resample(self, X: FloatArray, y: IntArray) -> tuple[FloatArray, IntArray]:
        rng = check_random_state(self.random_state)
        rows, labels = [X], [y]
        for label, n_wanted in self.sampling_strategy_.items():
            own = rng.choice(np.flatnonzero(y == label), n_wanted)
            others = rng.randint(len(y), size=n_wanted)
            # of what the distribution gives, that which leaves the label as it is
            part = np.asarray(rng.beta(self.alpha, self.alpha, n_wanted))[:, None]
            part = np.maximum(part, 1 - part)
            part = 1 - (1 - part) * min(2 * self.tau, 1.0) if self.tau < 0.5 else part
            rows.append((part * X[own] + (1 - part) * X[others]).astype(X.dtype))
            labels.append(np.full(n_wanted, label, dtype=y.dtype))
        return np.concatenate(rows), np.concatenate(labels)


class ConfidentCleaning(BaseCleaningSampler):
    """Leave out frequent rows that are, out of fold, confidently of a rarer class.

    Confident learning (Northcutt, Jiang and Chuang 2021, eq. 2): a row may be of another class
    if its probability there is above the mean of that class's own rows. No row is relabelled,
    and none of the rarest class is left out.

    Parameters
    ----------
    sampling_strategy : str, list or callable
        Classes to be cleaned; by default all but the rarest.
    n_folds : int
        Two or more.
    max_share : float
        Of a class at most this part is left out: what is the likeliest to be of another class.
    random_state : int, RandomState instance or None
    n_jobs : int, optional

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(size=300), rng.normal(8, 1, size=30)])[:, None]
    >>> y = np.repeat([0, 1], [300, 30])
    >>> X[0] = 8.0
    >>> sampler = ConfidentCleaning(random_state=0, n_jobs=1)
    >>> _ = sampler.fit_resample(X, y)
    >>> 0 in sampler.sample_indices_
    False
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseCleaningSampler._parameter_constraints,
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        n_folds: int = 4,
        max_share: float = 0.1,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.n_folds = n_folds
        self.max_share = max_share
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _fit_resample(self, X: FloatArray, y: IntArray) -> tuple[FloatArray, IntArray]:
        labels, codes = np.unique(y, return_inverse=True)
        sizes = np.bincount(codes)
        proba = self._predict_out_of_fold(X, codes)
        own = proba[np.arange(len(codes)), codes]
        confident = np.bincount(codes, own) / sizes
        kept = np.ones(len(codes), dtype=bool)
        for label in self.sampling_strategy_:
            code = int(np.searchsorted(labels, label))
            rarer = np.flatnonzero(sizes < sizes[code])
            rows = np.flatnonzero(codes == code)
            doubt = (proba[np.ix_(rows, rarer)] - confident[rarer]).max(axis=1)
            n_most = int(self.max_share * len(rows))
            worst = np.argsort(-doubt, kind="stable")[:n_most]
            kept[rows[worst[doubt[worst] > 0]]] = False
        self.sample_indices_ = np.flatnonzero(kept)
        return _safe_indexing(X, self.sample_indices_), _safe_indexing(y, self.sample_indices_)

    def _predict_out_of_fold(self, X: FloatArray, codes: IntArray) -> FloatArray:
        rng = check_random_state(self.random_state)
        model = LGBMClassifier(
            n_estimators=60, num_leaves=15, learning_rate=0.1, verbosity=-1, n_jobs=self.n_jobs,
            random_state=rng.randint(2**31 - 1), deterministic=True, force_row_wise=True,
        )  # fmt: skip
        n_folds = int(min(self.n_folds, np.bincount(codes).min()))
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=rng.randint(2**31 - 1))
        return np.asarray(cross_val_predict(model, X, codes, cv=folds, method="predict_proba"))

    def _more_tags(self) -> dict[str, Any]:
        return {"sample_indices": True}
