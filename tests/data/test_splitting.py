from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autoimb.data.dataset import Dataset, make_dataset
from autoimb.data.splitting import Folds, assign_folds, feasible_folds
from autoimb.data.time_blocks import cut_in_time
from autoimb.errors import DataError


def dataset(x: Any, y: Any) -> Dataset:
    return make_dataset(pd.DataFrame({"x": np.asarray(x, dtype=float)}), y)


def crossing_groups(data: Dataset, folds: np.ndarray[Any, Any]) -> list[int]:
    """Distinct rows of which copies lie in several folds."""
    groups = data.duplicate_groups
    return [g for g in np.unique(groups) if len(np.unique(folds[groups == g])) > 1]


SIZES = st.lists(st.integers(5, 60), min_size=2, max_size=4)


@settings(max_examples=60, deadline=None)
@given(sizes=SIZES, n_folds=st.integers(2, 5), seed=st.integers(0, 99))
def test_each_class_is_dealt_in_equal_shares(sizes: list[int], n_folds: int, seed: int) -> None:
    y = np.repeat(np.arange(len(sizes)), sizes)
    data = dataset(np.arange(len(y)), y)
    folds = assign_folds(data, n_folds, seed)
    table = np.array([[np.sum((folds == f) & (data.y == k)) for f in range(n_folds)]
                      for k in range(data.n_classes)])  # fmt: skip
    assert np.ptp(table, axis=1).max() <= 1
    assert np.ptp(table.sum(axis=0)) <= 1


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 15), st.integers(0, 2)), min_size=6, max_size=60),
    n_folds=st.integers(2, 5),
    seed=st.integers(0, 9),
)
def test_whatever_the_copies_every_part_trains_on_every_class(
    rows: list[tuple[int, int]], n_folds: int, seed: int
) -> None:
    x, y = (np.array(cells) for cells in zip(*rows, strict=True))
    sizes = np.unique(y, return_counts=True)[1]
    assume(len(np.unique(x)) > 1 and len(sizes) > 1 and sizes.min() > 1)
    data = dataset(x, y)
    n_folds = feasible_folds(data, n_folds)
    folds = assign_folds(data, n_folds, seed)
    assert set(folds) <= set(range(n_folds))
    for fold in range(n_folds):
        assert len(np.unique(data.y[folds != fold])) == data.n_classes


def test_copies_of_a_row_are_never_on_both_sides() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 60, 300)
    data = dataset(x, (rng.random(300) < 0.3).astype(int))
    for n_folds in (2, 3, 5, 10):
        folds = assign_folds(data, n_folds, seed=n_folds)
        assert len(np.unique(folds)) == n_folds
        assert not crossing_groups(data, folds)


def test_only_the_class_that_is_all_copies_is_torn_apart() -> None:
    """A class of one row many times cannot be validated otherwise; the others still can."""
    x = np.concatenate([np.repeat(np.arange(50), 2), np.full(6, 1000)])
    data = dataset(x, np.repeat([0, 1], [100, 6]))
    folds = assign_folds(data, 3, seed=0)
    torn = crossing_groups(data, folds)
    assert set(data.y[np.isin(data.duplicate_groups, torn)]) == {1}


def test_one_seed_gives_one_split() -> None:
    data = dataset(np.arange(80) // 2, np.arange(80) % 4 == 0)
    first, again, other = (assign_folds(data, 4, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(
    ("n_minority", "wished", "expected"), [(2, 5, 2), (4, 5, 4), (5, 5, 5), (9, 5, 5), (9, 2, 2)]
)
def test_a_rare_class_lowers_the_folds(n_minority: int, wished: int, expected: int) -> None:
    y = np.repeat([0, 1], [20, n_minority])
    assert feasible_folds(dataset(np.arange(len(y)), y), wished) == expected


def test_a_class_with_a_single_row_cannot_be_validated() -> None:
    with pytest.raises(DataError) as caught:
        feasible_folds(dataset(range(5), ["no", "no", "no", "no", "yes"]), 5)
    assert str(caught.value) == (
        "target 'target' has 1 row of class 'yes'; validation needs at least 2 of each. "
        "Collect more, or leave that class out."
    )


# ------------------------------------------------------------------- groups and times


def split_dataset(x: Any, y: Any, **columns: Any) -> Dataset:
    """Make a dataset of one feature, with columns named as what they say."""
    table = pd.DataFrame({"x": np.asarray(x, dtype=float), **columns})
    return make_dataset(table, np.asarray(y), **{name: name for name in columns})


WILD = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 2), st.integers(0, 12), st.integers(0, 20)),
    min_size=8, max_size=80,
)  # fmt: skip


