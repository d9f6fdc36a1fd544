"""What a search can maximise: one table, and the class counts it is computed from."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.errors import UsageError, nearest_name
from autoimb.rankings import Ranking, average_precision, best_at_floor, rank, roc_auc

__all__ = ["METRICS", "Counts", "Metric", "count", "get_metric", "stack_counts"]

Average = Literal["positive", "macro", "weighted"]

ROUNDING = 1e-12  # of weights that add up


@dataclass(frozen=True)
class Counts:
    """How many rows each class has, was given and was given rightly.

    Every metric of a confusion matrix that autoimb offers needs just its diagonal and
    its margins, so that thousands of decisions are scored at once along the leading axes.

    Attributes
    ----------
    true, predicted, correct : ndarray of shape (..., n_classes)
        Rows of each class, rows predicted as it, and rows of it predicted as it.
    """

    true: FloatArray
    predicted: FloatArray
    correct: FloatArray


def count(
    y: IntArray, labels: IntArray, n_classes: int, weights: FloatArray | None = None
) -> Counts:
    """Count true, predicted and correct rows of each class.

    Parameters
    ----------
    y, labels : ndarray of shape (n_samples,)
        True and predicted class codes.
    n_classes : int
    weights : ndarray of shape (n_samples,), optional
        How much each row counts; by default all count as one.

    Returns
    -------
    Counts

    Examples
    --------
    >>> count(np.array([0, 1, 1]), np.array([0, 1, 0]), 2).correct
    array([1., 1.])
    """
    y, labels = np.asarray(y, dtype=np.intp), np.asarray(labels, dtype=np.intp)
    if labels.size and labels.min() < 0:
        raise ValueError("rows that no class was decided for cannot be counted: leave them out.")
    cells = np.bincount(n_classes * y + labels, weights, n_classes**2).astype(float)
    table = cells.reshape(n_classes, n_classes)
    return Counts(table.sum(axis=1), table.sum(axis=0), table.diagonal())


def stack_counts(each: Sequence[Counts]) -> Counts:
    """Put counts of several groups of rows into one, a row of its arrays each.

    Examples
    --------
    >>> one = count(np.array([0, 1, 1]), np.array([0, 1, 0]), 2)
    >>> stack_counts([one, one]).correct
    array([[1., 1.],
           [1., 1.]])
    """
    return Counts(
        true=np.stack([one.true for one in each]),
        predicted=np.stack([one.predicted for one in each]),
        correct=np.stack([one.correct for one in each]),
    )


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide, with 0 / 0 = 0: a class that nothing was predicted as earns nothing."""
    return np.divide(
        numerator,
        denominator,
        out=np.zeros(np.broadcast(numerator, denominator).shape),
        where=np.asarray(denominator) > 0,
    )


def _averaged(values: FloatArray, counts: Counts, average: Average) -> FloatArray:
    """Reduce a value per class to one number."""
    n_classes = values.shape[-1]
    if average == "positive" and n_classes == 2:
        return np.asarray(values[..., 1])
    if average == "weighted":
        share = _ratio(counts.true, counts.true.sum(axis=-1, keepdims=True))
        return np.asarray((values * share).sum(axis=-1))
    return np.asarray(values.mean(axis=-1))


def f_beta(counts: Counts, beta: float, average: Average) -> FloatArray:
    """Weighted harmonic mean of precision and recall (van Rijsbergen 1979)."""
    weighted = beta**2 * counts.true + counts.predicted
    return _averaged(_ratio((1 + beta**2) * counts.correct, weighted), counts, average)


def balanced_accuracy(counts: Counts) -> FloatArray:
    """Mean recall over the classes (Brodersen et al. 2010)."""
    return np.asarray(_ratio(counts.correct, counts.true).mean(axis=-1))


def g_mean(counts: Counts) -> FloatArray:
    """Geometric mean of the recalls (Kubat and Matwin 1997)."""
    recall = _ratio(counts.correct, counts.true)
    return np.asarray(recall.prod(axis=-1) ** (1.0 / recall.shape[-1]))


def mcc(counts: Counts) -> FloatArray:
    """Matthews' correlation of truth and prediction, for any number of classes (Gorodkin 2004)."""
    n = counts.true.sum(axis=-1)
    covariance = counts.correct.sum(axis=-1) * n - (counts.true * counts.predicted).sum(axis=-1)
    # Shares of rows add up with rounding: what is 0 may come out below it.
    spread_true = np.maximum(n**2 - (counts.true**2).sum(axis=-1), 0.0)
    spread_predicted = np.maximum(n**2 - (counts.predicted**2).sum(axis=-1), 0.0)
    return _ratio(covariance, np.sqrt(spread_true * spread_predicted))


