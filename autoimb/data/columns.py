"""What kind of thing each column holds, and how its cells become numbers.

Nothing here looks at the target, so a schema may be inferred from every row.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from autoimb.arrays import FloatArray
from autoimb.errors import DataError

__all__ = ["MAX_LEVELS", "Column", "infer_column"]

Kind = Literal["number", "category", "date", "dropped"]

# Words that stand for a missing cell, beside those that pandas knows.
MISSING_WORDS = frozenset({"", "?", "na", "n/a", "nan", "null", "-", "--", ".", "<na>", "nat"})
# Those that pandas takes for missing in a file, so that they are missing in a frame as well.
PANDAS_WORDS = frozenset({"None", "#N/A", "#NA", "#N/A N/A", "-nan", "-NaN"})
TRUTH_WORDS = {"true": 1.0, "false": 0.0}
# A text column is numeric when nearly all of its filled cells are; the rest counts as missing.
NUMERIC_SHARE = 0.9
# Beyond this many levels the rarest ones count as missing: they cannot be learned from.
MAX_LEVELS = 1000
# Nearly every row its own text: a name, an identifier or prose, not a category.
IDENTIFIER_SHARE = 0.9
IDENTIFIER_LEVELS = 50
DATE_SHAPE = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}.*)?$")
DATE_FORMATS = ("ISO8601", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%m/%d/%Y %H:%M",
                "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S",
                "%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S")  # fmt: skip
DATE_PARTS = ("year", "month", "weekday", "hour", "elapsed days")
# Trees work in 32 bits and refuse what does not fit; beyond it, a number counts as infinite.
MAX_NUMBER = 1e38
SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True)
class Column:
    """One column of the table as the model knows it.

    Attributes
    ----------
    name : hashable
        Its name in the table.
    kind : {"number", "category", "date", "dropped"}
        A dropped column carries nothing and may be absent from later tables.
    levels : tuple of str
        Of a category, most frequent first; any other text counts as missing.
    words : frozenset of str
        Of a number, texts that stood among the numbers and count as missing.
    date_format : str or None
        Of a date written as text.
    why_dropped : str
        Reason in plain words.
    """

    name: Hashable
    kind: Kind
    levels: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    date_format: str | None = None
    why_dropped: str = ""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the numeric features that the column becomes."""
        if self.kind == "dropped":
            return ()
        if self.kind == "date":
            return tuple(f"{self.name} {part}" for part in DATE_PARTS)
        return (str(self.name),)

    def to_numbers(self, cells: pd.Series[Any]) -> FloatArray:
        """Turn cells into features; categories become codes, missing cells NaN.

        Parameters
        ----------
        cells : Series of shape (n_samples,)
            Of any type that can stand for the column.

        Returns
        -------
        ndarray of shape (n_samples, n_features)

        Raises
        ------
        DataError
            If a number or date column holds a text that is neither.

        Examples
        --------
        >>> column = infer_column(pd.Series(["a", "b", "b", None], name="city"))
        >>> column.to_numbers(pd.Series(["a", "b", "c"])).ravel()
        array([ 1.,  0., nan])
        """
        if self.kind == "dropped":
            return np.empty((len(cells), 0))
        if self.kind == "number":
            numbers, faulty = _parse_numbers(cells, self.words)
        elif self.kind == "date":
            return self._date_features(cells)
        else:
            return self._codes(cells)
        self._refuse(cells, faulty, "a number")
        return numbers.reshape(-1, 1)

    def unseen_levels(self, cells: pd.Series[Any]) -> list[str]:
        """List the texts of a category column that training never saw."""
        if self.kind != "category":
            return []
        text = as_text(cells)
        return sorted(set(text.dropna().unique()) - set(self.levels))

    def _codes(self, cells: pd.Series[Any]) -> FloatArray:
        code_of = {level: float(code) for code, level in enumerate(self.levels)}
        return np.asarray(as_text(cells).map(code_of), dtype=float).reshape(-1, 1)

    def _date_features(self, cells: pd.Series[Any]) -> FloatArray:
        dates = _parse_dates(cells, self.date_format)
        missing = dates.isna()
        self._refuse(cells, (missing & as_text(cells).notna()).to_numpy(), "a date")
        parts: FloatArray = np.column_stack([
            dates.dt.year, dates.dt.month, dates.dt.day_of_week, dates.dt.hour,
            (dates - pd.Timestamp(0).as_unit("us")).dt.total_seconds() / SECONDS_A_DAY,
        ]).astype(float)  # fmt: skip
        parts[missing.to_numpy()] = np.nan
        return np.asarray(parts)

    def _refuse(self, cells: pd.Series[Any], faulty: np.ndarray[Any, Any], wanted: str) -> None:
        """Name the first cell that cannot be what the column was in training."""
        if faulty.any():
            first = int(np.flatnonzero(faulty)[0])
            raise DataError(
                f"column '{self.name}', row {cells.index[first]}: found {cells.iloc[first]!r} "
                f"where training had {wanted} ({int(faulty.sum())} such cells). "
                "Correct the cells, or leave them empty."
            )


def infer_column(cells: pd.Series[Any]) -> Column:
    """Decide what a column holds.

    Parameters
    ----------
    cells : Series
        Every training row's cell.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        If cells hold lists, dicts or other objects that are neither text nor number.

    Examples
    --------
    >>> infer_column(pd.Series(["1", "2.5", "?", "4"], name="x")).kind
    'number'
    >>> infer_column(pd.Series([7, 7, 7], name="x")).why_dropped
    'always the same'
    """
    name = cells.name
    filled = cells.dropna()
    if _is_date(cells):
        return _unless_constant(Column(name, "date"), filled)
    if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_complex_dtype(cells):
        numbers, _ = _parse_numbers(filled, frozenset())
        return _unless_constant(Column(name, "number"), pd.Series(numbers).dropna())
    text = as_text(cells, name).dropna()
    if text.nunique() <= 1:
        why = "always the same" if len(text) else "always missing"
        return Column(name, "dropped", why_dropped=why)
    return _infer_text_column(name, text)


