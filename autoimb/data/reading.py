"""Read files into pandas frames as they are, and say in one line why one cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from autoimb.data.delimited import (
    DelimitedTable,
    check_names,
    empty,
    no_rows,
    open_bytes,
    open_delimited,
    unreadable,
)
from autoimb.errors import DataError

__all__ = ["column_names", "data_name", "read_chunks", "read_table"]

_TEXT = (".csv.gz", ".tsv.gz", ".csv", ".tsv", ".txt")
_PARQUET = (".parquet", ".pq")


def read_table(path: Path | str, *, text_columns: Sequence[str] = ()) -> pd.DataFrame:
    r"""Read a whole file.

    Parameters
    ----------
    path : path or str
        A ``.csv``, ``.csv.gz``, ``.tsv``, ``.tsv.gz``, ``.txt``, ``.parquet`` or ``.pq`` file.
        Text is UTF-8; the separator of csv and txt files is found in their first lines.
    text_columns : sequence of str, optional
        Columns to read as text in the spelling of the file; only an empty cell is missing
        there. A name that is not in the file is ignored.

    Returns
    -------
    pandas.DataFrame
        The rows, numbered from 0.

    Raises
    ------
    DataError
        The file cannot be read as a table; the message says where and why.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "loans.csv")
    >>> _ = path.write_text("id;default\n1;007\n2;NA\n")
    >>> read_table(path, text_columns=["default"])["default"].tolist()
    ['007', 'NA']
    """
    source = _existing_file(path)
    if _extension(source) in _PARQUET:
        return next(_parquet_frames(source, None, text_columns))
    with _delimited(source) as table:
        frame: pd.DataFrame = pd.read_csv(table.rows(), **table.pandas_options(text_columns))
        return frame


def read_chunks(
    path: Path | str, *, n_rows: int = 100_000, text_columns: Sequence[str] = ()
) -> Iterator[pd.DataFrame]:
    r"""Read a file piece by piece, in memory bounded by the size of a piece.

    Parameters
    ----------
    path : path or str
        As in `read_table`.
    n_rows : int, default 100_000
        Rows in a piece, at most.
    text_columns : sequence of str, optional
        As in `read_table`. The types of other columns are inferred anew in each piece.

    Yields
    ------
    pandas.DataFrame
        The next rows; their numbers continue from piece to piece.

    Raises
    ------
    DataError
        As in `read_table`, when the piece that holds the fault is asked for.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "loans.csv")
    >>> _ = path.write_text("id,default\n1,no\n2,yes\n3,no\n")
    >>> [list(piece.index) for piece in read_chunks(path, n_rows=2)]
    [[0, 1], [2]]
    """
    source = _existing_file(path)
    if _extension(source) in _PARQUET:
        yield from _parquet_frames(source, n_rows, text_columns)
        return
    with _delimited(source) as table:
        options = table.pandas_options(text_columns)
        with pd.read_csv(table.rows(), chunksize=n_rows, **options) as chunks:
            yield from chunks


def column_names(path: Path | str) -> list[str]:
    r"""Read the names of the columns only.

    Parameters
    ----------
    path : path or str
        As in `read_table`.

    Returns
    -------
    list of str
        The names that the frame of `read_table` has.

    Raises
    ------
    DataError
        The file or its header cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "loans.tsv")
    >>> _ = path.write_text("id\tdefault\n")
    >>> column_names(path)
    ['id', 'default']
    """
    source = _existing_file(path)
    if _extension(source) in _PARQUET:
        with _parquet_file(source) as file:
            return _parquet_columns(source, file.schema_arrow)
    with _delimited(source) as table:
        return table.names


def data_name(path: Path | str) -> str:
    """Name the data for a folder: the file name without extension or awkward characters.

    Parameters
    ----------
    path : path or str
        A file, which need not exist.

    Returns
    -------
    str
        At most 40 letters, digits, ``.``, ``_`` and ``-``.

    Examples
    --------
    >>> data_name("exports/card payments 2024.csv.gz")
    'card-payments-2024'
    """
    name = Path(path).name
    extension = _extension(Path(path)) or Path(path).suffix
    stem = name[: len(name) - len(extension)]
    return re.sub(r"[^\w.-]+", "-", stem)[:40].strip(".-") or "data"


def _extension(path: Path) -> str:
    """Return the known extension of a path, or nothing."""
    name = path.name.lower()
    return next((known for known in _TEXT + _PARQUET if name.endswith(known)), "")


def _delimited(path: Path) -> AbstractContextManager[DelimitedTable]:
    """Open a text file; only .tsv says what its separator is."""
    return open_delimited(path, "\t" if _extension(path).startswith(".tsv") else None)


def _existing_file(path: Path | str) -> Path:
    """Return the path of a file that has a known extension and is not empty."""
    source = Path(path).expanduser()
    try:
        status = source.stat()
    except FileNotFoundError:
        raise DataError(f"{source}: no such file. {_nearest_file(source)}") from None
    except OSError as error:
        raise unreadable(source, error) from None
    if source.is_dir():
        raise DataError(f"{source}: is a folder. Give a file in it.")
    if not _extension(source):
        known = " ".join(sorted(_TEXT + _PARQUET))
        found = f"extension '{source.suffix}'" if source.suffix else "a name without extension"
        raise DataError(f"{source}: {found}. Use one of: {known}.")
    if source.is_file() and status.st_size == 0:
        raise empty(source)
    return source


def _nearest_file(path: Path) -> str:
    """Say what to do about a file that is not there."""
    if not path.parent.is_dir():
        return f"There is no folder '{path.parent}'; check the path."
    try:
        names = [file.name for file in path.parent.iterdir() if file.is_file()]
    except OSError:
        names = []
    close = get_close_matches(path.name, names, n=1)
    return f"Did you mean '{path.parent / close[0]}'?" if close else "Check the path."


@contextmanager
def _parquet_file(path: Path) -> Iterator[Any]:
    """Open a Parquet file; what fails while it is open is a fault of the file."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise DataError(
            f"{path}: Parquet needs pyarrow. Install it: pip install pyarrow."
        ) from None
    try:
        with open_bytes(path) as binary:
            yield pq.ParquetFile(binary)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise DataError(f"{path}: damaged Parquet file ({reason}). Write it again.") from None


