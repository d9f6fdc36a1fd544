from __future__ import annotations

import builtins
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from autoimb.data.reading import read_chunks, read_table
from autoimb.errors import DataError

QUOTE_OR_REPAIR = "Quote fields that hold the separator, or repair the line."
ADD_OR_REMOVE = "Add the missing fields, or remove the line."
EMPTY = "empty. Give a file with a header line and rows."
NO_ROWS = "a header and no rows. Give a file with at least one row."
LONG = b"a,b,c\n" + b"1,2,3\n" * 100_000

BAD_FILES = {
    "empty": ("x.csv", b"", EMPTY),
    "blank lines only": ("x.csv", b"\n  \r\n\n", EMPTY),
    "byte order mark only": ("x.csv", b"\xef\xbb\xbf", EMPTY),
    "empty gzip": ("x.csv.gz", gzip.compress(b""), EMPTY),
    "empty parquet": ("x.parquet", b"", EMPTY),
    "header only": ("x.csv", b"a,b\n", NO_ROWS),
    "header and blank lines": ("x.csv", b"a,b\n\n \n", NO_ROWS),
    "one column": (
        "x.csv",
        b"a\n1\n2\n",
        "only one column, 'a', found with ','; tried ',' ';' tab '|'. "
        "Separate the columns by one of these.",
    ),
    "one column of a tsv": (
        "x.tsv",
        b"a,b\n1,2\n",
        "only one column, 'a,b', found with tab. Separate the columns by it, or name it .csv.",
    ),
    "repeated names": (
        "x.csv",
        b"a,b,a,a.1,b,,\n1,2,3,4,5,6,7\n",
        "column names occur more than once: 'a', 'b'. Give each column a name of its own.",
    ),
    "many repeated names": (
        "x.csv",
        b"a,b,c,d,e,f,g," * 2 + b"y\n",
        "column names occur more than once: 'a', 'b', 'c', 'd', 'e' and 2 more. "
        "Give each column a name of its own.",
    ),
    "latin1": (
        "x.csv",
        "a,b\n1,2\n3,caf\xe9\n".encode("latin1"),
        "line 3 is not UTF-8 (byte 0xe9 at offset 13). Convert the file: iconv -f latin1 -t utf-8.",
    ),
    "latin1 far down a gzip": (
        "x.csv.gz",
        gzip.compress(LONG + b"\xe9,1,2\n"),
        "line 100002 is not UTF-8 (byte 0xe9 at offset 600006). "
        "Convert the file: iconv -f latin1 -t utf-8.",
    ),
    "utf-16": (
        "x.txt",
        b"\xff\xfe" + "a\tb\n1\t2\n".encode("utf-16-le"),
        "line 1 is not UTF-8 (byte 0xff at offset 0). Convert the file: iconv -f utf-16 -t utf-8.",
    ),
    "nul byte": (
        "x.csv",
        b"a,b\n1,\x00\n",
        "line 2 holds a NUL byte. Export the file again as UTF-8 text, "
        "or delete such bytes: tr -d '\\000'.",
    ),
    "long row": (
        "x.csv",
        b"a,b,c,d\n" + b"1,2,3,4\n" * 5 + b"1,2,3,4,5\n",
        f"line 7 has 5 fields where the header has 4. {QUOTE_OR_REPAIR}",
    ),
    "every row long": (
        "x.csv",
        b"a,b\n1,2,3\n4,5,6\n",
        f"line 2 has 3 fields where the header has 2. {QUOTE_OR_REPAIR}",
    ),
    "short row": (
        "x.csv",
        b"a,b,c\n1,2,3\n4,5\n",
        f"line 3 has 2 fields where the header has 3. {ADD_OR_REMOVE}",
    ),
    "short row of one field": (
        "x.csv",
        b"a;b\r\n1;2\r\n4\r\n",
        f"line 3 has 1 field where the header has 2. {ADD_OR_REMOVE}",
    ),
    "last row cut off": (
        "x.csv",
        LONG + b"1",
        f"line 100002 has 1 field where the header has 3. {ADD_OR_REMOVE}",
    ),
    "short row after blank lines and a cell of two lines": (
        "x.csv",
        b'\n\na,b\n\n1,"x\ny"\n\n2\n',
        f"line 8 has 1 field where the header has 2. {ADD_OR_REMOVE}",
    ),
    "long row far down": (
        "x.csv",
        LONG + b"1,2,3,4\n",
        f"line 100002 has 4 fields where the header has 3. {QUOTE_OR_REPAIR}",
    ),
    "long row far below a quote": (
        "x.csv",
        LONG + b'"1",2,3\n' + LONG[6:] + b"1,2,3,4\n",
        f"line 200003 has 4 fields where the header has 3. {QUOTE_OR_REPAIR}",
    ),
    "open quote": (
        "x.csv",
        b'a,b\n1,2\n3,"4\n5,6\n',
        "line 3 opens a quote that is never closed. "
        "Close it, or double the quotes that belong to a cell.",
    ),
    "open quote in a large file": (
        "x.csv",
        b'a,b\n1,"2\n' + b"3,4\n" * 100_000,
        "line 2 has a cell of more than 131072 characters or a quote that is never closed. "
        "Close the quote, or shorten the cell.",
    ),
    "truncated gzip": (
        "x.csv.gz",
        gzip.compress(LONG)[:-9],
        "damaged gzip file (Compressed file ended before the end-of-stream marker was reached). "
        "Copy it or compress it again.",
    ),
    "gzip with a wrong byte": (
        "x.tsv.gz",
        gzip.compress(b"a\tb\n1\t2\n", mtime=0)[:-8] + b"\0" * 8,
        "damaged gzip file (CRC check failed 0x0 != 0xa994954b). Copy it or compress it again.",
    ),
    "text named gzip": (
        "x.csv.gz",
        b"a,b\n1,2\n",
        "damaged gzip file (Not a gzipped file (b'a,')). Copy it or compress it again.",
    ),
    "gzip named text": (
        "x.csv",
        gzip.compress(b"a,b\n1,2\n"),
        "is gzip data. Name it .csv.gz.",
    ),
    "excel named text": (
        "x.csv",
        b"PK\x03\x04\x14\x00",
        "is a zip or Excel file. Save it as CSV.",
    ),
    "unknown extension": (
        "x.xlsx",
        b"PK\x03\x04",
        "extension '.xlsx'. Use one of: .csv .csv.gz .parquet .pq .tsv .tsv.gz .txt.",
    ),
    "no extension": (
        "x",
        b"a,b\n1,2\n",
        "a name without extension. Use one of: .csv .csv.gz .parquet .pq .tsv .tsv.gz .txt.",
    ),
}


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def fault(path: Path) -> str:
    """Return the message after the path, the same however the file is read."""
    with pytest.raises(DataError) as whole:
        read_table(path)
    with pytest.raises(DataError) as pieces:
        list(read_chunks(path, n_rows=1000))
    message = str(whole.value)
    assert str(pieces.value) == message
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES.values(), ids=list(BAD_FILES))
def test_a_bad_file_is_told_in_one_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    assert fault(written(tmp_path, name, content)) == message


