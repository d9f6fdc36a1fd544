"""The search for the weights of several classes that a metric asks for."""

from __future__ import annotations

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.scored import Scored
from autoimb.metrics import Counts, Metric, count

__all__ = ["settle_class_weights", "solve_class_weights"]

# Coordinate ascent over class weights settles within a few rounds; more only chase ties.
MAX_ROUNDS = 10
# A class that needs a greater weight than this was given no probability worth the name.
MAX_WEIGHT = 1e100
# Values that differ by less are the same.
TOLERANCE = 1e-12
# Powers of the prevalence that are tried, from none to equal classes, in as many resamples.
POWERS = np.linspace(0.0, 1.0, 11)
N_RESAMPLES = 20
# benchmarks/decision/class_weights.py measures it.
PSEUDO_ROWS = 1000.0
# Of the logarithm of a weight beside that of the others.
MAX_LOG = 16.0


def settle_class_weights(
    metric: Metric, scored: Scored, pseudo_rows: float = PSEUDO_ROWS
) -> tuple[float, ...]:
    """Weigh classes by a power of their prevalence, and by weights of their own as rows allow.

    One number for all classes (the adjustment of Menon et al. 2021, at a strength that is the
    mean over resamples of the rows) has little room to follow single rows, a weight for each has
    much. The geometric mean of both is taken, in which the own weight of a class counts the more
    the more rows it has.

    Parameters
    ----------
    metric : Metric
        Whose `of_counts` is maximised.
    scored : Scored
    pseudo_rows : float
        Rows of a class from which its own weight counts as much as that of its prevalence.

    Returns
    -------
    tuple of float
        The greatest is 1. Never worse on these rows than equal weights.

    Examples
    --------
    >>> from autoimb.metrics import get_metric
    >>> y = np.repeat([0, 1, 2], [60, 30, 10])
    >>> rows = Scored(y, np.eye(3)[y] * 0.1 + np.array([0.6, 0.3, 0.1]) * 0.9)
    >>> np.round(settle_class_weights(get_metric("balanced_accuracy"), rows), 1).tolist()
    [0.2, 0.4, 1.0]
    """
    counts = np.bincount(scored.y, minlength=scored.n_classes).astype(float)
    own = solve_class_weights(metric, scored)
    mass = counts if scored.class_weights is None else counts * scored.class_weights
    logs = -np.log(np.maximum(mass, TOLERANCE) / mass.sum())
    by_power = _centre(_settle_power(metric, scored, logs) * logs)
    share = counts / (counts + pseudo_rows)
    mixed = share * _centre(np.log(own)) + (1 - share) * by_power
    weights = np.exp(mixed - mixed.max())
    equal = np.ones(scored.n_classes)
    if _score(metric, scored, weights) >= _score(metric, scored, equal) - TOLERANCE:
        return tuple(weights.tolist())
    return own


def _centre(logs: FloatArray) -> FloatArray:
    return np.clip(logs - np.median(logs), -MAX_LOG, MAX_LOG)


def _score(metric: Metric, scored: Scored, weights: FloatArray) -> float:
    codes = (scored.proba * weights).argmax(axis=1)
    return float(metric.of_counts(count(scored.y, codes, scored.n_classes, scored.row_weights)))


def _settle_power(metric: Metric, scored: Scored, logs: FloatArray) -> float:
    """Return the mean, over resamples of the rows, of the power that serves best."""
    n, n_classes = len(scored.y), scored.n_classes
    decided = [(scored.proba * np.exp(power * logs)).argmax(axis=1) for power in POWERS]
    # Rows of a class that every power decides alike are drawn together.
    alike, sizes = np.unique(np.stack([scored.y, *decided]), axis=1, return_counts=True)
    cells = n_classes * alike[0] + alike[1:] + n_classes**2 * np.arange(len(POWERS))[:, None]
    mass = np.ones(n_classes) if scored.class_weights is None else scored.class_weights
    best = []
    for drawn in np.random.default_rng(0).multinomial(n, sizes / n, N_RESAMPLES):
        weights = np.tile(drawn * mass[alike[0]], len(POWERS))
        found = np.bincount(cells.ravel(), weights, len(POWERS) * n_classes**2)
        table = found.astype(float).reshape(len(POWERS), n_classes, n_classes)
        counts = Counts(table.sum(axis=2), table.sum(axis=1), table.diagonal(axis1=1, axis2=2))
        values = metric.of_counts(counts)
        best.append(POWERS[values >= values.max() - TOLERANCE].mean())
    return float(np.mean(best))


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
