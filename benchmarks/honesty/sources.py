"""Data of which everything is known: as many further rows as it takes, or nothing to be found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.datasets import make_classification

__all__ = ["FAMILIES", "SIZES", "Drawn", "draw", "draw_null"]

N_FURTHER = 100_000
SIZES = (500, 1000, 1500, 2000, 3000)
PREVALENCES = (0.05, 0.1, 0.2)
FAMILIES = ("clusters", "logistic", "mixture")


@dataclass(frozen=True)
class Drawn:
    """Rows to train on, and further ones of the same kind that tell the truth."""

    X: pd.DataFrame
    y: np.ndarray
    X_further: pd.DataFrame
    y_further: np.ndarray


def draw(number: int, n_further: int = N_FURTHER) -> Drawn:
    """Draw one data set; size, share of positives and family follow from its number."""
    n, prevalence = SIZES[number % len(SIZES)], PREVALENCES[number % len(PREVALENCES)]
    family = FAMILIES[number // 2 % len(FAMILIES)]
    rng = np.random.default_rng(number)
    X, y = _MAKERS[family](n + n_further, prevalence, rng)
    table = pd.DataFrame(X.round(4), columns=[f"x{k}" for k in range(X.shape[1])])
    return Drawn(table[:n], y[:n], table[n:].reset_index(drop=True), y[n:])


def _clusters(n: int, prevalence: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return make_classification(
        n, n_features=12, n_informative=5, n_redundant=2,
        n_clusters_per_class=int(rng.integers(1, 4)), weights=[1 - prevalence],
        class_sep=float(rng.uniform(0.5, 1.2)), flip_y=0.02,
        random_state=int(rng.integers(2**31)),
    )  # fmt: skip


def _logistic(n: int, prevalence: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Log-odds that are linear but for one interaction and one bend."""
    X = rng.normal(size=(n, 10))
    odds = X[:, :5] @ rng.normal(0, 0.7, 5) + 0.7 * X[:, 0] * X[:, 1] + 0.5 * abs(X[:, 5])
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(odds + middle).mean() < prevalence else (low, middle)
    return X, (rng.random(n) < expit(odds + low)).astype(int)


def _mixture(n: int, prevalence: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Positives in two small clouds within the cloud of the others."""
    y = (rng.random(n) < prevalence).astype(int)
    centres = rng.normal(0, 1.2, (2, 6))
    X = rng.normal(size=(n, 6))
    inside = 0.6 * rng.normal(size=(n, 6)) + centres[rng.integers(0, 2, n)]
    return np.where(y[:, None] == 1, inside, X), y


_MAKERS = {"clusters": _clusters, "logistic": _logistic, "mixture": _mixture}


def draw_null(number: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw a table whose labels do not depend on it or, every other one, not on the strategy.

    Of the latter all that can be known is one word of six: every model that learns their shares
    ranks the rows alike, whatever is resampled or weighted.
    """
    rng = np.random.default_rng(1000 + number)
    n, prevalence = SIZES[number % len(SIZES)], PREVALENCES[number % len(PREVALENCES)]
    if number % 2:
        words = rng.integers(0, 6, n)
        shares = prevalence * np.array([0.2, 0.5, 0.8, 1.0, 1.5, 2.5])
        table = pd.DataFrame({"word": np.array(list("abcdef"))[words]})
        return table, (rng.random(n) < shares[words]).astype(int)
    table = pd.DataFrame(rng.normal(size=(n, 8)), columns=[f"x{k}" for k in range(8)])
    return table, (rng.random(n) < prevalence).astype(int)
