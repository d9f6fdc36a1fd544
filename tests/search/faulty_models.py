"""Classifiers that fail in every way that a search has to survive."""

from __future__ import annotations

import os
import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Steady(ClassifierMixin, BaseEstimator):
    """Predict from the first column; nothing goes wrong."""

    def __init__(self, slope: float = 1.0) -> None:
        self.slope = slope

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-self.slope * X[:, 0]))
        return np.column_stack([1 - p, p])


class Raising(Steady):
    """Fail with a message of several lines."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        raise ValueError("out of\n   luck")


class Awkward(Exception):
    """An error that can be pickled but not unpickled."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")


class RaisingAwkwardly(Steady):
    """Fail with an error that does not survive the way out of a worker."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        raise Awkward("fit", "out of luck")


class Sleeping(Steady):
    """Take far longer than any test may."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        time.sleep(60)
        return super().fit(X, y)


class Slow(Steady):
    """Take a moment."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        time.sleep(0.1)
        return super().fit(X, y)


class Dying(Steady):
    """Take the whole process along, as one that runs out of memory does."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        os._exit(3)


class Unsure(Steady):
    """Predict what is no probability."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return np.full((len(X), 2), np.nan)


class Interrupted(Steady):
    """Meet a user who presses Ctrl-C in a certain call."""

    calls = 0
    last_call = 5

    def fit(self, X: np.ndarray, y: np.ndarray) -> Steady:
        type(self).calls += 1
        if self.calls == self.last_call:
            raise KeyboardInterrupt
        return super().fit(X, y)
