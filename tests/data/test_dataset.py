from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from autoimb.data.dataset import Labels, Schema, make_dataset
from autoimb.errors import DataError

TABLE = pd.DataFrame(
    {
        "age": [31, None, 42, 31],
        "city": ["Rome", "Oslo", None, "Rome"],
        "seen": ["2024-01-05", "2024-01-06", "2024-01-07", "2024-01-05"],
        "one": [1, 1, 1, 1],
    }
)
DATE_PARTS = ("seen year", "seen month", "seen weekday", "seen hour", "seen elapsed days")


@pytest.fixture
def schema() -> Schema:
    return Schema.infer(TABLE)


def test_a_schema_describes_the_matrix(schema: Schema) -> None:
    assert schema.feature_names == ("age", "city", *DATE_PARTS)
    assert schema.is_categorical == (False, True, *[False] * 5)
    assert schema.n_levels == (0, 2, *[0] * 5)
    assert schema.to_matrix(TABLE).shape == (4, 7)
    assert [column.name for column in schema.kept] == ["age", "city", "seen"]


def test_columns_may_come_in_any_order_with_others_among_them(schema: Schema) -> None:
    later = TABLE.drop(columns="one")[["seen", "city", "age"]].assign(other="x")
    np.testing.assert_array_equal(schema.to_matrix(later), schema.to_matrix(TABLE))
    np.testing.assert_array_equal(schema.to_matrix(TABLE.iloc[2:]), schema.to_matrix(TABLE)[2:])
    assert schema.to_matrix(TABLE.head(0)).shape == (0, 7)


def test_unseen_levels_are_named_by_column(schema: Schema) -> None:
    later = TABLE.assign(city=["Bonn", "Rome", None, "Aix"])
    assert schema.unseen_levels(later) == {"city": ["Aix", "Bonn"]}
    assert schema.unseen_levels(TABLE) == {}