def _parquet_columns(path: Path, schema: Any) -> list[str]:
    """Return the columns that are not the index of the pandas frame that was written."""
    index = (schema.pandas_metadata or {}).get("index_columns", [])
    names = [name for name in schema.names if name not in index]
    if len(names) == 1:
        raise DataError(f"{path}: only one column, '{names[0]}'. Give a file with more columns.")
    check_names(path, names)
    return names


def _parquet_frames(
    path: Path, n_rows: int | None, text_columns: Sequence[str]
) -> Iterator[pd.DataFrame]:
    """Yield the rows in pieces of at most ``n_rows``, or in one."""
    with _parquet_file(path) as file:
        names = _parquet_columns(path, file.schema_arrow)
        if file.metadata.num_rows == 0:
            raise no_rows(path)
        start = 0
        for batch in [file.read()] if n_rows is None else file.iter_batches(batch_size=n_rows):
            frame = _parquet_frame(batch.select(names), text_columns)
            frame.index = pd.RangeIndex(start, start + len(frame))
            start += len(frame)
            yield frame


def _parquet_frame(table: Any, text_columns: Sequence[str]) -> pd.DataFrame:
    """Convert arrow columns to what a text file would give, and dates to timestamps."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {}
    for name, column in zip(table.schema.names, table.columns, strict=True):
        if name in text_columns:
            text = column.cast(pa.string())
            text = pc.utf8_capitalize(text) if pa.types.is_boolean(column.type) else text
            column = pc.if_else(pc.equal(text, ""), None, text)
        elif pa.types.is_decimal(column.type):
            column = column.cast(pa.float64())
        columns[name] = column
    frame: pd.DataFrame = pa.table(columns).to_pandas(date_as_object=False)
    return frame
