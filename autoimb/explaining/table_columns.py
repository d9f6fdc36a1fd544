"""The columns of the table as a person knows them, and what they became in the numeric matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.columns import SECONDS_A_DAY, Column
from autoimb.data.dataset import Schema

__all__ = ["Cell", "TableColumn", "list_columns"]

Cell = float | str | None


@dataclass(frozen=True)
class TableColumn:
    """A column of the table with its places in the numeric matrix.

    Attributes
    ----------
    column : Column
    places : ndarray of shape (n_features,)
        One, or those of the parts of a date.
    """

    column: Column
    places: IntArray

    @property
    def name(self) -> str:
        """Its name, as text."""
        return str(self.column.name)

    def order_of(self, X: FloatArray) -> FloatArray | None:
        """Return what sorts its cells: a number, or the day of a date; None for categories.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        """
        return None if self.column.kind == "category" else X[:, self.places[-1]]

    def show(self, row: FloatArray) -> Cell:
        """Return the cell of a row, as it may be written.

        Parameters
        ----------
        row : ndarray of shape (n_features,)
            Of the numeric matrix.

        Returns
        -------
        float, str or None
            None where it is missing; a date as text.
        """
        number = float(row[self.places[-1]])
        if np.isnan(number):
            return None
        if self.column.kind == "category":
            return self.column.levels[int(number)]
        if self.column.kind == "date":
            moment = np.datetime64(round(number * SECONDS_A_DAY), "s")
            return str(moment).replace("T", " ").removesuffix(" 00:00:00")
        return number


def list_columns(schema: Schema) -> tuple[TableColumn, ...]:
    """List the columns that models see, in the order of the table.

    Parameters
    ----------
    schema : Schema

    Returns
    -------
    tuple of TableColumn

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"day": ["2024-05-01", "2024-05-02"], "city": ["Rome", "Oslo"]})
    >>> schema = Schema.infer(table)
    >>> row = schema.to_matrix(table)[1]
    >>> [(each.name, each.show(row)) for each in list_columns(schema)]
    [('day', '2024-05-02'), ('city', 'Oslo')]
    """
    sizes = [len(column.feature_names) for column in schema.kept]
    ends = np.cumsum(sizes, dtype=np.intp)
    return tuple(
        TableColumn(column, np.arange(end - size, end))
        for column, size, end in zip(schema.kept, sizes, ends, strict=True)
    )
