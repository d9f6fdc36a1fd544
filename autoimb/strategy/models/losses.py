"""Losses for gradient boosting that look past the frequent classes.

Each gives exact gradients and the exact diagonal of the Hessian in the raw scores, and the
probability of every class, at its natural prevalence, that scores stand for: where the expected
loss is least, its derivatives sum to zero over the classes, weighted by their probabilities.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

from autoimb.arrays import FloatArray, IntArray

__all__ = [
    "Asymmetric", "Focal", "LogitAdjusted", "Loss", "Margins", "Poly",
    "start_from_prior", "to_one",
]  # fmt: skip

# No probability is so small that it could not be told from 0.
TINY = 1e-12


class Loss(ABC):
    """A loss of raw scores, a column for each class."""

    @abstractmethod
    def values(self, scores: FloatArray, y: IntArray) -> FloatArray:
        """Give the loss of every row.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_classes)
            Raw scores.
        y : ndarray of shape (n_samples,)
            Class codes.

        Returns
        -------
        ndarray of shape (n_samples,)
        """

    @abstractmethod
    def derive(self, scores: FloatArray, y: IntArray) -> tuple[FloatArray, FloatArray]:
        """Give the first and second derivatives in every score.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_classes)
        y : ndarray of shape (n_samples,)

        Returns
        -------
        gradients, hessians : ndarray of shape (n_samples, n_classes)
            A Hessian may be negative where the loss is not convex.
        """

    @abstractmethod
    def posterior(self, scores: FloatArray) -> FloatArray:
        """Give the probabilities for which these scores have the least expected loss.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_classes)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            At the prevalence of the rows that were trained on. Where the loss of each class had
            a weight, divide by it.
        """


class _OfTrueClass(Loss):
    """A loss of nothing but the probability of the true class, the softmax of the scores."""

    @abstractmethod
    def of_probability(self, p: FloatArray) -> FloatArray:
        """Give the loss where the true class has probability p."""

    @abstractmethod
    def pull(self, p: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give -p times the derivative in p, and the derivative of that."""

    def values(self, scores: FloatArray, y: IntArray) -> FloatArray:
        """Give the loss of every row."""
        p = softmax(scores, axis=1)[np.arange(len(y)), y]
        return self.of_probability(np.maximum(p, TINY))

    def derive(self, scores: FloatArray, y: IntArray) -> tuple[FloatArray, FloatArray]:
        """Give the first and second derivatives in every score."""
        p = softmax(scores, axis=1)
        own = np.arange(scores.shape[1]) == y[:, None]
        p_true = np.clip(p[own], TINY, 1 - TINY)[:, None]
        pull, change = self.pull(p_true)
        away = own - p
        return -pull * away, pull * p * (1 - p) - change * p_true * away**2

    def posterior(self, scores: FloatArray) -> FloatArray:
        """Give the probabilities that scores stand for."""
        p = np.clip(softmax(scores, axis=1), TINY, 1 - TINY)
        return to_one(p / self.pull(p)[0])


