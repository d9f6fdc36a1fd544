"""One class against the rest, ranked once: all that thresholds give, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.decision.rules import PASSED_ON, Threshold
from autoimb.displays.predictions import Predictions, pick_classes
from autoimb.metrics import count
from autoimb.rankings import Ranking, average_precision, roc_auc
from autoimb.reporting.charts.values import of_100

__all__ = ["Point", "Ranked", "name_decision", "rank_classes", "tell_passed_on"]


@dataclass(frozen=True)
class Point:
    """What a decision comes to for one class, where it decides all rows.

    Attributes
    ----------
    recall, fall_out : float
        Shares of the class and of the rest that were decided for it.
    precision : float or None
        None where no row was.
    flagged : float
        Share of all rows that were.
    """

    recall: float
    fall_out: float
    precision: float | None
    flagged: float


@dataclass(frozen=True)
class Ranked:
    """The scores of a class and of the rest, sorted, with what each of their rows counts.

    Sorting both apart and looking one up in the other takes far less time than ranking all rows.

    Attributes
    ----------
    name : str
        Label of the class.
    members, others : ndarray
        Scores, rising.
    of_member : float
        What a row of the class counts.
    others_from : ndarray of shape (n_others + 1,)
        What the others from each place on count together.
    point : Point or None
        What the decision comes to; None where it passes rows on, which no threshold does.

    Examples
    --------
    >>> members, others = np.array([0.4, 0.8]), np.array([0.1, 0.6])
    >>> found = Ranked("yes", members, others, 1.0, np.array([2.0, 1.0, 0.0]), None)
    >>> found.recall.tolist(), found.precision.round(2).tolist()
    ([0.5, 1.0], [1.0, 0.67])
    >>> found.roc_auc, round(found.average_precision, 2)
    (0.75, 0.83)
    """

    name: str
    members: FloatArray
    others: FloatArray
    of_member: float
    others_from: FloatArray
    point: Point | None

    @property
    def n_members(self) -> float:
        """What the rows of the class count."""
        return len(self.members) * self.of_member

    @property
    def n_others(self) -> float:
        """What all other rows count."""
        return float(self.others_from[0])

    @property
    def prevalence(self) -> float:
        """Share of the class."""
        return self.n_members / (self.n_members + self.n_others)

    def counts(self, thresholds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Count the hits and the false alarms of thresholds."""
        n_found = len(self.members) - np.searchsorted(self.members, thresholds)
        false = self.others_from[np.searchsorted(self.others, thresholds)]
        return np.asarray(n_found * self.of_member, dtype=float), false

    @cached_property
    def thresholds(self) -> FloatArray:
        """The scores of members, falling: each finds a member more, and with least false alarms."""
        is_first = np.append(True, np.diff(self.members) > 0)[: len(self.members)]
        return np.asarray(self.members[is_first][::-1])

    @cached_property
    def _best(self) -> tuple[FloatArray, FloatArray]:
        return self.counts(self.thresholds)

    @property
    def recall(self) -> FloatArray:
        """What each of the thresholds finds of the class."""
        return np.asarray(self._best[0] / self.n_members)

    @property
    def precision(self) -> FloatArray:
        """Share of the class in what each of the thresholds finds."""
        hits, false = self._best
        return np.asarray(hits / (hits + false))

    @cached_property
    def corners(self) -> tuple[FloatArray, FloatArray]:
        """Hits and false alarms where the curve turns, from none to all of both."""
        hits, false = self._best
        # Just before a threshold: all rows above the members that it adds.
        above = np.searchsorted(self.others, self.thresholds, side="right")
        before = np.append(0.0, hits[:-1]), self.others_from[above]
        each = (
            np.concatenate([[0.0], np.column_stack(pair).ravel(), [total]])
            for pair, total in zip(
                zip(before, (hits, false), strict=True),
                (self.n_members, self.n_others),
                strict=True,
            )
        )
        first, second = each
        return first, second

    @cached_property
    def average_precision(self) -> float:
        """Area under precision against recall, as scikit-learn defines it."""
        hits, false = self._best
        return float(average_precision(Ranking(hits, hits + false)))

    @cached_property
    def roc_auc(self) -> float:
        """Chance to rank a member above another row; NaN where there is no other."""
        hits, false = self.corners
        return float(roc_auc(Ranking(hits, hits + false)))


