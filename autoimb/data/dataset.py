"""The table as a search sees it: a numeric matrix, class codes, and how they came to be."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autoimb.arrays import FloatArray, IntArray, keep_on_disk
from autoimb.data.columns import Column, infer_column
from autoimb.data.split_columns import take_split
from autoimb.errors import DataError, nearest_name

__all__ = ["Dataset", "Labels", "Schema", "as_table", "make_dataset"]

ROWS_AT_A_TIME = 4096


@dataclass(frozen=True)
class Schema:
    """The columns of a table, in order.

    Attributes
    ----------
    columns : tuple of Column

    Examples
    --------
    >>> table = pd.DataFrame({"age": [31, 42], "city": ["Rome", "Oslo"], "one": [1, 1]})
    >>> schema = Schema.infer(table)
    >>> schema.feature_names
    ('age', 'city')
    >>> schema.is_categorical
    (False, True)
    """

    columns: tuple[Column, ...]

    @classmethod
    def infer(cls, table: pd.DataFrame) -> Schema:
        """Decide what every column of a table holds."""
        return cls(tuple(infer_column(table.iloc[:, i]) for i in range(table.shape[1])))

    @property
    def kept(self) -> tuple[Column, ...]:
        """Columns that carry something."""
        return tuple(column for column in self.columns if column.kind != "dropped")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of the numeric matrix."""
        return tuple(name for column in self.kept for name in column.feature_names)

    @property
    def is_categorical(self) -> tuple[bool, ...]:
        """Which columns of the numeric matrix hold category codes."""
        return tuple(c.kind == "category" for c in self.kept for _ in c.feature_names)

    @property
    def n_levels(self) -> tuple[int, ...]:
        """How many categories each column of the numeric matrix has; 0 for numbers."""
        return tuple(len(c.levels) for c in self.kept for _ in c.feature_names)

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Columns whose spelling matters: a reader must not turn them into numbers."""
        return tuple(str(c.name) for c in self.kept if c.kind == "category" or c.date_format)

    def to_matrix(self, table: pd.DataFrame) -> FloatArray:
        """Turn a table into numbers; its columns may stand in any order.

        Parameters
        ----------
        table : DataFrame of shape (n_samples, n_columns)
            Columns that the schema does not know are ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Missing cells are NaN, categories their codes.

        Raises
        ------
        DataError
            If a column is missing or holds something that it cannot.
        """
        self._require(table)
        parts = [c.to_numbers(table[c.name]) for c in self.kept]
        X = np.empty((len(table), sum(part.shape[1] for part in parts)))
        # A few rows at a time: writing a long column across the rows misses the cache each time.
        for start in range(0, len(X) if parts else 0, ROWS_AT_A_TIME):
            rows = slice(start, start + ROWS_AT_A_TIME)
            # 0.0 and -0.0 are equal, but not their bits, by which copies of rows are found.
            X[rows] = np.concatenate([part[rows] for part in parts], axis=1) + 0.0
        return X

    def unseen_levels(self, table: pd.DataFrame) -> dict[Hashable, list[str]]:
        """Name the categories of each column that training never saw."""
        found = {c.name: c.unseen_levels(table[c.name]) for c in self.kept if c.name in table}
        return {name: levels for name, levels in found.items() if levels}

    def _require(self, table: pd.DataFrame) -> None:
        absent = [c.name for c in self.kept if c.name not in table.columns]
        if absent:
            near = nearest_name(str(absent[0]), [str(name) for name in table.columns])
            more = f" (and {len(absent) - 1} more)" if len(absent) > 1 else ""
            raise DataError(
                f"column '{absent[0]}'{more} is missing from the table; "
                f"the model needs {len(self.kept)} columns by name, {near}"
            )


@dataclass(frozen=True)
class Labels:
    """The classes of a target and their codes.

    Attributes
    ----------
    classes : tuple
        Sorted, as scikit-learn shows them.
    order : tuple of int
        ``order[code]`` is the place in `classes`: of two classes, code 1 is the positive one.

    Examples
    --------
    >>> labels = Labels.of(["yes", "no", "no"], positive="no")
    >>> labels.encode(["yes", "no"]), labels.positive
    (array([0, 1]), 'no')
    """

    classes: tuple[Any, ...]
    order: tuple[int, ...]

    @classmethod
    def of(cls, y: Sequence[Any] | NDArray[Any], positive: Any = None) -> Labels:
        """Read the classes off a target; by default the rarest of two is positive."""
        y = np.asarray(y)
        classes = np.unique(pd.unique(y))
        places = list(range(len(classes)))
        if len(classes) == 2:
            rarest = 1 if 2 * (y == classes[1]).sum() <= len(y) else 0
            chosen = rarest if positive is None else _find(positive, classes)
            places = [1 - chosen, chosen]
        elif positive is not None:
            _find(positive, classes)
        return cls(tuple(classes.tolist()), tuple(places))

    @property
    def positive(self) -> Any:
        """The class of interest, or None with more than two."""
        return self.classes[self.order[1]] if len(self.classes) == 2 else None

    @property
    def by_code(self) -> tuple[Any, ...]:
        """The classes in the order of their codes."""
        return tuple(self.classes[place] for place in self.order)

    def encode(self, y: Sequence[Any] | NDArray[Any]) -> IntArray:
        """Turn labels into codes."""
        places = np.searchsorted(np.asarray(self.classes), np.asarray(y))
        return np.argsort(self.order)[places].astype(np.intp)

    def decode(self, codes: IntArray) -> NDArray[Any]:
        """Turn codes into labels."""
        return np.asarray(np.asarray(self.by_code)[codes])

    def sort_columns(self, proba: FloatArray) -> FloatArray:
        """Bring probabilities from the order of codes into that of `classes`."""
        return proba[:, np.argsort(self.order)]


def _find(positive: Any, classes: NDArray[Any]) -> int:
    """Find a label as given, or by its text: a command line knows only text."""
    places = [i for i, label in enumerate(classes.tolist()) if label == positive]
    places = places or [
        i for i, label in enumerate(classes.tolist()) if str(label) == str(positive)
    ]
    if not places:
        shown = ", ".join(repr(label) for label in classes[:10].tolist())
        raise DataError(
            f"positive class {positive!r} does not occur in the target; it has {shown}."
        )
    return places[0]


@dataclass(frozen=True)
class Dataset:
    """What is searched on.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        Numbers and category codes, NaN where missing.
    y : ndarray of shape (n_samples,)
        Class codes.
    schema : Schema
    labels : Labels
    name : str
        For runs and folders.
    target : str
        Name of the target column.
    table : DataFrame
        A few raw rows, to show what the model takes.
    row_names : Index, optional
        How the rows are called where they come from; by default their places.
    row_costs : ndarray of shape (n_samples,), optional
        What it costs to miss each row, should it be positive.
    cost_column : str, optional
        That says so.
    groups : ndarray of shape (n_samples,), optional
        Number of the group whose rows stay on one side of every split.
    times : ndarray of shape (n_samples,), optional
        When each row was, as numbers that sort so: what is trained on lies before what is scored.
    group_column, time_column : str, optional
        That say so; neither is a feature.
    """

    X: FloatArray
    y: IntArray
    schema: Schema
    labels: Labels
    name: str = "data"
    target: str = "target"
    table: pd.DataFrame | None = None
    row_names: pd.Index[Any] | None = None
    row_costs: FloatArray | None = None
    cost_column: str | None = None
    groups: IntArray | None = None
    times: FloatArray | None = None
    group_column: str | None = None
    time_column: str | None = None

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.labels.classes)

    @cached_property
    def class_counts(self) -> IntArray:
        """Rows of each class, by code."""
        return np.bincount(self.y, minlength=self.n_classes)

    @cached_property
    def duplicate_groups(self) -> IntArray:
        """Number of the distinct row that each row equals, missing cells being equal."""
        if not self.X.shape[1]:
            return np.zeros(len(self.X), dtype=np.intp)
        hashes = pd.util.hash_pandas_object(pd.DataFrame(self.X, copy=False), index=False)
        return pd.factorize(hashes)[0].astype(np.intp)

    @cached_property
    def units(self) -> IntArray:
        """Number of what each row stays together with: its copies and the rows of its group."""
        if self.groups is None:
            return self.duplicate_groups
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        distinct, size = self.duplicate_groups, self.n_distinct + int(self.groups.max()) + 1
        # Distinct rows and groups are joined by the rows that they have in common.
        joined = (np.ones(len(distinct), dtype=bool), (distinct, self.n_distinct + self.groups))
        labels = connected_components(coo_array(joined, shape=(size, size)), directed=False)[1]
        return np.asarray(labels[distinct], dtype=np.intp)

    @property
    def n_distinct(self) -> int:
        """Number of distinct rows."""
        return int(self.duplicate_groups.max()) + 1

    @cached_property
    def sha256(self) -> str:
        """Tell it from any other: its columns, classes, rows and labels."""
        names = [(str(c.name), c.kind) for c in self.schema.columns]
        digest = hashlib.sha256(repr((names, self.labels.classes)).encode())
        digest.update(np.ascontiguousarray(self.X).data)
        for array in (self.row_costs, self.groups, self.times):
            if array is not None:
                digest.update(array.tobytes())
        # Whichever class is positive, the labels are the same.
        digest.update(np.asarray(self.labels.order)[self.y].tobytes())
        return digest.hexdigest()


def make_dataset(
    table: pd.DataFrame,
    y: Sequence[Any] | NDArray[Any] | pd.Series[Any],
    *,
    positive: Any = None,
    name: str = "data",
    target: str = "target",
    needs_features: bool = True,
    row_costs: pd.Series[Any] | None = None,
    groups: str | None = None,
    time: str | None = None,
) -> Dataset:
    """Turn a raw table and its labels into what a search needs.

    Parameters
    ----------
    table : DataFrame of shape (n_samples, n_columns)
        Without the target.
    y : array-like of shape (n_samples,)
        Labels without missing values.
    positive : label, optional
        The class of interest of two; the rarer one by default.
    name, target : str
        How data and target are called.
    needs_features : bool
        Whether columns that carry nothing are an error.
    row_costs : Series of shape (n_samples,), optional
        What missing each row costs, called as its column is.
    groups, time : str, optional
        Columns of the table that say which rows belong together, and when each row was.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If the target has a single class or no column carries anything.

    Examples
    --------
    >>> table = pd.DataFrame({"x": [1.0, 2.0, 3.0], "c": ["a", "b", "a"]})
    >>> make_dataset(table, ["no", "no", "yes"]).class_counts
    array([2, 1])
    """
    labels = Labels.of(np.asarray(y), positive)
    if len(labels.classes) < 2:
        raise DataError(
            f"target '{target}' has one class only, {labels.classes[0]!r}; "
            "there must be rows of at least two."
        )
    taken = {} if row_costs is None else {row_costs.name: "the cost column"}
    table, row_groups, times = take_split(table, groups, time, taken)
    schema = Schema.infer(table)
    if not schema.kept and needs_features:
        reasons = ", ".join(f"'{c.name}': {c.why_dropped}" for c in schema.columns[:5])
        raise DataError(
            f"no column can tell the classes apart ({reasons}). Add informative columns."
        )
    X = keep_on_disk(schema.to_matrix(table))
    codes = labels.encode(np.asarray(y))
    few = table.head(5).reset_index(drop=True)
    data = Dataset(
        X, codes, schema, labels, name, target, few, table.index,
        groups=row_groups, times=times, group_column=groups, time_column=time,
    )  # fmt: skip
    if row_costs is None:
        return data
    costs, column = row_costs.to_numpy(dtype=float), str(row_costs.name)
    # Whether or not it is a feature, whoever predicts has to give it.
    few = few.assign(**{column: costs[: len(few)]}) if column not in few else few
    return replace(data, row_costs=costs, cost_column=column, table=few)


def as_table(X: Any, schema: Schema | None = None) -> pd.DataFrame:
    """Show anything table-like as a frame.

    Parameters
    ----------
    X : DataFrame or array of shape (n_samples, n_columns)
    schema : Schema, optional
        Names the columns of an array by their places.

    Returns
    -------
    DataFrame

    Raises
    ------
    DataError
        If an array has not as many columns as the schema.

    Examples
    --------
    >>> as_table([[1, "a"], [2, "b"]]).columns.tolist()
    [0, 1]
    """
    if isinstance(X, pd.DataFrame):
        return X
    table = pd.DataFrame(X)
    if schema is None:
        return table
    if table.shape[1] != len(schema.columns):
        raise DataError(
            f"the array has {table.shape[1]} columns where training had {len(schema.columns)}. "
            "Give the same columns in the same order, or a DataFrame with their names."
        )
    return table.set_axis([column.name for column in schema.columns], axis=1)
