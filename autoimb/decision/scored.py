"""What every decision is solved on: classes beside the probabilities that were predicted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from autoimb.arrays import AnyArray, FloatArray, IntArray

__all__ = ["Scored"]


@dataclass(frozen=True)
class Scored:
    """Rows with their class and the probabilities that a model gave them without having seen them.

    Attributes
    ----------
    y : ndarray of shape (n_samples,)
        Class codes; of two classes, 1 is the positive one.
    proba : ndarray of shape (n_samples, n_classes)
    row_costs : ndarray of shape (n_samples,), optional
        What it costs to miss each row, should it be positive.
    class_weights : ndarray of shape (n_classes,), optional
        How much a row of each class counts where the classes are to be as frequent as elsewhere;
        by default every row counts as one.

    Examples
    --------
    >>> import numpy as np
    >>> p = np.array([0.1, 0.7, 0.9])
    >>> rows = Scored(np.array([0, 1, 1]), np.column_stack([1 - p, p]))
    >>> rows.n_classes, len(rows.take(rows.y == 1).y)
    (2, 2)
    """

    y: IntArray
    proba: FloatArray
    row_costs: FloatArray | None = None
    class_weights: FloatArray | None = None

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.proba.shape[1])

    @property
    def row_weights(self) -> FloatArray | None:
        """How much each row counts; None if all count alike."""
        return None if self.class_weights is None else self.class_weights[self.y]

    def take(self, rows: AnyArray) -> Scored:
        """Keep some rows, given by a mask or by their places."""
        costs = None if self.row_costs is None else self.row_costs[rows]
        return replace(self, y=self.y[rows], proba=self.proba[rows], row_costs=costs)

    def with_proba(self, proba: FloatArray) -> Scored:
        """Give the rows other probabilities."""
        return replace(self, proba=proba)