def _recall_at_precision(counts: Counts, floor: float) -> FloatArray:
    """Recall where the floor holds; below it, how far precision falls short, as a negative."""
    precision = _ratio(counts.correct, counts.predicted)[..., -1]
    recall = _ratio(counts.correct, counts.true)[..., -1]
    return np.where((precision >= floor - ROUNDING) & (recall > 0), recall, precision - 1.0)


def _precision_at_recall(counts: Counts, floor: float) -> FloatArray:
    """Precision where the floor holds; below it, how far recall falls short, as a negative."""
    precision = _ratio(counts.correct, counts.predicted)[..., -1]
    recall = _ratio(counts.correct, counts.true)[..., -1]
    return np.where(recall >= floor - ROUNDING, precision, recall - 1.0)


def _brier(y: IntArray, proba: FloatArray) -> FloatArray:
    """Squared error of the probabilities; of two classes that of the positive one alone."""
    squares = (proba - np.eye(proba.shape[1])[y]) ** 2
    return np.asarray(squares[:, 1] if proba.shape[1] == 2 else squares.sum(axis=1))


def _log_loss(y: IntArray, proba: FloatArray) -> FloatArray:
    true_class = np.take_along_axis(proba, y[:, None], axis=1)[:, 0]
    return np.asarray(-np.log(np.clip(true_class, 1e-7, 1.0)))


@dataclass(frozen=True)
class Metric:
    """A figure of merit and the decision that serves it.

    Attributes
    ----------
    name : str
        As given by the user.
    meaning : str
        What it measures, in plain words.
    of_counts : callable
        What the decision rule maximises: `Counts` to an array of scores.
    of_ranking : callable or None
        Of a ranking: a `Ranking` to a value.
    of_rows : callable or None
        Of a loss: codes and probabilities to what each row loses.
    average : {"positive", "macro", "weighted"}
        Of a ranking: the positive class of two alone (several: each against the rest, mean), the
        mean over classes, or that weighted by their sizes.
    greater_is_better : bool
        False for losses.
    ranking : str
        Of a metric that needs a decision: the one of the ranking that is cut.
    floor : float or None
        What the decision must reach before anything else counts.
    """

    name: str
    meaning: str
    of_counts: Callable[[Counts], FloatArray]
    of_ranking: Callable[[Ranking], FloatArray] | None = None
    of_rows: Callable[[IntArray, FloatArray], FloatArray] | None = None
    average: Average = "positive"
    greater_is_better: bool = True
    ranking: str = "average_precision"
    floor: float | None = None

    def __reduce__(self) -> tuple[Callable[[str], Metric], tuple[str]]:
        """Pickle by name: the functions are found again in the table."""
        return get_metric, (self.name,)

    @property
    def needs_decision(self) -> bool:
        """Whether labels, not probabilities, are scored."""
        return self.of_ranking is None and self.of_rows is None

    def ranked_classes(self, sizes: IntArray) -> list[int]:
        """List the classes whose rankings are averaged: those that some rows have and some not.

        Parameters
        ----------
        sizes : ndarray of shape (n_classes,)
            Rows of each class.
        """
        n = sizes.sum()
        alone = self.average == "positive" and len(sizes) == 2
        return [k for k in ([1] if alone else range(len(sizes))) if 0 < sizes[k] < n]

    def mean_of_classes(self, values: Sequence[FloatArray], sizes: Sequence[int]) -> FloatArray:
        """Average what the rankings of several classes are worth."""
        weights = sizes if self.average == "weighted" else None
        return np.asarray(np.average(values, axis=0, weights=weights))

    def utility(self, score: float) -> float:
        """Turn a score into something to maximise."""
        return score if self.greater_is_better else -score

    def evaluate(self, y: IntArray, proba: FloatArray, labels: IntArray) -> float:
        """Score probabilities and the labels decided from them.

        Parameters
        ----------
        y, labels : ndarray of shape (n_samples,)
            True and decided class codes; of two classes, 1 is the positive one.
        proba : ndarray of shape (n_samples, n_classes)
            Probability of every class.

        Returns
        -------
        float
            NaN where the metric is not defined, as with a single class in `y`.

        Examples
        --------
        >>> import numpy as np
        >>> y, p = np.array([0, 0, 1]), np.array([0.1, 0.4, 0.8])
        >>> proba = np.column_stack([1 - p, p])
        >>> METRICS["average_precision"].evaluate(y, proba, y)
        1.0
        """
        proba = np.asarray(proba, dtype=float)
        if self.of_ranking is not None:
            return self._evaluate_ranking(self.of_ranking, y, proba)
        if self.of_rows is not None:
            return float(self.of_rows(y, proba).mean())
        return float(self.of_counts(count(y, labels, proba.shape[1])))

    def _evaluate_ranking(
        self, of_ranking: Callable[[Ranking], FloatArray], y: IntArray, proba: FloatArray
    ) -> float:
        sizes = np.bincount(y, minlength=proba.shape[1])
        classes = self.ranked_classes(sizes)
        if not classes:
            return float("nan")
        values = [of_ranking(rank((y == k).astype(int), proba[:, k])) for k in classes]
        return float(self.mean_of_classes(values, sizes[classes].tolist()))


