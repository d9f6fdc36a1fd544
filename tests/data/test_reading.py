from __future__ import annotations

import builtins
import csv
import gzip
import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoimb.data import delimited
from autoimb.data.reading import column_names, data_name, read_chunks, read_table
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


cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
numbers = st.one_of(st.integers(), st.floats()).map(str)
rows_of_three = st.lists(st.lists(cells | numbers, min_size=3, max_size=3), min_size=1, max_size=12)


def as_csv(rows: list[list[str]], separator: str, **options: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, **options).writerows([["a", "b", "c"], *rows])
    return text.getvalue().encode()


def as_objects(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(object).where(frame.notna(), None)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@settings(max_examples=60, deadline=None)
@given(rows=rows_of_three, ending=st.sampled_from(["\n", "\r\n"]), block=st.integers(1, 200))
def test_any_text_is_read_back_as_written(
    tmp_path_factory: pytest.TempPathFactory,
    separator: str,
    rows: list[list[str]],
    ending: str,
    block: int,
) -> None:
    folder = tmp_path_factory.mktemp("round_trip")
    if ending == "\n":  # the csv writer leaves a lone carriage return bare, which ends a line
        rows = [[cell.replace("\r", "") for cell in row] for row in rows]
    path = written(folder, "x.csv", as_csv(rows, separator, lineterminator=ending))
    expected = [[cell or None for cell in row] for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_BLOCK_SIZE", block)
        frame = read_table(path, text_columns=["a", "b", "c"])
        pieces = list(read_chunks(path, n_rows=2, text_columns=["a", "b", "c"]))
    assert as_objects(frame).to_numpy().tolist() == expected
    pd.testing.assert_frame_equal(pd.concat(pieces), frame)


@settings(max_examples=200, deadline=None)
@given(text=st.text('x,"\n\r ', max_size=25), block=st.integers(1, 20))
def test_whatever_the_text_is_the_rows_are_right_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str, block: int
) -> None:
    content = f"a,b\n1,2\n{text}"
    path = written(tmp_path_factory.mktemp("garbage"), "x.csv", content.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_BLOCK_SIZE", block)
        try:
            frame = read_table(path, text_columns=["a", "b"])
        except DataError:
            return
    parsed = csv.reader(io.StringIO(content, newline=""))
    rows = [row for row in parsed if len(row) > 1 or "".join(row).strip()][1:]
    assert as_objects(frame).to_numpy().tolist() == [[cell or None for cell in row] for row in rows]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_a_file_of_many_blocks_is_read_whole(tmp_path: Path, quoting: int) -> None:
    written_frame = pd.DataFrame(
        {"n": range(30_000), "text": [f"line {i}\nand {'|' * (i % 7)}" for i in range(30_000)]}
    )
    path = tmp_path / "x.csv"
    written_frame.to_csv(path, index=False, quoting=quoting)
    frame = read_table(path)
    pd.testing.assert_frame_equal(frame, written_frame, check_dtype=False)
    pieces = list(read_chunks(path, n_rows=7000))
    assert [len(piece) for piece in pieces] == [7000] * 4 + [2000]
    pd.testing.assert_frame_equal(pd.concat(pieces), frame)


LAYOUTS = {
    "comma": ("x.csv", b"id,label\n1,TRUE\n2,\n3,007\n"),
    "semicolon": ("x.csv", b"id;label\n1;TRUE\n2;\n3;007\n"),
    "bar": ("x.txt", b"id|label\n1|TRUE\n2|\n3|007\n"),
    "tab": ("x.txt", b"id\tlabel\n1\tTRUE\n2\t\n3\t007\n"),
    "tsv": ("x.tsv", b"id\tlabel\n1\tTRUE\n2\t\n3\t007\n"),
    "gzip": ("x.csv.gz", gzip.compress(b"id,label\n1,TRUE\n2,\n3,007\n")),
    "tsv gzip": ("x.TSV.GZ", gzip.compress(b"id\tlabel\n1\tTRUE\n2\t\n3\t007\n")),
    "byte order mark": ("x.csv", b"\xef\xbb\xbfid,label\n1,TRUE\n2,\n3,007\n"),
    "byte order mark and quotes": ("x.csv", b'\xef\xbb\xbf"id",label\n1,"TRUE"\n2,""\n3,007\n'),
    "windows line ends": ("x.csv", b"id,label\r\n1,TRUE\r\n2,\r\n3,007\r\n"),
    "old mac line ends": ("x.csv", b"id,label\r1,TRUE\r2,\r3,007\r"),
    "mixed line ends": ("x.csv", b"id,label\r\n1,TRUE\n2,\r3,007\r\n"),
    "no last line end": ("x.csv", b"id,label\n1,TRUE\n2,\n3,007"),
    "blank lines": ("x.csv", b"\n \nid,label\n\n1,TRUE\n  \n2,\n3,007\n\n\n"),
    "upper case extension": ("X.CSV", b"id,label\n1,TRUE\n2,\n3,007\n"),
}


@pytest.mark.parametrize(("name", "content"), LAYOUTS.values(), ids=list(LAYOUTS))
def test_every_layout_gives_the_same_frame(tmp_path: Path, name: str, content: bytes) -> None:
    path = written(tmp_path, name, content)
    frame = read_table(path, text_columns=["label", "not in the file"])
    assert column_names(path) == list(frame.columns) == ["id", "label"]
    assert list(frame.index) == [0, 1, 2]
    assert frame["id"].tolist() == [1, 2, 3]
    assert frame["label"].isna().tolist() == [False, True, False]
    assert frame["label"].dropna().tolist() == ["TRUE", "007"]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"price;text\n1,5;a,b\n2,5;c\n", ["price", "text"]),
        (b'"a;1","b;2"\n"x;y;z",2\n', ["a;1", "b;2"]),
        (b"a|b,c\n1|2,3\n4|5,6\n7,8,9\n", ["a|b", "c"]),
        (b" a ,b\n1,2\n", [" a ", "b"]),
    ],
    ids=["decimal commas", "separators in quotes", "most even", "blanks are kept"],
)
def test_the_separator_and_the_names_are_found(
    tmp_path: Path, content: bytes, names: list[str]
) -> None:
    assert column_names(written(tmp_path, "x.csv", content)) == names


