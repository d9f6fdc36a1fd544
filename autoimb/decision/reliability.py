"""How far probabilities mean what they say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.bounds import lower_bound
from autoimb.decision.calibration import fit_logistic, log_odds, tally

__all__ = ["Reliability", "measure_reliability"]

N_BINS = 10
# Of the interval that a share of positives lies in.
CONFIDENCE = 0.975


@dataclass(frozen=True)
class Reliability:
    """Calibration of the probability of one class.

    Attributes
    ----------
    n_rows : int
    prevalence, mean : float
        Share of the class, and the mean of what was predicted.
    brier, reliability, resolution, uncertainty : float
        Mean squared error, about reliability - resolution + uncertainty (Murphy 1973, over the
        bins): what miscalibration costs, what telling rows apart gains, what the prevalence alone
        would cost.
    log_loss : float
    ece : float
        Mean distance between predicted and found, over bins of equal mass.
    slope, intercept : float
        Of a logistic regression on the log-odds (Cox 1958): a slope below 1 means too extreme,
        an intercept (at slope 1) below 0 too high. NaN if the class is all or none of the rows.
    predicted, found, low, high : tuple of float
        Reliability curve, over bins of equal mass: mean prediction, share of the class, and its
        95 % interval (Clopper and Pearson 1934).
    n_each : tuple of int
        Rows of each bin.
    """

    n_rows: int
    prevalence: float
    mean: float
    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    log_loss: float
    ece: float
    slope: float
    intercept: float
    predicted: tuple[float, ...]
    found: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n_each: tuple[int, ...]

    @property
    def ratio(self) -> float:
        """Mean prediction over prevalence: 1 where the class is predicted as often as it occurs."""
        return self.mean / self.prevalence if self.prevalence else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, None where one is not defined."""
        values = {**asdict(self), "ratio": self.ratio}
        return {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in values.items()}

    def __str__(self) -> str:
        """Show the figures that one looks at first."""
        return (
            f"mean probability {self.mean:.4f} of {self.prevalence:.4f}, log loss "
            f"{self.log_loss:.4f}, Brier {self.brier:.4f} (reliability {self.reliability:.4f}, "
            f"resolution {self.resolution:.4f}, uncertainty {self.uncertainty:.4f}), ECE "
            f"{self.ece:.4f}, slope {self.slope:.2f}, intercept {self.intercept:.2f}"
        )


def measure_reliability(is_member: IntArray, p: FloatArray) -> Reliability:
    """Hold the probability of a class against how often it occurs.

    Parameters
    ----------
    is_member : ndarray of shape (n_samples,)
        1 for the class, else 0.
    p : ndarray of shape (n_samples,)
        Its probability, by a model that has not seen the row.

    Returns
    -------
    Reliability

    Examples
    --------
    >>> p = np.repeat([0.2, 0.8], 100)
    >>> found = measure_reliability((np.arange(200) % 10 < 10 * p).astype(int), p)
    >>> round(found.brier, 2), round(found.ece, 2), round(found.slope, 1)
    (0.16, 0.0, 1.0)
    """
    y, p = np.asarray(is_member, dtype=float), np.asarray(p, dtype=float)
    bins = _equal_mass(p)
    n = np.bincount(bins).astype(float)
    hits: FloatArray = np.bincount(bins, y).astype(float)
    predicted = np.bincount(bins, p) / n
    found, prevalence = hits / n, float(y.mean())
    slope, intercept = _regress(is_member, p)
    clipped = np.clip(p, 1e-7, 1 - 1e-7)
    return Reliability(
        n_rows=len(y),
        prevalence=prevalence,
        mean=float(p.mean()),
        brier=float(((p - y) ** 2).mean()),
        reliability=float(np.average((predicted - found) ** 2, weights=n)),
        resolution=float(np.average((found - prevalence) ** 2, weights=n)),
        uncertainty=prevalence * (1 - prevalence),
        log_loss=float(-np.where(y == 1, np.log(clipped), np.log1p(-clipped)).mean()),
        ece=float(np.average(abs(predicted - found), weights=n)),
        slope=slope,
        intercept=intercept,
        predicted=tuple(predicted.tolist()),
        found=tuple(found.tolist()),
        low=tuple(lower_bound(hits, n, CONFIDENCE).tolist()),
        high=tuple((1 - lower_bound(n - hits, n, CONFIDENCE)).tolist()),
        n_each=tuple(n.astype(int).tolist()),
    )


def _equal_mass(p: FloatArray) -> IntArray:
    """Put rows into bins, about as many into each; tied rows share one."""
    edges = np.unique(np.quantile(p, np.arange(1, N_BINS) / N_BINS))
    bins = np.searchsorted(edges, p, side="left")
    return np.asarray(np.unique(bins, return_inverse=True)[1])


def _regress(y: IntArray, p: FloatArray) -> tuple[float, float]:
    """Return Cox's slope, and his intercept at slope 1."""
    if not 0 < np.mean(y) < 1:
        return float("nan"), float("nan")
    counts = tally(y, p)
    (slope,), _ = fit_logistic(counts.z[:, None], counts.n_rows, counts.n_positive)
    # Where shifted log-odds expect as many of the class as there are.
    from scipy.optimize import brentq
    from scipy.special import expit

    z = log_odds(p)
    intercept = brentq(lambda shift: float(expit(z + shift).sum() - np.sum(y)), -40.0, 40.0)
    return slope, float(intercept)
