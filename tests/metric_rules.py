"""The rule that serves a metric best."""

from __future__ import annotations

from autoimb.arrays import FloatArray, IntArray
from autoimb.decision.criteria import BestMetric
from autoimb.decision.rules import DecisionRule
from autoimb.decision.scored import Scored
from autoimb.metrics import Metric


def solve_rule(metric: Metric, y: IntArray, proba: FloatArray) -> DecisionRule:
    """Find it on these rows."""
    return BestMetric(metric.name).solve(Scored(y, proba))
