"""Decisions by what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.criteria import Criterion, Known, Masses, Swept
from autoimb.decision.rules import (
    PASSED_ON,
    AbstainBand,
    DecisionRule,
    ExpectedCost,
    RowCosts,
    Threshold,
    argmax_rule,
    weigh_rows,
)
from autoimb.decision.scored import Scored
from autoimb.decision.solving import solve_band
from autoimb.decision.sweep import Sweep
from autoimb.errors import UsageError, nearest_name
from autoimb.metrics import Counts

__all__ = ["CostMatrix", "Costs", "cost_column_of"]


@dataclass(frozen=True)
class Costs(Swept):
    """The least cost of two classes (Elkan 2001).

    Parameters
    ----------
    fp, fn, tp, tn : float
        What a false alarm, a miss, a positive that is found and a negative that is left alone
        cost, at least 0.
    column : str, optional
        Of the table: what missing each row costs, in place of `fn`.
    abstain : float, optional
        What it costs to pass a row on: it is done where that is expected to cost less than either
        decision.

    Examples
    --------
    >>> p = np.linspace(0.0, 1.0, 101)
    >>> rows = Scored((p > 0.5).astype(int), np.column_stack([1 - p, p]))
    >>> Costs(fp=1, fn=25).solve(rows).value < 0.6
    True
    """

    fp: float = 1.0
    fn: float = 1.0
    tp: float = 0.0
    tn: float = 0.0
    column: str | None = None
    abstain: float | None = None

    def rank(self, scored: Scored) -> FloatArray:
        """Return the probability or, of rows that cost differently, what flagging avoids."""
        if self.column is None:
            return super().rank(scored)
        p = np.asarray(scored.proba[:, 1], dtype=float)
        return weigh_rows(p, _row_costs(scored), self.fp - self.tn, self.tp)

    def masses(self, scored: Scored) -> Masses:
        """Return what each row counts; where rows cost differently, in units of their cost."""
        negative, positive = super().masses(scored)
        if self.column is None:
            return negative, positive
        avoided = np.maximum(_row_costs(scored) - self.tp, 0.0)
        alarm = np.where(avoided > 0, self.fp - self.tn, 0.0)  # rows that are never flagged
        return (
            alarm if negative is None else alarm * negative,
            avoided if positive is None else avoided * positive,
        )

    def values(self, counts: Counts, class_weights: FloatArray | None = None) -> FloatArray:
        """Return what each threshold costs beyond faultless decisions, below 0."""
        of_miss, of_alarm = self.fn - self.tp, self.fp - self.tn
        if self.column is not None:  # the counts are in its units
            of_miss = of_alarm = 1.0
        false, missed = np.moveaxis(counts.true - counts.correct, -1, 0)
        return np.asarray(-of_miss * missed - of_alarm * false)

    def cut(self, found: Sweep, class_weights: FloatArray | None = None) -> tuple[float, ...]:
        """Return the threshold, or the two of a band, that cost least."""
        if self.abstain is None:
            return super().cut(found, class_weights)
        costs = {name: getattr(self, name) for name in ("fp", "fn", "tp", "tn")}
        return solve_band(found, abstain=self.abstain, **costs)

    def rule(self, *thresholds: float) -> DecisionRule:
        """Make the rule of what was cut."""
        if self.column is not None:
            return RowCosts(self.column, self.fp - self.tn, self.tp, *thresholds)
        return Threshold(*thresholds) if self.abstain is None else AbstainBand(*thresholds)

    def utility(self, scored: Scored, rule: DecisionRule) -> float:
        """Return what a rule costs on the rows beyond faultless decisions, below 0."""
        if self.column is None and self.abstain is None:
            return super().utility(scored, rule)
        codes, weights = rule.decide(scored.proba, scored.row_costs), scored.row_weights
        both = (self._cost(scored, np.full_like(codes, code)) for code in (0, 1))
        beyond = self._cost(scored, codes) - np.minimum(*both)
        return -float(np.sum(beyond if weights is None else beyond * weights))

    def figures(self, scored: Scored, codes: IntArray) -> Mapping[str, float]:
        """Return the mean cost of a row."""
        return {"cost": float(np.average(self._cost(scored, codes), weights=scored.row_weights))}

    def _cost(self, scored: Scored, codes: IntArray) -> FloatArray:
        of_miss = self.fn if self.column is None else _row_costs(scored)
        if_positive = np.where(codes == 1, self.tp, of_miss)
        cost = np.where(scored.y == 1, if_positive, np.where(codes == 1, self.fp, self.tn))
        return cost if self.abstain is None else np.where(codes == PASSED_ON, self.abstain, cost)

    def check(self) -> None:
        """Raise a UsageError for costs that leave nothing to decide."""
        for name in ("fp", "fn", "tp", "tn", "abstain"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < np.inf:
                raise UsageError(
                    f"the {name} cost must be a number of at least 0, but got {value:g}. State "
                    "gains as lower costs."
                )
        alarm, avoided = self.fp - self.tn, self.fn - self.tp
        if alarm <= 0:
            raise UsageError(
                f"with a false alarm at {self.fp:g} and a negative left alone at {self.tn:g} the "
                "positive class is always right. Raise the cost of a false alarm (fp)."
            )
        if self.column is None and avoided <= 0:
            raise UsageError(
                f"with a miss at {self.fn:g} and a hit at {self.tp:g} the negative class is always "
                "right. Raise the cost of a miss (fn)."
            )
        if self.abstain is None:
            return
        if self.column is not None:
            raise UsageError("passing rows on cannot be combined with costs that differ by row.")
        # Where both decisions are expected to cost the same, they cost most.
        p = alarm / (alarm + avoided)
        dearest = p * self.fn + (1 - p) * self.tn
        if not min(self.tp, self.tn) < self.abstain < dearest:
            always = self.abstain <= min(self.tp, self.tn)
            raise UsageError(
                f"an abstain cost of {self.abstain:g} is {'always' if always else 'never'} worth "
                f"it: give one between {min(self.tp, self.tn):g} and {dearest:.3g}."
            )

    def suited(self, known: Known) -> Costs:
        """Refuse a column that makes one class always right."""
        known.require_two(self)
        costs = known.row_costs
        if costs is not None and (costs <= self.tp).all():
            raise UsageError(
                f"column '{self.column}' holds nothing above {self.tp:g}: the negative class is "
                "always right. Name the column of what a miss costs."
            )
        return self

    def __str__(self) -> str:
        """Say what is asked for."""
        miss = f"{self.fn:g}" if self.column is None else f"'{self.column}'"
        parts = [f"false alarm {self.fp:g}", f"miss {miss}"]
        parts += [f"hit {self.tp:g}"] * bool(self.tp) + [f"rejection {self.tn:g}"] * bool(self.tn)
        parts += [] if self.abstain is None else [f"passing on {self.abstain:g}"]
        return f"least cost ({', '.join(parts)})"


def cost_column_of(criterion: Criterion) -> str | None:
    """Name the column of the table that a criterion reads; None if it reads none."""
    return criterion.column if isinstance(criterion, Costs) else None


def _row_costs(scored: Scored) -> FloatArray:
    assert scored.row_costs is not None
    return scored.row_costs


@dataclass(frozen=True)
class CostMatrix:
    """The least expected cost of any number of classes (Bayes decision).

    Parameters
    ----------
    labels : tuple of str
        Of rows and columns.
    costs : tuple of tuple of float
        ``costs[true][predicted]``, at least 0.
    abstain : float, optional
        What it costs to pass a row on.

    Examples
    --------
    >>> costs = CostMatrix(("a", "b", "c"), ((0, 1, 1), (1, 0, 1), (9, 9, 0)))
    >>> costs.in_order(("c", "a", "b")).costs
    ((0, 9, 9), (1, 0, 1), (1, 1, 0))
    """

    labels: tuple[str, ...]
    costs: tuple[tuple[float, ...], ...]
    abstain: float | None = None

    def in_order(self, labels: Sequence[str]) -> CostMatrix:
        """Sort rows and columns."""
        places = [self.labels.index(label) for label in labels]
        costs = tuple(tuple(self.costs[i][j] for j in places) for i in places)
        return replace(self, labels=tuple(labels), costs=costs)

    def solve(self, scored: Scored) -> DecisionRule:
        """Return the rule of least expected cost, or the argmax where that costs less."""
        rules: list[DecisionRule] = [
            ExpectedCost(self.costs, self.abstain), argmax_rule(scored.n_classes),
        ]  # fmt: skip
        cost = [self.figures(scored, rule.decide(scored.proba))["cost"] for rule in rules]
        return rules[int(np.argmin(cost))]

    def figures(self, scored: Scored, codes: IntArray) -> Mapping[str, float]:
        """Return the mean cost of a row."""
        cost = np.asarray(self.costs, dtype=float)[scored.y, codes]
        if self.abstain is not None:
            cost = np.where(codes == PASSED_ON, self.abstain, cost)
        return {"cost": float(np.average(cost, weights=scored.row_weights))}

    def check(self) -> None:
        """Raise a UsageError for cells that leave nothing to decide."""
        n = len(self.labels)
        if len(self.costs) != n or any(len(row) != n for row in self.costs):
            raise UsageError(
                f"the cost matrix has {len(self.costs)} rows for {n} classes: it must be square, a "
                "row per true and a column per predicted class."
            )
        costs = np.array(self.costs, dtype=float)
        if not np.isfinite(costs).all() or (costs < 0).any():
            raise UsageError("the cost matrix holds cells that are no number of at least 0.")
        for k, label in enumerate(self.labels):
            if (costs[:, [k]] <= costs).all():
                raise UsageError(
                    f"by the cost matrix predicting {label!r} is always right: no other column is "
                    "lower in any row. Correct it."
                )
        if self.abstain is not None:
            low, high = float(costs.min(axis=1).min()), _dearest(costs)
            if not low < self.abstain < high:
                often = "always" if self.abstain <= low else "never"
                raise UsageError(
                    f"an abstain cost of {self.abstain:g} is {often} worth it: give one between "
                    f"{low:g} and {high:.3g}."
                )

    def suited(self, known: Known) -> CostMatrix:
        """Sort rows and columns as the classes are; refuse others than those."""
        names, own = known.labels, tuple(map(str, self.labels))
        unknown = [label for label in own if label not in names]
        if unknown:
            raise UsageError(
                f"the cost matrix names {unknown[0]!r}, which is no class of the target; "
                f"{nearest_name(unknown[0], names)}"
            )
        absent = [name for name in names if name not in own]
        if absent:
            raise UsageError(
                f"the cost matrix has {len(self.labels)} classes, the target {len(names)}: "
                f"{absent[0]!r} is missing. Add its row and column."
            )
        return replace(self, labels=own).in_order(names)

    def __str__(self) -> str:
        """Say what is asked for."""
        passed = "" if self.abstain is None else f", passing on {self.abstain:g}"
        return f"least expected cost by the matrix of {len(self.labels)} classes{passed}"


def _dearest(costs: FloatArray) -> float:
    """Return what the best decision is expected to cost at most, whatever the probabilities."""
    from scipy.optimize import linprog

    # Probabilities p and a bound v on every column of p @ costs, v as high as can be.
    n = len(costs)
    columns = np.column_stack([-costs.T, np.ones(n)])
    found = linprog(
        np.append(np.zeros(n), -1.0), columns, np.zeros(n), [np.append(np.ones(n), 0.0)], [1.0]
    )
    return float(-found.fun)