@pytest.mark.parametrize(
    ("later", "message"),
    [
        (
            TABLE.rename(columns={"age": "aged"}),
            "column 'age' is missing from the table; the model needs 3 columns by name, "
            "did you mean 'aged'?",
        ),
        (
            pd.DataFrame({"zzz": [1]}),
            "column 'age' (and 2 more) is missing from the table; the model needs 3 columns by "
            "name, choose one of: zzz",
        ),
        (
            TABLE.assign(age="old"),
            "column 'age', row 0: found 'old' where training had a number (4 such cells). "
            "Correct the cells, or leave them empty.",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    schema: Schema, later: pd.DataFrame, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        schema.to_matrix(later)
    assert str(caught.value) == message


def test_names_need_not_be_text() -> None:
    schema = Schema.infer(pd.DataFrame(np.arange(6).reshape(3, 2)))
    assert schema.feature_names == ("0", "1")
    assert schema.to_matrix(pd.DataFrame({1: [5], 0: [4]})).tolist() == [[4, 5]]


@pytest.mark.parametrize(
    ("y", "positive", "expected"),
    [
        (["no", "no", "yes"], None, "yes"),
        (["yes", "yes", "no"], None, "no"),
        (["a", "b"], None, "b"),
        ([0, 1, 1], None, 0),
        ([0, 1, 1], 1, 1),
        ([0, 1, 1], "1", 1),
        ([True, False, True], "True", True),
        ([True, False, False], False, False),
        (["1", "2"], 2, "2"),
        ([1.0, 2.0, 2.0], "2.0", 2.0),
        (np.array(["a", "b", "b"], object), "b", "b"),
        (pd.Series(["a", "b", "b"], dtype="category"), None, "a"),
        (pd.Series([1, 2, 2], dtype="Int64"), None, 1),
        (pd.Series(["a", "b", "b"], dtype="string"), "b", "b"),
        (["a", "b", "c"], None, None),
    ],
)
def test_the_positive_class(y: Any, positive: Any, expected: Any) -> None:
    labels = Labels.of(y, positive)
    codes = labels.encode(y)
    assert labels.positive == expected
    assert codes.dtype == np.intp
    assert labels.decode(codes).tolist() == list(y)
    if expected is not None:
        assert [label == expected for label in y] == (codes == 1).tolist()


def test_probabilities_are_shown_in_the_order_of_the_classes() -> None:
    labels = Labels.of(["a", "b", "b"])
    assert (labels.classes, labels.by_code) == (("a", "b"), ("b", "a"))
    assert labels.sort_columns(np.array([[0.9, 0.1]])).tolist() == [[0.1, 0.9]]
    three = Labels.of(["c", "a", "b"])
    assert three.by_code == three.classes == ("a", "b", "c")
    assert three.sort_columns(np.array([[0.2, 0.3, 0.5]])).tolist() == [[0.2, 0.3, 0.5]]


@pytest.mark.parametrize(
    ("y", "positive", "message"),
    [
        (["a", "b"], "c", "positive class 'c' does not occur in the target; it has 'a', 'b'."),
        ([0, 1, 2], 7, "positive class 7 does not occur in the target; it has 0, 1, 2."),
    ],
)
def test_a_positive_class_that_does_not_occur(y: list[Any], positive: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        Labels.of(y, positive)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("table", "y", "message"),
    [
        (
            TABLE,
            ["a"] * 4,
            "target 'target' has one class only, 'a'; there must be rows of at least two.",
        ),
        (
            TABLE[["one"]].assign(two=None),
            [0, 0, 1, 1],
            "no column can tell the classes apart ('one': always the same, 'two': always missing). "
            "Add informative columns.",
        ),
    ],
)
def test_a_table_that_teaches_nothing_is_refused(
    table: pd.DataFrame, y: list[Any], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        make_dataset(table, y)
    assert str(caught.value) == message


def test_a_dataset_counts_classes_by_code() -> None:
    dataset = make_dataset(TABLE, ["no", "yes", "no", "no"], name="people", target="left")
    assert (dataset.name, dataset.target, dataset.n_classes) == ("people", "left", 2)
    assert dataset.class_counts.tolist() == [3, 1]
    assert dataset.table is not None
    assert len(dataset.table) == 4


def test_rows_are_duplicates_when_all_their_cells_are_equal() -> None:
    table = pd.DataFrame(
        {"x": [1.0, np.nan, 1.0, np.nan, 0.0, -0.0], "c": ["a", "b", "a", "b", None, None]}
    )
    dataset = make_dataset(table, [0, 1, 1, 0, 1, 0])
    assert dataset.duplicate_groups.tolist() == [0, 1, 0, 1, 2, 2]
    assert dataset.n_distinct == 3


def test_the_index_of_a_table_does_not_matter() -> None:
    y = pd.Series([0, 1, 0, 1], index=[9, 9, 9, 9])
    moved = make_dataset(TABLE.set_index(pd.Index([5, 5, 0, 1])), y)
    np.testing.assert_array_equal(moved.X, make_dataset(TABLE, y.tolist()).X)
    assert moved.y.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({}, True),
        ({"table": TABLE.set_index(pd.Index([5, 5, 0, 1]))}, True),
        ({"name": "copy", "positive": "no"}, True),
        ({"table": TABLE.assign(age=[31, None, 42, 32])}, False),
        ({"table": TABLE.rename(columns={"age": "years"})}, False),
        ({"y": ["no", "no", "yes", "no"]}, False),
    ],
    ids=["itself", "another index", "other class of interest", "cell", "column", "label"],
)
def test_a_digest_tells_data_apart(change: dict[str, Any], is_same: bool) -> None:
    given: dict[str, Any] = {"table": TABLE, "y": ["no", "no", "no", "yes"]}
    data = make_dataset(**given)
    assert (make_dataset(**{**given, **change}).sha256 == data.sha256) is is_same
