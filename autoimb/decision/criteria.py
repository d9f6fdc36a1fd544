"""What a decision may be asked for; each solves its rule on predictions of rows not seen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.bounds import lower_bound, rows_for_bound, surety
from autoimb.decision.rules import (
    ClassWeights,
    DecisionRule,
    Threshold,
    argmax_rule,
)
from autoimb.decision.scored import Scored
from autoimb.decision.smoothing import PSEUDO_POSITIVES, smooth_labels
from autoimb.decision.solving import (
    best_threshold,
    solve_class_weights,
    sweep_scores,
)
from autoimb.decision.sweep import Sweep
from autoimb.errors import UsageError
from autoimb.metrics import Counts, Metric, count, get_metric

__all__ = [
    "TELLING", "BestMetric", "Criterion", "Floor", "Known", "Masses", "Measure", "Swept", "as_one",
    "rate",
]  # fmt: skip

TOLERANCE = 1e-12
# The promise is one for twice as many new rows: 1 / (1 / n + 1 / 2n) = 2/3 n.
TELLING = 2 / 3
# More than any two values of a floor's thresholds differ by.
OUT_OF_THE_QUESTION = 5.0


Measure = Literal["precision", "recall", "specificity"]
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
        """How many positives the calibrated probabilities count as (`smooth_labels`)."""
        return PSEUDO_POSITIVES

    def sweep(self, scored: Scored) -> Sweep:
        """Count what each threshold gives."""
        negative, positive = self.masses(scored)
        leant = smooth_labels(scored.y, scored.proba[:, 1], self.lean)
        return sweep_scores(scored.y, self.rank(scored), leant, negative, positive)

    @abstractmethod
    def values(self, counts: Counts, class_weights: FloatArray | None = None) -> FloatArray:
        """Say how well each threshold serves; greater is better."""

    def cut(self, found: Sweep, class_weights: FloatArray | None = None) -> tuple[float, ...]:
        """Return the threshold, or thresholds, that serve best."""
        return (best_threshold(found, self.values(found.counts, class_weights)),)

    def rule(self, *thresholds: float) -> DecisionRule:
        """Make the rule of what was cut."""
        return Threshold(*thresholds)

    def solve(self, scored: Scored) -> DecisionRule:
        """Find the rule that serves best on these rows, never one below the argmax."""
        solved = self.rule(*self.cut(self.sweep(scored), scored.class_weights))
        plain = argmax_rule(2)
        ahead = self.utility(scored, solved) - self.utility(scored, plain)
        return solved if ahead > TOLERANCE else plain

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

    For two classes every threshold is swept, on labels that lean towards calibrated
    probabilities where positives are few (`smooth_labels`); for more, the weight of one class
    after the other.

    Parameters
    ----------
    name : str
        A key of `autoimb.metrics.METRICS`.

    Examples
    --------
    >>> p = np.array([0.1, 0.2, 0.3, 0.4])
    >>> BestMetric("f1").solve(Scored(np.array([0, 0, 1, 1]), np.column_stack([1 - p, p])))
    Threshold(value=0.25)
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
        return ClassWeights(solve_class_weights(self.metric, scored))

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


@dataclass(frozen=True)
class Floor(Swept):
    """The most of one rate while another is promised.

    The lower confidence bound of the promised rate (Clopper and Pearson 1934) has to reach it, for
    twice as many rows to come. Of the thresholds where it does, the one is taken
    that is best in expectation, a broken promise counting as a rate of -1: where many rows tell,
    being surer than asked for costs next to nothing.

    Parameters
    ----------
    measure : {"precision", "recall", "specificity"}
        What is promised: of a precision or a specificity the best recall is taken, of a recall
        the best precision.
    value : float
        In (0, 1).
    confidence : float
        With which the promise is kept, in (0, 1).

    Examples
    --------
    >>> p = np.linspace(0.0, 1.0, 1000)
    >>> rows = Scored((np.arange(1000) % 10 < 10 * p).astype(int), np.column_stack([1 - p, p]))
    >>> round(Floor("recall", 0.9).solve(rows).value, 2)
    0.21
    """

    measure: Measure
    value: float
    confidence: float = 0.9

    @property
    def lean(self) -> float:
        """How many positives the calibration counts as: none, for a floor is to hold on rows."""
        return 0.0

    def values(self, counts: Counts, class_weights: FloatArray | None = None) -> FloatArray:
        """Return what is to be expected: the wanted rate where the promise is kept, else -1.

        Where no threshold is sure enough, the promise cannot be given, and the floor is aimed at
        with even odds instead.
        """
        hits, n = self.tally(counts, class_weights)
        sure, wanted = surety(hits, n, self.value), rate(counts, self.wanted)
        # About the median of the beta distribution that `lower_bound` takes (Kerman 2011).
        even = np.maximum(hits - 1 / 3, 0.0) / (n + 1 / 3)
        aimed = np.where(even >= self.value, wanted, even - 1.0) - OUT_OF_THE_QUESTION
        return np.where(sure >= self.strictness, sure * wanted - (1.0 - sure), aimed)

    @property
    def strictness(self) -> float:
        """How sure a single threshold has to be.

        Recall and specificity only rise or fall along the thresholds. Precision wanders, and of
        many thresholds one is lucky: it is held to half the risk.
        """
        return (1 + self.confidence) / 2 if self.measure == "precision" else self.confidence

    @property
    def wanted(self) -> Measure:
        """The rate that is maximised."""
        return "precision" if self.measure == "recall" else "recall"

    def tally(
        self, counts: Counts, class_weights: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return hits, and rows that the promised rate is counted on, as many as they tell.

        A rate on other rows varies with those too: of it, rows tell as much as fewer would of the
        rate itself. So do rows that count differently (Kish 1965).
        """
        hits, n = _hits(counts, self.measure)
        if class_weights is None:
            return TELLING * hits, TELLING * n
        # Sum of squared weights over the rows that are counted on.
        of_negative, of_positive = class_weights
        squares = {
            "precision": of_positive * hits + of_negative * (n - hits),
            "recall": of_positive * n,
            "specificity": of_negative * n,
        }[self.measure]
        share = np.divide(n, squares, out=np.ones_like(n), where=squares > 0)
        return TELLING * share * hits, TELLING * share * n

    def figures(self, scored: Scored, codes: IntArray) -> Mapping[str, float]:
        """Return nothing: the rates are reported anyway."""
        return {}

    def check(self) -> None:
        """Raise a UsageError for a rate or a number that cannot be meant."""
        if self.measure not in get_args(Measure):
            raise UsageError(
                "a floor can be put under precision, recall or specificity, not under "
                f"{self.measure!r}."
            )
        for name, value in ((self.measure, self.value), ("confidence", self.confidence)):
            if not 0 < value < 1:
                raise UsageError(f"the floor's {name} must lie between 0 and 1, but got {value:g}.")

    def suited(self, known: Known) -> Floor:
        """Refuse a promise that even faultless predictions of so many rows could not support."""
        known.require_two(self)
        kind = "negative" if self.measure == "specificity" else "positive"
        n = int(known.class_counts[int(kind == "positive")])
        telling = np.array([TELLING * n])
        best = float(lower_bound(telling, telling, self.strictness)[0])
        if best >= self.value:
            return self
        needed = np.ceil(rows_for_bound(1.0, self.value, self.strictness) / TELLING - 1e-9)
        most = np.floor(1000 * best) / 1000
        raise UsageError(
            f"a {self.measure} of {self.value:g} at {100 * self.confidence:g} % confidence needs "
            f"at least {needed:.0f} {kind} rows; the data have {n}, with which {most:.3f} is the "
            "most that can be promised. Lower the floor or the confidence."
        )

    def __str__(self) -> str:
        """Say what is asked for."""
        sure = f"{100 * self.confidence:g} % sure"
        return f"best {self.wanted} with a {self.measure} of at least {self.value:g}, {sure}"


def _hits(counts: Counts, measure: str) -> tuple[FloatArray, FloatArray]:
    """Return hits and the rows among them that a rate is made of."""
    if measure == "specificity":
        return counts.correct[..., 0], counts.true[..., 0]
    of = counts.predicted if measure == "precision" else counts.true
    return counts.correct[..., 1], of[..., 1]


def rate(counts: Counts, measure: str) -> FloatArray:
    """Return precision, recall or specificity; 0 where nothing is counted."""
    hits, n = _hits(counts, measure)
    return np.divide(hits, n, out=np.zeros_like(hits), where=n > 0)
