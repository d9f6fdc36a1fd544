"""The search for the threshold, band or class weights that a criterion asks for."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.scored import Scored
from autoimb.decision.sweep import Sweep
from autoimb.metrics import Counts, Metric, count

__all__ = ["best_threshold", "solve_band", "solve_class_weights"]

# Coordinate ascent over class weights settles within a few rounds; more only chase ties.
MAX_ROUNDS = 10
# A class that needs a greater weight than this was given no probability worth the name.
MAX_WEIGHT = 1e100
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


def solve_class_weights(metric: Metric, scored: Scored) -> tuple[float, ...]:
    """Improve one class's weight after the other until no step helps.

    Parameters
    ----------
    metric : Metric
        Whose `of_counts` is maximised.
    scored : Scored

    Returns
    -------
    tuple of float
        Never worse on these rows than equal weights.
    """
    y, proba, n_classes = scored.y, scored.proba + 0.0, scored.n_classes
    mass = np.ones(n_classes) if scored.class_weights is None else scored.class_weights
    weights = np.ones(n_classes)
    score = float(metric.of_counts(count(y, proba.argmax(axis=1), n_classes, mass[y])))
    for _ in range(MAX_ROUNDS):
        before = score
        for k in range(n_classes):
            weight, found = _best_weight(metric, y, proba * weights, proba[:, k], k, mass)
            if found > score + TOLERANCE:
                weights[k], score = weight, found
        if score <= before:
            break
    return tuple(float(value) for value in weights / weights.max())


def _best_weight(
    metric: Metric, y: IntArray, weighted: FloatArray, own: FloatArray, k: int, mass: FloatArray
) -> tuple[float, float]:
    """Sweep the weight of class k exactly: a row turns to k once k outbids its runner-up."""
    others = weighted.copy()
    others[:, k] = -1.0
    runner_up = others.argmax(axis=1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        turning = others.max(axis=1) / own
    turning[~(turning < MAX_WEIGHT)] = np.inf
    order = np.argsort(turning, kind="stable")
    turning = turning[order]
    steps = np.flatnonzero(
        np.isfinite(turning) & np.append(turning[1:] > turning[:-1] * (1 + 1e-9), True)
    )
    if len(steps) == 0:
        return 1.0, -np.inf
    scores = metric.of_counts(_counts_while_turning(y[order], runner_up[order], steps, k, mass))
    best = int(scores.argmax())
    here = turning[steps[best]]
    following = turning[steps[best] + 1] if steps[best] + 1 < len(turning) else np.inf
    weight = (here + following) / 2 if np.isfinite(following) else here * 1.01 + 1e-12
    return float(weight), float(scores[best])


def _counts_while_turning(
    y: IntArray, runner_up: IntArray, steps: IntArray, k: int, mass: FloatArray
) -> Counts:
    """Count after each step of rows turning, in order, from their runner-up to class k."""
    shape, weight = (len(steps), len(mass)), mass[y]
    predicted, correct = np.empty(shape), np.empty(shape)
    for other in range(len(mass)):
        lost = weight * (runner_up == other)
        predicted[:, other] = lost.sum() - np.cumsum(lost)[steps]
        rightly = lost * (y == other)
        correct[:, other] = rightly.sum() - np.cumsum(rightly)[steps]
    predicted[:, k] = np.cumsum(weight)[steps]
    correct[:, k] = np.cumsum(weight * (y == k))[steps]
    true = np.bincount(y, minlength=len(mass)) * mass
    return Counts(np.broadcast_to(true, shape), predicted, correct)
