from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autoimb.arrays import BoolArray, FloatArray
from autoimb.data.dataset import make_dataset
from autoimb.profiling.describing import profile_dataset
from autoimb.profiling.distances import DistanceEncoder
from autoimb.profiling.marginal import (
    Sample,
    describe_columns,
    fisher_direction,
    fisher_ratio,
    overlap_coefficients,
    univariate_auc,
)
from autoimb.profiling.measures import Estimate
from autoimb.profiling.sketch import principal_axes

N, N_POSITIVE = 4000, 800
IS_MEMBER = np.arange(N) < N_POSITIVE
# Whether all rows of the rest, and all of the class, are in a sample.
each_sampling = pytest.mark.parametrize("is_whole", [[True, True], [False, True]])


def draw(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def sample_of(
    columns: Sequence[Any], is_member: BoolArray = IS_MEMBER, categorical: bool = False
) -> Sample:
    X = np.column_stack(columns).astype(float)
    filled = np.nan_to_num(X)
    return Sample(X, filled, is_member, np.full(X.shape[1], categorical), float(is_member.mean()))


def overlap(column: Any, is_member: BoolArray = IS_MEMBER, categorical: bool = False) -> float:
    return float(overlap_coefficients(sample_of([column], is_member, categorical))[0])


def auc(column: Any, is_member: BoolArray = IS_MEMBER, categorical: bool = False) -> float:
    return float(univariate_auc(sample_of([column], is_member, categorical))[0])


def describe(sample: Sample, is_whole: list[bool]) -> dict[str, Estimate]:
    overlaps, aucs = overlap_coefficients(sample), univariate_auc(sample)
    return describe_columns(sample, overlaps, aucs, np.array(is_whole))


# What says nothing about the class, and what says all; and whether it holds categories.
NOTHING = {
    "normal": (lambda rng: rng.normal(size=N), False),
    "skewed": (lambda rng: rng.pareto(0.5, N), False),
    "few whole numbers": (lambda rng: rng.integers(0, 4, N), False),
    "mostly zero": (lambda rng: np.where(rng.random(N) < 0.05, rng.normal(size=N), 0), False),
    "constant": (lambda rng: np.ones(N), False),
    "two levels": (lambda rng: rng.integers(0, 2, N), True),
    "twenty levels": (lambda rng: rng.integers(0, 20, N), True),
    "missing here and there": (lambda rng: np.where(rng.random(N) < 0.5, np.nan, 1.0), False),
    "all missing": (lambda rng: np.full(N, np.nan), False),
    "all missing levels": (lambda rng: np.full(N, np.nan), True),
}
ALL = {
    "higher": (np.where(IS_MEMBER, 10.0, 0.0) + np.linspace(0, 1, N), False, 1.0),
    "lower": (np.where(IS_MEMBER, -10.0, 0.0) + np.linspace(0, 1, N), False, 0.0),
    "two values": (IS_MEMBER.astype(float), False, 1.0),
    "levels of their own": (np.where(IS_MEMBER, 0, 1 + np.arange(N) % 7), True, 1.0),
    "missing levels": (np.where(IS_MEMBER, np.nan, 0.0), True, 1.0),
}


@pytest.mark.parametrize("kind", NOTHING)
def test_a_column_that_says_nothing(kind: str) -> None:
    make, categorical = NOTHING[kind]
    overlaps, aucs = zip(
        *((overlap(x, categorical=categorical), auc(x, categorical=categorical))
          for x in (make(draw(seed)) for seed in range(5))),
        strict=True,
    )  # fmt: skip
    assert np.mean(overlaps) > 0.91
    assert np.mean(aucs) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("kind", ALL)
def test_a_column_that_says_all(kind: str) -> None:
    column, categorical, expected = ALL[kind]
    assert overlap(column, categorical=categorical) < 0.05
    assert auc(column, categorical=categorical) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("n_positive", [2, 20, 50, 300, 2000])
def test_classes_apart_hardly_overlap_however_few_their_rows(n_positive: int) -> None:
    is_member = np.arange(N) < n_positive
    assert overlap(draw().normal(size=N) + 100 * is_member, is_member) < 0.1


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_two_normal_distributions_overlap_as_theory_says(shift: float) -> None:
    from scipy.stats import norm

    column = draw().normal(size=N) + shift * IS_MEMBER
    assert overlap(column) == pytest.approx(2 * norm.cdf(-shift / 2), abs=0.04)
    assert auc(column) == pytest.approx(norm.cdf(shift / 2**0.5), abs=0.02)


def test_a_spread_that_differs_shows_where_the_order_does_not() -> None:
    column = draw().normal(size=N) * np.where(IS_MEMBER, 5, 1)
    assert auc(column) == pytest.approx(0.5, abs=0.03)
    assert overlap(column) < 0.6


@pytest.mark.parametrize("n_levels", [2, 50, 300, 1500, N])
@pytest.mark.parametrize("n_positive", [20, 200, 2000])
def test_many_random_levels_are_no_advantage(n_levels: int, n_positive: int) -> None:
    is_member = np.arange(N) < n_positive
    found = [
        auc(draw(seed).integers(0, n_levels, N), is_member, categorical=True) for seed in range(20)
    ]
    noise = 0.5 / np.sqrt(12 * n_positive * 20)
    assert np.mean(found) == pytest.approx(0.5, abs=8 * noise)


def test_levels_that_say_something_are_found_among_many() -> None:
    levels = draw().integers(0, 40, N)
    levels[IS_MEMBER] //= 2
    assert auc(levels, categorical=True) > 0.7
    assert overlap(levels, categorical=True) < 0.65


# A missing number counts as the median, low here; a missing level stands between the others.
@pytest.mark.parametrize(("categorical", "expected"), [(False, 0.55), (True, 0.595)])
def test_a_column_nine_tenths_missing_still_shows_its_signal(
    categorical: bool, expected: float
) -> None:
    rng = draw()
    column = np.where(IS_MEMBER, 3.0, 0.0) + rng.integers(0, 3, N)
    column[rng.random(N) < 0.9] = np.nan
    assert overlap(column, categorical=categorical) == pytest.approx(0.9, abs=0.02)
    assert auc(column, categorical=categorical) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("categorical", [False, True])
def test_gaps_that_tell_the_class_are_a_signal(categorical: bool) -> None:
    column = draw().integers(0, 5, N).astype(float)
    column[IS_MEMBER & (draw(1).random(N) < 0.8)] = np.nan
    assert overlap(column, categorical=categorical) < 0.3


@pytest.mark.parametrize("n_positive", [1, 2, 5, 12])
def test_few_rows_of_the_class_do_not_look_apart(n_positive: int) -> None:
    is_member = np.arange(N) < n_positive
    found = [overlap(draw(seed).normal(size=N), is_member) for seed in range(100)]
    # One row alone parts the rest where it stands.
    assert np.mean(found) > (0.2 if n_positive == 1 else 0.7)


@pytest.mark.parametrize("n_positive", [20, 50, 100, 320, 1000])
def test_columns_that_say_nothing_are_not_called_informative(n_positive: int) -> None:
    is_member = np.arange(N) < n_positive
    found = describe(sample_of(draw().normal(size=(40, N)), is_member), [True, True])
    assert found["informative_share"].value < 0.2


def test_columns_do_not_depend_on_their_scale() -> None:
    x = draw().lognormal(size=N) * (1 + IS_MEMBER)
    assert overlap(x) == overlap(1000 * x) == overlap(np.log(x))
    assert auc(x) == auc(1000 * x) == pytest.approx(1 - auc(-x), abs=1e-12)


@pytest.mark.parametrize(("n", "n_columns", "is_defined"), [(30, 40, False), (30, 5, True)])
def test_a_line_is_not_drawn_through_fewer_rows_than_columns(
    n: int, n_columns: int, is_defined: bool
) -> None:
    table = pd.DataFrame(draw().normal(size=(n, n_columns)))
    found = profile_dataset(make_dataset(table, np.arange(n) < 8)).measures["fisher_f1v"]
    assert (found.value is not None) == is_defined
    assert is_defined or "could be told apart" in found.why


@each_sampling
def test_a_class_of_one_row_has_no_direction(is_whole: list[bool]) -> None:
    found = describe(sample_of([draw().normal(size=100)], np.arange(100) < 1), is_whole)
    assert found["fisher_f1v"].why == "a class of one row has no spread"


@each_sampling
@pytest.mark.parametrize("n_positive", [1, 2, 3, 4, 6])
def test_intervals_of_a_class_of_a_few_rows_are_numbers(
    n_positive: int, is_whole: list[bool]
) -> None:
    found = describe(sample_of([draw().normal(size=100)], np.arange(100) < n_positive), is_whole)
    widths = [estimate.half_width for estimate in found.values()]
    assert np.isfinite(widths).all()
    assert any(widths) != all(is_whole)


def test_f1v_finds_a_direction_that_no_column_shows() -> None:
    rng = draw()
    x = rng.normal(size=N)
    Z = np.column_stack([x, x + 0.1 * rng.normal(size=N) + 0.5 * IS_MEMBER])
    sizes = np.bincount(IS_MEMBER.astype(int))
    assert fisher_ratio(Z, IS_MEMBER.astype(int), sizes) > 0.9
    assert fisher_direction(Z, IS_MEMBER, float(IS_MEMBER.mean())) < 0.1


@pytest.mark.parametrize("Z", [np.zeros((20, 2)), np.ones((20, 1))])
def test_columns_without_spread_separate_nothing(Z: FloatArray) -> None:
    is_member = np.arange(20) < 5
    assert fisher_ratio(Z, is_member.astype(int), np.array([15, 5])) == 1
    assert fisher_direction(Z, is_member, 0.25) == 1


def test_a_column_without_spread_inside_the_classes_separates_all() -> None:
    is_member = np.arange(20) < 5
    Z = np.column_stack([is_member, np.arange(20) % 3]).astype(float)
    assert fisher_ratio(Z, is_member.astype(int), np.array([15, 5])) == 0
    assert fisher_direction(Z, is_member, 0.25) < 1e-6


@pytest.mark.parametrize("n_columns", [1, 2, 5, 20])
def test_t4_of_data_along_a_line_is_one_axis(n_columns: int) -> None:
    Z = draw().normal(size=(200, 1)) @ np.ones((1, n_columns))
    assert principal_axes(Z).share_needed == 1 / n_columns


@pytest.mark.parametrize("n_columns", [1, 2, 5, 20])
def test_t4_of_data_in_all_directions_is_nearly_all_axes(n_columns: int) -> None:
    Z = draw().normal(size=(3000, n_columns))
    assert principal_axes(Z).share_needed >= 0.95


def test_t4_with_more_columns_than_rows_is_of_the_axes_there_are() -> None:
    Z = draw().normal(size=(10, 100))
    assert 0 < principal_axes(Z).share_needed <= 9 / 100
    assert principal_axes(Z[:, :50]).explained.sum() == pytest.approx(1)


@pytest.mark.parametrize("n_columns", [8, 12])
def test_axes_of_wide_and_of_tall_tables_are_the_same(n_columns: int) -> None:
    Z = draw().normal(size=(10, n_columns)) * np.arange(1, n_columns + 1)
    Z -= Z.mean(axis=0)
    singular = np.linalg.svd(Z, compute_uv=False) ** 2
    axes = principal_axes(Z + 7)
    np.testing.assert_allclose(axes.explained[:2], singular[:2] / singular.sum())
    places = Z @ axes.directions
    np.testing.assert_allclose(places.var(axis=0) * 10, singular[:2])


def test_distances_compare_columns_of_every_kind() -> None:
    table = pd.DataFrame(
        {
            "number": [0.0, 0.0, 0.0, 0.0, 1e9, None, 0.0, 0.0] * 20,
            "level": ["a", "b", "c", "a", "a", "a", None, "a"] * 20,
        }
    )
    dataset = make_dataset(table, [0, 0, 0, 1, 0, 0, 0, 1] * 20)
    Z = DistanceEncoder.fit(dataset).encode(dataset.X)
    gaps = np.linalg.norm(Z[:8] - Z[3], axis=1)
    # Two levels are 1 apart, be one of them missing; a missing number is 1 / sqrt(2) from the
    # median; an outlier is not further than five deviations.
    assert gaps[[0, 1, 2, 6, 7]] == pytest.approx([0, 1, 1, 1, 0])
    assert gaps[5] == pytest.approx(0.5**0.5)
    assert gaps[4] <= 10
