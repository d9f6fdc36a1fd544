"""Decisions by a threshold that is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autoimb.arrays import IntArray
from autoimb.decision.criteria import Known
from autoimb.decision.rules import DecisionRule, Threshold
from autoimb.decision.scored import Scored
from autoimb.errors import UsageError

__all__ = ["FixedThreshold"]


@dataclass(frozen=True)
class FixedThreshold:
    """A threshold that was chosen elsewhere, whatever the rows say of it.

    Parameters
    ----------
    value : float
        On the calibrated probability of the positive class, in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> FixedThreshold(0.03).solve(Scored(np.zeros(3, dtype=int), np.zeros((3, 2))))
    Threshold(value=0.03)
    """

    value: float

    def solve(self, scored: Scored) -> DecisionRule:
        """Return the rule; nothing has to be found."""
        return Threshold(self.value)

    def figures(self, scored: Scored, codes: IntArray) -> Mapping[str, float]:
        """Return nothing: the rates are reported anyway."""
        return {}

    def check(self) -> None:
        """Raise a UsageError for a number that is no probability."""
        if not 0 <= self.value <= 1:
            raise UsageError(
                f"the threshold must be a probability between 0 and 1, but got {self.value:g}."
            )

    def suited(self, known: Known) -> FixedThreshold:
        """Refuse classes that one threshold cannot tell apart."""
        known.require_two(self)
        return self

    def __str__(self) -> str:
        """Say what is asked for."""
        return f"fixed threshold {self.value:g}"
