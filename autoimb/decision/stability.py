"""How sure a threshold is, and how much it matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray
from autoimb.decision.bagging import lean_share, spread_thresholds, thin_out
from autoimb.decision.criteria import BestMetric, Criterion, Swept
from autoimb.decision.rules import AbstainBand, ClassWeights, DecisionRule, RowCosts, Threshold
from autoimb.decision.scored import Scored
from autoimb.decision.sweep import Sweep

__all__ = ["Stability", "assess_stability"]

N_RESAMPLES = 200
# Of class weights, which take longer; of so many rows each at most.
N_FEW, MAX_ROWS = 30, 2000
LEVEL = 0.95
# What a threshold may lose and still be about as good as the best.
LOSS = 0.01


@dataclass(frozen=True)
class Stability:
    """What other rows of the same kind would have made of a decision.

    Attributes
    ----------
    intervals : tuple of (float, float)
        Of each number of the rule (a threshold, the two of a band, the weight of each class):
        where it lies in 95 % of the bootstrap resamples of the rows.
    flat : (float, float) or None
        Of a single threshold: from where to where no more than 1 % of the best value is lost.

    Examples
    --------
    >>> print(Stability(((0.1234, 0.3),), (0.2, 0.25)))
    95 % of resamples: 0.123 to 0.3; from 0.2 to 0.25 at most 1 % is lost
    """

    intervals: tuple[tuple[float, float], ...]
    flat: tuple[float, float] | None = None

    def __str__(self) -> str:
        """Show all ranges."""
        each = ", ".join(f"{low:.3g} to {high:.3g}" for low, high in self.intervals)
        text = f"{100 * LEVEL:g} % of resamples: {each}"
        if self.flat is None:
            return text
        low, high = self.flat
        return f"{text}; from {low:.3g} to {high:.3g} at most {100 * LOSS:g} % is lost"


def assess_stability(
    criterion: Criterion, scored: Scored, rule: DecisionRule, seed: int = 0
) -> Stability | None:
    """Solve a decision on bootstrap resamples, and see how flat its optimum is.

    Parameters
    ----------
    criterion : Criterion
    scored : Scored
        What the rule was solved on.
    rule : DecisionRule
    seed : int

    Returns
    -------
    Stability or None
        None for a rule that the rows did not decide.

    Examples
    --------
    >>> from autoimb.decision.criteria import BestMetric
    >>> p = np.linspace(0.01, 0.99, 400)
    >>> rows = Scored((np.arange(400) % 10 < 10 * p).astype(int), np.column_stack([1 - p, p]))
    >>> found = assess_stability(BestMetric("f1"), rows, BestMetric("f1").solve(rows))
    >>> (low, high), = found.intervals
    >>> low < 0.4 < high
    True
    """
    rng = np.random.default_rng(seed)
    if isinstance(rule, ClassWeights) and isinstance(criterion, BestMetric):
        return Stability(_intervals(_resample_weights(criterion, scored, rng), rule.values))
    if not isinstance(criterion, Swept):
        return None
    numbers = _numbers(rule)
    found = criterion.sweep(scored)
    if type(rule) is not type(criterion.rule(*criterion.cut(found, scored.class_weights))):
        return None  # the argmax served better
    asked = criterion.within_reach(found, scored.class_weights)
    share = lean_share(float(scored.y.sum()), asked.lean)
    thresholds = thin_out(found.thresholds, numbers[0])
    if share:
        thresholds = spread_thresholds(thresholds, asked.rank(scored))
    groups = asked.group(scored, thresholds)
    resamples = groups.resample(N_RESAMPLES, share, rng)
    cuts = [asked.cut(one, scored.class_weights) for one in resamples]
    intervals = _intervals([one for one in cuts if len(one) == len(numbers)], numbers)
    if len(numbers) > 1:
        return Stability(intervals)
    leant = groups.sweep(share)
    values = asked.values(leant.counts, scored.class_weights)
    return Stability(intervals, _flat_range(leant, values, numbers[0]))


def _numbers(rule: DecisionRule) -> tuple[float, ...]:
    if isinstance(rule, AbstainBand):
        return rule.low, rule.high
    assert isinstance(rule, Threshold | RowCosts)
    return (rule.value,)


def _intervals(
    solved: Sequence[tuple[float, ...]], numbers: tuple[float, ...]
) -> tuple[tuple[float, float], ...]:
    """Return where each number lies; that of the rule, solved on the rows themselves, included."""
    table = np.array([*solved, numbers])
    lows, highs = np.quantile(table, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    lows, highs = np.minimum(lows, numbers), np.maximum(highs, numbers)
    return tuple(zip(lows.tolist(), highs.tolist(), strict=True))


def _resample_weights(
    criterion: Criterion, scored: Scored, rng: np.random.Generator
) -> list[tuple[float, ...]]:
    """Solve class weights on resamples, of no more rows than takes a moment."""
    n = min(len(scored.y), MAX_ROWS)
    rules = (criterion.solve(scored.take(rng.integers(0, len(scored.y), n))) for _ in range(N_FEW))
    return [rule.values for rule in rules if isinstance(rule, ClassWeights)]


def _flat_range(found: Sweep, values: FloatArray, threshold: float) -> tuple[float, float]:
    """Return the thresholds around one that lose next to nothing."""
    worst = values.max() - LOSS * abs(values.max())
    is_good = values >= worst
    here = int(abs(found.thresholds - threshold).argmin())
    first = last = here
    while first > 0 and is_good[first - 1]:
        first -= 1
    while last < len(values) - 1 and is_good[last + 1]:
        last += 1
    low, high = float(found.thresholds[last]), float(found.thresholds[first])
    return min(low, threshold), max(high, threshold)
