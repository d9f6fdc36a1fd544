"""What each threshold gives, with its intervals: the numbers behind the explorer of a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.bounds import lower_bound
from autoimb.decision.costs import CostMatrix, Costs
from autoimb.decision.criteria import Criterion
from autoimb.decision.scored import Scored
from autoimb.decision.sweep import sweep_thresholds
from autoimb.evaluation.estimate import LEVEL

__all__ = ["MAX_POINTS", "OperatingPoints", "Rate", "find_points", "stated_costs"]

# More stops than this no slider has; a page holds them in some 200 KB.
MAX_POINTS = 2000
# Of the normal distribution at `LEVEL`.
Z = 1.959963984540054


@dataclass(frozen=True)
class Rate:
    """A figure of every point with its 95 % interval.

    Attributes
    ----------
    value, low, high : ndarray of shape (n_points,)
        The value is NaN where it is a rate of no rows.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray

    def at(self, place: int) -> tuple[float, float, float]:
        """Return value, low and high of one point."""
        return float(self.value[place]), float(self.low[place]), float(self.high[place])


@dataclass(frozen=True)
class OperatingPoints:
    """Thresholds, and what becomes of rows that the model had not seen.

    Attributes
    ----------
    thresholds : ndarray of shape (n_points,)
        Falling, in [0, 1]; a row is an alert when its probability is at least the threshold.
    hits, false_alarms : ndarray of shape (n_points,)
        Alerts that are positive, and that are not.
    n_positive, n_negative : int
        Rows of each class, at least 1.
    shares : (float, float) or None
        Of negatives and positives where the model is aimed at; None where they are as frequent as
        among the rows. Counts are those of the rows in any case, rates those aimed at.
    n_distinct : int
        How many decisions thresholds can make of these rows, of which the points may be a part.
    """

    thresholds: FloatArray
    hits: IntArray
    false_alarms: IntArray
    n_positive: int
    n_negative: int
    shares: tuple[float, float] | None
    n_distinct: int

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.n_positive + self.n_negative

    def recall(self) -> Rate:
        """Give the share of the positives that are found (interval: Clopper and Pearson 1934)."""
        n = np.full(len(self.hits), self.n_positive)
        return Rate(self.hits / n, *_bound(self.hits, n))

    def precision(self) -> Rate:
        """Give the share of the alerts that are right (interval: Clopper and Pearson 1934).

        At other shares of the classes the odds of an alert being right are multiplied by a known
        number, and so are those of the ends: the interval stays exact.
        """
        n = self.hits + self.false_alarms
        found = np.divide(self.hits, n, out=np.full(len(n), np.nan), where=n > 0)
        each = (found, *_bound(self.hits, n))
        if self.shares is None:
            return Rate(*each)
        of_negative, of_positive = self.shares
        odds = of_positive / self.n_positive * self.n_negative / of_negative
        return Rate(*(odds * one / (odds * one + 1.0 - one) for one in each))

    def alerts(self) -> Rate:
        """Give the share of all rows that are alerts.

        The interval is that of Clopper and Pearson; at other shares of the classes those of both
        classes are joined (`_join`).
        """
        n = self.hits + self.false_alarms
        if self.shares is None:
            return Rate(n / self.n_rows, *_bound(n, np.full(len(n), self.n_rows)))
        return _join(
            [
                (self.shares[0], _rate(self.false_alarms, self.n_negative)),
                (self.shares[1], _rate(self.hits, self.n_positive)),
            ]
        )

    def cost(self, false_alarm: float, miss: float) -> Rate:
        """Give what a row costs in the mean.

        Parameters
        ----------
        false_alarm, miss : float
            What each of them costs, at least 0; all else costs nothing.

        Returns
        -------
        Rate
            Its interval joins those of the two kinds of errors (`_join`), which are taken as
            independent: they exclude each other, so that it is a little too wide.
        """
        missed = self.n_positive - self.hits
        if self.shares is None:
            parts = [
                (false_alarm, _rate(self.false_alarms, self.n_rows)),
                (miss, _rate(missed, self.n_rows)),
            ]
        else:
            parts = [
                (false_alarm * self.shares[0], _rate(self.false_alarms, self.n_negative)),
                (miss * self.shares[1], _rate(missed, self.n_positive)),
            ]
        return _join(parts)

    def place_of(self, threshold: float) -> int:
        """Find the point of a threshold, or the nearest one."""
        return int(abs(self.thresholds - threshold).argmin())

    def to_dict(self) -> dict[str, Any]:
        """Give counts and intervals as plain values, rounded to what a page shows."""
        recall, precision, alerts = self.recall(), self.precision(), self.alerts()
        return {
            "thresholds": self.thresholds.tolist(),
            "hits": self.hits.tolist(),
            "false_alarms": self.false_alarms.tolist(),
            "n_positive": self.n_positive,
            "n_negative": self.n_negative,
            "shares": self.shares,
            "recall": [_shorten(recall.low), _shorten(recall.high)],
            "precision": [_shorten(precision.low), _shorten(precision.high)],
            "alerts": [_shorten(alerts.low), _shorten(alerts.high)],
        }