def _unless_constant(column: Column, filled: pd.Series[Any]) -> Column:
    if len(filled) and (filled != filled.iloc[0]).any():
        return column
    why = "always the same" if len(filled) else "always missing"
    return Column(column.name, "dropped", why_dropped=why)


def _infer_text_column(name: Hashable, text: pd.Series[Any]) -> Column:
    numbers, faulty = _parse_numbers(text, frozenset())
    if faulty.mean() <= 1 - NUMERIC_SHARE and len(np.unique(numbers[~faulty])) > 1:
        return Column(name, "number", words=frozenset(text[faulty].str.lower()))
    date_format = _find_date_format(text)
    if date_format:
        return Column(name, "date", date_format=date_format)
    sizes = text.value_counts()
    if len(sizes) > max(IDENTIFIER_LEVELS, IDENTIFIER_SHARE * len(text)):
        return Column(name, "dropped", why_dropped="a different text in nearly every row")
    # Ties in frequency are broken by name, so that row order does not change the codes.
    ordered = sizes.rename_axis("level").reset_index(name="n")
    ordered = ordered.sort_values(["n", "level"], ascending=[False, True])
    return Column(name, "category", levels=tuple(ordered["level"].head(MAX_LEVELS)))


def as_text(cells: pd.Series[Any], name: Hashable = None) -> pd.Series[Any]:
    """Spell cells the same way whatever type they came in; missing words become missing.

    Parameters
    ----------
    cells : Series
        Of text, numbers, booleans or a mix.
    name : hashable, optional
        For the error message.

    Returns
    -------
    Series of object dtype

    Examples
    --------
    >>> as_text(pd.Series([1.0, "1", True, "?"], dtype=object)).tolist()
    ['1', '1', 'true', nan]
    """
    cells = cells.astype(object).where(cells.notna(), np.nan)
    if pd.api.types.infer_dtype(cells, skipna=True) != "string":
        return cells.map(lambda cell: _spell(cell, name), na_action="ignore").astype(object)
    spelled = {text: _spell(text, name) for text in cells.dropna().unique()}
    return cells.map(spelled).astype(object)


def _spell(cell: Any, name: Hashable) -> str | float:
    """Write one cell: whole floats as integers, truth values as true and false."""
    if isinstance(cell, (bool, np.bool_)):
        return str(bool(cell)).lower()
    if isinstance(cell, (float, np.floating)) and float(cell).is_integer():
        return str(int(cell))
    if isinstance(cell, (str, int, float, np.number, pd.Timestamp)):
        text = str(cell).strip()
        if text.lower() in TRUTH_WORDS:
            return text.lower()
        return np.nan if text.lower() in MISSING_WORDS or text in PANDAS_WORDS else text
    if isinstance(cell, (list, dict, set, tuple, np.ndarray)):
        raise DataError(
            f"column '{name}' holds a {type(cell).__name__}; "
            "a cell must be a string, a number, a truth value or a date."
        )
    return str(cell)


def _parse_numbers(
    cells: pd.Series[Any], words: frozenset[str]
) -> tuple[FloatArray, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Read numbers; also say which filled cells are none. Infinite counts as missing."""
    if pd.api.types.is_numeric_dtype(cells):
        numbers = cells.to_numpy(dtype=float, na_value=np.nan)
        return _finite(numbers), np.zeros(len(cells), dtype=bool)
    text = as_text(cells)
    numbers = pd.to_numeric(
        text.map(lambda cell: TRUTH_WORDS.get(cell, cell)), errors="coerce"
    ).to_numpy(dtype=float)
    faulty = np.isnan(numbers) & text.notna().to_numpy()
    faulty &= ~text.astype(str).str.lower().isin(words).to_numpy()
    return _finite(numbers), faulty


def _finite(numbers: FloatArray) -> FloatArray:
    """Count what is infinite as missing."""
    is_infinite = np.abs(numbers) > MAX_NUMBER
    return np.where(is_infinite, np.nan, numbers) if is_infinite.any() else numbers


def _is_date(cells: pd.Series[Any]) -> bool:
    return pd.api.types.is_datetime64_any_dtype(cells) or isinstance(cells.dtype, pd.PeriodDtype)


def _find_date_format(text: pd.Series[Any]) -> str | None:
    """Find the one format in which every cell is a date."""
    if not text.head(100).map(lambda cell: bool(DATE_SHAPE.match(cell))).all():
        return None
    for date_format in DATE_FORMATS:
        if _parse_dates(text, date_format).notna().all():
            return date_format
    return None


def _parse_dates(cells: pd.Series[Any], date_format: str | None) -> pd.Series[Any]:
    """Read dates as wall-clock times without a zone."""
    if isinstance(cells.dtype, pd.PeriodDtype):
        cells = cells.dt.to_timestamp()
    if isinstance(cells.dtype, pd.ArrowDtype) and _is_date(cells):
        cells = pd.to_datetime(cells.astype(object)).astype("datetime64[us]")
    if not pd.api.types.is_datetime64_any_dtype(cells):
        spelled = as_text(cells)
        cells = pd.to_datetime(spelled, format=date_format or "ISO8601", errors="coerce", utc=True)
    cells = cells.dt.tz_localize(None) if cells.dt.tz is not None else cells
    return cells.astype("datetime64[us]")
