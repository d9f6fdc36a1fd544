"""Thresholds of bootstrap resamples: their mean is steadier than that of the rows at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autoimb.arrays import AnyArray, FloatArray, IntArray
from autoimb.decision.calibration import LogisticCurve, tally
from autoimb.decision.sweep import Sweep, between, make_counts

__all__ = [
    "PSEUDO_POSITIVES",
    "Groups",
    "group_rows",
    "lean_share",
    "spread_thresholds",
    "thin_out",
]

# The calibrated curve counts as much as this many positives; benchmarks/decision measures it.
PSEUDO_POSITIVES = 50.0
# Where the curve would count for less, positives abound: the rows decide alone.
MIN_SHARE = 0.05
# As many thresholds are resampled in some milliseconds.
N_THRESHOLDS = 1000


@dataclass(frozen=True)
class Groups:
    """Rows between one threshold that may be the best and the next, counted.

    Attributes
    ----------
    thresholds : ndarray of shape (n_groups + 1,)
        Falling; a group lies from its lower threshold on and below its upper one.
    n_negative, n_positive : ndarray of shape (n_groups,)
        Rows of either class.
    negative, positive : ndarray of shape (n_groups,)
        What a row of that class counts on average.
    expected_negative, expected_positive : ndarray of shape (n_groups,)
        What any row is expected to count as one of that class, by a logistic curve over the scores.
    """

    thresholds: FloatArray
    n_negative: FloatArray
    n_positive: FloatArray
    negative: FloatArray
    positive: FloatArray
    expected_negative: FloatArray
    expected_positive: FloatArray

    def sweep(self, share: float = 0.0) -> Sweep:
        """Count what each threshold gives, a share of it replaced by what the curve expects."""
        return self._sweep(self.n_negative, self.n_positive, share)

    def resample(self, n: int, share: float, rng: np.random.Generator) -> Iterator[Sweep]:
        """Draw rows with replacement, and count what each threshold gives.

        Parameters
        ----------
        n : int
            Resamples; those without a positive are left out.
        share : float
            Of the counts, what is replaced by what the curve leads to expect.
        rng : numpy.random.Generator

        Yields
        ------
        Sweep
        """
        # Drawing rows one by one comes to this where groups are small parts of all.
        shape = (n, len(self.n_positive))
        of_negative = rng.poisson(self.n_negative, shape)
        of_positive = rng.poisson(self.n_positive, shape)
        for n_negative, n_positive in zip(of_negative, of_positive, strict=True):
            if n_positive.any():
                yield self._sweep(n_negative, n_positive, share)

    def _sweep(self, n_negative: AnyArray, n_positive: AnyArray, share: float) -> Sweep:
        expected = share * (n_negative + n_positive)
        positive = (1 - share) * n_positive * self.positive + expected * self.expected_positive
        negative = (1 - share) * n_negative * self.negative + expected * self.expected_negative
        hits, false = np.append(0.0, np.cumsum(positive)), np.append(0.0, np.cumsum(negative))
        return Sweep(self.thresholds, make_counts(hits, false, hits[-1], false[-1]))


def group_rows(
    y: IntArray,
    score: FloatArray,
    proba: FloatArray,
    thresholds: FloatArray,
    masses: tuple[FloatArray | None, FloatArray | None] = (None, None),
) -> Groups:
    """Count the rows that lie between thresholds.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        1 for the positive class, else 0.
    score : ndarray of shape (n_samples,)
        That the thresholds are put on.
    proba : ndarray of shape (n_samples,)
        Probability of the positive class, that the curve is fitted to.
    thresholds : ndarray of shape (n_thresholds,)
        Falling: the first above every score, the last not above any.
    masses : pair of ndarray of shape (n_samples,), optional
        What each row counts should it be negative, and should it be positive; by default one.

    Returns
    -------
    Groups

    Examples
    --------
    >>> p = np.array([0.1, 0.2, 0.3, 0.6, 0.8, 0.9])
    >>> found = group_rows(np.array([0, 0, 1, 0, 1, 1]), p, p, np.array([1.9, 0.7, 0.25, 0.0]))
    >>> found.n_positive
    array([2., 1., 0.])
    """
    group = np.searchsorted(-thresholds, -score.astype(float), side="left") - 1
    n_groups = len(thresholds) - 1
    ones = np.ones(len(y))
    negative, positive = (ones if each is None else each for each in masses)
    p = LogisticCurve.fit_counts(tally(y, proba))(proba)

    def add_up(values: AnyArray) -> FloatArray:
        return np.bincount(group, values, n_groups).astype(float)

    n_negative, n_positive, n_rows = add_up(y == 0), add_up(y == 1), add_up(ones)
    return Groups(
        thresholds,
        n_negative,
        n_positive,
        add_up((y == 0) * negative) / np.maximum(n_negative, 1.0),
        add_up((y == 1) * positive) / np.maximum(n_positive, 1.0),
        add_up((1 - p) * negative) / np.maximum(n_rows, 1.0),
        add_up(p * positive) / np.maximum(n_rows, 1.0),
    )


def spread_thresholds(corners: FloatArray, score: FloatArray) -> FloatArray:
    """Lay further thresholds between the corners, for counts that are expected, not seen.

    Examples
    --------
    >>> p = np.arange(10) / 10
    >>> len(spread_thresholds(np.array([0.95, 0.45, 0.0]), p))
    11
    """
    falling = np.unique(score.astype(float))[::-1]
    further = thin_out(between(falling[:-1], falling[1:]))
    return np.unique(np.append(corners, further))[::-1]


def thin_out(thresholds: FloatArray, around: float | None = None) -> FloatArray:
    """Keep at most a thousand thresholds, the first and the last among them.

    Parameters
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Falling.
    around : float, optional
        A threshold whose neighbours are all kept, as many again.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> thin_out(np.linspace(1.0, 0.0, 5001), around=0.5).shape
    (1800,)
    """
    n = len(thresholds)
    if n <= N_THRESHOLDS:
        return thresholds
    kept = np.linspace(0, n - 1, N_THRESHOLDS).astype(int)
    if around is not None:
        here = int(abs(thresholds - around).argmin())
        kept = np.union1d(kept, np.arange(here - N_THRESHOLDS // 2, here + N_THRESHOLDS // 2))
    return np.asarray(thresholds[kept[(kept >= 0) & (kept < n)]])


def lean_share(n_positive: float, pseudo_positives: float = PSEUDO_POSITIVES) -> float:
    """Say how much the expected counts of a calibrated score are worth beside the rows.

    A threshold that is best on the rows at hand follows single rows where positives are few.
    Expected counts have no such accidents, but trust the form of the calibration (Lipton, Elkan
    and Naryanaswamy 2014 derive F1's threshold from them). The mean of both, weighted as if the
    calibration were worth some positives, leans on it where positives are few and on the rows
    where they are many. The best threshold still jumps from one row to another: the mean over
    resamples does so less (Buehlmann and Yu 2002).

    Parameters
    ----------
    n_positive : float
    pseudo_positives : float
        How many positives the calibration counts as; 0 trusts the rows.

    Returns
    -------
    float
        In [0, 1]; 0 where positives abound.

    Examples
    --------
    >>> lean_share(50), lean_share(5000)
    (0.5, 0.0)
    """
    share = pseudo_positives / (pseudo_positives + n_positive) if pseudo_positives else 0.0
    return share if share >= MIN_SHARE else 0.0
