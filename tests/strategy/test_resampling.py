from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE

from autoimb.arrays import IntArray
from autoimb.data.dataset import Dataset, make_dataset
from autoimb.profiling.describing import profile_dataset
from autoimb.strategy.encoding import Encoder
from autoimb.strategy.pipeline import TrainingPart, build
from autoimb.strategy.resampling import BalanceTowards, Resampled, resample
from autoimb.strategy.search_space import Component, load_space

# Those of tables without numbers are in test_imbalanced_learn.py.
SAMPLERS = [
    c
    for c in load_space("default").stages["sampler"]
    if c.class_path and c.intervals.get("n_numeric") != (0, 0)
]
# It cross-validates a forest.
SLOW = ("instance_hardness",)


def named(samplers: Iterable[Component]) -> list[Any]:
    return [
        pytest.param(one, id=one.name, marks=[pytest.mark.slow] * (one.name in SLOW))
        for one in samplers
    ]


each_sampler = pytest.mark.parametrize("sampler", named(SAMPLERS))
each_size = pytest.mark.parametrize("n_classes", [2, 3])


@functools.cache
def gappy_dataset(n_classes: int) -> Dataset:
    """Numbers and categories with few and many levels; cells are missing in all of them."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(n_classes), [120, 40, 30][:n_classes])
    n = len(y)
    table = pd.DataFrame(
        {
            "x": rng.normal(size=n) + y,
            "whole": rng.integers(0, 9, n) * 1.0,
            "few": rng.choice(list("abc"), n),
            "many": rng.choice([f"v{i}" for i in range(25)], n),
        }
    ).mask(rng.random((n, 4)) < 0.08)
    return make_dataset(table, y)


@functools.cache
def facts_of(n_classes: int) -> Mapping[str, float]:
    return profile_dataset(gappy_dataset(n_classes)).facts(5)


@functools.cache
def draw(name: str, n_classes: int) -> Resampled:
    """Draw from the gappy table, once for all that look at what a sampler drew."""
    (component,) = [one for one in SAMPLERS if one.name == name]
    data, facts = gappy_dataset(n_classes), facts_of(n_classes)
    assert component.suits(facts)
    choice = component.capped(facts).choose(lambda _, parameter: parameter.default)
    part = TrainingPart(data.X, data.y, data.schema.n_levels, data.n_classes, seed=0)
    encoder, Z = part.encoded(choice.input)
    return resample(build(choice, encoder, n_threads=1, seed=0), encoder, Z, data.y)


@each_size
@each_sampler
def test_real_rows_stay_and_synthetic_ones_are_valid(sampler: Component, n_classes: int) -> None:
    data = gappy_dataset(n_classes)
    found = draw(sampler.name, n_classes)
    assert len(found.y) == len(found.kept) + len(found.synthetic)
    assert set(found.y) == set(range(n_classes))
    # A kept row is given by number, so its cells, gaps included, are those of the table.
    np.testing.assert_array_equal(found.y[: len(found.kept)], data.y[found.kept])
    assert len(found.kept) >= 0.2 * len(data.y)
    for j, n_levels in enumerate(data.schema.n_levels):
        made = found.synthetic[~np.isnan(found.synthetic[:, j]), j]
        real = data.X[~np.isnan(data.X[:, j]), j]
        if n_levels:
            assert set(made) <= set(range(n_levels))
        assert not len(made) or real.min() <= made.min() <= made.max() <= real.max()


@each_size
@pytest.mark.parametrize(
    "sampler",
    # Cleaning after SMOTE may take more than SMOTE gave.
    named(c for c in SAMPLERS if c.balance and c.name not in ("smote_enn", "smote_tomek")),
)
def test_the_classes_come_closer(sampler: Component, n_classes: int) -> None:
    data = gappy_dataset(n_classes)
    sizes, before = np.bincount(draw(sampler.name, n_classes).y), data.class_counts
    assert sizes.max() / sizes.min() < before.max() / before.min()


def test_over_sampling_keeps_every_real_row_first() -> None:
    for name in ("random_over", "smote", "smotenc", "adasyn", "svm_smote"):
        np.testing.assert_array_equal(draw(name, 2).kept[:160], np.arange(160))


def test_a_sampler_that_loses_a_class_is_refused() -> None:
    class Loses:
        sample_indices_ = np.arange(3)

        def fit_resample(self, X: Any, y: Any) -> Any:
            return X[:3], y[:3]

    X, y = np.arange(6.0).reshape(-1, 1), np.array([0, 0, 0, 1, 1, 1])
    with pytest.raises(ValueError, match=r"^Loses left a class without rows$"):
        resample(Loses(), Encoder("raw", (0,)), X, y)


def test_a_sampler_that_keeps_no_record_makes_synthetic_rows() -> None:
    class Moves:
        def fit_resample(self, X: Any, y: Any) -> Any:
            return X + 0.25, y

    X, y = np.arange(6.0).reshape(-1, 1), np.array([0, 0, 0, 1, 1, 1])
    found = resample(Moves(), Encoder("raw", (0,)), X, y)
    assert not len(found.kept)
    np.testing.assert_array_equal(found.synthetic, X + 0.25)


def test_labels_follow_their_rows() -> None:
    X, y = np.arange(12.0).reshape(-1, 1), np.array([1, 0, 0] * 4)
    found = resample(SMOTE(k_neighbors=2, random_state=0), Encoder("raw", (0,)), X, y)
    np.testing.assert_array_equal(found.y, [*y, *[1] * 4])


@pytest.mark.parametrize(
    ("sizes", "share", "direction", "expected"),
    [
        ([100, 4], 0.0, "over", {1: 4}),
        ([100, 4], 0.5, "over", {1: 20}),
        ([100, 4], 1.0, "over", {1: 100}),
        ([100, 4], 0.0, "under", {0: 100}),
        ([100, 4], 0.5, "under", {0: 20}),
        ([100, 4], 1.0, "under", {0: 4}),
        ([100, 25, 4], 0.5, "over", {1: 50, 2: 20}),
        ([100, 25, 4], 0.5, "under", {0: 20, 1: 10}),
        ([100, 100, 4], 1.0, "over", {2: 100}),
        ([50, 50], 1.0, "over", {}),
    ],
)
def test_a_share_of_the_way_to_equal_classes(
    sizes: list[int], share: float, direction: Any, expected: dict[int, int]
) -> None:
    y: IntArray = np.repeat(np.arange(len(sizes)), sizes)
    assert BalanceTowards(share, direction)(y) == expected
    assert BalanceTowards(share, direction)(y[::-1]) == expected


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_both_directions_leave_the_same_ratio(share: float) -> None:
    y = np.repeat([0, 1], [10_000, 100])
    over = 10_000 / BalanceTowards(share, "over")(y)[1]
    under = BalanceTowards(share, "under")(y)[0] / 100
    assert over == pytest.approx(under, rel=0.02)
    assert over == pytest.approx(100 ** (1 - share), rel=0.02)
