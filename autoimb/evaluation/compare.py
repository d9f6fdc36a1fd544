"""Strategies held against each other on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.evaluation.estimate import LEVEL

__all__ = ["Comparison", "Resampled", "compare", "is_same"]


@dataclass(frozen=True)
class Resampled:
    """A score, and what it is on bootstrap resamples of the rows.

    Attributes
    ----------
    value : float
        Greater is better.
    values : ndarray of shape (n_resamples,)
    """

    value: float
    values: FloatArray


@dataclass(frozen=True)
class Comparison:
    """What one strategy is ahead of another by.

    Attributes
    ----------
    name : str
        Of the other.
    difference : float
        Above 0 where the one is better, whatever the metric.
    low, high : float
        The interval that holds for all comparisons at once with 95 %.
    error : float
        Standard error of this difference alone.
    p_better : float
        Share of the resamples in which the one is better.

    Examples
    --------
    >>> print(Comparison("do nothing", 0.031, 0.004, 0.058, 0.012, 0.99))
    +0.031 (+0.004 to +0.058) against do nothing, better in 99 % of resamples
    """

    name: str
    difference: float
    low: float
    high: float
    error: float
    p_better: float

    @property
    def is_clear(self) -> bool:
        """Whether the one is better beyond doubt."""
        return self.low > 0

    @property
    def is_clearly_worse(self) -> bool:
        """Whether the other is better beyond doubt."""
        return self.high < 0

    def __str__(self) -> str:
        """Show the difference and how sure it is."""
        return (
            f"{self.difference:+.3f} ({self.low:+.3f} to {self.high:+.3f}) against {self.name}, "
            f"better in {100 * self.p_better:.0f} % of resamples"
        )

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, None where a figure is not defined."""
        known = {
            name: None if isinstance(x, float) and not np.isfinite(x) else x
            for name, x in asdict(self).items()
        }
        return {**known, "is_clear": self.is_clear}


def compare(
    one: Resampled, others: Mapping[str, Resampled], optimism: float = 0.0, shrink: float = 1.0
) -> tuple[Comparison, ...]:
    """Compare one strategy with several others, in intervals that hold for all at once.

    Scores of both are taken on the same resamples of the rows. The intervals are those of the
    bootstrapped maximum of the studentised differences (Romano and Wolf 2005): with more others
    they are wider, though less than Bonferroni's where the others are alike. One that decides as
    the other does on every resample is that other, whatever either owes to luck.

    Parameters
    ----------
    one : Resampled
    others : mapping of str to Resampled
    optimism : float
        What the score of the one owes to having been chosen.
    shrink : float
        Factor for deviations of resamples of fewer rows than there are.

    Returns
    -------
    tuple of Comparison
        In the order of the others.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.normal(size=1000)
    >>> one = Resampled(0.6, 0.6 + 0.05 * noise)
    >>> same, worse = one, Resampled(0.5, 0.5 + 0.05 * noise + 0.01 * rng.normal(size=1000))
    >>> [found.is_clear for found in compare(one, {"same": same, "worse": worse})]
    [False, True]
    """
    if not others:
        return ()
    luck = [0.0 if is_same(one, other) else optimism for other in others.values()]
    centres = np.array([one.value - other.value for other in others.values()]) - luck
    drawn = np.stack([one.values - other.values for other in others.values()])
    deviations = shrink * (drawn - np.nanmean(drawn, axis=1, keepdims=True))
    errors = np.nanstd(deviations, axis=1)
    studentised = np.abs(deviations) / np.where(errors > 0, errors, 1.0)[:, None]
    wide = float(np.nanquantile(studentised.max(axis=0), LEVEL))
    shares = ((deviations + centres[:, None]) > 0).mean(axis=1)
    return tuple(
        Comparison(
            name, float(centre), float(centre - wide * error), float(centre + wide * error),
            float(error), float(share),
        )
        for name, centre, error, share in zip(others, centres, errors, shares, strict=True)
    )  # fmt: skip


def is_same(one: Resampled, other: Resampled) -> bool:
    """Tell whether two strategies score the same on every resample."""
    return one.value == other.value and np.array_equal(one.values, other.values, equal_nan=True)
