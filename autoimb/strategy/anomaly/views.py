"""The anomaly view: frequent rows are the normal ones, and a rare row is what looks unlike them.

Detectors never see the class that they are to find, so that a handful of its rows is enough: they
only say what a score means. A row that a detector was fitted on looks more normal than its like;
every score that anything is learned from is therefore of a detector that has not seen the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_array, has_fit_parameter

from autoimb.arrays import FloatArray, IntArray
from autoimb.strategy.anomaly.detectors import DETECTORS, cross_fit, make_detector
from autoimb.strategy.encoding import Encoder

__all__ = ["AnomalyClassifier", "AnomalyFeatures"]

# Of several classes, those with fewer rows are only told by how they differ from the others.
MIN_NORMAL = 10
FLOATS = [np.float64, np.float32]


class AnomalyClassifier(ClassifierMixin, BaseEstimator):
    """Logistic regression on how strange a row looks to detectors that each know one class.

    Of two classes the frequent one is what is normal (Schoelkopf et al. 2001 and others learn
    from it alone): there is one score, and the regression is a logistic curve, which turns it
    into a probability at the natural prevalence. Where rare rows lie in the midst of the others
    the curve falls. Of several classes each one of `MIN_NORMAL` rows or more has a detector of
    its own, and the regression is multinomial.

    Parameters
    ----------
    detector : {"isolation_forest", "local_outlier_factor", "one_class_svm", "ecod"}
    n_estimators, max_features, n_neighbors, nu, gamma : object
        As of `autoimb.strategy.anomaly.detectors.make_detector`, each for one of the detectors.
    random_state, n_jobs : int, optional

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = (rng.random(1000) < 0.05).astype(int)
    >>> X = rng.normal(size=(1000, 3)) * (1 + 3 * y[:, None])
    >>> model = AnomalyClassifier("ecod").fit(X, y)
    >>> model.predict_proba([[0.0, 0.0, 0.0], [9.0, -9.0, 9.0]]).round(1)[:, 1]
    array([0., 1.])
    """

    def __init__(
        self,
        detector: str = "isolation_forest",
        *,
        n_estimators: int = 100,
        max_features: float = 1.0,
        n_neighbors: int = 20,
        nu: float = 0.1,
        gamma: float = 1.0,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.detector = detector
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.n_neighbors = n_neighbors
        self.nu = nu
        self.gamma = gamma
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: FloatArray, y: IntArray) -> AnomalyClassifier:
        """Fit the detectors, then the regression on scores of rows that they have not seen.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Without gaps; on one scale for "local_outlier_factor" and "one_class_svm".
        y : ndarray of shape (n_samples,)
            Labels of two classes or more.

        Returns
        -------
        AnomalyClassifier

        Raises
        ------
        ValueError
            If the detector is not known, or there is one class only.
        """
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("what is not normal needs a class of its own, but there is one class")
        X = np.asarray(X)
        rng = np.random.default_rng(self.random_state)
        parameters = self.get_params(deep=False)
        detector = make_detector(parameters.pop("detector"), **parameters)
        self.detectors_, scores = [], []
        for code in _normal_classes(np.bincount(codes)):
            fitted, own = cross_fit(detector, X, codes == code, rng)
            self.detectors_.append(fitted)
            scores.append(own)
        self.head_ = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        self.head_.fit(np.column_stack(scores), codes)
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities of shape (n_samples, n_classes)."""
        scores = np.column_stack([fitted(np.asarray(X)) for fitted in self.detectors_])
        return np.asarray(self.head_.predict_proba(scores))

    def predict(self, X: FloatArray) -> Any:
        """Predict labels of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _normal_classes(sizes: IntArray) -> IntArray:
    """Name the classes that get a detector: of two the frequent one, else all that are large."""
    if len(sizes) == 2:
        return np.array([sizes.argmax()])
    return np.flatnonzero(sizes >= min(sizes.max(), MIN_NORMAL))


class AnomalyFeatures(ClassifierMixin, BaseEstimator):
    """Show any model, besides the columns, how unlike the most frequent class each row looks.

    After Zhao and Hryniewicki 2018 ("XGBOD"), but with detectors fitted on rows of the most
    frequent class, and with out-of-fold scores of the training rows; rows to predict get the mean
    of what the detectors of all folds say.

    Parameters
    ----------
    estimator : classifier
    detector : {"ecod", "isolation_forest", "local_outlier_factor", "one_class_svm", "all"}
        "all" adds a column for each.
    random_state : int
    n_jobs : int, optional
        Threads of the detectors.

    Attributes
    ----------
    estimator_ : classifier
        Trained on the columns and, after them, the scores.
    detectors_ : list of CrossFitted

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = (rng.random(1000) < 0.05).astype(int)
    >>> X = rng.normal(size=(1000, 3)) * (1 + 3 * y[:, None])
    >>> model = AnomalyFeatures(LogisticRegression()).fit(X, y)
    >>> model.predict_proba([[0.0, 0.0, 0.0], [9.0, -9.0, 9.0]]).round(1)[:, 1]
    array([0., 1.])
    """

    def __init__(
        self,
        estimator: Any,
        detector: str = "ecod",
        *,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.detector = detector
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: FloatArray,
        y: IntArray,
        sample_weight: FloatArray | None = None,
        categorical_feature: Sequence[int] | None = None,
    ) -> AnomalyFeatures:
        """Fit the detectors, then the model.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            With or without gaps.
        y : ndarray of shape (n_samples,)
            Labels of two classes or more.
        sample_weight : ndarray of shape (n_samples,), optional
            For the model; detectors see rows of one class only.
        categorical_feature : sequence of int, optional
            Columns that hold codes of categories; a model that wants to know is told.

        Returns
        -------
        AnomalyFeatures

        Raises
        ------
        ValueError
            If the detector is not known, or there is one class only.
        """
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("what is not normal needs a class of its own, but there is one class")
        X = check_array(X, dtype=FLOATS, ensure_all_finite=False)
        self.view_ = _View(categorical_feature or ())
        scores = self._learn(self.view_.fit_transform(X, codes), codes)
        # Models that want columns on one scale find the scores on it.
        self.scale_ = Encoder("scaled", [0] * scores.shape[1])
        added = self.scale_.fit_transform(scores, codes)
        given: dict[str, Any] = {} if sample_weight is None else {"sample_weight": sample_weight}
        if categorical_feature and has_fit_parameter(self.estimator, "categorical_feature"):
            given["categorical_feature"] = categorical_feature
        self.estimator_ = clone(self.estimator).fit(_append(X, added), codes, **given)
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Predict probabilities of shape (n_samples, n_classes)."""
        X = check_array(X, dtype=FLOATS, ensure_all_finite=False)
        shown = self.view_.transform(X)
        scores = np.column_stack([fitted(shown) for fitted in self.detectors_])
        return np.asarray(self.estimator_.predict_proba(_append(X, self.scale_.transform(scores))))

    def predict(self, X: FloatArray) -> Any:
        """Predict labels of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _learn(self, shown: FloatArray, codes: IntArray) -> FloatArray:
        """Fit the detectors, and score the training rows out of fold."""
        rng = np.random.default_rng(self.random_state)
        normal = codes == np.bincount(codes).argmax()
        self.detectors_, scores = [], []
        for name in DETECTORS if self.detector == "all" else (self.detector,):
            detector = make_detector(name, random_state=self.random_state, n_jobs=self.n_jobs)
            fitted, own = cross_fit(detector, shown, normal, rng)
            self.detectors_.append(fitted)
            scores.append(own)
        return np.column_stack(scores)


def _append(X: FloatArray, added: FloatArray) -> FloatArray:
    """Put columns after the others, whose places and whose type of number stay as they are."""
    return np.concatenate([X, added.astype(X.dtype)], axis=1)


class _View:
    """What detectors are shown of a table: gaps filled and marked, and all columns on one scale.

    Of a category they are shown the logarithm of its share of the rows.
    """

    def __init__(self, categories: Sequence[int]) -> None:
        self.categories = list(categories)

    def fit_transform(self, X: FloatArray, y: IntArray) -> FloatArray:
        self.log_shares_ = [_log_shares(_places(X[:, j])) for j in self.categories]
        self.encoder_ = Encoder("scaled", [0] * X.shape[1])
        return self.encoder_.fit_transform(self._as_numbers(X), y)

    def transform(self, X: FloatArray) -> FloatArray:
        return self.encoder_.transform(self._as_numbers(X))

    def _as_numbers(self, X: FloatArray) -> FloatArray:
        if not self.categories:
            return X
        numbers = X.copy()
        for j, log_shares in zip(self.categories, self.log_shares_, strict=True):
            numbers[:, j] = log_shares[np.minimum(_places(X[:, j]), len(log_shares) - 1)]
        return numbers


def _places(codes: FloatArray) -> IntArray:
    """Return the number of each category, from 1; a missing one has 0."""
    return np.where(codes >= 0, codes + 1, 0).astype(np.intp)


def _log_shares(places: IntArray) -> FloatArray:
    """Return the logarithm of the share of every category, at the end that of one not met."""
    sizes = np.append(np.bincount(places), 0)
    return np.asarray(np.log((1 + sizes) / (1 + len(places))))