def find_points(scored: Scored, kept: Iterable[float] = (0.5,)) -> OperatingPoints:
    """Count what thresholds give, of all of them where they are few.

    Of many, up to half are among those that no other surpasses in both classes at once, evenly by
    their recall; the rest lie evenly along the square root of the number of alerts.

    Parameters
    ----------
    scored : Scored
        Of two classes, each with a row at least.
    kept : iterable of float
        Thresholds in [0, 1] that are points in any case.

    Returns
    -------
    OperatingPoints
        At most `MAX_POINTS`, and those kept. Of other thresholds that decide all rows alike the
        one with the fewest digits is given.

    Examples
    --------
    >>> p = np.array([0.12, 0.31, 0.34, 0.96])
    >>> found = find_points(Scored(np.array([0, 0, 1, 1]), np.column_stack([1 - p, p])))
    >>> found.thresholds.tolist(), found.hits.tolist()
    ([1.0, 0.5, 0.33, 0.2, 0.06], [0, 1, 2, 2, 2])
    """
    p = np.asarray(scored.proba[:, 1], dtype=float)
    falling, counts = np.unique(p)[::-1], sweep_thresholds(scored.y, p).counts
    hits = counts.correct[:, 1].astype(int)
    false = counts.predicted[:, 1].astype(int) - hits
    upper, lower = np.append(np.inf, falling), np.append(falling, -np.inf)
    fixed = {(int((falling >= one).sum()), float(one)) for one in kept}
    places = set(_choose_places(hits, false).tolist()) - {place for place, _ in fixed}
    if falling[0] >= 1.0:
        places.discard(0)  # no probability is above that
    free = {(i, _shortest_between(max(lower[i], 0.0), min(upper[i], 1.0))) for i in places}
    points = sorted(fixed | free, key=lambda one: (one[0], -one[1]))
    chosen = np.array([place for place, _ in points], dtype=int)
    n_negative, n_positive = np.bincount(scored.y, minlength=2).tolist()
    weights = scored.class_weights
    return OperatingPoints(
        np.array([threshold for _, threshold in points]),
        hits[chosen],
        false[chosen],
        n_positive,
        n_negative,
        None if weights is None else _aim(weights, n_negative, n_positive),
        len(hits),
    )


def stated_costs(criterion: Criterion) -> tuple[float, float] | None:
    """Return what a false alarm and a miss cost beyond what is right.

    Parameters
    ----------
    criterion : Criterion
        Of two classes.

    Returns
    -------
    (float, float) or None
        None where no costs were stated, or others for each row, or such that one class is never
        wrong.

    Examples
    --------
    >>> stated_costs(Costs(fp=2, fn=25, tn=1))
    (1, 25.0)
    >>> stated_costs(CostMatrix(("a", "b"), ((0, 1), (9, 0))))
    (1, 9)
    """
    if isinstance(criterion, Costs) and criterion.column is None:
        return criterion.fp - criterion.tn, criterion.fn - criterion.tp
    if isinstance(criterion, CostMatrix):
        (tn, fp), (fn, tp) = criterion.costs
        if fp > tn and fn > tp:
            return fp - tn, fn - tp
    return None


def _choose_places(hits: IntArray, false: IntArray) -> IntArray:
    """Choose among all thresholds, by their places, at most so many as a page can hold."""
    n = len(hits)
    if n <= MAX_POINTS:
        return np.arange(n)
    adds_hits, adds_false = np.diff(hits) > 0, np.diff(false) > 0
    corners = np.flatnonzero(np.append(True, adds_hits) & np.append(adds_false, True))
    n_corners = min(MAX_POINTS // 2, len(corners))
    by_hits = np.searchsorted(hits[corners], np.linspace(0, hits[-1], n_corners))
    n_alerts = hits + false
    roots = np.linspace(0, n_alerts[-1] ** 0.5, MAX_POINTS - n_corners)
    by_alerts = np.searchsorted(n_alerts, roots**2)
    return np.union1d(corners[by_hits], np.minimum(by_alerts, n - 1))


def _shortest_between(low: float, high: float) -> float:
    """Return the number with the fewest digits that is above one, and not above another."""
    middle = (low + high) / 2
    for digits in range(1, 17):
        found = float(f"{middle:.{digits}g}")
        if low < found <= high:
            return found
    return float(high)


def _aim(weights: FloatArray, n_negative: int, n_positive: int) -> tuple[float, float]:
    masses = weights * np.array([n_negative, n_positive])
    negative, positive = (masses / masses.sum()).tolist()
    return negative, positive


def _bound(found: IntArray, n: IntArray) -> tuple[FloatArray, FloatArray]:
    """Bound rates from both sides (Clopper and Pearson 1934); of no row nothing is known."""
    sure, hits, rows = (1 + LEVEL) / 2, found.astype(float), n.astype(float)
    return lower_bound(hits, rows, sure), 1.0 - lower_bound(rows - hits, rows, sure)


def _rate(hits: IntArray, n: int) -> Rate:
    """Give a rate with the interval of Wilson (1927), which the page can compute by itself."""
    centre = (hits + Z**2 / 2) / (n + Z**2)
    half = Z / (n + Z**2) * np.sqrt(hits * (n - hits) / n + Z**2 / 4)
    return Rate(hits / n, centre - half, centre + half)


def _join(parts: Sequence[tuple[float, Rate]]) -> Rate:
    """Weigh independent rates into one; distances to the ends add up in squares.

    That is the method of variance estimates recovery (Zou and Donner 2008).
    """
    value = sum(weight * rate.value for weight, rate in parts)
    below = sum((weight * (rate.value - rate.low)) ** 2 for weight, rate in parts)
    above = sum((weight * (rate.high - rate.value)) ** 2 for weight, rate in parts)
    return Rate(np.asarray(value), value - np.sqrt(below), value + np.sqrt(above))


def _shorten(values: FloatArray) -> list[float]:
    """Keep five significant digits: two more than are shown."""
    return [float(f"{value:.5g}") for value in values.tolist()]
