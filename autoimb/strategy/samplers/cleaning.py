"""Leave out rows of the frequent classes whose labels are hardly believable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from imblearn.under_sampling.base import BaseCleaningSampler
from imblearn.utils import check_target_type
from lightgbm import LGBMClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from autoimb.arrays import FloatArray, IntArray

__all__ = ["ConfidentCleaning"]

MAX_SEED = 2**31 - 1


class ConfidentCleaning(BaseCleaningSampler):
    """Leave out frequent rows that are, out of fold, confidently of a rarer class.

    Confident learning (Northcutt, Jiang and Chuang 2021, eq. 1 and 2): a class is confident of a
    row if the probability of the class is at least the mean that it has among its own rows; the
    row is said to be of the most probable of such classes. Rows said to be of a rarer class than
    their own are left out (the off-diagonal of the confident joint), those of the largest margin
    first. None is relabelled, and none of the rarest class is left out.

    Probabilities are LightGBM's. Copies of a row are not kept in one fold: wrong labels that
    agree are believed.

    Parameters
    ----------
    sampling_strategy : str, list or callable
        Classes to be cleaned; by default all but the rarest.
    n_folds : int
        Two or more; no more are made than the rarest class has rows.
    max_share : float
        Of a class at most this part is left out.
    random_state : int, RandomState instance or None
    categorical_features : sequence of int, optional
        Columns that hold codes of categories.
    n_jobs : int, optional

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_kept,)

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

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        n_folds: int = 4,
        max_share: float = 0.05,
        random_state: Any = None,
        categorical_features: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.n_folds = n_folds
        self.max_share = max_share
        self.random_state = random_state
        self.categorical_features = categorical_features
        self.n_jobs = n_jobs

    def _check_X_y(self, X: Any, y: Any) -> tuple[FloatArray, IntArray, bool]:
        y, one_vs_all = check_target_type(y, indicate_one_vs_all=True)
        X, y = validate_data(self, X, y, ensure_all_finite=False)  # LightGBM takes gaps
        return X, y, one_vs_all

    def _fit_resample(self, X: FloatArray, y: IntArray) -> tuple[FloatArray, IntArray]:
        labels, codes, sizes = np.unique(y, return_inverse=True, return_counts=True)
        if sizes.min() < 2:
            raise ValueError(
                "confident cleaning needs two rows of each class, but class "
                f"{labels[sizes.argmin()]} has one: leave it out, or collect more"
            )
        proba, every = self._predict_out_of_fold(X, codes), np.arange(len(codes))
        own = proba[every, codes]
        means = np.bincount(codes, own) / sizes
        confident = np.where(proba >= means, proba, -np.inf)
        said = confident.argmax(axis=1)
        # Where no class is confident, argmax says the first one: that is nothing to go by.
        is_wrong = np.isfinite(confident[every, said]) & (sizes[said] < sizes[codes])
        is_wrong &= np.isin(y, list(self.sampling_strategy_))
        margins = proba[every, said] - own
        kept = np.ones(len(codes), dtype=bool)
        for code, size in enumerate(sizes):
            rows = np.flatnonzero(is_wrong & (codes == code))
            worst = np.argsort(-margins[rows], kind="stable")[: int(self.max_share * size)]
            kept[rows[worst]] = False
        self.sample_indices_ = np.flatnonzero(kept)
        return X[kept], y[kept]

    def _predict_out_of_fold(self, X: FloatArray, codes: IntArray) -> FloatArray:
        rng = check_random_state(self.random_state)
        model = LGBMClassifier(
            n_estimators=60, num_leaves=15, learning_rate=0.1, verbosity=-1, n_jobs=self.n_jobs,
            random_state=rng.randint(MAX_SEED), deterministic=True, force_row_wise=True,
        )  # fmt: skip
        n_folds = int(min(self.n_folds, np.bincount(codes).min()))
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=rng.randint(MAX_SEED))
        given = {"categorical_feature": self.categorical_features or "auto"}
        return np.asarray(
            cross_val_predict(model, X, codes, cv=folds, method="predict_proba", params=given)
        )

    def __sklearn_tags__(self) -> Any:
        """Tell imbalanced-learn that gaps are taken, and that there are `sample_indices_`."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.sampler_tags.sample_indices = True
        return tags
