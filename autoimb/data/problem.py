"""A dataset from a file or a frame: which column is the target, which rows have a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autoimb.arrays import AnyArray, BoolArray, IntArray
from autoimb.data.dataset import Dataset, Labels, Schema, as_table, make_dataset
from autoimb.data.delimited import check_names
from autoimb.data.reading import column_names, data_name, read_table
from autoimb.data.row_costs import read_row_costs
from autoimb.data.split_columns import check_split_columns
from autoimb.data.untouched import Aside, keep_aside
from autoimb.errors import DataError, nearest_name

__all__ = [
    "Problem",
    "encode_labels",
    "find_labelled",
    "find_target",
    "known_labels",
    "name_columns",
    "pair_problem",
    "read_labelled",
    "read_problem",
]

# Names that a target usually has, the likeliest first.
TARGET_NAMES = ("target", "label", "class", "y", "outcome", "is_fraud", "fraud", "churn", "default")
# A last column with more distinct values than this is no class.
MAX_CLASSES = 50
# A target of numbers is a quantity, not a class, beyond this share of distinct values.
CONTINUOUS_SHARE = 0.2
CONTINUOUS_VALUES = 20


@dataclass(frozen=True)
class Problem:
    """A dataset read from a file or frame, and what had to be assumed for it.

    Attributes
    ----------
    dataset : Dataset
    notes : tuple of str
    aside : DataFrame or None
        Raw rows, with all their columns, that were kept out of the dataset.
    """

    dataset: Dataset
    notes: tuple[str, ...]
    aside: pd.DataFrame | None = None


def read_problem(
    data: str | Path | pd.DataFrame,
    target: str | None = None,
    *,
    positive: Any = None,
    drop: Sequence[str] = (),
    needs_features: bool = True,
    cost_column: str | None = None,
    groups: str | None = None,
    time: str | None = None,
    holdout: float | None = None,
    seed: int = 0,
) -> Problem:
    """Read a table, find its target and say what was assumed.

    Parameters
    ----------
    data : str, Path or DataFrame
    target : str, optional
        By default a column with a usual name, else the last one if it looks like a class.
    positive : label, optional
        By default the rarer of two classes.
    drop : sequence of str
        Columns to leave out.
    needs_features : bool
        Whether columns that carry nothing are an error.
    cost_column : str, optional
        Of the table: what missing each row costs.
    groups, time : str, optional
        Of the table: which rows belong together, and when each row was.
    holdout : float, optional
        Share of the rows to keep aside: nothing is read off them.
    seed : int
        Of their choice.

    Returns
    -------
    Problem

    Raises
    ------
    DataError
        One line that says where, what was found and what to do.
    """
    names, where = name_columns(data)
    chosen, assumed = find_target(names, target, where)
    for column in drop:
        if column not in names or column == chosen:
            near = nearest_name(column, [str(n) for n in names if n != chosen])
            raise DataError(f"{where}: --drop '{column}': no such feature column; {near}")
    taken = {chosen: "the target", **dict.fromkeys(drop, "dropped"), cost_column: "the cost column"}
    check_split_columns(names, groups, time, taken, where)
    table, name = data, "data"
    if not isinstance(table, pd.DataFrame):
        path = Path(table)
        as_text = [chosen] if groups is None else [chosen, groups]
        table, name = read_table(path, text_columns=as_text), data_name(path)
    filled, notes = find_labelled(table[chosen])
    if not filled.all():
        table = table[filled]
    labels = _read_labels(table[chosen], where, assumed)
    row_costs = _read_costs(table, cost_column, chosen, where)
    features = table.drop(columns=[chosen, *drop])
    if not set(features.columns) - {groups, time}:
        raise DataError(f"{where}: no column is left beside the target '{chosen}'. Add features.")
    make = partial(
        make_dataset, positive=positive, name=name, target=chosen,
        needs_features=needs_features, groups=groups, time=time,
    )  # fmt: skip
    dataset = make(features, labels.to_numpy(), row_costs=row_costs)
    if assumed:
        notes.insert(0, f"target '{chosen}' assumed; --target NAME chooses another.")
    if holdout is None:
        return Problem(dataset, tuple(notes))
    found = keep_aside(dataset, holdout, seed)
    kept, costs = found.kept, None if row_costs is None else row_costs[found.kept]
    notes.append(_note_aside(dataset, found))
    # Anew, for kinds and levels of columns are read off the rows.
    dataset = make(features[kept], labels[kept].to_numpy(), row_costs=costs)
    return Problem(dataset, tuple(notes), table[found.aside])


def _note_aside(dataset: Dataset, found: Aside) -> str:
    n, n_rows = int(found.aside.sum()), len(found.aside)
    which = "" if dataset.times is None else f", the latest by '{dataset.time_column}',"
    n_neither = int((~found.aside & ~found.kept).sum())
    neither = f" {n_neither:,} earlier rows that belong together with them are left out."
    return (
        f"{n:,} of {n_rows:,} rows{which} are kept aside and scored once, at the end; the exported "
        f"model has not seen them.{neither if n_neither else ''}"
    )


def _read_costs(
    table: pd.DataFrame, column: str | None, target: str, where: str
) -> pd.Series[Any] | None:
    if column is None:
        return None
    if column == target:
        raise DataError(f"{where}: the target '{target}' cannot be the cost column. Name another.")
    return read_row_costs(table, column)


def pair_problem(X: Any, y: Any) -> Problem:
    """Put features and labels together that were given apart.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_columns)
    y : array-like of shape (n_samples,)
        Rows without a label are left out.

    Returns
    -------
    Problem

    Raises
    ------
    DataError
        If they do not belong together, or `y` holds no classes.
    """
    table = as_table(X)
    check_names("X", [str(name) for name in table.columns])
    given = _one_label_each(y, len(table))
    labels = pd.Series(given, index=table.index, name=getattr(y, "name", None) or "y")
    filled, notes = find_labelled(labels)
    if not filled.all():
        table, labels = table[filled], labels[filled]
    classes = _read_labels(labels, "y", assumed=False).to_numpy()
    target = str(labels.name)
    return Problem(make_dataset(table, classes, target=target, needs_features=False), tuple(notes))


def _one_label_each(y: Any, n_rows: int) -> AnyArray:
    given = np.asarray(y)
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.ndim != 1 or len(given) != n_rows:
        raise DataError(
            f"X has {n_rows} rows but y has the shape {given.shape}; give each row one label."
        )
    return given


def encode_labels(y: Any, n_rows: int, labels: Labels) -> IntArray:
    """Turn the labels of rows that a model is to be looked at on into class codes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
    n_rows : int
        That there are labels for.
    labels : Labels
        Of the model.

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    DataError
        If there are more or fewer labels than rows, a missing one, or one that training never saw.

    Examples
    --------
    >>> encode_labels(["yes", "no", "no"], 3, Labels.of(["no", "no", "yes"]))
    array([1, 0, 0])
    """
    cells = pd.Series(_one_label_each(y, n_rows), name="y")
    if n_missing := int(cells.isna().sum()):
        raise DataError(f"y has {n_missing} missing labels (NaN). Drop those rows.")
    return labels.encode(known_labels(cells, labels.classes, "y").to_numpy())


def read_labelled(
    data: str | Path | pd.DataFrame, target: str, schema: Schema, labels: Labels
) -> tuple[pd.DataFrame, IntArray, list[str]]:
    """Read labelled rows for a model to be scored on.

    Parameters
    ----------
    data : str, Path or DataFrame
        With the target column.
    target : str
    schema : Schema
    labels : Labels

    Returns
    -------
    rows : DataFrame
        Without the target; those that have no label are left out.
    y : ndarray of shape (n_samples,)
        Class codes.
    notes : list of str

    Raises
    ------
    DataError
        If the target is absent or holds a class that training never saw.
    """
    names, where = name_columns(data)
    target, _ = find_target(names, target, where)
    text = [target, *schema.text_columns]
    table = data if isinstance(data, pd.DataFrame) else read_table(Path(data), text_columns=text)
    filled, notes = find_labelled(table[target])
    known = known_labels(table.loc[filled, target], labels.classes, where)
    return table[filled].drop(columns=[target]), labels.encode(known.to_numpy()), notes


def find_target(names: Sequence[Any], target: str | None, where: str) -> tuple[Any, bool]:
    """Choose the target column; also tell whether it was a guess."""
    if target is not None:
        if target not in names:
            near = nearest_name(target, [str(name) for name in names])
            raise DataError(f"{where}: no column '{target}'; {near}")
        return target, False
    by_name = {str(name).strip().lower(): name for name in names}
    for usual in TARGET_NAMES:
        if usual in by_name:
            return by_name[usual], True
    return names[-1], True


def name_columns(data: str | Path | pd.DataFrame) -> tuple[list[Any], str]:
    """Name the columns of a file or frame, and the thing itself for messages."""
    if not isinstance(data, pd.DataFrame):
        return list(column_names(Path(data))), Path(data).name
    where = "the table"
    if not data.shape[1]:
        raise DataError(f"{where} has no columns. Give features and a target.")
    check_names(where, [str(name) for name in data.columns])
    return list(data.columns), where


def find_labelled(cells: pd.Series[Any]) -> tuple[BoolArray, list[str]]:
    """Mark the rows with a label, and note how many have none."""
    filled = cells.notna().to_numpy(dtype=bool)
    if not pd.api.types.is_numeric_dtype(cells):
        empty = cells.astype(object).map(lambda cell: isinstance(cell, str) and not cell.strip())
        filled = filled & ~empty.to_numpy(dtype=bool)
    n_missing = int((~filled).sum())
    note = f"{n_missing} rows without a label in '{cells.name}' left out."
    return filled, [note] if n_missing else []


def _read_labels(cells: pd.Series[Any], where: str, assumed: bool) -> pd.Series[Any]:
    """Turn whole numbers into integers, refuse what is no class."""
    if not len(cells):
        raise DataError(f"{where}: every cell of target '{cells.name}' is empty. Fill it in.")
    labels = _whole_numbers(cells.astype(object))
    n_distinct = labels.nunique()
    if n_distinct == 1:
        raise DataError(
            f"{where}: target '{cells.name}' is constant: every row is {labels.tolist()[0]!r}. "
            "Choose another --target, or add rows of other classes."
        )
    hint = (
        "Name the class column with --target." if assumed else "Choose a class column, or bin it."
    )
    if _is_continuous(labels, n_distinct):
        raise DataError(
            f"{where}: target '{cells.name}' is continuous: {n_distinct} distinct numbers. {hint}"
        )
    if assumed and n_distinct > MAX_CLASSES:
        raise DataError(
            f"{where}: no column is named like a target, and the last one, '{cells.name}', has "
            f"{n_distinct} distinct values. {hint}"
        )
    return labels


def _whole_numbers(labels: pd.Series[Any]) -> pd.Series[Any]:
    """Make integers of labels that are all written as such; otherwise keep them as they are."""
    if all(isinstance(label, str) for label in labels.unique()):
        written = labels.unique()
        if all(_is_integer(label) for label in written):
            return labels.map({label: int(label) for label in written})
    return labels


def _is_integer(label: str) -> bool:
    try:
        return str(int(label)) == label
    except ValueError:
        return False


def _is_continuous(labels: pd.Series[Any], n_distinct: int) -> bool:
    numbers = pd.to_numeric(labels, errors="coerce")
    if numbers.isna().any() or n_distinct <= CONTINUOUS_VALUES:
        return bool(numbers.notna().all() and (numbers % 1 != 0).any() and n_distinct > 2)
    return bool((numbers % 1 != 0).any() or n_distinct > CONTINUOUS_SHARE * len(labels))


def known_labels(cells: pd.Series[Any], classes: Sequence[Any], where: str) -> pd.Series[Any]:
    """Give labels as training had them, however they are spelled; refuse any that it never saw."""
    if not len(cells):
        raise DataError(f"{where}: every cell of target '{cells.name}' is empty. Fill it in.")
    by_text = {str(label): label for label in classes}
    found = {cell: _find_label(cell, by_text) for cell in cells.astype(object).unique()}
    unknown = sorted(str(cell) for cell, label in found.items() if label is None)
    if unknown:
        raise DataError(
            f"{where}: target '{cells.name}' holds {unknown[0]!r}, which training never saw; "
            f"the classes are {', '.join(by_text)}. Correct the labels."
        )
    return cells.astype(object).map(found)


def _find_label(cell: Any, by_text: dict[str, Any]) -> Any:
    """Find a label by its text; whole floats, as missing cells make them, are integers."""
    whole = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else None
    return by_text.get(str(cell), by_text.get(str(whole)))
