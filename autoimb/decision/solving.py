"""The search for the threshold or band that a criterion asks for."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.decision.sweep import Sweep

__all__ = ["best_threshold", "solve_band"]

# Values that differ by less are the same.
TOLERANCE = 1e-12


def best_threshold(found: Sweep, values: FloatArray) -> float:
    """Return the threshold of the greatest value; of equal ones that in the middle."""
    best = np.flatnonzero(values >= values.max() - TOLERANCE)
    return float(found.thresholds[best[len(best) // 2]])


def solve_band(
    found: Sweep, *, fp: float, fn: float, tp: float, tn: float, abstain: float
) -> tuple[float, float]:
    """Find the two thresholds between which passing rows on costs least (Chow 1970).

    Parameters
    ----------
    found : Sweep
    fp, fn, tp, tn, abstain : float
        What a false alarm, a miss, a hit, a negative left alone and a row passed on cost.

    Returns
    -------
    low, high : float
    """
    rejected, hits = found.counts.correct.T
    n_negative, n_positive = found.counts.true[0]
    of_flagged = (fp - abstain) * (n_negative - rejected) + (tp - abstain) * hits
    of_cleared = (tn - abstain) * rejected + (fn - abstain) * (n_positive - hits)
    # Thresholds fall: the lower of the two stands at the same place or further on.
    best_flagged = np.minimum.accumulate(of_flagged)
    low = int((best_flagged + of_cleared).argmin())
    high = int(of_flagged[: low + 1].argmin())
    return float(found.thresholds[low]), float(found.thresholds[high])
