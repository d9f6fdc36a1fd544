"""Stop an evaluation whose remaining folds could hardly make it the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Hurdle", "estimate_noise"]

# Evaluations with a smaller chance of passing the best are stopped; benchmarks/engine/pruning.py
# measures what that saves and costs.
MIN_CHANCE = 0.15


@dataclass(frozen=True)
class Hurdle:
    """What the best evaluation so far scored on each fold.

    Attributes
    ----------
    values : tuple of float
        One for each fold; greater is better.
    noise : float
        Standard deviation, over folds, of the difference between two configurations.
    """

    values: tuple[float, ...]
    noise: float

    def chance(self, values: Sequence[float]) -> float:
        """Give the probability that the mean over all folds will be above the hurdle's.

        The predictive power of stochastic curtailment (Spiegelhalter et al. 1986): the folds to
        come differ from the hurdle's by what those so far did, give or take the noise.

        Parameters
        ----------
        values : sequence of float
            Of the folds so far; greater is better.

        Returns
        -------
        float

        Examples
        --------
        >>> hurdle = Hurdle((0.6, 0.5, 0.7, 0.6, 0.6), noise=0.02)
        >>> round(hurdle.chance([0.61]), 2), round(hurdle.chance([0.55]), 3)
        (0.71, 0.003)
        """
        n, n_all = len(values), len(self.values)
        lead = float(np.mean(np.subtract(values, self.values[:n])))
        if n == n_all:
            return float(lead > 0)
        z = lead / self.noise * math.sqrt(n_all * n / (n_all - n))
        return 0.5 * math.erfc(-z / math.sqrt(2))

    def is_out_of_reach(self, values: Sequence[float]) -> bool:
        """Tell whether going on is futile; without any noise to judge by it never is."""
        return self.noise > 0 and self.chance(values) < MIN_CHANCE


def estimate_noise(values: Sequence[Sequence[float]]) -> float:
    """Estimate how much the difference of two configurations varies from fold to fold.

    What is left of the values once each configuration's mean and each fold's is taken away: some
    folds are harder for all.

    Parameters
    ----------
    values : sequence of sequence of float
        Of each configuration on each fold.

    Returns
    -------
    float
        A standard deviation.

    Examples
    --------
    >>> estimate_noise([[0.5, 0.7], [0.6, 0.8], [0.4, 0.6]])
    0.0
    >>> round(estimate_noise([[0.5, 0.7], [0.6, 0.9], [0.4, 0.5]]), 3)
    0.1
    """
    table = np.asarray(values, dtype=float)
    n, n_folds = table.shape
    residual = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    variance = (residual**2).sum() / max((n - 1) * (n_folds - 1), 1)
    return round(float(np.sqrt(2 * variance)), 12)
