"""Text tables: find the separator, and let through only rows as long as the header."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import pandas as pd

from autoimb.errors import DataError

__all__ = ["DelimitedTable", "check_names", "empty", "no_rows"]
__all__ += ["open_bytes", "open_delimited", "unreadable"]

_SEPARATORS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
_SNIFFED_LINES = 100
_BLOCK_SIZE = 1 << 17  # characters; pandas is slower on pieces much smaller or larger
_PARSED_LINES = 2000
_CELL_LINES = 100

# The default of pandas.read_csv, spelled out: it cannot be kept for some columns only.
_MISSING = [
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
]

_SIGNATURES = {
    b"\x1f\x8b": "is gzip data. Name it .csv.gz.",
    b"PAR1": "is a Parquet file. Name it .parquet.",
    b"PK\x03\x04": "is a zip or Excel file. Save it as CSV.",
}


@dataclass(frozen=True)
class DelimitedTable:
    """A text table behind its header.

    Attributes
    ----------
    path : path
        The file, for messages.
    separator : str
        What stands between two fields.
    names : list of str
        The columns, as pandas names them.
    first_line : int
        The number of the line after the header.
    blocks : iterator of str
        The text after the header, in pieces that end where a line ends.
    """

    path: Path
    separator: str
    names: list[str]
    first_line: int
    blocks: Iterator[str]

    def rows(self) -> io.TextIOBase:
        """Return the checked rows as a file for `pandas.read_csv`."""
        checked = self._checked()
        first = next(checked, None)
        if first is None:
            raise no_rows(self.path)
        return _Feed(chain([first], checked))

    def pandas_options(self, text_columns: Sequence[str]) -> dict[str, Any]:
        """Return the other arguments of `pandas.read_csv`."""
        text = set(text_columns) & set(self.names)
        options: dict[str, Any] = {
            "sep": self.separator,
            "names": self.names,
            "header": None,
            "index_col": False,
            "skip_blank_lines": False,
            "low_memory": False,
        }
        if text:
            options["dtype"] = dict.fromkeys(text, str)
            options["keep_default_na"] = False
            options["na_values"] = {n: [""] if n in text else _MISSING for n in self.names}
        return options

    def _checked(self) -> Iterator[str]:
        """Yield the text of the rows, after counting the fields of each."""
        line = self.first_line
        for block in self.blocks:
            if not self._is_plain(block):
                # A quoted cell may run on into any later block: one parser takes the rest.
                lines = chain.from_iterable(map(_lines, chain([block], self.blocks)))
                yield from self._parsed(lines, line)
                return
            yield block
            line += block.count("\n")

    def _is_plain(self, block: str) -> bool:
        """Tell whether separators and quotes alone prove that every row is whole."""
        if not block.endswith("\n"):
            return False
        if '"' in block:
            block = self._without_quoted_cells(block)
        if "\r" in block and block.count("\r") != block.count("\r\n"):
            return False
        separator = self.separator.encode()
        dropped = bytes(set(range(256)) - set(b'"\n' + separator))
        skeleton = block.encode().translate(None, dropped)
        row = separator * (len(self.names) - 1) + b"\n"
        return skeleton == row * (len(skeleton) // len(row))

    def _without_quoted_cells(self, block: str) -> str:
        """Put x for each quoted cell, unless a quote stands where no cell begins or ends."""
        pieces = block.split('"')
        outside = pieces[::2]
        edges = f"{self.separator}\r\n"
        # Nothing between two quotes is a doubled quote, which does not end its cell.
        between = set(outside[1:-1]) - {""}
        if (
            len(pieces) % 2 == 0
            or outside[0][-1:] not in edges
            or outside[-1][:1] not in edges
            or any(piece[0] not in edges or piece[-1] not in edges for piece in between)
        ):
            return block
        return "x".join(outside)

    def _parsed(self, lines: Iterable[str], first_line: int) -> Iterator[str]:
        """Yield the text of the rows without blank lines, after parsing each."""
        checked: list[str] = []
        for record in _records(self.path, lines, self.separator, first_line):
            if len(record.cells) != len(self.names):
                raise self._ragged(record)
            checked += record.source
            if len(checked) >= _PARSED_LINES:
                yield "".join(checked)
                checked.clear()
        if checked:
            yield "".join(checked)

    def _ragged(self, record: _Record) -> DataError:
        n_fields, n_names = len(record.cells), len(self.names)
        found = "1 field" if n_fields == 1 else f"{n_fields} fields"
        advice = (
            "Quote fields that hold the separator, or repair the line."
            if n_fields > n_names
            else "Add the missing fields, or remove the line."
        )
        return DataError(
            f"{self.path}: line {record.line} has {found} where the header has {n_names}. {advice}"
        )


@contextmanager
def open_delimited(path: Path, separator: str | None) -> Iterator[DelimitedTable]:
    """Open a text table and read its header.

    Parameters
    ----------
    path : path
        A file, gzipped if its name says so.
    separator : str or None
        What stands between two fields; None to find it in the first lines.

    Yields
    ------
    DelimitedTable
        The header, and the rows as long as the file is open.

    Raises
    ------
    DataError
        The file or its header cannot be read.
    """
    with (
        open_bytes(path) as binary,
        io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as file,
    ):
        blocks = _blocks(path, file)
        head = list(_lines(next(blocks, "")))
        found = separator or _sniffed(head)
        header = next(_records(path, head, found, 1), None)
        if header is None:
            raise empty(path)
        if len(header.cells) == 1:
            raise _one_column(path, header.cells[0], separator)
        check_names(path, header.cells)
        text = io.StringIO("".join(header.source), newline="")
        names = list(pd.read_csv(text, sep=found, nrows=0).columns)
        n_lines = header.line - 1 + len(header.source)
        rest = "".join(head[n_lines:])
        yield DelimitedTable(path, found, names, n_lines + 1, chain([rest] if rest else [], blocks))


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, through gzip where the name says so."""
    try:
        if path.suffix.lower() == ".gz":
            return cast("IO[bytes]", gzip.open(path))
        return path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from None