def test_a_missing_file_offers_the_nearest_name(tmp_path: Path) -> None:
    written(tmp_path, "transactions.csv", b"a,b\n1,2\n")
    near = tmp_path / "transactions.csv"
    assert fault(tmp_path / "transaction.csv") == f"no such file. Did you mean '{near}'?"
    assert fault(tmp_path / "zzz.pq") == "no such file. Check the path."
    absent = tmp_path / "absent"
    assert fault(absent / "x.csv") == (
        f"no such file. There is no folder '{absent}'; check the path."
    )


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert fault(tmp_path) == "is a folder. Give a file in it."


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.parquet"])
def test_a_file_without_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = written(tmp_path, name, b"a,b\n1,2\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(gzip, "open", refuse)
    assert fault(path) == (
        "cannot be read (Permission denied). Check the file and its permissions."
    )


def parquet_with_a_damaged_page() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": list(range(5000)), "b": ["x"] * 5000}), sink)
    content = bytearray(sink.getvalue())
    content[4:60] = b"\xff" * 56
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [b"a,b,c\n1,2,3\n4,5,6\n", b"PAR1", parquet_with_a_damaged_page()],
    ids=["text", "cut off", "damaged page"],
)
def test_a_damaged_parquet_file(tmp_path: Path, content: bytes) -> None:
    message = fault(written(tmp_path, "x.parquet", content))
    # What stands between is the reason in the words of pyarrow.
    assert message.startswith("damaged Parquet file (")
    assert message.endswith("). Write it again.")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.int64())}), NO_ROWS),
        (pa.table({"a": [1]}), "only one column, 'a'. Give a file with more columns."),
        (
            pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]),
            "column names occur more than once: 'a'. Give each column a name of its own.",
        ),
    ],
    ids=["no rows", "one column", "repeated names"],
)
def test_a_parquet_file_that_is_no_training_table(
    tmp_path: Path, table: pa.Table, message: str
) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(table, path)
    assert fault(path) == message


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, "x.parquet", b"PAR1")
    original = builtins.__import__

    def without_pyarrow(name: str, *args: object, **kwargs: object) -> object:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pyarrow)
    assert fault(path) == "Parquet needs pyarrow. Install it: pip install pyarrow."


def test_rows_before_a_fault_are_still_read(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", LONG + b"1,2\n")
    chunks = read_chunks(path, n_rows=1000)
    assert len(next(chunks)) == 1000
    message = f"line 100002 has 2 fields where the header has 3. {ADD_OR_REMOVE}"
    with pytest.raises(DataError, match=message):
        list(chunks)
