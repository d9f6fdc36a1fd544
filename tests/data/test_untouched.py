"""Rows that are kept aside: of every class its share, whole units, in time the latest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from autoimb.data.dataset import Dataset, make_dataset
from autoimb.data.problem import read_problem
from autoimb.data.untouched import keep_aside
from autoimb.errors import DataError

RNG = np.random.default_rng(0)
PLAIN = pd.DataFrame({"x": RNG.normal(size=200)})
LABELS = np.repeat(["a", "b", "c"], [150, 40, 10])


def dataset(table: pd.DataFrame = PLAIN, y: Any = LABELS, **given: Any) -> Dataset:
    return make_dataset(table, y, **given)


@pytest.mark.parametrize(
    ("share", "counts"), [(0.2, [30, 8, 2]), (0.5, [75, 20, 5]), (0.01, [2, 1, 1])]
)
def test_each_class_gives_its_share(share: float, counts: list[int]) -> None:
    data = dataset()
    found = keep_aside(data, share, seed=3)
    assert np.bincount(data.y[found.aside]).tolist() == counts
    assert (found.kept == ~found.aside).all()


def test_the_seed_chooses() -> None:
    first, again, other = (keep_aside(dataset(), 0.2, seed=k).aside for k in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_two_rows_of_every_class_are_left_to_fit_on() -> None:
    data = dataset(PLAIN.head(23), [*"a" * 20, *"bbb"])
    found = keep_aside(data, 0.9, seed=0)
    assert np.bincount(data.y[found.kept]).tolist() == [2, 2]


def test_copies_stay_on_one_side() -> None:
    data = dataset(pd.DataFrame({"x": RNG.integers(0, 60, 200)}))
    found = keep_aside(data, 0.2, seed=0)
    x = data.X[:, 0]
    assert not set(x[found.aside]) & set(x[found.kept])
    assert np.bincount(data.y[found.aside])[0] == pytest.approx(30, abs=4)


def test_a_thousand_copies_under_two_labels_do_not_swell_what_is_kept_aside() -> None:
    x = np.r_[np.zeros(1000), np.arange(1, 1101)]
    y = np.r_[np.zeros(1999), np.ones(101)]
    y[0], y[-1] = 1, 0
    for seed in range(20):
        found = keep_aside(dataset(pd.DataFrame({"x": x}), y), 0.2, seed)
        assert np.bincount(y[found.aside].astype(int)).tolist() == [400, 20]


def test_groups_stay_on_one_side() -> None:
    who = RNG.integers(0, 50, 200)
    data = dataset(PLAIN.assign(who=who), groups="who")
    found = keep_aside(data, 0.2, seed=0)
    assert not set(who[found.aside]) & set(who[found.kept])
    assert (np.bincount(data.y[found.aside]) > 0).all()
    assert found.aside.mean() == pytest.approx(0.2, abs=0.05)


def test_in_time_the_latest_are_kept_aside() -> None:
    day, y = RNG.integers(0, 40, 200), np.arange(200) % 3
    data = dataset(PLAIN.assign(day=day), y, time="day")
    found = keep_aside(data, 0.2, seed=0)
    assert day[found.kept].max() < day[found.aside].min()
    assert (found.kept | found.aside).all()
    assert found.aside.mean() == pytest.approx(0.2, abs=0.03)


def test_what_belongs_together_with_later_rows_is_not_fitted_on() -> None:
    who, y = np.r_[np.arange(100), np.arange(95, 195)], np.arange(200) % 3
    table = PLAIN.assign(day=np.arange(200), who=who, x=PLAIN["x"])
    table.loc[199, "x"] = table.loc[0, "x"]
    data = dataset(table, y, time="day", groups="who")
    found = keep_aside(data, 0.5, seed=0)
    assert np.flatnonzero(found.aside).tolist() == list(range(100, 200))
    assert np.flatnonzero(~found.aside & ~found.kept).tolist() == [0, 95, 96, 97, 98, 99]
    table["target"] = y
    told = read_problem(table, "target", time="day", groups="who", holdout=0.5).notes[-1]
    assert "100 of 200 rows, the latest by 'day', are kept aside" in told
    assert "6 earlier rows that belong together with them are left out." in told


@pytest.mark.parametrize(
    ("table", "y", "given", "told"),
    [
        (
            PLAIN, ["a"] * 199 + ["b"], {},
            "--holdout 0.2 leaves no row of class 'b' aside: it has 1 row. "
            "Collect more, leave that class out, or give rows of their own by --test FILE.",
        ),
        (
            PLAIN.assign(x=[*range(190), *[7.5] * 10]), LABELS, {},
            "class 'c' aside: it has 10 rows, copies of 1.",
        ),
        (
            PLAIN.assign(who=[*range(190), *[500] * 10]), LABELS, {"groups": "who"},
            "class 'c' aside: it has 10 rows in 1 group of 'who'. Collect more",
        ),
        (
            PLAIN.assign(day=np.arange(200)), LABELS, {"time": "day"},
            "class 'a' aside: rows are kept aside from a time of 'day' on",
        ),
        (
            PLAIN.assign(day=np.arange(200)), LABELS[::-1], {"time": "day"},
            "--holdout 0.2 leaves no row of class 'b' aside",
        ),
    ],
)  # fmt: skip
def test_a_class_on_one_side_is_an_error(
    table: pd.DataFrame, y: Any, given: dict[str, str], told: str
) -> None:
    with pytest.raises(DataError) as caught:
        keep_aside(dataset(table, y, **given), 0.2, seed=0)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_read_off_rows_that_are_kept_aside() -> None:
    table = PLAIN.assign(target=LABELS, city="Rome", amount=1.0)
    table["city"] = RNG.choice(["Rome", "Oslo"], 200)
    found = keep_aside(make_dataset(table.drop(columns="target"), LABELS), 0.2, seed=0)
    table.loc[found.aside, "city"] = "Lima"
    again = read_problem(table, "target", holdout=0.2, cost_column="amount")
    assert again.aside is not None
    assert set(again.aside["city"]) == {"Lima"}
    assert list(again.aside.columns) == list(table.columns)
    levels = {level for column in again.dataset.schema.columns for level in column.levels}
    assert levels == {"Rome", "Oslo"}
    assert again.dataset.row_names is not None
    assert again.dataset.row_names.tolist() == np.flatnonzero(found.kept).tolist()
    assert len(again.dataset.row_costs) == len(again.dataset.y) == 160  # type: ignore[arg-type]
