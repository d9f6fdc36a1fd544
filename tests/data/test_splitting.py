from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autoimb.data.dataset import Dataset, make_dataset
from autoimb.data.splitting import assign_folds, feasible_folds
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
