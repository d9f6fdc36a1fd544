from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autoimb
from autoimb.cli.profile import as_report
from autoimb.errors import DataError
from autoimb.profiling.measures import MEASURES, Estimate
from autoimb.profiling.profile import FACTS, Profile
from autoimb.strategy.search_space import load_space
from autoimb.strategy.space_files import shipped_spaces

Table = tuple[Any, Any]


def labels(n: int, n_rare: int) -> Any:
    return np.repeat(["no", "yes"], [n - n_rare, n_rare])


def numbers(n: int, n_columns: int = 3, seed: int = 0) -> pd.DataFrame:
    X = np.random.default_rng(seed).normal(size=(n, n_columns))
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(n_columns)])


def letters(n: int, letters: str = "abc", seed: int = 0) -> Any:
    return np.random.default_rng(seed).choice(list(letters), n)


def days(n: int) -> Any:
    return pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n) * 37 % 1000, unit="D")


def of_labels(y: Any) -> Callable[[], Table]:
    return lambda: (numbers(len(y)), y)


def of_rows(n: int, n_rare: int) -> Callable[[], Table]:
    return lambda: (numbers(n), labels(n, n_rare))


def of_column(cells: Any, n_rare: int = 10, **more: Any) -> Callable[[], Table]:
    return lambda: (pd.DataFrame({"x": cells, **more}), labels(len(cells), n_rare))


def replaced(cell: Any, rows: Any = (0, 50, 95)) -> Callable[[], Table]:
    table = numbers(100)
    table.loc[list(rows), "x1"] = cell
    return lambda: (table, labels(100, 10))


