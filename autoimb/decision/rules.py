"""Decision rules, solved on out-of-fold probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.smoothing import smooth_labels
from autoimb.decision.sweep import sweep_thresholds
from autoimb.metrics import Counts, Metric, count

__all__ = ["ClassWeights", "DecisionRule", "Threshold", "argmax_rule", "solve_rule"]

# Coordinate ascent over class weights settles within a few rounds; more only chase ties.
MAX_ROUNDS = 10
# A class that needs a greater weight than this was given no probability worth the name.
MAX_WEIGHT = 1e100


@dataclass(frozen=True)
class Threshold:
    """Predict the positive class (code 1) when its probability reaches a threshold.

    Attributes
    ----------
    value : float
        The threshold.

    Examples
    --------
    >>> import numpy as np
    >>> Threshold(0.3).decide(np.array([[0.6, 0.4], [0.9, 0.1]]))
    array([1, 0])
    """

    value: float

    def decide(self, proba: FloatArray) -> IntArray:
        """Turn probabilities of shape (n_samples, 2) into class codes."""
        return (np.asarray(proba)[:, 1] >= self.value).astype(np.intp)

    def __str__(self) -> str:
        """Show the threshold to three digits."""
        return f"threshold {self.value:.3g}"


@dataclass(frozen=True)
class ClassWeights:
    """Predict the class whose weighted probability is the greatest.

    Attributes
    ----------
    values : tuple of float
        One weight a class; all equal is the plain argmax.

    Examples
    --------
    >>> import numpy as np
    >>> ClassWeights((1.0, 1.0, 3.0)).decide(np.array([[0.5, 0.3, 0.2]]))
    array([2])
    """

    values: tuple[float, ...]

    def decide(self, proba: FloatArray) -> IntArray:
        """Turn probabilities of shape (n_samples, n_classes) into class codes."""
        return np.asarray((np.asarray(proba) * np.asarray(self.values)).argmax(axis=1))

    def __str__(self) -> str:
        """Show the weights to three digits."""
        return "class weights " + ", ".join(f"{value:.3g}" for value in self.values)


DecisionRule = Threshold | ClassWeights


def argmax_rule(n_classes: int) -> DecisionRule:
    """Return the rule that tunes nothing.

    Examples
    --------
    >>> argmax_rule(2)
    Threshold(value=0.5)
    """
    return Threshold(0.5) if n_classes == 2 else ClassWeights((1.0,) * n_classes)


def solve_rule(metric: Metric, y: IntArray, proba: FloatArray) -> DecisionRule:
    """Find the rule that promises the best score, never one below the argmax on these rows.

    For two classes every threshold is swept, on labels that lean towards calibrated
    probabilities where positives are few (`smooth_labels`); for more, the weight of one class
    after the other.

    Parameters
    ----------
    metric : Metric
        Whose `of_counts` is maximised.
    y : ndarray of shape (n_samples,)
        Class codes; of two classes, 1 is the positive one.
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities that were predicted for rows the model has not seen.

    Returns
    -------
    Threshold or ClassWeights
        Of equally good thresholds the one nearest to the middle of its plateau.

    Examples
    --------
    >>> import numpy as np
    >>> from autoimb.metrics import METRICS
    >>> p = np.array([0.1, 0.2, 0.3, 0.4])
    >>> solve_rule(METRICS["f1"], np.array([0, 0, 1, 1]), np.column_stack([1 - p, p]))
    Threshold(value=0.25)
    """
    proba = np.asarray(proba, dtype=float)
    if proba.shape[1] == 2:
        return _solve_threshold(metric, y, proba)
    return _solve_class_weights(metric, y, proba)


def _solve_threshold(metric: Metric, y: IntArray, proba: FloatArray) -> Threshold:
    # A floor is to hold on rows, not in expectation.
    leant = smooth_labels(y, proba[:, 1]) if metric.floor is None else y
    found = sweep_thresholds(leant, proba[:, 1])
    promised = metric.of_counts(found.counts)
    best = np.flatnonzero(promised >= promised.max() - 1e-12)
    solved, plain = Threshold(float(found.thresholds[best[len(best) // 2]])), Threshold(0.5)

    def score(rule: Threshold) -> float:
        return float(metric.of_counts(count(y, rule.decide(proba), 2)))

    return solved if score(solved) > score(plain) + 1e-12 else plain


def _solve_class_weights(metric: Metric, y: IntArray, proba: FloatArray) -> ClassWeights:
    """Improve one class's weight after the other until no step helps."""
    n_classes = proba.shape[1]
    weights = np.ones(n_classes)
    score = float(metric.of_counts(count(y, proba.argmax(axis=1), n_classes)))
    for _ in range(MAX_ROUNDS):
        before = score
        for k in range(n_classes):
            weight, found = _best_weight(metric, y, proba * weights, proba[:, k], k)
            if found > score + 1e-12:
                weights[k], score = weight, found
        if score <= before:
            break
    return ClassWeights(tuple(float(value) for value in weights / weights.max()))


def _best_weight(
    metric: Metric, y: IntArray, weighted: FloatArray, own: FloatArray, k: int
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
    scores = metric.of_counts(
        _counts_while_turning(y[order], runner_up[order], steps, k, weighted.shape[1])
    )
    best = int(scores.argmax())
    here = turning[steps[best]]
    following = turning[steps[best] + 1] if steps[best] + 1 < len(turning) else np.inf
    weight = (here + following) / 2 if np.isfinite(following) else here * 1.01 + 1e-12
    return float(weight), float(scores[best])


def _counts_while_turning(
    y: IntArray, runner_up: IntArray, steps: IntArray, k: int, n_classes: int
) -> Counts:
    """Count after each step of rows turning, in order, from their runner-up to class k."""
    shape = (len(steps), n_classes)
    predicted, correct = np.empty(shape), np.empty(shape)
    for other in range(n_classes):
        lost = runner_up == other
        predicted[:, other] = lost.sum() - np.cumsum(lost)[steps]
        rightly = lost & (y == other)
        correct[:, other] = rightly.sum() - np.cumsum(rightly)[steps]
    predicted[:, k] = steps + 1
    correct[:, k] = np.cumsum(y == k)[steps]
    true = np.bincount(y, minlength=n_classes).astype(float)
    return Counts(np.broadcast_to(true, shape), predicted, correct)
