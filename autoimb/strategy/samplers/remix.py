"""Synthetic rows of a rare class, mixed from its rows and frequent ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from scipy.special import betainc, betaincinv
from sklearn.utils import check_random_state

from autoimb.arrays import FloatArray, IntArray

__all__ = ["Remix"]


class Remix(BaseOverSampler):
    """Make rows of a rare class by mixing its rows with each other and with frequent ones.

    Mixup (Zhang, Cisse, Dauphin and Lopez-Paz 2018) whose label is that of the rarer row as long
    as the other one has a small enough part in it (Remix: Chou, Chang, Pan, Wei and Juan 2020,
    eq. 5). A row has one label here: of what mixup draws, only that is made which that rule, or
    two rows of one class, give a single label to.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable
        As of every oversampler.
    alpha : float
        Above 0: the part of a row has a Beta(alpha, alpha) distribution; near 0 rows are hardly
        mixed, at 1 by any part.
    tau : float
        Above 0 and at most 1: the part of the other row is below it. Up to a half, what is made
        is nearer to the row of the rare class.
    kappa : float
        At least 1: a row is mixed with those of its class, and of classes that are so many times
        as frequent.
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
        kappa: float = 3.0,
        random_state: Any = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.alpha = alpha
        self.tau = tau
        self.kappa = kappa
        self.random_state = random_state

    def _fit_resample(self, X: FloatArray, y: IntArray) -> tuple[FloatArray, IntArray]:
        if not (self.alpha > 0 and 0 < self.tau <= 1 and self.kappa >= 1):
            raise ValueError(
                "Remix needs alpha > 0, 0 < tau <= 1 and kappa >= 1, but got "
                f"alpha={self.alpha}, tau={self.tau}, kappa={self.kappa}"
            )
        rng = check_random_state(self.random_state)
        _, codes, sizes = np.unique(y, return_inverse=True, return_counts=True)
        rows, labels = [X], [y]
        for label, n_wanted in self.sampling_strategy_.items():
            is_own = y == label
            own = rng.choice(np.flatnonzero(is_own), n_wanted)
            is_frequent = (sizes >= self.kappa * is_own.sum())[codes]
            others = rng.choice(np.flatnonzero(is_own | is_frequent), n_wanted)
            part = self._draw_parts(n_wanted, rng)[:, None]
            rows.append(((1 - part) * X[own] + part * X[others]).astype(X.dtype))
            labels.append(np.full(n_wanted, label, dtype=y.dtype))
        return np.concatenate(rows), np.concatenate(labels)

    def _draw_parts(self, n: int, rng: np.random.RandomState) -> FloatArray:
        """Draw parts of the other rows from what the distribution has below `tau`."""
        below = rng.uniform(size=n) * betainc(self.alpha, self.alpha, self.tau)
        return np.asarray(betaincinv(self.alpha, self.alpha, below))
