"""Columns that say which rows belong together and which came first: for splits, not for models."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.columns import read_keys, read_times
from autoimb.errors import DataError, nearest_name

__all__ = ["check_split_columns", "read_groups", "read_moments", "take_split"]


def check_split_columns(
    names: Sequence[Hashable],
    groups: str | None,
    time: str | None,
    taken: Mapping[Hashable, str],
    where: str = "the table",
) -> list[str]:
    """Check that columns can say how rows are split.

    Parameters
    ----------
    names : sequence of hashable
        Of the table's columns.
    groups, time : str or None
        Columns that are asked for.
    taken : mapping of hashable to str
        Columns that are something else, and what.
    where : str
        The table, for messages.

    Returns
    -------
    list of str
        Those that are asked for.

    Raises
    ------
    DataError
        If one is not in the table, or is something else.

    Examples
    --------
    >>> check_split_columns(["age", "day", "sick"], None, "day", {"sick": "the target"})
    ['day']
    """
    asked = {"--groups": groups, "--time": time}
    given = {option: column for option, column in asked.items() if column is not None}
    roles = dict(taken)
    for option, column in given.items():
        if column in roles:
            raise DataError(
                f"{where}: {option} '{column}' is {roles[column]}; a column has one role. "
                "Name another."
            )
        if column not in names:
            near = nearest_name(str(column), [str(name) for name in names if name not in roles])
            raise DataError(f"{where}: {option} '{column}': no such column; {near}")
        roles[column] = f"that of {option}"
    return list(given.values())


def take_split(
    table: pd.DataFrame, groups: str | None, time: str | None, taken: Mapping[Hashable, str]
) -> tuple[pd.DataFrame, IntArray | None, FloatArray | None]:
    """Read the columns that say how rows are split, and leave them out.

    A model cannot learn from a time to come, nor from a group that it will never see.

    Parameters
    ----------
    table : DataFrame of shape (n_samples, n_columns)
    groups, time : str or None
        Columns that are asked for.
    taken : mapping of hashable to str
        Columns that are something else, and what.

    Returns
    -------
    table : DataFrame
    groups, times : ndarray of shape (n_samples,), or None

    Raises
    ------
    DataError
        If a column is not there, is something else, or holds no time.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [31, 42], "day": ["2024-02-01", "2024-01-01"]})
    >>> rest, groups, times = take_split(table, None, "day", {})
    >>> list(rest), groups, times - times.min()
    (['age'], None, array([31.,  0.]))
    """
    asked = check_split_columns(list(table.columns), groups, time, taken)
    rest = table.drop(columns=asked) if asked else table
    return (
        rest,
        None if groups is None else read_groups(table[groups]),
        None if time is None else read_moments(table[time]),
    )


def read_groups(cells: pd.Series[Any]) -> IntArray:
    """Give each group of rows a number; a row without one is a group of its own.

    Parameters
    ----------
    cells : Series of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,)

    Examples
    --------
    >>> read_groups(pd.Series(["ann", None, "bob", "ann", None]))
    array([0, 2, 1, 0, 3])
    """
    codes = read_keys(cells).copy()
    alone = np.flatnonzero(codes < 0)
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(len(alone))
    return codes


def read_moments(cells: pd.Series[Any]) -> FloatArray:
    """Read when each row was.

    Parameters
    ----------
    cells : Series of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    DataError
        If cells are missing, or are neither dates nor numbers.

    Examples
    --------
    >>> read_moments(pd.Series(["2024-01-02", "2024-01-01"])).argsort()
    array([1, 0])
    """
    times = read_times(cells)
    unknown = np.flatnonzero(np.isnan(times))
    if len(unknown):
        raise DataError(
            f"time column '{cells.name}': {len(unknown)} of {len(times)} cells are missing or "
            f"neither a date nor a number, the first in row {cells.index[unknown[0]]}: "
            f"{cells.iloc[unknown[0]]!r}. Fill or correct them, or drop those rows."
        )
    return times
