"""How each class fares out of fold: precision, recall and F1 with intervals, and the confusions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autoimb.arrays import AnyArray, FloatArray, IntArray
from autoimb.data.dataset import Labels
from autoimb.decision.bounds import lower_bound
from autoimb.decision.rules import PASSED_ON
from autoimb.evaluation.estimate import LEVEL, Estimate

__all__ = ["ClassFigures", "ClassTable", "tabulate_classes"]


@dataclass(frozen=True)
class ClassFigures:
    """How one class fares.

    Attributes
    ----------
    label : str
    n_rows : int
        Rows of the class that a class was decided for.
    n_predicted : int
        Rows that were decided to be of it.
    n_passed_on : int
        Rows of it that no class was decided for.
    precision, recall, f1 : Estimate
        With 95 % intervals; NaN where there is nothing to divide by.
    """

    label: str
    n_rows: int
    n_predicted: int
    n_passed_on: int
    precision: Estimate
    recall: Estimate
    f1: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, None where a figure is not defined."""
        return {
            "label": self.label,
            "n_rows": self.n_rows,
            "n_predicted": self.n_predicted,
            "n_passed_on": self.n_passed_on,
            "precision": self.precision.to_dict(),
            "recall": self.recall.to_dict(),
            "f1": self.f1.to_dict(),
        }


@dataclass(frozen=True)
class ClassTable:
    """How every class fares, and what each is taken for.

    Attributes
    ----------
    classes : tuple of ClassFigures
        As labels sort.
    confusion_matrix : tuple of tuple of int
        Rows true, columns decided, both in the order of `classes`; without rows passed on.
    """

    classes: tuple[ClassFigures, ...]
    confusion_matrix: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "classes": [one.to_dict() for one in self.classes],
            "confusion_matrix": [list(row) for row in self.confusion_matrix],
        }


def tabulate_classes(
    y: IntArray, codes: IntArray, labels: Labels, units: IntArray | None = None
) -> ClassTable:
    """Count what was decided for the rows of each class.

    Intervals are those of Clopper and Pearson (1934); of F1 that of the share of hits among all
    rows that are of the class or decided to be, of which F1 is a rising function. Where rows
    belong together, they are those of as many rows as tell equally much (Korn and Graubard 1998).

    Parameters
    ----------
    y, codes : ndarray of shape (n_samples,)
        True and decided class codes; `PASSED_ON` where no class was decided.
    labels : Labels
    units : ndarray of shape (n_samples,), optional
        Rows with the same number belong together; by default each row is by itself.

    Returns
    -------
    ClassTable

    Examples
    --------
    >>> y, codes = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0])
    >>> found = tabulate_classes(y, codes, Labels.of(["no", "no", "yes"]))
    >>> found.confusion_matrix
    ((2, 1), (1, 1))
    >>> print(found.classes[0].recall)
    0.667 (0.094 to 0.992)
    """
    n_classes = len(labels.classes)
    clear = codes != PASSED_ON
    passed_on = np.bincount(y[~clear], minlength=n_classes)
    y, codes = y[clear], codes[clear]
    units = np.arange(len(y)) if units is None else units[clear]
    cells = np.bincount(n_classes * y + codes, minlength=n_classes**2)
    matrix = cells.reshape(n_classes, n_classes)
    figures = [
        _figures(str(labels.by_code[k]), y == k, codes == k, units, int(passed_on[k]))
        for k in range(n_classes)
    ]
    places = np.argsort(labels.order)
    return ClassTable(
        tuple(figures[place] for place in places),
        tuple(map(tuple, matrix[np.ix_(places, places)].tolist())),
    )


def _figures(
    label: str, is_true: AnyArray, is_decided: AnyArray, units: IntArray, n_passed_on: int
) -> ClassFigures:
    hit = is_true & is_decided
    share = _rate(hit, is_true | is_decided, units)
    f1 = Estimate(*(2 * x / (1 + x) for x in (share.value, share.low, share.high)))
    return ClassFigures(
        label, int(is_true.sum()), int(is_decided.sum()), n_passed_on,
        precision=_rate(hit, is_decided, units), recall=_rate(hit, is_true, units), f1=f1,
    )  # fmt: skip


def _rate(hit: AnyArray, counted: AnyArray, units: IntArray) -> Estimate:
    """Divide hits by what is counted, with the interval of as many rows as tell equally much."""
    n = float(counted.sum())
    if not n:
        return Estimate(np.nan, np.nan, np.nan)
    rate = float(hit.sum()) / n
    n_effective = n / _design_effect(hit[counted] - rate, units[counted], rate)
    tail = (1 + LEVEL) / 2
    shares = np.array([rate, 1 - rate])
    low, missed = lower_bound(shares * n_effective, np.full(2, n_effective), tail)
    return Estimate(rate, float(low), 1 - float(missed))


def _design_effect(deviations: FloatArray, units: IntArray, rate: float) -> float:
    """Divide the variance between units by what it would be if each row were by itself."""
    distinct, places = np.unique(units, return_inverse=True)
    if not 0 < rate < 1:
        # Nothing varies: units count as one row each.
        return len(units) / len(distinct)
    of_units = np.bincount(places, deviations)
    return max(float((of_units**2).sum() / (deviations**2).sum()), 1.0)
