"""Promises: the most of one rate while another is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.bounds import expected_below, lower_bound, rows_for_bound, surety
from autoimb.decision.criteria import Known, Swept
from autoimb.decision.scored import Scored
from autoimb.decision.sweep import Sweep
from autoimb.errors import UsageError
from autoimb.metrics import Counts

__all__ = ["TELLING", "Floor", "Measure", "rate"]

# The promise is one for twice as many new rows: 1 / (1 / n + 1 / 2n) = 2/3 n.
TELLING = 2 / 3
# What cannot be promised is aimed at on a quarter as many: 1 / (1 / n + 4 / n) = n / 5.
TELLING_LITTLE = 1 / 5
# More than any two values of a floor's thresholds differ by.
OUT_OF_THE_QUESTION = 5.0


Measure = Literal["precision", "recall", "specificity"]


@dataclass(frozen=True)
class Floor(Swept):
    """The most of one rate while another is promised.

    The lower confidence bound of the promised rate (Clopper and Pearson 1934) has to reach it, for
    twice as many rows to come. Of the thresholds where it does, the one is taken that is best in
    expectation, a broken promise counting as a rate of -1: where many rows tell, being surer than
    asked for costs next to nothing. Where it does nowhere, no promise can be given; the floor is
    aimed at.

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

        A threshold that is not sure enough comes after all that are, the surer first.
        """
        sure, wanted = self.surety(counts, class_weights), rate(counts, self.wanted)
        expected = sure * wanted - (1.0 - sure)
        return np.where(sure >= self.strictness, expected, sure - OUT_OF_THE_QUESTION)

    def surety(self, counts: Counts, class_weights: FloatArray | None = None) -> FloatArray:
        """Say how sure each threshold is to keep the promise on twice as many new rows."""
        hits, n = self.tally(counts, class_weights)
        return surety(TELLING * hits, TELLING * n, self.value)

    def within_reach(self, found: Sweep, class_weights: FloatArray | None = None) -> Swept:
        """Return itself, or the aim that is left where no threshold is sure enough."""
        sure = self.surety(found.counts, class_weights)
        return self if (sure >= self.strictness).any() else _Aim(self)

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
        """Return hits, and rows that the promised rate is counted on.

        Of a rate on other rows, which varies with those too, rows tell no more than fewer would of
        the rate itself (`TELLING`). Rows that count differently are as many as they tell here
        (Kish 1965).
        """
        hits, n = _hits(counts, self.measure)
        if class_weights is None:
            return hits, n
        # Sum of squared weights over the rows that are counted on.
        of_negative, of_positive = class_weights
        squares = {
            "precision": of_positive * hits + of_negative * (n - hits),
            "recall": of_positive * n,
            "specificity": of_negative * n,
        }[self.measure]
        share = np.divide(n, squares, out=np.ones_like(n), where=squares > 0)
        return share * hits, share * n

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


@dataclass(frozen=True)
class _Aim(Swept):
    """A floor that too few rows support: what is best in expectation, on few rows to come."""

    floor: Floor

    def values(self, counts: Counts, class_weights: FloatArray | None = None) -> FloatArray:
        """Return the wanted rate where the floor is kept, else what the other lacks of one."""
        hits, n = (TELLING_LITTLE * each for each in self.floor.tally(counts, class_weights))
        sure = surety(hits, n, self.floor.value)
        lacking = expected_below(hits, n, self.floor.value) - (1.0 - sure)
        return np.asarray(sure * rate(counts, self.floor.wanted) + lacking)


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