_F1 = partial(f_beta, beta=1.0, average="positive")


def _f_metrics(name: str, beta: float, meaning: str) -> list[Metric]:
    return [
        Metric(
            name,
            f"{meaning} (macro for several classes)",
            partial(f_beta, beta=beta, average="positive"),
        ),
        Metric(
            f"{name}_macro",
            f"{meaning}, mean over classes",
            partial(f_beta, beta=beta, average="macro"),
        ),
        Metric(
            f"{name}_weighted",
            f"{meaning}, weighted by class size",
            partial(f_beta, beta=beta, average="weighted"),
        ),
    ]


def _ranking_metrics(
    name: str, meaning: str, of_ranking: Callable[[Ranking], FloatArray]
) -> list[Metric]:
    # A ranking has no decision of its own: F1's serves those who then need labels.
    words: dict[Average, str] = {
        "positive": f"{meaning} (macro for several classes)",
        "macro": f"{meaning}, mean over classes",
        "weighted": f"{meaning}, weighted by class size",
    }
    return [
        Metric(
            name if average == "positive" else f"{name}_{average}",
            text, _F1, of_ranking, average=average,
        )
        for average, text in words.items()
    ]  # fmt: skip


def _loss(name: str, meaning: str, of_rows: Callable[[IntArray, FloatArray], FloatArray]) -> Metric:
    return Metric(name, meaning, _F1, of_rows=of_rows, greater_is_better=False)


def _at_floor(name: str, floor: float) -> Metric:
    of_recall = name == "recall_at_precision"
    wanted, held = name.split("_at_")
    return Metric(
        name,
        f"best {wanted} with a {held} of at least {floor:g} (@0.8 sets another floor)",
        partial(_recall_at_precision if of_recall else _precision_at_recall, floor=floor),
        partial(best_at_floor, floor=floor, of_recall=of_recall),
        floor=floor,
    )


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in [
        *_ranking_metrics("average_precision", "area under precision-recall", average_precision),
        *_ranking_metrics("roc_auc", "chance to rank a positive above a negative", roc_auc),
        *_f_metrics("f1", 1.0, "precision and recall alike"),
        *_f_metrics("f2", 2.0, "recall counts twice as much as precision"),
        *_f_metrics("f0.5", 0.5, "precision counts twice as much as recall"),
        Metric(
            "balanced_accuracy", "mean recall of the classes", balanced_accuracy, ranking="roc_auc"
        ),
        Metric("g_mean", "geometric mean of the recalls", g_mean, ranking="roc_auc"),
        Metric("mcc", "Matthews' correlation coefficient", mcc),
        _loss("brier", "mean squared error of the probabilities", _brier),
        _loss("log_loss", "negative log-likelihood", _log_loss),
        _at_floor("recall_at_precision", 0.9),
        _at_floor("precision_at_recall", 0.9),
    ]
}


def get_metric(name: str) -> Metric:
    """Look a metric up by name.

    Parameters
    ----------
    name : str
        A key of `METRICS`; the two with a floor take another one after an ``@``.

    Returns
    -------
    Metric

    Raises
    ------
    UsageError
        If there is no such metric, or the floor is not in (0, 1).

    Examples
    --------
    >>> get_metric("recall_at_precision@0.8").name
    'recall_at_precision@0.8'
    >>> get_metric("f11")
    Traceback (most recent call last):
    ...
    autoimb.errors.UsageError: metric 'f11' does not exist; did you mean 'f1'?
    """
    base, _, floor = str(name).partition("@")
    if base not in METRICS:
        raise UsageError(f"metric '{name}' does not exist; {nearest_name(base, METRICS)}")
    if not floor:
        return METRICS[base]
    if "_at_" not in base:
        raise UsageError(f"metric '{base}' takes no floor, but got '@{floor}'. Use '{base}'.")
    if not re.fullmatch(r"0?\.\d+", floor) or not 0 < float(floor) < 1:
        raise UsageError(
            f"metric '{name}': the floor must lie between 0 and 1, as in '{base}@0.8'."
        )
    return replace(_at_floor(base, float(floor)), name=name)
