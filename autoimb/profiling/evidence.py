"""What the checks of a table may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autoimb.arrays import BoolArray, FloatArray, IntArray
from autoimb.data.columns import Column
from autoimb.data.dataset import Dataset
from autoimb.profiling.class_view import ClassView
from autoimb.profiling.measures import Estimate

__all__ = ["Evidence"]

# What columns hold is seen on this many rows; what that suggests is then confirmed on all.
SEEN_ROWS = 2_000
ROWS_AT_A_TIME = 50_000


@dataclass(frozen=True)
class Evidence:
    """What a check may look at.

    Attributes
    ----------
    dataset : Dataset
    code : int
        Of the rarest class.
    measures : mapping of str to Estimate
        Of the table and of that class.
    views : tuple of ClassView
        Of every rare class, the rarest first; empty without features.
    """

    dataset: Dataset
    code: int
    measures: Mapping[str, Estimate]
    views: tuple[ClassView, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the features."""
        return self.dataset.schema.feature_names

    @cached_property
    def owners(self) -> tuple[Column, ...]:
        """The column of the table that each feature comes from."""
        return tuple(c for c in self.dataset.schema.kept for _ in c.feature_names)

    @property
    def label(self) -> str:
        """The rarest class."""
        return str(self.dataset.labels.by_code[self.code])

    @cached_property
    def is_member(self) -> BoolArray:
        """Rows of the rarest class."""
        return np.asarray(self.dataset.y == self.code)

    @cached_property
    def contradicts(self) -> BoolArray:
        """Rows that equal a row with another label; none where no column tells rows apart."""
        dataset = self.dataset
        if not dataset.X.shape[1]:
            return np.zeros(len(dataset.y), dtype=bool)
        lowest = np.full(dataset.n_distinct, dataset.n_classes)
        highest = np.full(dataset.n_distinct, -1)
        np.minimum.at(lowest, dataset.duplicate_groups, dataset.y)
        np.maximum.at(highest, dataset.duplicate_groups, dataset.y)
        return np.asarray((lowest < highest)[dataset.duplicate_groups])

    @cached_property
    def gaps(self) -> IntArray:
        """Missing cells of each class (rows) in each feature (columns)."""
        X, y = self.dataset.X, self.dataset.y
        found = np.zeros((self.dataset.n_classes, X.shape[1]), dtype=np.intp)
        for start in range(0, len(y), ROWS_AT_A_TIME):  # a copy of all would double the memory
            rows = slice(start, start + ROWS_AT_A_TIME)
            missing = np.isnan(X[rows])
            found += [missing[y[rows] == c].sum(axis=0) for c in range(len(found))]
        return found

    @cached_property
    def seen(self) -> FloatArray:
        """A few rows, spread over the table."""
        return self.dataset.X[:: max(len(self.dataset.y) // SEEN_ROWS, 1)]

    def is_at_least(self, name: str, least: float) -> bool:
        """Whether a measure is defined and reaches a value."""
        value = self.measures[name].value
        return value is not None and value >= least
