from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoimb.data.columns import Column, infer_column
from autoimb.errors import DataError

NAN = float("nan")
DAY = 86_400.0


def series(cells: Any, dtype: Any = None) -> pd.Series[Any]:
    return pd.Series(cells, name="x", dtype=dtype)


def arrow(cells: list[Any], kind: pa.DataType | None = None) -> pd.Series[Any]:
    return series(pd.arrays.ArrowExtensionArray(pa.array(cells, kind)))  # type: ignore[call-arg]


def days(*dates: str | None) -> list[float]:
    return [
        NAN if d is None else (pd.Timestamp(d) - pd.Timestamp(0)) / pd.Timedelta("1D")
        for d in dates
    ]


def read(cells: pd.Series[Any]) -> tuple[str, list[float]]:
    """Kind and values of a column; of a date, the elapsed days."""
    column = infer_column(cells)
    numbers = column.to_numbers(cells)
    assert numbers.shape == (len(cells), len(column.feature_names))
    return column.kind, numbers[:, -1].tolist() if numbers.shape[1] else []


NUMBERS = {
    "text with a question mark": (series(["1", "2.5", "?", "-4e1"]), [1, 2.5, NAN, -40]),
    "text with words for missing": (
        series(["1", "N/A", "", " ", "null", "-", "<NA>", None, "3"]),
        [1, NAN, NAN, NAN, NAN, NAN, NAN, NAN, 3],
    ),
    "text with blanks around": (series([" 1", "2 ", " 3 "]), [1, 2, 3]),
    "a few stray words": (series(["1", "2"] * 10 + ["many"]), [1, 2] * 10 + [NAN]),
    "a stray word of a far alphabet": (series(["1", "2"] * 10 + ["İ"]), [1, 2] * 10 + [NAN]),
    "booleans": (series([True, False, True]), [1, 0, 1]),
    "booleans with gaps": (series([True, None, False], object), [1, NAN, 0]),
    "nullable booleans": (series([True, None, False], "boolean"), [1, NAN, 0]),
    "truth words": (series(["TRUE", "False", None, "true"]), [1, 0, NAN, 1]),
    "nullable integers": (series([1, None, 3], "Int64"), [1, NAN, 3]),
    "nullable floats": (series([1.5, None, 3], "Float64"), [1.5, NAN, 3]),
    "small integers": (series([1, 2], "uint8"), [1, 2]),
    "infinities": (series([np.inf, 1.0, -np.inf, 2.0]), [NAN, 1, NAN, 2]),
    "infinities as text": (series(["inf", "1", "-Infinity", "2"]), [NAN, 1, NAN, 2]),
    "integers and numeric text": (series([1, "2", 3.5, None], object), [1, 2, 3.5, NAN]),
    "decimals": (series([Decimal("1.5"), None, Decimal(2)], object), [1.5, NAN, 2]),
    "categorical numbers": (series([10, None, 20], "category"), [10, NAN, 20]),
    "arrow integers": (arrow([1, None, 3]), [1, NAN, 3]),
    "arrow booleans": (arrow([True, None, False]), [1, NAN, 0]),
    "arrow decimals": (arrow([Decimal("1.5"), None, Decimal(2)]), [1.5, NAN, 2]),
    "sparse": (series(pd.arrays.SparseArray([0.0, 1.0, 0.0])), [0, 1, 0]),
    "zip codes": (series(["00501", "10001"]), [501, 10001]),
    "enormous text": (series(["9" * 400] + ["1", "2"] * 10), [NAN] + [1, 2] * 10),
    "beyond the 32 bits that trees work in": (series([1e300, 1.0, -1e39, 2.0]), [NAN, 1, NAN, 2]),
}
CATEGORIES = {
    "text": (series(["b", "a", None, "b"]), [0, 1, NAN, 0]),
    "ties go by name": (series(["b", "a", "c"]), [1, 0, 2]),
    "integers and words": (series([1, "one", 1, "?"], object), [0, 1, 0, NAN]),
    "categoricals": (series(["b", None, "a", "b"], "category"), [0, NAN, 1, 0]),
    "unused levels": (series(pd.Categorical(["b", "a", "b"], ["z", "a", "b"])), [0, 1, 0]),
    "pandas strings": (series(["b", None, "a", "b"], "string"), [0, NAN, 1, 0]),
    "arrow strings": (arrow(["b", None, "a", "b"]), [0, NAN, 1, 0]),
    "arrow dictionary": (
        series(pd.arrays.ArrowExtensionArray(pa.array(["b", "a", "b"]).dictionary_encode())),
        [0, 1, 0],
    ),
    "truth words and others": (series([True, "TRUE", "x", False], object), [0, 0, 2, 1]),
    "equal cells that are spelled differently": (
        series([True, 1, 1.0, "1", "x", 0, False, -0.0], object),
        [3, 0, 0, 0, 4, 1, 2, 1],
    ),
    "intervals": (series(pd.cut(pd.Series([1, 2, 9, 1]), [0, 5, 10])), [0, 0, 1, 0]),
    "complex": (series([1 + 2j, 2, 1 + 2j]), [0, 1, 0]),
    "one number and words": (series(["7"] * 3 + ["x"]), [0, 0, 0, 1]),
}
ISO = ["2024-01-05", None, "2024-02-10"]
DATES = {
    "ISO text": (series(ISO), days(*ISO)),
    "ISO text with a missing word": (series(["2024-01-05", "n/a", "2024-02-10"]), days(*ISO)),
    "ISO with times": (
        series(["2024-01-05 12:00", "2024-01-06"]),
        days("2024-01-05 12:00", "2024-01-06"),
    ),
    "ISO with zones": (
        series(["2024-01-05T02:00:00+02:00", "2024-01-06T00:00:00Z"]),
        days("2024-01-05", "2024-01-06"),
    ),
    "day first": (
        series(["05/01/2024", None, "25/02/2024"]),
        days("2024-01-05", None, "2024-02-25"),
    ),
    "month first": (series(["01/05/2024", "02/25/2024"]), days("2024-01-05", "2024-02-25")),
    "dots": (series(["05.01.2024", "25.02.2024"]), days("2024-01-05", "2024-02-25")),
    "another shape further down": (
        series(["2024-01-05", "2024-02-10"] * 50 + ["20240311"]),
        days(*["2024-01-05", "2024-02-10"] * 50, "2024-03-11"),
    ),
    "day first with times": (
        series(["05/01/2024 6:00", "25/02/2024 18:00"]),
        days("2024-01-05 6:00", "2024-02-25 18:00"),
    ),
    "datetimes": (series(pd.to_datetime(ISO)), days(*ISO)),
    "zoned datetimes": (series(pd.to_datetime(ISO).tz_localize("Europe/Rome")), days(*ISO)),
    "date objects": (
        series([datetime.date(2024, 1, 5), None, datetime.date(2024, 2, 10)], object),
        days(*ISO),
    ),
    "timestamps in an object column": (
        series([pd.Timestamp(d) if d else None for d in ISO], object),
        days(*ISO),
    ),
    "periods": (
        series(pd.PeriodIndex(["2024-01", "2024-02"], freq="M")),
        days("2024-01-01", "2024-02-01"),
    ),
    "arrow timestamps": (
        arrow([None if d is None else pd.Timestamp(d) for d in ISO], pa.timestamp("us")),
        days(*ISO),
    ),
    "arrow dates": (
        arrow([datetime.date(2024, 1, 5), None, datetime.date(2024, 2, 10)], pa.date32()),
        days(*ISO),
    ),
    "far datetimes": (
        series(np.array(["2024-01-05", "9999-12-31"], "datetime64[s]")),
        [19_727.0, 2_932_896.0],
    ),
}
if pd.__version__ >= "3":  # earlier ones read text to the nanosecond, from 1677 to 2262 only
    DATES["far in the future"] = (series(["2024-01-05", "9999-12-31"]), [19_727.0, 2_932_896.0])
    DATES["long ago"] = (series(["2024-01-05", "0001-01-01"]), [19_727.0, -719_162.0])
