"""Measures against other packages, and against brute force of their published definitions."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike
from sklearn.datasets import load_breast_cancer, load_iris, load_wine, make_classification

from autoimb.arrays import FloatArray, IntArray
from autoimb.profiling.marginal import fisher_direction, fisher_ratio
from autoimb.profiling.measures import Estimate
from autoimb.profiling.nearest import find_nearest
from autoimb.profiling.neighbours import describe_neighbourhood
from autoimb.profiling.scan import Rows
from autoimb.profiling.sketch import principal_axes
from autoimb.profiling.skew import class_entropy_gap, imbalance_degree

REFERENCE = json.loads(Path(__file__).with_name("reference_values.json").read_text())
DATA_SETS = [name for name in REFERENCE if name != "about"]
OF_TWO_CLASSES = [name for name in DATA_SETS if len(REFERENCE[name]["class_counts"]) == 2]
SKEWED = [name for name in OF_TWO_CLASSES if len(set(REFERENCE[name]["class_counts"])) == 2]
# Six digits are known.
TOLERANCE = 1e-6
SCALES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "raw": lambda X: X,
    "minmax": lambda X: (X - X.min(axis=0)) / np.ptp(X, axis=0),
    "zscore": lambda X: (X - X.mean(axis=0)) / X.std(axis=0),
}
CLASS_WISE = ("n3", "kdn", "safe", "borderline", "rare", "outlier", "n2", "lsc")

each_data_set = pytest.mark.parametrize("name", DATA_SETS)
each_of_two_classes = pytest.mark.parametrize("name", OF_TWO_CLASSES)
each_skewed = pytest.mark.parametrize("name", SKEWED)
each_scale = pytest.mark.parametrize("scale", SCALES)


class AsIs:
    def encode(self, X: FloatArray, dtype: DTypeLike) -> Any:
        return X.astype(dtype)


@cache
def load(name: str) -> tuple[FloatArray, IntArray]:
    iris, wine, cancer = load_iris(), load_wine(), load_breast_cancer()
    if name == "synthetic_imb_400":
        return make_classification(
            n_samples=400, n_features=6, n_informative=4, n_redundant=0, n_clusters_per_class=2,
            weights=[0.9, 0.1], flip_y=0.02, class_sep=0.8, random_state=7,
        )  # fmt: skip
    return {
        "iris_versicolor_virginica": (iris.data[50:], iris.target[50:] - 1),
        "iris_virginica_vs_rest": (iris.data, (iris.target == 2).astype(int)),
        "breast_cancer": (cancer.data, cancer.target),
        "wine_class2_vs_rest": (wine.data, (wine.target == 2).astype(int)),
        "wine": (wine.data, wine.target),
    }[name]


def expected(name: str, measure: str, package: str = "source") -> Any:
    values = REFERENCE[name][measure][package]
    return pytest.approx(values, abs=TOLERANCE)


def scaled(name: str, scale: str = "zscore") -> tuple[FloatArray, IntArray]:
    X, y = load(name)
    return SCALES[scale](X), y


@cache
def measure(name: str, scale: str, code: int) -> dict[str, Estimate]:
    X, y = scaled(name, scale)
    found = describe_neighbourhood(Rows(X, AsIs()), y == code, 0, n_columns=X.shape[1])
    return dict(found.estimates)


def class_by_class(name: str, scale: str, of: str) -> list[float | None]:
    return [measure(name, scale, code)[of].value for code in range(len(sizes_of(name)))]


def sizes_of(name: str) -> IntArray:
    return np.bincount(load(name)[1])


def scatter(name: str, nth_enemy: int) -> float:
    """Compute N2 of the whole table, from the nearest enemy (1) or one further away."""
    X, y = load(name)
    own = enemy = 0.0
    for code in np.unique(y):
        members, others = np.flatnonzero(y == code), np.flatnonzero(y != code)
        own += find_nearest(Rows(X, AsIs()), members, members, 1).distances.sum()
        found = find_nearest(Rows(X, AsIs()), members, others, nth_enemy)
        enemy += found.distances[:, nth_enemy - 1].sum()
    return own / (own + enemy)


@each_data_set
def test_the_data_are_those_of_the_reference(name: str) -> None:
    assert sizes_of(name).tolist() == REFERENCE[name]["class_counts"]


@each_data_set
@each_scale
@pytest.mark.parametrize("of", CLASS_WISE)
def test_every_class_has_the_published_value(name: str, scale: str, of: str) -> None:
    assert class_by_class(name, scale, of) == expected(name, of, scale)


@each_of_two_classes
@each_scale
@pytest.mark.parametrize(
    ("of", "seen_from_there"),
    [("n3_majority", "n3"), ("degree_of_overlap_majority", "degree_of_overlap")],
)
def test_the_majority_has_that_of_the_other_class(
    name: str, scale: str, of: str, seen_from_there: str
) -> None:
    assert class_by_class(name, scale, of)[::-1] == expected(name, seen_from_there, scale)


@each_of_two_classes
@each_scale
def test_bi3_is_that_of_its_authors(name: str, scale: str) -> None:
    code = 0 if name == "breast_cancer" else 1
    value = measure(name, scale, code)["bi3"].value
    assert value == expected(name, "bi3", scale)
    if scale == "raw":
        assert value == expected(name, "bi3", "authors_raw")


@each_data_set
def test_the_skew_of_classes(name: str) -> None:
    assert class_entropy_gap(sizes_of(name)) == expected(name, "c1")
    assert imbalance_degree(sizes_of(name)) == expected(name, "imbalance_degree")


@each_data_set
@each_scale
def test_fisher_ratio_is_of_the_best_column_on_any_scale(name: str, scale: str) -> None:
    assert fisher_ratio(*scaled(name, scale), sizes_of(name)) == expected(name, "f1")


@each_of_two_classes
@pytest.mark.parametrize("package", ["pymfe", "pycol"])
def test_fisher_direction_divides_by_the_degrees_of_freedom(name: str, package: str) -> None:
    X, y = scaled(name)
    value = fisher_direction(X, y == 1, float((y == 1).mean()))
    assert value == expected(name, "f1v", package)


@each_data_set
def test_t4_counts_the_axes_of_the_raw_table(name: str) -> None:
    assert principal_axes(load(name)[0]).share_needed == expected(name, "t4", "pymfe")


# Where packages compute something else under the same name.


@pytest.mark.parametrize(
    ("name", "scale", "package"),
    [
        *((name, "raw", "problexity") for name in OF_TWO_CLASSES),
        *((name, "minmax", "pycol") for name in DATA_SETS),
    ],
)
def test_packages_agree_on_n3_once_the_distance_is_theirs(
    name: str, scale: str, package: str
) -> None:
    of_classes = class_by_class(name, scale, "n3")
    assert np.average(of_classes, weights=sizes_of(name)) == expected(name, "n3_overall", package)


@each_data_set
def test_n2_takes_the_nearest_enemy_where_problexity_takes_the_second(name: str) -> None:
    assert scatter(name, 1) == expected(name, "n2_overall", "source_raw")
    if name in OF_TWO_CLASSES:
        assert scatter(name, 2) == expected(name, "n2_overall", "problexity")
        assert scatter(name, 1) != expected(name, "n2_overall", "problexity")


@each_of_two_classes
def test_the_ratio_of_f1_is_half_of_problexitys(name: str) -> None:
    value = fisher_ratio(*scaled(name), sizes_of(name))
    assert 1 / (1 + 2 * (1 / value - 1)) == expected(name, "f1", "problexity")


@each_data_set
def test_f1_is_the_best_column_where_pymfe_takes_the_mean(name: str) -> None:
    X, y = scaled(name)
    columns = [fisher_ratio(column[:, None], y, sizes_of(name)) for column in X.T]
    assert np.mean(columns) == expected(name, "f1", "pymfe")
    assert min(columns) == expected(name, "f1")


@each_skewed
def test_f1_weighs_classes_by_their_size_where_pycol_does_not(name: str) -> None:
    X, y = scaled(name)
    gap = X[y == 1].mean(axis=0) - X[y == 0].mean(axis=0)
    of_pycol = 1 / (1 + gap**2 / (X[y == 1].var(axis=0) + X[y == 0].var(axis=0)))
    assert of_pycol.tolist() == expected(name, "f1", "pycol")
    assert fisher_ratio(X, y, sizes_of(name)) > of_pycol.min()


@each_of_two_classes
def test_f1v_divides_by_n_minus_one_where_problexity_divides_by_n(name: str) -> None:
    X, y = scaled(name)
    share = float((y == 1).mean())
    gap = X[y == 1].mean(axis=0) - X[y == 0].mean(axis=0)
    by_n = share * np.cov(X[y == 1].T, ddof=0) + (1 - share) * np.cov(X[y == 0].T, ddof=0)
    of_problexity = 1 / (1 + gap @ np.linalg.solve(by_n, gap))
    assert of_problexity == expected(name, "f1v", "problexity")
    assert fisher_direction(X, y == 1, share) > of_problexity


@each_data_set
def test_c1_grows_with_skew_where_pymfe_falls(name: str) -> None:
    assert 1 - class_entropy_gap(sizes_of(name)) == expected(name, "c1", "pymfe")


def test_equal_classes_have_no_imbalance_degree_where_redflag_has_one() -> None:
    name = "iris_versicolor_virginica"
    assert REFERENCE[name]["imbalance_degree"]["redflag"] == -1
    assert imbalance_degree(sizes_of(name)) == 0
