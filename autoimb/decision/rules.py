"""Decision rules: what turns probabilities into classes, stored with the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from autoimb.arrays import FloatArray, IntArray

__all__ = [
    "PASSED_ON", "AbstainBand", "ClassWeights", "DecisionRule", "ExpectedCost", "RowCosts",
    "Threshold", "TopRows", "argmax_rule", "weigh_rows",
]  # fmt: skip

# The code of a row that no class is decided for.
PASSED_ON = -1


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
    needs_batch: ClassVar[bool] = False

    def decide(self, proba: FloatArray, row_costs: FloatArray | None = None) -> IntArray:
        """Turn probabilities of shape (n_samples, 2) into class codes."""
        return (np.asarray(proba)[:, 1] >= self.value).astype(np.intp)

    def __str__(self) -> str:
        """Show the threshold to three digits."""
        return f"threshold {self.value:.3g}"


@dataclass(frozen=True)
class AbstainBand:
    """Predict the positive class from the upper threshold on, none between the two.

    Attributes
    ----------
    low, high : float
        From `low` on and below `high` a row is passed on: its code is `PASSED_ON`.

    Examples
    --------
    >>> p = np.array([0.1, 0.4, 0.8])
    >>> AbstainBand(0.2, 0.6).decide(np.column_stack([1 - p, p]))
    array([ 0, -1,  1])
    """

    low: float
    high: float
    needs_batch: ClassVar[bool] = False

    def decide(self, proba: FloatArray, row_costs: FloatArray | None = None) -> IntArray:
        """Turn probabilities of shape (n_samples, 2) into class codes."""
        p = np.asarray(proba)[:, 1]
        return np.where(p >= self.high, 1, np.where(p >= self.low, PASSED_ON, 0)).astype(np.intp)

    def __str__(self) -> str:
        """Show the band to three digits."""
        return f"threshold {self.high:.3g}, passed on from {self.low:.3g}"


@dataclass(frozen=True)
class TopRows:
    """Predict the positive class for the rows of a batch with the highest probabilities.

    Attributes
    ----------
    k : int or None
        So many rows of every batch, all of a smaller one.
    share : float or None
        So large a part of every batch, rounded down, but at least one row.
    of : int or None
        Rows of the table that `k` was stated for.

    Examples
    --------
    >>> p = np.array([0.2, 0.9, 0.4, 0.3])
    >>> TopRows(k=2).decide(np.column_stack([1 - p, p]))
    array([0, 1, 1, 0])
    """

    k: int | None = None
    share: float | None = None
    of: int | None = None
    needs_batch: ClassVar[bool] = True

    def decide(self, proba: FloatArray, row_costs: FloatArray | None = None) -> IntArray:
        """Turn probabilities of shape (n_samples, 2) into class codes; of tied rows the first."""
        p = np.asarray(proba)[:, 1]
        codes = np.zeros(len(p), dtype=np.intp)
        codes[np.argsort(-p, kind="stable")[: self.count_of(len(p))]] = 1
        return codes

    def on_part(self) -> TopRows:
        """Choose as large a share of some rows of the table as `k` is of all."""
        return self if self.k is None or self.of is None else TopRows(share=self.k / self.of)

    def count_of(self, n_rows: int) -> int:
        """Tell how many rows of a batch are chosen."""
        if self.k is not None:
            return min(self.k, n_rows)
        assert self.share is not None
        return max(int(self.share * n_rows + 1e-9), min(n_rows, 1))

    def __str__(self) -> str:
        """Show how many rows are chosen."""
        if self.k is not None:
            return f"the {self.k} highest of a batch"
        return f"the highest {100 * (self.share or 0):.3g} % of a batch"


@dataclass(frozen=True)
class RowCosts:
    """Predict the positive class where what a miss would cost outweighs a false alarm.

    Attributes
    ----------
    column : str
        Of the table: what it costs to miss the row, should it be positive.
    fp, tp : float
        What a false alarm costs, and a row that is found.
    value : float
        Threshold on the share of the expected loss that flagging avoids: 0.5 where probabilities
        are right.

    Examples
    --------
    >>> proba, amounts = np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([5.0, 500.0])
    >>> RowCosts("amount", fp=10.0, tp=0.0, value=0.5).decide(proba, amounts)
    array([0, 1])
    """

    column: str
    fp: float
    tp: float
    value: float
    needs_batch: ClassVar[bool] = False

    def decide(self, proba: FloatArray, row_costs: FloatArray | None = None) -> IntArray:
        """Turn probabilities of shape (n_samples, 2) and the costs of the rows into codes."""
        assert row_costs is not None
        found = weigh_rows(np.asarray(proba)[:, 1], row_costs, self.fp, self.tp)
        return ((found >= self.value) & (row_costs > self.tp)).astype(np.intp)

    def __str__(self) -> str:
        """Show what is weighed."""
        text = f"probability x '{self.column}' against a false alarm of {self.fp:g}"
        return text + ("" if self.value == 0.5 else f", from {self.value:.3g}")


def weigh_rows(p: FloatArray, row_costs: FloatArray, fp: float, tp: float) -> FloatArray:
    """Return the share of the expected loss of each row that flagging it avoids, in [0, 1]."""
    avoided = p * np.maximum(row_costs - tp, 0.0)
    return np.asarray(avoided / (avoided + np.maximum(1.0 - p, 1e-12) * fp))


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
    needs_batch: ClassVar[bool] = False

    def decide(self, proba: FloatArray, row_costs: FloatArray | None = None) -> IntArray:
        """Turn probabilities of shape (n_samples, n_classes) into class codes."""
        return np.asarray((np.asarray(proba) * np.asarray(self.values)).argmax(axis=1))

    def __str__(self) -> str:
        """Show the weights to three digits."""
        return "class weights " + ", ".join(f"{value:.3g}" for value in self.values)


@dataclass(frozen=True)
class ExpectedCost:
    """Predict the class that is expected to cost least (Bayes decision; Elkan 2001).

    Attributes
    ----------
    costs : tuple of tuple of float
        ``costs[true][predicted]``, by class code.
    abstain : float or None
        What passing a row on costs; None never does.

    Examples
    --------
    >>> rule = ExpectedCost(((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (9.0, 9.0, 0.0)))
    >>> rule.decide(np.array([[0.5, 0.3, 0.2]]))
    array([2])
    """

    costs: tuple[tuple[float, ...], ...]
    abstain: float | None = None
    needs_batch: ClassVar[bool] = False

    def decide(self, proba: FloatArray, row_costs: FloatArray | None = None) -> IntArray:
        """Turn probabilities of shape (n_samples, n_classes) into class codes."""
        expected = np.asarray(proba) @ np.asarray(self.costs)
        codes = expected.argmin(axis=1)
        if self.abstain is not None:
            codes = np.where(expected.min(axis=1) > self.abstain, PASSED_ON, codes)
        return np.asarray(codes, dtype=np.intp)

    def __str__(self) -> str:
        """Name the rule."""
        passed = "" if self.abstain is None else f", passed on beyond {self.abstain:g}"
        return f"least expected cost{passed}"


DecisionRule = Threshold | AbstainBand | TopRows | RowCosts | ClassWeights | ExpectedCost


def argmax_rule(n_classes: int) -> DecisionRule:
    """Return the rule that tunes nothing.

    Examples
    --------
    >>> argmax_rule(2)
    Threshold(value=0.5)
    """
    return Threshold(0.5) if n_classes == 2 else ClassWeights((1.0,) * n_classes)
