"""What it costs to miss each row, as a column of the table says."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autoimb.errors import DataError, nearest_name

__all__ = ["read_row_costs"]


def read_row_costs(table: pd.DataFrame, column: str) -> pd.Series[float]:
    """Read the costs of rows.

    Parameters
    ----------
    table : DataFrame of shape (n_samples, n_columns)
    column : str

    Returns
    -------
    Series of shape (n_samples,)

    Raises
    ------
    DataError
        If there is no such column, or a cell is no number of at least 0.

    Examples
    --------
    >>> read_row_costs(pd.DataFrame({"amount": ["12.5", "3"]}), "amount").tolist()
    [12.5, 3.0]
    """
    if column not in table.columns:
        near = nearest_name(str(column), map(str, table.columns))
        raise DataError(f"cost column '{column}' is not in the table; {near}")
    cells = table[column]
    costs = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero(~(np.isfinite(costs) & (costs >= 0)))
    if len(wrong):
        raise DataError(
            f"cost column '{column}': {len(wrong)} of {len(costs)} cells are no number of at least "
            f"0, the first in row {cells.index[wrong[0]]}: '{cells.iloc[wrong[0]]}'. Correct or "
            "drop those rows."
        )
    return pd.Series(costs, index=cells.index, name=column)
