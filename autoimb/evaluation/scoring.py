"""Scores of out-of-fold probabilities, with decisions tuned on the other folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.rules import DecisionRule, solve_rule
from autoimb.metrics import Counts, Metric, count, get_metric, stack_counts

__all__ = [
    "REPORTED", "Score", "average_scores", "cross_fitted_labels", "score_out_of_fold",
    "selection_value",
]  # fmt: skip

# What every trial reports, beside the metric that is searched.
REPORTED = (
    "average_precision", "roc_auc", "f1", "balanced_accuracy", "g_mean", "mcc", "brier", "log_loss",
)  # fmt: skip


@dataclass(frozen=True)
class Score:
    """One metric of one configuration.

    Attributes
    ----------
    value : float
        Over all rows at once; this is what is searched and ranked.
    mean, spread : float
        Mean and standard deviation over the folds, each scored alone.
    """

    value: float
    mean: float
    spread: float

    def __str__(self) -> str:
        """Show value and spread."""
        return f"{self.value:.3f} ± {self.spread:.3f}"


def cross_fitted_labels(
    metric: Metric, y: IntArray, proba: FloatArray, folds: IntArray
) -> IntArray:
    """Decide each fold by the rule that was best on the others.

    Parameters
    ----------
    metric : Metric
    y : ndarray of shape (n_samples,)
    proba : ndarray of shape (n_samples, n_classes)
    folds : ndarray of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,)
        Class codes.

    Examples
    --------
    >>> from autoimb.metrics import METRICS
    >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4])
    >>> y, folds = np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.array([0, 0, 0, 0, 1, 1, 1, 1])
    >>> cross_fitted_labels(METRICS["f1"], y, np.column_stack([1 - p, p]), folds)
    array([0, 0, 1, 1, 0, 0, 1, 1])
    """
    labels = np.empty(len(y), dtype=np.intp)
    for fold in np.unique(folds):
        inside = folds == fold
        labels[inside] = solve_rule(metric, y[~inside], proba[~inside]).decide(proba[inside])
    return labels


def score_out_of_fold(
    metric: Metric,
    y: IntArray,
    proba: FloatArray,
    folds: IntArray,
    *,
    rule: DecisionRule | None = None,
) -> Mapping[str, Score]:
    """Score by the searched metric and by those that are always reported.

    Parameters
    ----------
    metric : Metric
    y : ndarray of shape (n_samples,)
    proba : ndarray of shape (n_samples, n_classes)
        Each row's by a model that has not seen it.
    folds : ndarray of shape (n_samples,)
    rule : DecisionRule, optional
        One rule for all rows; by default each fold's is tuned on the others.

    Returns
    -------
    mapping of str to Score

    Examples
    --------
    >>> from autoimb.metrics import METRICS
    >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4])
    >>> y, folds = np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.array([0, 0, 0, 0, 1, 1, 1, 1])
    >>> found = score_out_of_fold(METRICS["f1"], y, np.column_stack([1 - p, p]), folds)
    >>> str(found["f1"])
    '1.000 ± 0.000'
    """
    proba = np.asarray(proba, dtype=float)
    labels = rule.decide(proba) if rule else cross_fitted_labels(metric, y, proba, folds)
    reported = {metric.name: metric, **{name: get_metric(name) for name in REPORTED}}
    parts = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    groups = [(y, proba, labels), *((y[rows], proba[rows], labels[rows]) for rows in parts)]
    counts = stack_counts([count(y, labels, proba.shape[1]) for y, _, labels in groups])
    return {name: _score(one, groups, counts) for name, one in reported.items()}


def _score(
    metric: Metric, groups: Sequence[tuple[IntArray, FloatArray, IntArray]], counts: Counts
) -> Score:
    """Score all rows, which come first, and each fold."""
    if metric.of_scores is None:
        values = np.asarray(metric.of_counts(counts), dtype=float)
    else:
        values = np.array([metric.of_scores(y, proba) for y, proba, _ in groups])
    each = values[1:][np.isfinite(values[1:])]
    if not len(each):
        return Score(float(values[0]), float("nan"), float("nan"))
    return Score(float(values[0]), float(each.mean()), float(each.std()))


def average_scores(each: Sequence[Mapping[str, Score]]) -> Mapping[str, Score]:
    """Average scores over several assignments of rows to folds.

    Parameters
    ----------
    each : sequence of mapping of str to Score

    Returns
    -------
    mapping of str to Score

    Examples
    --------
    >>> found = average_scores([{"f1": Score(0.6, 0.5, 0.1)}, {"f1": Score(0.4, 0.5, 0.2)}])
    >>> str(found["f1"])
    '0.500 ± 0.150'
    """
    return {
        name: Score(*np.mean([astuple(scores[name]) for scores in each], axis=0).tolist())
        for name in each[0]
    }


def selection_value(metric: Metric, scores: Mapping[str, Score]) -> float:
    """Give the value by which one of the finished trials is chosen; greater is better.

    A metric that needs a decision moves by single rows where positives are few, and the best of
    many trials is the luckiest. The metric of the ranking that is cut is steadier, and the mean
    over folds errs otherwise than the value over all rows: the four are averaged.

    Parameters
    ----------
    metric : Metric
    scores : mapping of str to Score

    Returns
    -------
    float

    Examples
    --------
    >>> from autoimb.metrics import METRICS
    >>> scores = {"f1": Score(0.6, 0.5, 0.1), "average_precision": Score(0.4, 0.3, 0.1)}
    >>> round(selection_value(METRICS["f1"], scores), 3)
    0.45
    >>> selection_value(METRICS["average_precision"], scores)
    0.4
    """
    own = scores[metric.name]
    if not metric.needs_decision:
        return metric.utility(own.value)
    ranking = scores[metric.ranking]
    return float(np.mean([own.value, own.mean, ranking.value, ranking.mean]))