def wild_dataset(rows: list[tuple[int, ...]], *asked: str) -> Dataset:
    x, y, groups, times = (np.array(cells) for cells in zip(*rows, strict=True))
    assume(len(np.unique(x)) > 1 and len(np.unique(y)) > 1)
    columns = {"groups": groups, "time": times}
    return split_dataset(x, y, **{name: columns[name] for name in asked})


@settings(max_examples=200, deadline=None)
@given(rows=WILD, wished=st.integers(2, 5), seed=st.integers(0, 9))
def test_whatever_the_groups_none_is_on_both_sides(
    rows: list[tuple[int, ...]], wished: int, seed: int
) -> None:
    data = wild_dataset(rows, "groups")
    try:
        n_folds = feasible_folds(data, wished)
        number = assign_folds(data, n_folds, seed)
    except DataError as error:
        assert "\n" not in str(error)
        return
    assert set(number) == set(range(n_folds))
    folds = Folds(number, data.units)
    for fold in range(n_folds):
        trained, scored = folds.trained_on(fold), number == fold
        assert not (trained & scored).any()
        for kept_whole in (data.units, data.groups, data.duplicate_groups):
            assert kept_whole is not None
            assert not set(kept_whole[trained]) & set(kept_whole[scored])
        assert len(np.unique(data.y[trained])) == data.n_classes


@settings(max_examples=200, deadline=None)
@given(rows=WILD, wished=st.integers(2, 5), has_groups=st.booleans())
def test_whatever_the_times_the_past_trains_and_the_future_tests(
    rows: list[tuple[int, ...]], wished: int, has_groups: bool
) -> None:
    data = wild_dataset(rows, "time", *(["groups"] if has_groups else []))
    assert data.times is not None
    try:
        n_folds = feasible_folds(data, wished)
    except DataError as error:
        assert "\n" not in str(error)
        return
    number = assign_folds(data, n_folds, 0)
    assert set(number) == set(range(-1, n_folds))
    # rows of one time are never apart, and folds follow one another
    order = np.argsort(data.times, kind="stable")
    assert (np.diff(number[order]) >= 0).all()
    assert (number[order][1:] == number[order][:-1])[np.diff(data.times[order]) == 0].all()
    folds = Folds(number, data.units, in_time=True)
    for fold in range(n_folds):
        trained, scored = folds.trained_on(fold), number == fold
        assert data.times[trained].max() < data.times[scored].min()
        assert not set(data.units[trained]) & set(data.units[scored])
        assert np.bincount(data.y[trained], minlength=data.n_classes).min() >= 2
        assert np.bincount(data.y[scored], minlength=data.n_classes).min() >= 1


@pytest.mark.parametrize("n_folds", [2, 3, 5])
def test_groups_of_any_size_are_dealt_evenly(n_folds: int) -> None:
    rng = np.random.default_rng(n_folds)
    sizes = rng.integers(1, 40, 120)
    groups = np.repeat(np.arange(120), sizes)
    y = (np.arange(120) % 4 == 0)[groups]
    data = split_dataset(np.arange(len(y)), y, groups=groups)
    folds = assign_folds(data, n_folds, 0)
    for code in (0, 1):
        assert np.ptp(np.bincount(folds[data.y == code])) <= sizes.max()
        n_groups = [len(set(groups[(folds == f) & (data.y == code)])) for f in range(n_folds)]
        assert np.ptp(n_groups) <= 1


def test_copies_join_groups() -> None:
    data = split_dataset([1, 2, 2, 3, 4], [0, 1, 0, 1, 0], groups=["a", "a", "b", "c", None])
    assert [len({*data.units[:3]}), len({*data.units})] == [1, 3]


def test_rows_without_a_group_are_each_by_themselves() -> None:
    data = split_dataset(range(5), [0, 1, 0, 1, 0], groups=["a", None, "a", "", "NA"])
    assert data.groups is not None
    assert len(set(data.groups)) == 4
    assert data.groups[0] == data.groups[2]


@pytest.mark.parametrize("numbers", [[1, 2, 1], ["1", "2", "1"], [1.0, 2.0, 1.0]])
def test_a_group_is_one_however_it_is_typed(numbers: list[Any]) -> None:
    data = split_dataset(range(3), [0, 1, 0], groups=numbers)
    assert data.groups is not None
    assert data.groups.tolist() == [0, 1, 0]
    assert data.schema.feature_names == ("x",)
    assert (data.group_column, data.time_column) == ("groups", None)


def test_groups_lower_the_folds() -> None:
    groups = np.arange(60) // 5
    data = split_dataset(range(60), groups < 3, groups=groups)
    assert feasible_folds(data, 5) == 3


