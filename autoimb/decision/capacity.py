"""Decisions by how many rows can be dealt with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral

from autoimb.arrays import IntArray
from autoimb.decision.criteria import Known
from autoimb.decision.rules import DecisionRule, TopRows
from autoimb.decision.scored import Scored
from autoimb.errors import UsageError

__all__ = ["Capacity"]


@dataclass(frozen=True)
class Capacity:
    """The rows of each batch with the highest probabilities, as many as can be dealt with.

    Parameters
    ----------
    k : int, optional
        So many of every batch.
    share : float, optional
        So large a part of every batch, in (0, 1).
    of : int, optional
        Rows of the table that `k` is stated for; the fit fills it in.

    Examples
    --------
    >>> import numpy as np
    >>> Capacity(k=50).solve(Scored(np.zeros(3, dtype=int), np.zeros((3, 2))))
    TopRows(k=50, share=None, of=None)
    """

    k: int | None = None
    share: float | None = None
    of: int | None = None

    def solve(self, scored: Scored) -> DecisionRule:
        """Return the rule; nothing has to be found."""
        return TopRows(self.k, self.share, self.of)

    def figures(self, scored: Scored, codes: IntArray) -> Mapping[str, float]:
        """Return nothing: the rates are reported anyway."""
        return {}

    def check(self) -> None:
        """Raise a UsageError for a number that cannot be meant."""
        if (self.k is None) == (self.share is None):
            raise UsageError("a capacity is a number of rows (k) or a share of them. Give one.")
        if self.k is not None and not (isinstance(self.k, Integral) and self.k >= 1):
            raise UsageError(f"top-k must be a whole number of at least 1, but got {self.k}.")
        if self.share is not None and not 0 < self.share < 1:
            raise UsageError(f"top-share must lie between 0 and 1, but got {self.share:g}.")

    def suited(self, known: Known) -> Capacity:
        """Note for how many rows `k` is stated."""
        known.require_two(self)
        n_rows = known.n_rows or int(known.class_counts.sum())
        if self.k is not None and self.k >= n_rows:
            raise UsageError(
                f"top-k {self.k} of a batch of {n_rows} rows flags every one. Give fewer."
            )
        return replace(self, of=None if self.k is None else n_rows)

    def __str__(self) -> str:
        """Say what is asked for."""
        return str(TopRows(self.k, self.share))