def check_names(path: Path | str, names: Iterable[str]) -> None:
    """Refuse column names that occur twice; several may be empty."""
    repeated = [f"'{name}'" for name, n in Counter(names).items() if n > 1 and name]
    if repeated:
        more = f" and {len(repeated) - 5} more" if len(repeated) > 5 else ""
        raise DataError(
            f"{path}: column names occur more than once: {', '.join(repeated[:5])}{more}. "
            "Give each column a name of its own."
        )


def empty(path: Path) -> DataError:
    """Return the error of a file that holds nothing."""
    return DataError(f"{path}: empty. Give a file with a header line and rows.")


def no_rows(path: Path) -> DataError:
    """Return the error of a table without rows."""
    return DataError(f"{path}: a header and no rows. Give a file with at least one row.")


def unreadable(path: Path, error: OSError) -> DataError:
    """Return the error of a file that the system does not let us read."""
    reason = error.strerror or str(error)
    return DataError(f"{path}: cannot be read ({reason}). Check the file and its permissions.")


class _Record(NamedTuple):
    """One row of a text table, which may span lines."""

    line: int
    cells: list[str]
    source: list[str]


class _Feed(io.TextIOBase):
    """Pieces of text behind the one method of a file that pandas calls."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts

    def read(self, size: int | None = -1, /) -> str:
        """Return the next piece, whatever its size."""
        return next(self._texts, "")


class _Tape:
    """Lines on their way to a csv reader, kept until their row is complete."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.kept: list[str] = []
        self.ended = False
        self._lines = lines

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.kept.append(line)
            yield line
        self.ended = True


