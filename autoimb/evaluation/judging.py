"""How a strategy is judged on many resamples, its decision solved anew in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.splitting import Folds
from autoimb.decision.costs import Costs
from autoimb.decision.criteria import Criterion, Swept
from autoimb.decision.scored import Scored
from autoimb.evaluation.bootstrap import Bins, Weights, bin_rows, count_resamples
from autoimb.evaluation.scoring import QUICK, calibrate_folds, cross_fit
from autoimb.metrics import Counts, Metric, get_metric
from autoimb.rankings import Ranking

__all__ = ["Judged", "judge"]

# Scores closer than one part in so many count as tied: which of two trials is better on a
# resample hardly ever hangs on it.
MAX_BINS = 200


class Judged(Protocol):
    """The predictions of a strategy, ready to be scored on resamples."""

    def values(self, weights: Weights, solved_on: Weights | None = None) -> FloatArray:
        """Return the utility on each resample; greater is better.

        Parameters
        ----------
        weights : ndarray of shape (n_samples, n_resamples)
            How much each row counts.
        solved_on : ndarray of the same shape, optional
            And how much where the decision is solved; by default alike.

        Returns
        -------
        ndarray of shape (n_resamples,)
        """

    def merits(self, weights: Weights) -> FloatArray:
        """Return what trials are chosen by: of labels, the ranking behind them counts as much."""


def judge(metric: Metric, criterion: Criterion, scored: Scored, folds: Folds) -> Judged:
    """Prepare predictions to be scored on resamples.

    A threshold is solved anew in each resample. Other decisions, as class weights, costs that
    differ from row to row or a capacity, are those that were solved on the other folds.

    Parameters
    ----------
    metric : Metric
    criterion : Criterion
        Of the decision.
    scored : Scored
    folds : Folds

    Returns
    -------
    Judged

    Examples
    --------
    >>> from autoimb.decision.criteria import BestMetric
    >>> from autoimb.metrics import METRICS
    >>> y, p = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.8])
    >>> scored, drawn = Scored(y, np.column_stack([1 - p, p])), np.ones((4, 2), dtype=np.float32)
    >>> folds = Folds(np.arange(4) % 2)
    >>> judge(METRICS["f1"], BestMetric("f1"), scored, folds).values(drawn).round(2)
    array([0.8, 0.8])
    """
    if metric.of_ranking is not None:
        return _rank(metric, scored)
    if metric.of_rows is None and isinstance(criterion, Swept) and _is_threshold(criterion, scored):
        return _Thresholded(metric, criterion, get_metric(metric.ranking), _bin(scored, 1))
    if metric.of_rows is not None:
        proba = calibrate_folds(scored, folds, QUICK)
        return _Lost(metric.of_rows(scored.y, proba).astype(np.float32))
    found = cross_fit(criterion, scored, folds)
    ranked = _rank(get_metric(metric.ranking), scored)
    return _Decided(metric, scored.y, found.codes, scored.n_classes, ranked)


def _rank(metric: Metric, scored: Scored) -> _Ranked:
    sizes = np.bincount(scored.y, minlength=scored.n_classes)
    classes = metric.ranked_classes(sizes)
    bins = tuple(_bin(scored, k) for k in classes)
    return _Ranked(metric, bins, tuple(sizes[classes].tolist()))


def _bin(scored: Scored, k: int) -> Bins:
    return bin_rows((scored.y == k).astype(int), scored.proba[:, k], MAX_BINS)


def _is_threshold(criterion: Swept, scored: Scored) -> bool:
    """Tell whether one threshold on the probability is what the decision comes to."""
    is_plain = not isinstance(criterion, Costs) or (not criterion.column and not criterion.abstain)
    return is_plain and scored.n_classes == 2


@dataclass(frozen=True)
class _Ranked:
    """A ranking of each class against the rest."""

    metric: Metric
    bins: tuple[Bins, ...]
    sizes: tuple[int, ...]

    def values(self, weights: Weights, solved_on: Weights | None = None) -> FloatArray:
        of_ranking = self.metric.of_ranking
        assert of_ranking is not None
        each = [of_ranking(bins.rank(weights)) for bins in self.bins]
        return np.asarray(self.metric.mean_of_classes(each, self.sizes), dtype=float)

    def merits(self, weights: Weights) -> FloatArray:
        return self.values(weights)


@dataclass(frozen=True)
class _Lost:
    """What each row loses."""

    rows: Weights

    def values(self, weights: Weights, solved_on: Weights | None = None) -> FloatArray:
        return np.asarray(-(self.rows @ weights) / weights.sum(axis=0), dtype=float)

    def merits(self, weights: Weights) -> FloatArray:
        return self.values(weights)


@dataclass(frozen=True)
class _Decided:
    """Decisions that stay as they are."""

    metric: Metric
    y: IntArray
    codes: IntArray
    n_classes: int
    ranked: _Ranked

    def values(self, weights: Weights, solved_on: Weights | None = None) -> FloatArray:
        counts = count_resamples(self.y, self.codes, self.n_classes, weights)
        return np.asarray(self.metric.of_counts(counts), dtype=float)

    def merits(self, weights: Weights) -> FloatArray:
        return (self.values(weights) + self.ranked.values(weights)) / 2


@dataclass(frozen=True)
class _Thresholded:
    """A threshold that is solved anew."""

    metric: Metric
    criterion: Swept
    ranking: Metric
    bins: Bins

    def values(self, weights: Weights, solved_on: Weights | None = None) -> FloatArray:
        counts = _threshold_counts(self.bins.rank(weights))
        solved = counts if solved_on is None else _threshold_counts(self.bins.rank(solved_on))
        return self._decide(counts, solved)

    def merits(self, weights: Weights) -> FloatArray:
        ranking, of_ranking = self.bins.rank(weights), self.ranking.of_ranking
        assert of_ranking is not None
        counts = _threshold_counts(ranking)
        return (self._decide(counts, counts) + of_ranking(ranking)) / 2

    def _decide(self, counts: Counts, solved: Counts) -> FloatArray:
        """Score the threshold that serves best where it is solved."""
        best = self.criterion.values(solved).argmax(axis=0)
        each = np.arange(len(best))
        true, predicted, correct = counts.true, counts.predicted, counts.correct
        at = Counts(true[best, each], predicted[best, each], correct[best, each])
        return np.asarray(self.metric.of_counts(at), dtype=float)


def _threshold_counts(ranking: Ranking) -> Counts:
    """Count what each threshold gives in each resample, from no row flagged to all."""
    none = np.zeros_like(ranking.hits[:1])
    hits, rows = np.vstack([none, ranking.hits]), np.vstack([none, ranking.rows])
    positive, n = hits[-1:], rows[-1:]
    rejected = n - positive - rows + hits
    return Counts(
        true=np.broadcast_to(np.stack([n - positive, positive], axis=-1), (*hits.shape, 2)),
        predicted=np.stack([n - rows, rows], axis=-1),
        correct=np.stack([rejected, hits], axis=-1),
    )
