"""What displays are made from: predictions for rows that the model has not been trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from autoimb.arrays import BoolArray, IntArray
from autoimb.data.dataset import Labels
from autoimb.decision.deciding import Decision
from autoimb.decision.scored import Scored
from autoimb.errors import DataError

__all__ = ["OUT_OF_FOLD", "Interval", "Predictions", "pick_classes"]

# More curves than this in one picture cannot be told apart; the rarest classes are drawn.
MAX_CURVES = 10
OUT_OF_FOLD = "out of fold"


class Interval(Protocol):
    """A figure with the interval in which it lies."""

    @property
    def value(self) -> float:
        """The figure."""

    @property
    def low(self) -> float:
        """The lower end."""

    @property
    def high(self) -> float:
        """The upper end."""


@dataclass(frozen=True)
class Predictions:
    """Rows with their class, and what was predicted and decided for them.

    Attributes
    ----------
    scored : Scored
        With the probabilities that the decision decides by.
    codes : ndarray of shape (n_samples,)
        As it decides them.
    decision : Decision
    labels : Labels
    metric : str
        What the search maximised.
    origin : str
        Where the rows come from, in words.
    estimates : mapping of str to Interval
        What figures of the decision and of the ranking come to on rows to come, as far as that
        is known.
    calibrated : Scored or None
        Rows whose probabilities were calibrated without them; None where there are none.

    Examples
    --------
    >>> from autoimb.decision.criteria import BestMetric
    >>> from autoimb.decision.rules import Threshold
    >>> p = np.array([0.1, 0.3, 0.8])
    >>> rows = Scored(np.array([0, 0, 1]), np.column_stack([1 - p, p]))
    >>> decision = Decision(BestMetric("f1"), Threshold(0.2))
    >>> found = Predictions(rows, np.array([0, 1, 1]), decision, Labels.of(list("aab")), "f1")
    >>> found.name_class(1), found.members(1).tolist()
    ('b', [False, False, True])
    """

    scored: Scored
    codes: IntArray
    decision: Decision
    labels: Labels
    metric: str
    origin: str = OUT_OF_FOLD
    estimates: Mapping[str, Interval] = field(default_factory=dict)
    calibrated: Scored | None = None

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes."""
        return len(self.labels.classes) == 2

    def name_class(self, code: int) -> str:
        """Give the label of a class as text."""
        return str(self.labels.by_code[code])

    def members(self, code: int) -> BoolArray:
        """Mark the rows of a class."""
        return np.asarray(self.scored.y == code)

    def require_every_class(self) -> None:
        """Refuse rows that curves of two classes cannot be drawn from."""
        for code in range(2) if self.is_binary else []:
            if not self.members(code).any():
                raise DataError(
                    f"the {len(self.scored.y):,} rows hold none of class "
                    f"'{self.name_class(code)}'. Give rows of both classes."
                )


def pick_classes(y: IntArray, n_classes: int) -> list[int]:
    """Name the positive class of two, else the rarest ones that occur.

    Examples
    --------
    >>> pick_classes(np.array([0, 0, 1, 3]), 4)
    [0, 1, 3]
    """
    if n_classes == 2:
        return [1]
    sizes = np.bincount(y, minlength=n_classes)
    rarest = [int(k) for k in np.argsort(sizes, kind="stable") if sizes[k]]
    return sorted(rarest[:MAX_CURVES])