TABLES: dict[str, Callable[[], Table]] = {
    # rows
    "two rows": of_rows(2, 1),
    "three rows": of_rows(3, 1),
    "two rows of each class": of_rows(4, 2),
    "two and three rows": of_rows(5, 2),
    "one row of each of ten classes": of_labels(list(range(10))),
    "one minority row": of_rows(100, 1),
    "two minority rows": of_rows(100, 2),
    "five minority rows": of_rows(100, 5),
    "classes of equal size": of_rows(100, 50),
    "three classes of equal size": of_labels(np.repeat([0, 1, 2], 30)),
    "100 classes": of_labels(np.arange(1000) % 100),
    "one minority row of many": of_rows(20_100, 1),
    "three minority rows of many": of_rows(20_100, 3),
    "20 classes of one row": of_labels(["no"] * 80 + [f"c{i}" for i in range(20)]),
    # columns
    "one number": of_column(numbers(100)["x0"]),
    "one whole number": of_column(range(100)),
    "one category": of_column(letters(100)),
    "one truth value": of_column(letters(100) == "a"),
    "one date": of_column(days(100)),
    "one date of two rows": of_column(days(2), 1),
    "more columns than rows": lambda: (numbers(20, 50), labels(20, 5)),
    "categories only": of_column(letters(3000), 300, z=letters(3000, "pqrs", seed=1)),
    "truth values only": of_column(letters(100) == "a", z=letters(100, seed=1) == "a"),
    "truth values with gaps": of_column(
        pd.array([True, False, None, True] * 25, dtype="boolean")
    ),
    "as many categories as rows allow": of_column([f"v{i // 2}" for i in range(100)]),
    "5,000 categories": of_column([f"v{i // 2}" for i in range(10_000)], 100),
    "a text for each row": of_column([f"v{i}" for i in range(100)], z=range(100)),
    # cells
    "a column never filled": of_column([np.nan] * 100, z=range(100)),
    "no column ever filled": of_column([np.nan] * 100, z=[None] * 100),
    "a column filled once": of_column([1.0] + [np.nan] * 99, z=range(100)),
    "a column filled twice": of_column([1.0, 2.0] + [np.nan] * 98, z=range(100)),
    "missing in one class": of_column([*range(90)] + [np.nan] * 10),
    "filled in one class": of_column([np.nan] * 90 + [*range(10)]),
    "half of the cells missing": lambda: (
        numbers(100).where(numbers(100, seed=1) > 0), labels(100, 10)
    ),
    "infinite": replaced(np.inf),
    "infinitely small": replaced(-np.inf),
    "infinite either way": replaced([np.inf, -np.inf, np.inf]),
    "nothing but infinite": of_column([np.inf, -np.inf] * 50, z=range(100)),
    "beyond single precision": replaced(1e300),
    "nothing but huge": of_column(np.arange(100) * 1e300, z=range(100)),
    "as large as single precision": replaced([3e37, -3e37, 3e37]),
    "all as large": of_column(np.arange(100) * 3e35),
    "as small as numbers get": of_column(np.arange(100) * 5e-324),
    "small": of_column(numbers(100)["x0"] * 1e-300),
    "far from nothing": of_column(1e15 + np.arange(100)),
    "signed zeros": of_column([0.0, -0.0] * 50, z=range(100)),
    "heavy tails": of_column(np.random.default_rng(0).standard_cauchy(100) ** 5),
    # nothing to tell rows apart
    "all columns constant": of_column([1] * 100, z=["a"] * 100),
    "all columns constant, two rows": of_column([1, 1], 1),
    "all rows alike but one": of_column([0.0] * 99 + [1.0]),
    "all rows alike but one of the rest": of_column([1.0] + [0.0] * 99),
    "two rows that repeat": of_column([0.0, 1.0] * 50),
    "two rows that repeat, categories": of_column(["a", "b"] * 50),
    "no column": lambda: (pd.DataFrame(index=range(100)), labels(100, 10)),
    # classes that stand apart
    "perfectly apart": of_column([*range(90), *range(500, 510)]),
    "perfectly apart, 600 rows": of_column([*range(540), *range(5000, 5060)], 60),
    "perfectly apart in four columns": lambda: (
        numbers(600, 4) + 4 * (labels(600, 60) == "yes")[:, None], labels(600, 60)
    ),
    "the label itself": of_column([0] * 90 + [1] * 10),
    "the label itself as a category": of_column(["a"] * 90 + ["b"] * 10),
    "pairs of enemies": of_column([*numbers(50)["x0"]] * 2, 50),
    # names, indexes, labels
    "names beyond ASCII": lambda: (
        numbers(100).set_axis(["größe", "价格", "😀 <b>'\"&"], axis=1),
        np.repeat(["nein & <i>", "já"], [90, 10]),
    ),
    "integers as names": lambda: (numbers(100).set_axis([0, 1, 2], axis=1), labels(100, 10)),
    "tuples as names": lambda: (
        numbers(100).set_axis(pd.MultiIndex.from_tuples([(0, "a"), (0, "b"), (1, "a")]), axis=1),
        labels(100, 10),
    ),
    "an array": lambda: (numbers(100).to_numpy(), labels(100, 10)),
    "an array of objects": lambda: (
        np.column_stack([numbers(100), letters(100)]).astype(object), labels(100, 10)
    ),
    "a list": lambda: (numbers(100).to_numpy().tolist(), labels(100, 10).tolist()),
    "a repeated index": lambda: (numbers(100).set_axis([0, 1] * 50), labels(100, 10)),
    "an index of its own": lambda: (
        numbers(100).set_axis(days(100)), pd.Series(labels(100, 10), index=range(500, 600))
    ),
    "a list of labels": of_labels(["no"] * 90 + ["yes"] * 10),
    "labels as a series": of_labels(pd.Series(labels(100, 10))),
    "labels as categories": of_labels(pd.Categorical(labels(100, 10), categories=["yes", "no"])),
    "labels as a category never seen": of_labels(
        pd.Categorical(labels(100, 10), categories=["yes", "no", "maybe"])
    ),
    "truth values as labels": of_labels(labels(100, 10) == "yes"),
    "integers as labels": of_labels((labels(100, 10) == "yes") * 7 - 3),
    "floats as labels": of_labels((labels(100, 10) == "yes") * 1.0),
    "labels beyond ASCII": of_labels(np.repeat(["não", "😀"], [90, 10])),
    "labels that are missing": of_labels(["no"] * 80 + [None, np.nan, ""] * 3 + ["yes"] * 11),
    "numbers and missing labels": of_labels([0.0] * 80 + [np.nan] * 9 + [1.0] * 11),
}  # fmt: skip
LARGE: dict[str, Callable[[], Table]] = {
    "100 unequal classes": of_labels(np.repeat(np.arange(100), np.arange(2, 102))),
    "10,000 columns": lambda: (numbers(300, 10_000), labels(300, 60)),
}
SPACES = [load_space(name) for name in shipped_spaces()]


# What pictures may stumble over.
DRAWN = (
    "two rows",
    "one row of each of ten classes",
    "one category",
    "no column ever filled",
    "as small as numbers get",
    "heavy tails",
    "no column",
    "names beyond ASCII",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in (
            "one minority row",
            "100 unequal classes",
            "one number",
            "one date of two rows",
            "more columns than rows",
            "categories only",
            "5,000 categories",
            "a column filled twice",
            "nothing but infinite",
            "all as large",
            "far from nothing",
            "two rows that repeat",
            "perfectly apart",
            "tuples as names",
        )
    ),
)


@functools.cache
def profile_of(name: str) -> Profile:
    """Profile a table once, whichever tests look at it."""
    return autoimb.profile(*{**TABLES, **LARGE}[name]())


@pytest.fixture(
    scope="module",
    params=[*TABLES, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)],
)
def found(request: pytest.FixtureRequest) -> Profile:
    return profile_of(request.param)


def estimates(profile: Profile) -> Iterable[tuple[str, Estimate]]:
    yield from profile.measures.items()
    yield from profile.worst.items()
    for one in profile.classes:
        yield from one.measures.items()


