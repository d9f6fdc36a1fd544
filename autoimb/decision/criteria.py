"""What a decision may be asked for; each solves its rule on predictions of rows not seen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.bagging import (
    PSEUDO_POSITIVES,
    Groups,
    group_rows,
    lean_share,
    spread_thresholds,
)
from autoimb.decision.class_weights import settle_class_weights
from autoimb.decision.rules import (
    ClassWeights,
    DecisionRule,
    Threshold,
    argmax_rule,
)
from autoimb.decision.scored import Scored
from autoimb.decision.solving import best_threshold
from autoimb.decision.sweep import Sweep, sweep_corners
from autoimb.errors import UsageError
from autoimb.metrics import Counts, Metric, count, get_metric

__all__ = ["BestMetric", "Criterion", "Known", "Masses", "Swept", "as_one"]

TOLERANCE = 1e-12
# Whose thresholds are averaged.
N_RESAMPLES = 30
Masses: TypeAlias = tuple[FloatArray | None, FloatArray | None]


class Criterion(Protocol):
    """What a decision is asked for."""

    def solve(self, scored: Scored) -> DecisionRule:
        """Find the rule that serves it best on these rows, never one below the argmax."""

    def figures(self, scored: Scored, codes: IntArray) -> Mapping[str, float]:
        """Say in figures of its own how a decision fared."""

    def check(self) -> None:
        """Raise a UsageError for numbers that are wrong whatever the data."""

    def suited(self, known: Known) -> Criterion:
        """Take in what it has to know of the data; raise a UsageError if no rule could serve."""


@dataclass(frozen=True)
class Known:
    """What is known of the data before any model is trained.

    Attributes
    ----------
    labels : tuple of str
        Classes in the order of their codes.
    class_counts : ndarray of shape (n_classes,)
    row_costs : ndarray of shape (n_samples,), optional
    n_rows : int, optional
        Of the whole table, where only a part is counted.
    """

    labels: tuple[str, ...]
    class_counts: IntArray
    row_costs: FloatArray | None = None
    n_rows: int | None = None

    def require_two(self, criterion: Criterion) -> None:
        """Refuse what only two classes can have."""
        if len(self.labels) != 2:
            raise UsageError(
                f"'{criterion}' needs two classes, but the target has {len(self.labels)}. Give a "
                "cost matrix (--cost-matrix), or a metric."
            )


class Swept(ABC):
    """A criterion of two classes that every threshold can be held against at once."""

    @property
    def lean(self) -> float:
        """How many positives the calibration counts as (`lean_share`); 0 trusts the rows."""
        return PSEUDO_POSITIVES

    def sweep(self, scored: Scored) -> Sweep:
        """Count what each threshold gives that may be the best."""
        found = sweep_corners(scored.y, self.rank(scored))
        if all(each is None for each in self.masses(scored)):
            return found
        return self.group(scored, found.thresholds).sweep()

    def group(self, scored: Scored, thresholds: FloatArray) -> Groups:
        """Count the rows between thresholds."""
        p = np.asarray(scored.proba[:, 1], dtype=float)
        return group_rows(scored.y, self.rank(scored), p, thresholds, self.masses(scored))

    @abstractmethod
    def values(self, counts: Counts, class_weights: FloatArray | None = None) -> FloatArray:
        """Say how well each threshold serves; greater is better."""

    def cut(self, found: Sweep, class_weights: FloatArray | None = None) -> tuple[float, ...]:
        """Return the threshold, or thresholds, that serve best."""
        return (best_threshold(found, self.values(found.counts, class_weights)),)

    def rule(self, *thresholds: float) -> DecisionRule:
        """Make the rule of what was cut."""
        return Threshold(*thresholds)

    def within_reach(self, found: Sweep, class_weights: FloatArray | None = None) -> Swept:
        """Return what can be solved for, should the rows not support what is asked."""
        return self

    def settle(self, scored: Scored, found: Sweep) -> tuple[float, ...]:
        """Return the thresholds that serve best: where positives are few, in the mean."""
        share = lean_share(float(scored.y.sum()), self.lean)
        if share:
            rng = np.random.default_rng(0)  # the same rows give the same rule
            thresholds = spread_thresholds(found.thresholds, self.rank(scored))
            resamples = self.group(scored, thresholds).resample(N_RESAMPLES, share, rng)
            if cuts := [self.cut(one, scored.class_weights) for one in resamples]:
                return tuple(np.mean(cuts, axis=0).tolist())
        return self.cut(found, scored.class_weights)

    def solve(self, scored: Scored) -> DecisionRule:
        """Find the rule that serves best on these rows, never one below the argmax."""
        found = self.sweep(scored)
        asked = self.within_reach(found, scored.class_weights)
        settled, plain = asked.settle(scored, found), argmax_rule(2)
        solved, least = asked.rule(*settled), asked.utility(scored, plain) + TOLERANCE
        if asked.utility(scored, solved) > least:
            return solved
        # A mean that is worse here than the argmax: what is best here, or near to it and ahead.
        settled = asked.settle_near(settled, found, least, scored.class_weights)
        solved = asked.rule(*settled)
        return solved if asked.utility(scored, solved) > least else plain

    def settle_near(
        self,
        thresholds: tuple[float, ...],
        found: Sweep,
        least: float,
        class_weights: FloatArray | None = None,
    ) -> tuple[float, ...]:
        """Return the threshold nearest to one that is worth more than the least."""
        ahead = found.thresholds[self.values(found.counts, class_weights) > least]
        if len(thresholds) > 1 or not len(ahead):
            return self.cut(found, class_weights)
        return (float(ahead[abs(ahead - thresholds[0]).argmin()]),)

    def utility(self, scored: Scored, rule: DecisionRule) -> float:
        """Say how well a rule serves on the rows as they are."""
        codes = rule.decide(scored.proba, scored.row_costs)
        counted = count(scored.y, codes, 2, scored.row_weights)
        return float(self.values(as_one(counted), scored.class_weights)[0])

    def rank(self, scored: Scored) -> FloatArray:
        """Return the score that a threshold is put on."""
        return np.asarray(scored.proba[:, 1])

    def masses(self, scored: Scored) -> Masses:
        """Return what each row counts should it be negative, and should it be positive."""
        if scored.class_weights is None:
            return None, None
        of_negative, of_positive = scored.class_weights
        return np.full(len(scored.y), of_negative), np.full(len(scored.y), of_positive)


def as_one(counts: Counts) -> Counts:
    """Put counts of one decision where those of many stand."""
    return Counts(counts.true[None], counts.predicted[None], counts.correct[None])


@dataclass(frozen=True)
class BestMetric(Swept):
    """The best value of a metric.

    For two classes every threshold is swept, in resamples that lean towards calibrated
    probabilities where positives are few (`lean_share`). For more, classes are weighted by a power
    of their prevalence and, as far as rows support it, one after the other
    (`settle_class_weights`).

    Parameters
    ----------
    name : str
        A key of `autoimb.metrics.METRICS`.

    Examples
    --------
    >>> p = np.array([0.1, 0.2, 0.3, 0.4])
    >>> rows = Scored(np.array([0, 0, 1, 1]), np.column_stack([1 - p, p]))
    >>> 0.1 < BestMetric("f1").solve(rows).value <= 0.3
    True
    """

    name: str

    @property
    def metric(self) -> Metric:
        """The metric of that name."""
        return get_metric(self.name)

    def values(self, counts: Counts, class_weights: FloatArray | None = None) -> FloatArray:
        """Return the metric of each threshold."""
        return self.metric.of_counts(counts)

    def solve(self, scored: Scored) -> DecisionRule:
        """Find the best threshold or class weights."""
        if scored.n_classes == 2:
            return super().solve(scored)
        return ClassWeights(settle_class_weights(self.metric, scored))

    def figures(self, scored: Scored, codes: IntArray) -> Mapping[str, float]:
        """Return nothing: the metric is reported anyway."""
        return {}

    @property
    def lean(self) -> float:
        """How many positives the calibration counts as: none under a floor, to hold on rows."""
        return PSEUDO_POSITIVES if self.metric.floor is None else 0.0

    def check(self) -> None:
        """Raise a UsageError if there is no such metric."""
        get_metric(self.name)

    def suited(self, known: Known) -> BestMetric:
        """Return itself: any data will do."""
        return self

    def __str__(self) -> str:
        """Say what is asked for."""
        # A ranking has no decision of its own: F1's serves those who then need labels.
        metric = self.metric
        name = self.name if metric.needs_decision or metric.floor is not None else "f1"
        return f"best {name.replace('_', ' ')}"