@pytest.mark.parametrize(
    ("x", "groups", "found"),
    [
        (range(40), np.arange(40) // 10, "lies in a single group of 'groups'"),
        (
            np.maximum(np.arange(40), 9), np.r_[np.arange(10), np.full(30, 11)],
            "lies in a single group of 'groups'",
        ),
        (
            np.r_[np.zeros(10), np.arange(30)], np.arange(40) // 5,
            "lies in 2 groups of 'groups' that equal rows join into one",
        ),
    ],
    ids=["one group", "some", "joined"],
)  # fmt: skip
def test_a_class_of_one_group_is_not_torn_apart(x: Any, groups: Any, found: str) -> None:
    y = np.where(np.arange(40) < 10, "rare", "usual")
    y = y if found.endswith("one") or len(set(groups)) == 4 else np.where(groups == 11, "a", "b")
    with pytest.raises(DataError) as caught:
        feasible_folds(split_dataset(x, y, groups=groups), 5)
    assert found in str(caught.value)
    assert str(caught.value).endswith("leave that class out, or do without --groups.")


@pytest.mark.parametrize(
    "times",
    [
        np.arange(120),
        pd.date_range("2020-01-01", periods=120),
        pd.date_range("2020-01-01", periods=120, tz="Europe/Rome", freq="h"),
        pd.date_range("2020-01-01", periods=120).strftime("%d.%m.%Y"),
        pd.date_range("2020-01-01", periods=120).strftime("%m/%d/%Y %H:%M"),
        pd.period_range("2000-01", periods=120, freq="M"),
        [f"{k}.5" for k in range(120)],
    ],
    ids=["numbers", "dates", "with a zone", "days first", "months first", "months", "text"],
)
def test_times_of_any_type_sort_the_rows(times: Any) -> None:
    order = np.random.default_rng(0).permutation(120)
    data = split_dataset(order, order % 4 == 0, time=pd.Series(times)[order].to_numpy())
    assert data.times is not None
    assert np.array_equal(np.argsort(data.times), np.argsort(order))
    number = assign_folds(data, feasible_folds(data, 5), 0)
    # thirty rare rows in six blocks
    assert np.bincount(number[data.y == 1] + 1).tolist() == [5] * 6


@pytest.mark.parametrize(
    ("cells", "n"), [(["2020-01-01", None, "soon", "2020-01-02"], 2), ([1.0, np.inf, 2.0, 3.0], 1)]
)
def test_a_row_without_a_time_is_an_error(cells: list[Any], n: int) -> None:
    with pytest.raises(DataError) as caught:
        split_dataset(range(4), [0, 1, 0, 1], time=cells)
    assert str(caught.value).startswith(
        f"time column 'time': {n} of 4 cells are missing or neither"
    )
    assert str(caught.value).endswith("Fill or correct them, or drop those rows.")


def test_rare_rows_of_few_times_lower_the_folds() -> None:
    y = np.isin(np.arange(100), [10, 11, 40, 70, 90])
    assert feasible_folds(split_dataset(range(100), y, time=np.arange(100)), 5) == 3
    ties = np.where(np.arange(100) < 60, 0, np.arange(100))
    assert feasible_folds(split_dataset(range(100), y, time=ties), 5) == 2


@pytest.mark.parametrize(
    ("x", "times"),
    [(np.arange(60), np.zeros(60)), (np.arange(60), np.arange(60) // 30),
     (np.minimum(np.arange(60) % 6, 5 * (np.arange(60) % 6 > 0)), np.arange(60))],
    ids=["one time", "two times", "a class of copies"],
)  # fmt: skip
def test_times_that_cannot_be_cut_are_an_error(x: Any, times: Any) -> None:
    data = split_dataset(x, np.arange(60) % 6 == 0, time=times)
    with pytest.raises(DataError, match="cannot be cut into a past and 2 folds after it") as caught:
        feasible_folds(data, 5)
    assert str(caught.value).endswith("or do without --time.")
    assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(
    cells=st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=60),
    n_folds=st.integers(2, 6),
)
def test_a_cut_is_found_wherever_there_is_one(cells: list[tuple[int, bool]], n_folds: int) -> None:
    times, is_rare = (np.array(each) for each in zip(*cells, strict=True))
    number = cut_in_time(times.astype(float), is_rare, n_folds) if is_rare.any() else None
    if number is not None:
        counts = np.bincount(number[is_rare] + 1, minlength=n_folds + 1)
        assert counts[0] >= 2
        assert counts.min() >= 1
        return
    # the rare rows lie at too few times
    counts = np.unique(times[is_rare], return_counts=True)[1]
    spare = int(np.searchsorted(np.cumsum(counts), 2)) + 1
    assert len(counts) < spare + n_folds