def test_every_measure_has_a_value_or_a_reason(found: Profile) -> None:
    assert set(found.measures) == set(MEASURES)
    for name, estimate in estimates(found):
        assert (estimate.value is None) == bool(estimate.why), name
        assert math.isfinite(estimate.half_width), name
        if estimate.value is not None:
            low, high = MEASURES[name].low, MEASURES[name].high
            assert low - 1e-9 <= estimate.value <= high * (1 + 1e-9), name


def test_it_is_plain_json(found: Profile) -> None:
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)["n_rows"] == found.n_rows


def test_no_figure_is_missing_from_the_text(found: Profile) -> None:
    assert not re.search(r"\b(nan|inf|None)\b", "\n".join(map(str, as_report(found))))


def test_every_search_space_can_read_its_facts(found: Profile) -> None:
    facts = found.facts(5)
    assert set(facts) == set(FACTS)
    assert all(isinstance(fact, (int, float)) for fact in facts.values())
    for space in SPACES:
        assert space.restricted_to(facts).default().model.name


@pytest.mark.parametrize("name", DRAWN)
def test_it_can_be_drawn(name: str) -> None:
    profile = profile_of(name)
    assert f"{profile.n_rows:,}" in profile._repr_html_()


def test_names_and_labels_are_no_markup() -> None:
    html = profile_of("names beyond ASCII")._repr_html_()
    assert "<b>'" not in html
    assert "<i>" not in html
    assert "größe" in html


REASONS = {
    ("one minority row", "bi3"): "the class has one row, which has no neighbour of its own class",
    ("one minority row", "tree_auc"): "two folds need two rows of the class and 6 in all",
    ("one minority row", "fisher_f1v"): "a class of one row has no spread",
    ("two rows", "safe"): "the table has 2 rows, too few for 5 neighbours",
    ("all columns constant", "kdn"): "no column tells rows apart",
    ("no column", "fisher_f1"): "no column tells rows apart",
    ("more columns than rows", "fisher_f1v"): (
        "50 encoded columns and 20 rows: any labels could be told apart"
    ),
    ("pairs of enemies", "n2"): "every row of the class has an identical enemy, at distance 0",
}


@pytest.mark.parametrize(("name", "measure"), REASONS)
def test_why_a_measure_is_not_defined(name: str, measure: str) -> None:
    profile = profile_of(name)
    assert str(profile.measures[measure]) == f"not defined: {REASONS[name, measure]}"


WRONG: dict[str, Table] = {
    "fewer labels than rows": (numbers(20), [0, 1]),
    "more labels than rows": (numbers(2), [0, 1, 0]),
    "two columns of labels": (numbers(4), np.zeros((4, 2))),
    "one class": (numbers(4), ["no"] * 4),
    "no label": (numbers(4), [None] * 4),
    "no row": (numbers(0), []),
    "doubled names": (numbers(4, 2).set_axis(["x", "x"], axis=1), [0, 0, 1, 1]),
    "lists in cells": (pd.DataFrame({"x": [[1], [2], [1], [2]]}), [0, 0, 1, 1]),
}


@pytest.mark.parametrize(("X", "y"), WRONG.values(), ids=list(WRONG))
def test_what_is_no_table_with_labels_is_said_in_a_line(X: Any, y: Any) -> None:
    with pytest.raises(DataError, match=r"^[^\n]+$"):
        autoimb.profile(X, y)


def test_rows_without_a_label_are_left_out() -> None:
    profile = profile_of("labels that are missing")
    assert profile.class_counts == {"no": 80, "yes": 11}


def test_a_profile_is_frozen() -> None:
    profile = autoimb.profile(*TABLES["one number"]())
    with pytest.raises(FrozenInstanceError):
        profile.n_rows = 1  # type: ignore[misc]


def test_it_is_the_same_each_time_and_touches_nothing() -> None:
    X, y = TABLES["categories only"]()
    before = X.copy()
    assert autoimb.profile(X, y).to_dict() == autoimb.profile(X, y).to_dict()
    pd.testing.assert_frame_equal(X, before)


def test_an_infinite_cell_counts_as_missing() -> None:
    X, y = TABLES["infinite either way"]()
    gaps = X.replace([np.inf, -np.inf], np.nan)
    assert autoimb.profile(X, y).to_dict() == autoimb.profile(gaps, y).to_dict()


@pytest.mark.parametrize("n_values", [50, 500])
def test_a_twin_of_its_own_class_is_the_nearest_however_dense_the_table(n_values: int) -> None:
    value = np.repeat(np.arange(n_values), 2)
    measures = autoimb.profile(pd.DataFrame({"x": value * 1.0}), value // 2 % 2).measures
    assert (measures["n3"].value, measures["density_corrected_overlap"].value) == (0, 0)


def test_in_what_form_labels_come_does_not_matter() -> None:
    names = [name for name in TABLES if "labels as" in name or name == "a list of labels"]
    found = [profile_of(name) for name in names]
    assert len({profile.n_minority for profile in found}) == 1
    assert len({str(profile.classes[0].measures["kdn"]) for profile in found}) == 1