DROPPED = {
    "all missing": (series([None, None]), "always missing"),
    "all missing numbers": (series([NAN, NAN]), "always missing"),
    "all missing words": (series(["?", "NA", ""]), "always missing"),
    "all missing dates": (series(pd.to_datetime([None, None])), "always missing"),
    "nothing but infinities": (series([np.inf, np.inf, -np.inf]), "always missing"),
    "constant number": (series([7, 7, None]), "always the same"),
    "constant text": (series(["a", "a", None]), "always the same"),
    "constant date": (series(pd.to_datetime(["2024-01-05", None])), "always the same"),
    "no rows": (series([], object), "always missing"),
    "identifiers": (series([f"id-{i}" for i in range(60)]), "a different text in nearly every row"),
}


def cases(table: dict[str, Any]) -> Any:
    return pytest.mark.parametrize(("cells", "expected"), table.values(), ids=table)


@cases(NUMBERS)
def test_numbers(cells: pd.Series[Any], expected: list[float]) -> None:
    kind, values = read(cells)
    assert kind == "number"
    np.testing.assert_array_equal(values, expected)


@cases(CATEGORIES)
def test_categories(cells: pd.Series[Any], expected: list[float]) -> None:
    kind, values = read(cells)
    assert kind == "category"
    np.testing.assert_array_equal(values, expected)


