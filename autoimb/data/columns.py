"""What kind of thing each column holds, and how its cells become numbers.

Nothing here looks at the target, so a schema may be inferred from every row.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from autoimb.arrays import AnyArray, BoolArray, FloatArray, IntArray
from autoimb.errors import DataError

__all__ = ["MAX_LEVELS", "Column", "infer_column", "read_keys", "read_times"]

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
        if self.kind == "number" and pd.api.types.is_numeric_dtype(cells):
            return _plain_numbers(cells).reshape(-1, 1)
        if self.kind == "date" and _is_date(cells):
            return _date_parts(_wall_clock(cells))
        texts = _Texts.of(cells, self.name)
        features, faulty = self._read(texts.distinct)
        self._refuse(cells, faulty[texts.codes] & (texts.codes >= 0))
        return features[texts.codes]

    def unseen_levels(self, cells: pd.Series[Any]) -> list[str]:
        """List the texts of a category column that training never saw."""
        if self.kind != "category":
            return []
        return sorted(set(_Texts.of(cells, self.name).distinct[:-1]) - set(self.levels))

    def _read(self, texts: AnyArray) -> tuple[FloatArray, BoolArray]:
        """Turn texts into features; also say which of them the column cannot hold."""
        if self.kind == "date":
            dates = _read_dates(texts, self.date_format)
            return _date_parts(dates), dates.isna().to_numpy(dtype=bool)
        if self.kind == "category":
            code_of = {level: code for code, level in enumerate(self.levels)}
            numbers = np.array([code_of.get(text, np.nan) for text in texts])
            return numbers.reshape(-1, 1), np.zeros(len(texts), dtype=bool)
        numbers = _read_numbers(texts)
        faulty = np.isnan(numbers)
        faulty[faulty] = [str(text).lower() not in self.words for text in texts[faulty]]
        return _finite(numbers).reshape(-1, 1), faulty

    def _refuse(self, cells: pd.Series[Any], faulty: BoolArray) -> None:
        """Name the first cell that cannot be what the column was in training."""
        if faulty.any():
            first = int(np.flatnonzero(faulty)[0])
            raise DataError(
                f"column '{self.name}', row {cells.index[first]}: found {cells.iloc[first]!r} "
                f"where training had a {self.kind} ({int(faulty.sum())} such cells). "
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
    if _is_date(cells):
        return _unless_constant(Column(name, "date"), cells)
    if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_complex_dtype(cells):
        return _unless_constant(Column(name, "number"), pd.Series(_plain_numbers(cells)))
    texts = _Texts.of(cells, name)
    n_distinct = len(texts.distinct) - 1
    if n_distinct <= 1:
        why = "always the same" if n_distinct else "always missing"
        return Column(name, "dropped", why_dropped=why)
    return _infer_text_column(name, texts)


def read_keys(cells: pd.Series[Any]) -> IntArray:
    """Give each distinct cell of a column a number, however they are typed.

    Parameters
    ----------
    cells : Series of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,)
        From 0 on, in order of appearance; -1 for missing cells.

    Examples
    --------
    >>> read_keys(pd.Series(["b", "a", None, "b"]))
    array([ 0,  1, -1,  0])
    """
    if pd.api.types.is_numeric_dtype(cells):
        return pd.factorize(cells)[0].astype(np.intp)
    return _Texts.of(cells, cells.name).codes


def read_times(cells: pd.Series[Any]) -> FloatArray:
    """Turn dates, of any type or format, or numbers into numbers that sort as they do.

    Parameters
    ----------
    cells : Series of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,)
        Days, or the numbers; NaN for cells that are missing or neither.

    Examples
    --------
    >>> read_times(pd.Series(["1970-01-02", "1970-01-03 12:00", "soon"]))
    array([1. , 2.5, nan])
    """
    if _is_date(cells):
        has_zone = getattr(cells.dtype, "tz", None) is not None
        # By the wall clock an hour would come twice when summer ends.
        return _elapsed_days(_wall_clock(cells.dt.tz_convert("UTC") if has_zone else cells))
    if pd.api.types.is_numeric_dtype(cells):
        return _plain_numbers(cells)
    texts = _Texts.of(cells, cells.name)
    return np.append(_read_moments(texts.distinct[:-1]), np.nan)[texts.codes]


def _read_moments(texts: AnyArray) -> FloatArray:
    """Read numbers or, in the one format that fits most texts, dates."""
    best = _finite(_read_numbers(texts))
    for date_format in DATE_FORMATS:
        if not np.isnan(best).any():
            break
        found = _elapsed_days(_read_dates(texts, date_format))
        best = found if np.isfinite(found).sum() > np.isfinite(best).sum() else best
    return best


def _unless_constant(column: Column, cells: pd.Series[Any]) -> Column:
    filled = cells.dropna()
    if len(filled) and (filled != filled.iloc[0]).any():
        return column
    why = "always the same" if len(filled) else "always missing"
    return Column(column.name, "dropped", why_dropped=why)


def _infer_text_column(name: Hashable, texts: _Texts) -> Column:
    distinct, filled = texts.distinct[:-1], texts.codes[texts.codes >= 0]
    sizes = np.bincount(filled)
    numbers = _read_numbers(distinct)
    faulty = np.isnan(numbers)
    is_numeric = sizes[faulty].sum() / len(filled) <= 1 - NUMERIC_SHARE
    if is_numeric and len(np.unique(_finite(numbers[~faulty]))) > 1:
        return Column(name, "number", words=frozenset(text.lower() for text in distinct[faulty]))
    date_format = _find_date_format(distinct, n_looked_at=filled[:100].max() + 1)
    if date_format:
        return Column(name, "date", date_format=date_format)
    if len(distinct) > max(IDENTIFIER_LEVELS, IDENTIFIER_SHARE * len(filled)):
        return Column(name, "dropped", why_dropped="a different text in nearly every row")
    # Ties in frequency are broken by name, so that row order does not change the codes.
    ordered = sorted(zip(-sizes, distinct, strict=True))[:MAX_LEVELS]
    return Column(name, "category", levels=tuple(text for _, text in ordered))


@dataclass(frozen=True)
class _Texts:
    """Each text of a column once, as they appear, then NaN, to which the code -1 of gaps leads."""

    distinct: AnyArray
    codes: IntArray

    @classmethod
    def of(cls, cells: pd.Series[Any], name: Hashable = None) -> _Texts:
        """Spell cells the same way whatever type they came in; missing words become missing."""
        codes, distinct = _distinct_cells(cells)
        spelled = np.array([_spell(cell, name) for cell in distinct], dtype=object)
        places, texts = pd.factorize(spelled)
        return cls(np.append(texts, np.nan), np.append(places, -1)[codes])


def _distinct_cells(cells: pd.Series[Any]) -> tuple[IntArray, Iterable[Any]]:
    """Find the distinct cells, and which of them each row holds; -1 stands for a gap."""
    if not isinstance(cells.dtype, (pd.StringDtype, pd.CategoricalDtype)):
        cells = cells.astype(object).where(cells.notna(), np.nan)
        # Cells of other types may be equal but spelled differently, such as 1 and True: keep each.
        if pd.api.types.infer_dtype(cells, skipna=True) != "string":
            return np.arange(len(cells)), cells
    codes, distinct = pd.factorize(cells)
    return codes, distinct.astype(object)


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


def _plain_numbers(cells: pd.Series[Any]) -> FloatArray:
    """Take the numbers of a numeric column."""
    return _finite(cells.to_numpy(dtype=float, na_value=np.nan))


def _read_numbers(texts: AnyArray) -> FloatArray:
    """Read numbers; NaN stands for a text that is none."""
    cells = np.array([TRUTH_WORDS.get(text, text) for text in texts], dtype=object)
    return np.asarray(pd.to_numeric(cells, errors="coerce"), dtype=float)


def _finite(numbers: FloatArray) -> FloatArray:
    """Count what is infinite as missing."""
    is_infinite = np.abs(numbers) > MAX_NUMBER
    return np.where(is_infinite, np.nan, numbers) if is_infinite.any() else numbers


def _is_date(cells: pd.Series[Any]) -> bool:
    return pd.api.types.is_datetime64_any_dtype(cells) or isinstance(cells.dtype, pd.PeriodDtype)


def _find_date_format(texts: AnyArray, n_looked_at: int) -> str | None:
    """Find the one format in which every text is a date, if the first ones look like dates."""
    if not all(DATE_SHAPE.match(text) for text in texts[:n_looked_at]):
        return None
    for date_format in DATE_FORMATS:
        if _read_dates(texts, date_format).notna().all():
            return date_format
    return None


def _read_dates(texts: AnyArray, date_format: str | None) -> pd.Series[Any]:
    """Read dates; NaT stands for a text that is none."""
    spelled = pd.Series(texts, dtype=object)
    return _wall_clock(
        pd.to_datetime(spelled, format=date_format or "ISO8601", errors="coerce", utc=True)
    )


def _wall_clock(dates: pd.Series[Any]) -> pd.Series[Any]:
    """Turn dates of any type into those without a zone."""
    if isinstance(dates.dtype, pd.PeriodDtype):
        dates = dates.dt.to_timestamp()
    if isinstance(dates.dtype, pd.ArrowDtype):
        dates = pd.to_datetime(dates.astype(object)).astype("datetime64[us]")
    dates = dates.dt.tz_localize(None) if dates.dt.tz is not None else dates
    return dates.astype("datetime64[us]")


def _date_parts(dates: pd.Series[Any]) -> FloatArray:
    parts: FloatArray = np.column_stack([
        dates.dt.year, dates.dt.month, dates.dt.day_of_week, dates.dt.hour,
        _elapsed_days(dates),
    ]).astype(float)  # fmt: skip
    parts[dates.isna().to_numpy()] = np.nan
    return parts


def _elapsed_days(dates: pd.Series[Any]) -> FloatArray:
    seconds = (dates - pd.Timestamp(0).as_unit("us")).dt.total_seconds()
    return np.asarray(seconds, dtype=float) / SECONDS_A_DAY