def test_columns_without_a_name_are_named_as_by_pandas(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    frame.to_csv(path)
    assert column_names(path) == ["Unnamed: 0", "a", "b"]
    read_table(path).to_csv(path)
    assert column_names(path) == list(read_table(path)) == list(pd.read_csv(path))
    path = written(tmp_path, "y.csv", b",a,\n1,2,3\n")
    assert column_names(path) == ["Unnamed: 0", "a", "Unnamed: 2"]


def test_only_text_columns_keep_words_for_missing(tmp_path: Path) -> None:
    words = ["", "NA", "N/A", "null", "None", "nan", "-", "?", "<NA>", "#N/A", "1.#QNAN"]
    content = "x,y\n" + "".join(f"{word},{word}\n" for word in words)
    path = written(tmp_path, "x.csv", content.encode())
    frame = read_table(path, text_columns=["y"])
    assert frame["y"].isna().tolist() == [True] + [False] * 10
    assert frame["y"].tolist()[1:] == words[1:]
    pd.testing.assert_series_equal(frame["x"], pd.read_csv(path)["x"])


def test_parquet_gives_what_the_same_csv_gives(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"n": [1.5, None, 3.0], "flag": [True, False, True], "label": ["TRUE", None, "007"]}
    )
    frame.to_parquet(tmp_path / "x.parquet")
    frame.to_csv(tmp_path / "x.csv", index=False)
    for text in ([], ["flag", "label"]):
        from_parquet = read_table(tmp_path / "x.parquet", text_columns=text)
        from_csv = read_table(tmp_path / "x.csv", text_columns=text)
        assert from_parquet.dtypes.equals(from_csv.dtypes)
        # Missing text is None or NaN before pandas 3.
        pd.testing.assert_frame_equal(as_objects(from_parquet), as_objects(from_csv))


def test_parquet_drops_the_stored_index(tmp_path: Path) -> None:
    path = tmp_path / "x.pq"
    frame = pd.DataFrame({"a": range(10), "b": list("ababababab")})
    frame[frame["a"] > 2].to_parquet(path)
    assert column_names(path) == ["a", "b"]
    assert list(read_table(path).index) == list(range(7))


def test_parquet_types_are_plain_numbers_and_timestamps(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    days = pa.array([0, 1], pa.date32())
    prices = pa.array([1, 2]).cast(pa.decimal128(21, 2))
    pq.write_table(pa.table({"day": days, "price": prices, "y": [0, None]}), path)
    frame = read_table(path, text_columns=["y"])
    assert frame["day"].dtype.kind == "M"
    assert frame["price"].tolist() == [1.0, 2.0]
    assert frame["y"].tolist()[0] == "0"
    assert frame["y"].isna().tolist() == [False, True]


def test_parquet_chunks_concatenated_are_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    frame = pd.DataFrame({"a": range(2500), "b": [f"row {i}" for i in range(2500)]})
    frame.to_parquet(path, row_group_size=700)
    pieces = list(read_chunks(path, n_rows=1000))
    assert all(len(piece) <= 1000 for piece in pieces)
    pd.testing.assert_frame_equal(pd.concat(pieces), frame, check_index_type=False)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data.csv.gz", "data"),
        ("/some/folder/card.fraud.v2.CSV", "card.fraud.v2"),
        ("my data (final)!.parquet", "my-data-final"),
        ("model.xlsx", "model"),
        (".csv", "data"),
        ("???.tsv", "data"),
        ("x" * 300 + ".txt", "x" * 40),
    ],
)
def test_a_run_folder_is_named_after_the_data(path: str, name: str) -> None:
    assert data_name(path) == name
