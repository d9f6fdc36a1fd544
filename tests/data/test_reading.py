from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autoimb.data import delimited
from autoimb.data.reading import column_names, data_name, read_chunks, read_table
from autoimb.errors import DataError


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


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


@example(text="x", block=1)
@example(text=",\rx\n", block=2)
@example(text=',\r""\n', block=2)
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
