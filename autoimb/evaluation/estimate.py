"""What a model is worth on rows to come: every score with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import get_args

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.decision.criteria import Criterion
from autoimb.decision.floors import Measure, rate
from autoimb.decision.scored import Scored
from autoimb.evaluation.bootstrap import Weights, count_resamples, score_resamples
from autoimb.evaluation.scoring import CrossFitted
from autoimb.metrics import Metric

__all__ = ["LEVEL", "Estimate", "bound", "resample_scores"]

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A score with the interval in which it lies.

    Attributes
    ----------
    value : float
    low, high : float
        Of the 95 % interval.

    Examples
    --------
    >>> print(Estimate(0.5, 0.41, 0.592))
    0.500 (0.410 to 0.592)
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Show value and interval."""
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def to_dict(self) -> dict[str, float | None]:
        """Give plain values, None where a figure is not defined."""
        return {name: x if np.isfinite(x) else None for name, x in asdict(self).items()}


def bound(value: float, values: FloatArray, shrink: float = 1.0) -> Estimate:
    """Put an interval around a score, as wide as it varies over resamples.

    Parameters
    ----------
    value : float
    values : ndarray of shape (n_resamples,)
    shrink : float
        Factor for deviations of resamples of fewer rows than there are.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> print(bound(0.5, np.linspace(0.4, 0.7, 1001)))
    0.500 (0.358 to 0.642)
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return Estimate(value, np.nan, np.nan)
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(shrink * (known - known.mean()), tails)
    # Of a score that only rarely differs from one value both may lie on one side of the mean.
    return Estimate(value, value + min(float(low), 0.0), value + max(float(high), 0.0))


def resample_scores(
    metrics: Iterable[Metric],
    criterion: Criterion,
    scored: Scored,
    found: CrossFitted,
    weights: Weights,
) -> Mapping[str, FloatArray]:
    """Score every resample by everything that is reported.

    Parameters
    ----------
    metrics : iterable of Metric
    criterion : Criterion
        Of the decision: its own figures are reported too.
    scored : Scored
    found : CrossFitted
        What was made of it: calibrated probabilities and decisions.
    weights : ndarray of shape (n_samples, n_resamples)

    Returns
    -------
    mapping of str to ndarray of shape (n_resamples,)
    """
    values = {
        metric.name: score_resamples(metric, scored, found.proba, found.codes, weights)
        for metric in metrics
    }
    if scored.n_classes == 2:
        counts = count_resamples(scored.y, found.codes, 2, weights)
        values |= {name: rate(counts, name) for name in get_args(Measure)}
    return values | _own_figures(criterion, scored, found, weights)


def _own_figures(
    criterion: Criterion, scored: Scored, found: CrossFitted, weights: Weights
) -> dict[str, FloatArray]:
    if not criterion.figures(scored, found.codes):
        return {}
    each = []
    for drawn in weights.T.astype(int):
        rows = np.repeat(np.arange(len(drawn)), drawn)
        each.append(criterion.figures(scored.take(rows), found.codes[rows]))
    return {name: np.array([figures[name] for figures in each]) for name in each[0]}
