"""A decision with all that is known of it: what was asked for, the rule, how sure it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, get_args

import numpy as np

from autoimb.arrays import IntArray
from autoimb.decision.bounds import lower_bound, rows_for_bound
from autoimb.decision.criteria import Criterion, as_one
from autoimb.decision.floors import TELLING, Floor, Measure, rate
from autoimb.decision.rules import PASSED_ON, DecisionRule
from autoimb.decision.scored import Scored
from autoimb.decision.stability import Stability, assess_stability
from autoimb.metrics import balanced_accuracy, count

__all__ = ["Decision", "decide", "describe_codes"]


@dataclass(frozen=True)
class Decision:
    """What was asked for, and what it came to.

    Attributes
    ----------
    criterion : Criterion
    rule : DecisionRule
    stability : Stability or None
        None where the rows had no part in the rule.
    shortfall : str
        Of a promise that too few rows support; else empty.
    passed_on : float
        Share of the rows that no class was decided for.
    """

    criterion: Criterion
    rule: DecisionRule
    stability: Stability | None = None
    shortfall: str = ""
    passed_on: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for people and programs to read."""
        return {
            "asked": str(self.criterion),
            "rule": str(self.rule),
            "values": asdict(self.rule),
            "stability": None if self.stability is None else str(self.stability),
            "shortfall": self.shortfall or None,
            "passed_on": self.passed_on,
        }

    def __str__(self) -> str:
        """Show rule and stability."""
        parts = [str(self.rule)]
        parts += [] if self.stability is None else [f"({self.stability})"]
        parts += [f"{self.passed_on:.1%} of the rows passed on"] if self.passed_on else []
        return " ".join(parts)


def decide(criterion: Criterion, scored: Scored, seed: int = 0) -> Decision:
    """Solve a decision and find out how sure it is.

    Parameters
    ----------
    criterion : Criterion
    scored : Scored
        Calibrated probabilities of rows that the model has not seen.
    seed : int
        Of the resamples.

    Returns
    -------
    Decision

    Examples
    --------
    >>> p = np.linspace(0.0, 1.0, 60)
    >>> rows = Scored((p > 0.5).astype(int), np.column_stack([1 - p, p]))
    >>> decide(Floor("recall", 0.95), rows).shortfall
    'a recall of 0.95 is not supported at 90 % confidence: 30 of 30 promise only 0.891; it would \
take about 68 rows like these, 136 in all'
    """
    rule = criterion.solve(scored)
    codes = rule.decide(scored.proba, scored.row_costs)
    short = find_shortfall(criterion, scored, rule) if isinstance(criterion, Floor) else ""
    return Decision(
        criterion,
        rule,
        assess_stability(criterion, scored, rule, seed),
        short,
        float(np.average(codes == PASSED_ON, weights=scored.row_weights)),
    )


def describe_codes(
    criterion: Criterion, scored: Scored, codes: IntArray
) -> list[tuple[str, float]]:
    """Say in figures what a decision comes to on some rows.

    Parameters
    ----------
    criterion : Criterion
    scored : Scored
    codes : ndarray of shape (n_samples,)

    Returns
    -------
    list of (str, float)
        Rates of the rows that a class was decided for, own figures of the criterion, and how many
        rows in a thousand are flagged as positive or passed on.

    Examples
    --------
    >>> from autoimb.decision.criteria import BestMetric
    >>> rows = Scored(np.array([0, 1]), np.array([[0.8, 0.2], [0.3, 0.7]]))
    >>> dict(describe_codes(BestMetric("f1"), rows, np.array([0, 1])))["flagged_per_1000"]
    500.0
    """
    clear, weights = codes != PASSED_ON, scored.row_weights
    decided = count(
        scored.y[clear], codes[clear], scored.n_classes,
        None if weights is None else weights[clear],
    )  # fmt: skip
    if scored.n_classes == 2:
        found = [(name, float(rate(as_one(decided), name)[0])) for name in get_args(Measure)]
        found.append(("flagged_per_1000", float(1000 * np.average(codes == 1, weights=weights))))
    else:
        found = [("balanced_accuracy", float(balanced_accuracy(decided)))]
    if not clear.all():
        found.append(("passed_on_per_1000", float(1000 * np.average(~clear, weights=weights))))
    return [*found, *criterion.figures(scored, codes).items()]


def find_shortfall(floor: Floor, scored: Scored, rule: DecisionRule) -> str:
    """Say what a floor lacks; empty if the rule holds it.

    Parameters
    ----------
    floor : Floor
    scored : Scored
    rule : DecisionRule

    Returns
    -------
    str
    """
    counts = as_one(count(scored.y, rule.decide(scored.proba), 2, scored.row_weights))
    hits, n = (float(each[0]) for each in floor.tally(counts, scored.class_weights))
    telling = np.array([TELLING * hits]), np.array([TELLING * n])
    bound = float(lower_bound(*telling, floor.strictness)[0])
    if bound >= floor.value:
        return ""
    found = float(rate(counts, floor.measure)[0])
    sure = f"{100 * floor.confidence:g} % confidence"
    text = f"a {floor.measure} of {floor.value:g} is not supported at {sure}: "
    if n == 0:
        return f"{text}no threshold comes near it"
    text += f"{hits:.0f} of {n:.0f} promise only {bound:.3g}"
    needed = rows_for_bound(found, floor.value, floor.strictness)
    if not np.isfinite(needed):
        return f"{text}, and with the {found:.3g} that is found there no number of rows would do"
    needed = np.ceil(needed / TELLING)
    total = np.ceil(needed * len(scored.y) / n)
    return f"{text}; it would take about {needed:.0f} rows like these, {total:,.0f} in all"