def _records(
    path: Path, lines: Iterable[str], separator: str, first_line: int
) -> Iterator[_Record]:
    """Parse lines into rows with their line numbers, without the blank ones."""
    tape = _Tape(lines)
    reader = csv.reader(tape, delimiter=separator)
    line = first_line
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            raise DataError(
                f"{path}: line {line} has a cell of more than {csv.field_size_limit()} characters "
                "or a quote that is never closed. Close the quote, or shorten the cell."
            ) from None
        if cells is None:
            return
        if tape.ended:  # the reader asked for more lines only to end a quoted cell
            raise DataError(
                f"{path}: line {line} opens a quote that is never closed. "
                "Close it, or double the quotes that belong to a cell."
            )
        if len(cells) > 1 or tape.kept[0].strip():
            yield _Record(line, cells, tape.kept)
        tape.kept = []
        line = first_line + reader.line_num


def _one_column(path: Path, name: str, separator: str | None) -> DataError:
    """Say which separators did not cut the header."""
    tried = " ".join(_SEPARATORS.values())
    advice = (
        f"found with ','; tried {tried}. Separate the columns by one of these."
        if separator is None
        else f"found with {_SEPARATORS[separator]}. Separate the columns by it, or name it .csv."
    )
    return DataError(f"{path}: only one column, '{name[:40]}', {advice}")


def _sniffed(lines: Sequence[str]) -> str:
    """Return the separator that cuts the first lines most evenly, then most finely."""
    sample = [line for line in lines[:_SNIFFED_LINES] if line.strip()]
    return max(_SEPARATORS, key=lambda separator: _evenness(sample, separator))


def _evenness(lines: Sequence[str], separator: str) -> tuple[float, int]:
    """Return the share of rows as long as the first, and its length."""
    try:
        lengths = [len(row) for row in csv.reader(lines, delimiter=separator)]
    except csv.Error:
        return 0.0, 0
    if not lengths or lengths[0] == 1:
        return 0.0, 0
    return lengths.count(lengths[0]) / len(lengths), lengths[0]


def _lines(text: str) -> Iterator[str]:
    """Cut text into lines at carriage returns and line feeds, and nowhere else."""
    return io.StringIO(text, newline="")


def _blocks(path: Path, file: io.TextIOWrapper) -> Iterator[str]:
    """Yield the text of a file in pieces that end where a line ends."""
    while True:
        try:
            block = file.read(_BLOCK_SIZE)
            block += file.readline()
            block += _rest_of_cell(file) if block.count('"') % 2 else ""
        except UnicodeDecodeError:
            raise _not_text(path) from None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            reason = str(error).rstrip(".")
            raise DataError(
                f"{path}: damaged gzip file ({reason}). Copy it or compress it again."
            ) from None
        except OSError as error:
            raise unreadable(path, error) from None
        if not block:
            return
        if "\0" in block:
            raise _not_text(path)
        yield block


def _rest_of_cell(file: io.TextIOWrapper) -> str:
    """Read on to the line that closes a quote, within reason."""
    lines = []
    for _ in range(_CELL_LINES):
        lines.append(file.readline())
        if lines[-1].count('"') % 2:
            break
    return "".join(lines)


def _not_text(path: Path) -> DataError:
    """Say what the file is instead, or which line is not UTF-8 text."""
    offset = 0
    with open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            for signature, advice in _SIGNATURES.items():
                if number == 1 and line.startswith(signature):
                    return DataError(f"{path}: {advice}")
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return _not_utf8(path, number, offset + error.start, line[error.start])
            if b"\0" in line:
                break
            offset += len(line)
    return DataError(
        f"{path}: line {number} holds a NUL byte. Export the file again as UTF-8 text, "
        "or delete such bytes: tr -d '\\000'."
    )


def _not_utf8(path: Path, line: int, offset: int, byte: int) -> DataError:
    # UTF-16, as Excel's "Unicode text" writes it, opens with these bytes; UTF-8 holds neither.
    encoding = "utf-16" if offset == 0 and byte in (0xFE, 0xFF) else "latin1"
    return DataError(
        f"{path}: line {line} is not UTF-8 (byte 0x{byte:02x} at offset {offset}). "
        f"Convert the file: iconv -f {encoding} -t utf-8."
    )