@dataclass(frozen=True)
class Focal(_OfTrueClass):
    """Rows that are right already count for little: (1 - p) ** gamma of the log loss.

    Lin, Goyal, Girshick, He and Dollar 2017, eq. 4. Its scores are no log-odds; what they stand
    for is given by Charoenphakdee, Vongkulbhisal, Chairatanakul and Sugiyama 2021, theorem 11.

    Parameters
    ----------
    gamma : float
        0, the log loss, or more.

    Examples
    --------
    >>> Focal(2.0).values(np.array([[0.0, 0.0], [0.0, 3.0]]), np.array([1, 1])).round(4).tolist()
    [0.1733, 0.0001]
    """

    gamma: float = 2.0

    def of_probability(self, p: FloatArray) -> FloatArray:
        """Give the loss where the true class has probability p."""
        return -((1 - p) ** self.gamma) * np.log(p)

    def pull(self, p: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give -p times the derivative in p, and the derivative of that."""
        g, q, log_p = self.gamma, 1 - p, np.log(p)
        pull = q**g - g * p * q ** (g - 1) * log_p
        change = -2 * g * q ** (g - 1) - g * log_p * (q ** (g - 1) - (g - 1) * p * q ** (g - 2))
        return pull, change


@dataclass(frozen=True)
class Poly(_OfTrueClass):
    """The log loss, and epsilon times what the true class lacks of 1 (Poly-1).

    Leng, Tan, Liu, Cubuk, Shi, Cheng and Anguelov 2022, eq. 3.

    Parameters
    ----------
    epsilon : float
        Above -1; below 0 it heeds rows that are right already.
    """

    epsilon: float = 1.0

    def of_probability(self, p: FloatArray) -> FloatArray:
        """Give the loss where the true class has probability p."""
        return -np.log(p) + self.epsilon * (1 - p)

    def pull(self, p: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give -p times the derivative in p, and the derivative of that."""
        return 1 + self.epsilon * p, np.full_like(p, self.epsilon)


@dataclass(frozen=True)
class Margins(Loss):
    """The log loss where the true class has to be ahead by a margin of its own.

    Label-distribution-aware margins (Cao, Wei, Gaidon, Arechiga and Ma 2019, eq. 10 and 11):
    the smaller a class, the larger its margin.

    Parameters
    ----------
    margins : ndarray of shape (n_classes,)
    """

    margins: FloatArray

    def _given(self, scores: FloatArray, y: IntArray | int) -> FloatArray:
        """Give the scores as they are seen by rows of a class."""
        own = np.arange(scores.shape[1]) == np.reshape(y, (-1, 1))
        return np.asarray(scores - own * self.margins)

    def values(self, scores: FloatArray, y: IntArray) -> FloatArray:
        """Give the loss of every row."""
        return -np.asarray(log_softmax(self._given(scores, y), axis=1)[np.arange(len(y)), y])

    def derive(self, scores: FloatArray, y: IntArray) -> tuple[FloatArray, FloatArray]:
        """Give the first and second derivatives in every score."""
        p = softmax(self._given(scores, y), axis=1)
        return p - (np.arange(scores.shape[1]) == y[:, None]), p * (1 - p)

    def posterior(self, scores: FloatArray) -> FloatArray:
        """Solve for the probabilities: the shares of a walk that goes from class to class."""
        n_classes = scores.shape[1]
        steps = np.stack([softmax(self._given(scores, k), axis=1) for k in range(n_classes)], 1)
        return _stationary(steps)


@dataclass(frozen=True)
class LogitAdjusted(Loss):
    """The log loss of scores that the logarithm of the prior is added to.

    Menon, Jayasumana, Rawat, Jain, Veit and Kumar 2021, eq. 10. The scores are then those of
    balanced classes; boosting begins where all classes are alike, and regularisation shrinks
    towards that.

    Parameters
    ----------
    prior : ndarray of shape (n_classes,)
    tau : float
        Power of the prior; 1 makes the balanced error consistent.
    """

    prior: FloatArray
    tau: float = 1.0

    def _adjusted(self, scores: FloatArray) -> FloatArray:
        return scores + self.tau * np.log(self.prior)

    def values(self, scores: FloatArray, y: IntArray) -> FloatArray:
        """Give the loss of every row."""
        return -np.asarray(log_softmax(self._adjusted(scores), axis=1)[np.arange(len(y)), y])

    def derive(self, scores: FloatArray, y: IntArray) -> tuple[FloatArray, FloatArray]:
        """Give the first and second derivatives in every score."""
        p = softmax(self._adjusted(scores), axis=1)
        return p - (np.arange(scores.shape[1]) == y[:, None]), p * (1 - p)

    def posterior(self, scores: FloatArray) -> FloatArray:
        """Give the probabilities that scores stand for."""
        return np.asarray(softmax(self._adjusted(scores), axis=1))


@dataclass(frozen=True)
class Asymmetric(Loss):
    """Each class against the others; easy rows of the others count for little, or for nothing.

    Ridnik, Ben-Baruch, Zamir, Noy, Friedman, Protter and Zelnik-Manor 2021, eq. 7: of a class's
    own rows `(1 - p) ** gamma_positive`, of the others `r ** gamma_negative` of the log loss,
    with r what p is above `margin`.

    Parameters
    ----------
    gamma_positive, gamma_negative : float
        0 or more.
    margin : float
        From 0 to 1: a probability below it is right enough for the others' rows.
    """

    gamma_positive: float = 0.0
    gamma_negative: float = 2.0
    margin: float = 0.05

    def values(self, scores: FloatArray, y: IntArray) -> FloatArray:
        """Give the loss of every row."""
        odds, own = _against_others(scores, y)
        p = np.clip(expit(odds), TINY, 1 - TINY)
        r = np.maximum(p - self.margin, 0.0)
        of_own = -((1 - p) ** self.gamma_positive) * np.log(p)
        of_others = -(r**self.gamma_negative) * np.log1p(-r)
        return np.asarray(np.where(own, of_own, of_others).sum(axis=1))

    def derive(self, scores: FloatArray, y: IntArray) -> tuple[FloatArray, FloatArray]:
        """Give the first and second derivatives in every score."""
        odds, own = _against_others(scores, y)
        derived = zip(self._derive_own(odds), self._derive_others(odds), strict=True)
        gradients, hessians = (np.where(own, mine, others) for mine, others in derived)
        if scores.shape[1] == 2:
            return np.hstack([-gradients, gradients]), np.hstack([hessians, hessians])
        return gradients, hessians

    def _derive_own(self, odds: FloatArray) -> tuple[FloatArray, FloatArray]:
        p = np.clip(expit(odds), TINY, 1 - TINY)
        pull, change = Focal(self.gamma_positive).pull(p)
        return -pull * (1 - p), pull * p * (1 - p) - change * p * (1 - p) ** 2

    def _derive_others(self, odds: FloatArray) -> tuple[FloatArray, FloatArray]:
        p = np.clip(expit(odds), TINY, 1 - TINY)
        g, r, step = self.gamma_negative, np.maximum(p - self.margin, TINY), p * (1 - p)
        log_rest, rest = np.log1p(-r), 1 - r
        slope = r**g / rest - g * r ** (g - 1) * log_rest
        bend = r**g / rest**2 + 2 * g * r ** (g - 1) / rest - g * (g - 1) * r ** (g - 2) * log_rest
        counts = p > self.margin
        return counts * slope * step, counts * (bend * step**2 + slope * step * (1 - 2 * p))

    def posterior(self, scores: FloatArray) -> FloatArray:
        """Give the probabilities that scores stand for."""
        odds, _ = _against_others(scores, np.zeros(len(scores), dtype=np.intp))
        of_own = -self._derive_own(odds)[0]
        # Below the margin others count for nothing: what is left is the order of the rows.
        of_others = np.maximum(self._derive_others(odds)[0], TINY * expit(odds))
        share = of_others / (of_own + of_others)
        return np.hstack([1 - share, share]) if scores.shape[1] == 2 else to_one(share)


def _against_others(
    scores: FloatArray, y: IntArray
) -> tuple[FloatArray, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """Give the log-odds of each class against the others; of two, of the second alone."""
    if scores.shape[1] == 2:
        return scores[:, 1:] - scores[:, :1], y[:, None] == 1
    return scores, np.arange(scores.shape[1]) == y[:, None]


def to_one(shares: FloatArray) -> FloatArray:
    """Scale rows so that they sum to 1."""
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _stationary(steps: FloatArray) -> FloatArray:
    """Find the stationary distribution of each Markov chain, subtracting nothing.

    Grassmann, Taksar and Heyman 1985.
    """
    steps = steps.copy()
    n_classes = steps.shape[1]
    for k in range(n_classes - 1, 0, -1):
        steps[:, :k, k] /= np.maximum(steps[:, k, :k].sum(axis=1), TINY**2)[:, None]
        steps[:, :k, :k] += steps[:, :k, k, None] * steps[:, k, None, :k]
    shares = np.ones(steps.shape[:2])
    for k in range(1, n_classes):
        shares[:, k] = (shares[:, :k] * steps[:, :k, k]).sum(axis=1)
    return to_one(shares)


def start_from_prior(loss: Loss, sizes: FloatArray | IntArray) -> FloatArray:
    """Find the scores, the same for every row, that have the least loss: where boosting starts.

    Parameters
    ----------
    loss : Loss
    sizes : ndarray of shape (n_classes,)
        Rows of each class, or what they weigh: more than 0.

    Returns
    -------
    ndarray of shape (n_classes,)

    Examples
    --------
    >>> start = start_from_prior(Focal(2.0), np.array([75, 25]))
    >>> Focal(2.0).posterior(start[None]).round(3)
    array([[0.75, 0.25]])
    """
    codes, shares = np.arange(len(sizes)), sizes / sizes.sum()

    def total(scores: FloatArray) -> tuple[float, FloatArray]:
        each = np.tile(scores, (len(sizes), 1))
        gradients, _ = loss.derive(each, codes)
        return float(shares @ loss.values(each, codes)), shares @ gradients

    return np.asarray(minimize(total, np.log(shares), jac=True, method="BFGS").x)