@cases(DATES)
def test_dates(cells: pd.Series[Any], expected: list[float]) -> None:
    kind, values = read(cells)
    assert kind == "date"
    np.testing.assert_allclose(values, expected)


@cases(DROPPED)
def test_what_carries_nothing_is_dropped(cells: pd.Series[Any], expected: str) -> None:
    column = infer_column(cells)
    assert (column.kind, column.why_dropped, column.feature_names) == ("dropped", expected, ())
    assert column.to_numbers(cells).shape == (len(cells), 0)


def test_a_date_becomes_its_parts() -> None:
    cells = series(["2024-01-05 18:30", None, "2023-12-31"])
    column = infer_column(cells)
    assert column.feature_names == ("x year", "x month", "x weekday", "x hour", "x elapsed days")
    friday, gap, sunday = column.to_numbers(cells).tolist()
    assert friday == pytest.approx([2024, 1, 4, 18, 19_727 + 18.5 / 24])
    assert sunday == [2023, 12, 6, 0, 19_722]
    assert np.isnan(gap).all()


def test_the_rarest_of_very_many_levels_count_as_missing() -> None:
    text = [f"v{i}" for i in range(1500)] * 2 + ["often"] * 10
    column = infer_column(series(text))
    codes = column.to_numbers(series(["often", "v0", "v999"])).ravel()
    assert (len(column.levels), codes[0]) == (1000, 0)
    assert np.isnan(column.to_numbers(series(text))).any()


SAME_CELLS = {
    "a category": (
        series(["1", "2", "x", "y"] * 3),
        [
            series(["1", "2"]),
            series([1, 2]),
            series([1.0, 2.0]),
            series([1, 2], "Int64"),
            series([1, 2], "category"),
            series(["1", "2"], "string"),
            arrow([1, 2]),
            series([" 1", "2 "]),
        ],
    ),
    "a number": (
        series([1, 2, 3]),
        [
            series(["1", "2"]),
            series([1.0, 2.0]),
            series([1, "2"], object),
            series(["1.0", "2e0"]),
            series([1, 2], "Int64"),
            series([1, 2], "category"),
            arrow(["1", "2"]),
        ],
    ),
    "truth values": (
        series([True, False, True]),
        [
            series([True, False], object),
            series(["TRUE", "false"]),
            series([1, 0]),
            series(["1", "0"]),
            series([True, False], "boolean"),
            arrow([True, False]),
        ],
    ),
    "truth values among words": (
        series(["True", "False", "x", "y"] * 3),
        [series([True, False]), series(["TRUE", "FALSE"]), series([True, False], "boolean")],
    ),
    "a date": (
        series(["2024-01-05", "2024-02-10"]),
        [
            series(pd.to_datetime(["2024-01-05", "2024-02-10"])),
            series(["2024-01-05 00:00", "2024-02-10"]),
            series([pd.Timestamp("2024-01-05"), "2024-02-10"], object),
            series(pd.to_datetime(["2024-01-05", "2024-02-10"]).tz_localize("UTC")),
        ],
    ),
}


@pytest.mark.parametrize(("seen", "others"), SAME_CELLS.values(), ids=SAME_CELLS)
def test_the_same_cells_in_another_type_are_the_same_numbers(
    seen: pd.Series[Any], others: list[pd.Series[Any]]
) -> None:
    column = infer_column(seen)
    expected = column.to_numbers(seen.head(2))
    for cells in others:
        np.testing.assert_array_equal(column.to_numbers(cells), expected, err_msg=str(cells.dtype))


@cases({**NUMBERS, **CATEGORIES, **DATES})
def test_pieces_of_a_column_are_read_like_the_whole(
    cells: pd.Series[Any], expected: list[float]
) -> None:
    column = infer_column(cells)
    alone = [column.to_numbers(cells.iloc[[i]]) for i in range(len(cells))]
    nothing = column.to_numbers(cells.head(0))
    np.testing.assert_array_equal(np.concatenate([nothing, *alone]), column.to_numbers(cells))