def rank_classes(predictions: Predictions) -> Sequence[Ranked]:
    """Rank the positive class of two, or each of several (the ten rarest), the rarest first.

    Parameters
    ----------
    predictions : Predictions

    Returns
    -------
    sequence of Ranked
    """
    scored = predictions.scored
    codes = pick_classes(scored.y, scored.n_classes)
    sizes = np.bincount(scored.y, minlength=scored.n_classes)
    codes.sort(key=lambda code: int(sizes[code]))
    points = _read_points(predictions)
    return [_rank(predictions, code, points[code]) for code in codes]


def _rank(predictions: Predictions, code: int, point: Point | None) -> Ranked:
    scored, own = predictions.scored, predictions.members(code)
    p = np.asarray(scored.proba[:, code], dtype=float)
    weights, others = scored.class_weights, p[~own]
    if weights is None or scored.n_classes == 2:
        of_member, of_other = (1.0, 1.0) if weights is None else (weights[code], weights[1 - code])
        others.sort()
        others_from = of_other * np.arange(len(others), -1, -1.0)
    else:  # the others of several classes count differently
        order, of_member = np.argsort(others), weights[code]
        others, counts = others[order], weights[scored.y[~own]][order]
        others_from = np.append(np.cumsum(counts[::-1])[::-1], 0.0)
    name, members = predictions.name_class(code), np.sort(p[own])
    return Ranked(name, members, others, float(of_member), others_from, point)


def _read_points(predictions: Predictions) -> Sequence[Point | None]:
    scored = predictions.scored
    if (predictions.codes == PASSED_ON).any():
        return [None] * scored.n_classes
    found = count(scored.y, predictions.codes, scored.n_classes, scored.row_weights)
    n = float(found.true.sum())
    each = zip(found.true.tolist(), found.predicted.tolist(), found.correct.tolist(), strict=True)
    return [
        Point(
            recall=hits / true if true else 0.0,
            fall_out=(flagged - hits) / (n - true) if n > true else 0.0,
            precision=hits / flagged if flagged else None,
            flagged=flagged / n,
        )
        for true, flagged, hits in each
    ]


def tell_passed_on(predictions: Predictions) -> str:
    """Say why a decision that passes rows on is in no chart of thresholds; nothing of others.

    Examples
    --------
    >>> from autoimb.data.dataset import Labels
    >>> from autoimb.decision.deciding import Decision
    >>> from autoimb.decision.costs import Costs
    >>> from autoimb.decision.rules import AbstainBand
    >>> from autoimb.decision.scored import Scored
    >>> rows = Scored(np.array([0, 1]), np.eye(2))
    >>> decision = Decision(Costs(abstain=0.1), AbstainBand(0.2, 0.9))
    >>> found = Predictions(rows, np.array([-1, 1]), decision, Labels.of(["no", "yes"]), "f1")
    >>> tell_passed_on(found)
    'The exported decision passes 50 of 100 cases on, which no threshold does: it is not shown.'
    """
    is_passed = predictions.codes == PASSED_ON
    if not is_passed.any():
        return ""
    share = float(np.average(is_passed, weights=predictions.scored.row_weights))
    return (
        f"The exported decision passes {of_100(share)} cases on, which no threshold does: it is "
        "not shown."
    )


def name_decision(predictions: Predictions, *, is_marked: bool = True) -> str:
    """Name the decision at the start of a sentence.

    Examples
    --------
    >>> from autoimb.data.dataset import Labels
    >>> from autoimb.decision.criteria import BestMetric
    >>> from autoimb.decision.deciding import Decision
    >>> from autoimb.decision.scored import Scored
    >>> rows = Scored(np.array([0, 1]), np.eye(2))
    >>> decision = Decision(BestMetric("f1"), Threshold(0.2))
    >>> labels = Labels.of(["no", "no", "yes"])
    >>> name_decision(Predictions(rows, np.array([0, 1]), decision, labels, "f1"))
    'At the exported threshold 0.2 (marked)'
    """
    rule = predictions.decision.rule
    if isinstance(rule, Threshold):
        return f"At the exported {rule}{' (marked)' * is_marked}"
    return f"By the exported decision ({'marked; ' * is_marked}{rule})"