@pytest.mark.parametrize("gaps", [[None, None], [NAN, NAN], ["", "?"], [pd.NaT, None], []])
@pytest.mark.parametrize("seen", [["a", "b"], [1, 2], ["2024-01-05", "2024-02-10"]])
def test_gaps_alone_stay_gaps(seen: list[Any], gaps: list[Any]) -> None:
    numbers = infer_column(series(seen)).to_numbers(series(gaps, None if gaps else float))
    assert numbers.shape[0] == len(gaps)
    assert np.isnan(numbers).all()


def test_unseen_levels_are_gaps_and_can_be_named() -> None:
    column = infer_column(series(["a", "b", "b"]))
    later = series(["z", "b", None, "?", "y", "z"])
    np.testing.assert_array_equal(column.to_numbers(later).ravel(), [NAN, 0, NAN, NAN, NAN, NAN])
    assert column.unseen_levels(later) == ["y", "z"]
    assert infer_column(series([1, 2])).unseen_levels(series([3])) == []


@pytest.mark.parametrize(
    ("seen", "later", "found"),
    [
        (
            [1, 2],
            ["1", "abc", "def"],
            "row 1: found 'abc' where training had a number (2 such cells)",
        ),
        (
            ["1", "2", "?"],
            ["many"],
            "row 0: found 'many' where training had a number (1 such cells)",
        ),
        (
            ["2024-01-05", "2024-02-10"],
            ["2024-01-05", "soon"],
            "row 1: found 'soon' where training had a date (1 such cells)",
        ),
        (
            ["25/01/2024", "26/01/2024"],
            ["2024-01-05"],
            "row 0: found '2024-01-05' where training had a date (1 such cells)",
        ),
    ],
)
def test_a_wrong_cell_is_named(seen: list[Any], later: list[Any], found: str) -> None:
    with pytest.raises(DataError) as caught:
        infer_column(series(seen)).to_numbers(series(later))
    assert str(caught.value) == f"column 'x', {found}. Correct the cells, or leave them empty."


def test_words_that_stood_among_the_numbers_stay_missing() -> None:
    column = infer_column(series(["1", "2"] * 10 + ["Unknown"]))
    np.testing.assert_array_equal(column.to_numbers(series(["unknown", "3"])).ravel(), [NAN, 3])


@pytest.mark.parametrize("cell", [[1], {"a": 1}, {1}, (1, 2), np.zeros(2)])
def test_a_cell_that_is_a_container_is_refused(cell: Any) -> None:
    with pytest.raises(DataError) as caught:
        infer_column(series([cell, None], object))
    assert str(caught.value) == (
        f"column 'x' holds a {type(cell).__name__}; "
        "a cell must be a string, a number, a truth value or a date."
    )


CELL = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.dates().map(str)
    | st.datetimes().map(str)
    | st.sampled_from(
        ["?", "NA", "1", "1.0", "true", "inf", "1/2/2024", "31/12/2024", "2024-02-30"]
    )
)
COLUMNS = st.lists(CELL, max_size=20) | st.lists(st.dates().map(str) | st.none(), max_size=20)


def encoded(cells: pd.Series[Any]) -> tuple[Column, np.ndarray[Any, Any]]:
    column = infer_column(cells)
    return column, column.to_numbers(cells)


@settings(max_examples=100, deadline=None)
@given(cells=COLUMNS, random=st.randoms(use_true_random=False))
def test_any_column_is_read_and_row_order_does_not_matter(cells: list[Any], random: Any) -> None:
    column, numbers = encoded(series(cells, object))
    # Trees work in 32 bits, and refuse what does not fit.
    assert not (np.abs(numbers) > np.finfo(np.float32).max).any()
    order = random.sample(range(len(cells)), len(cells))
    column_again, numbers_again = encoded(series([cells[i] for i in order], object))
    assert column_again == column
    np.testing.assert_array_equal(numbers_again, numbers[order])


@settings(max_examples=100, deadline=None)
@given(cells=COLUMNS)
def test_cells_seen_in_training_are_never_refused(cells: list[Any]) -> None:
    seen = series(cells, object)
    column = infer_column(seen)
    for i in range(len(seen)):
        column.to_numbers(seen.iloc[[i]])
    column.to_numbers(seen.infer_objects())
    column.to_numbers(seen.convert_dtypes())
