from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import autoimb
from autoimb.arrays import FloatArray, IntArray
from autoimb.data.dataset import make_dataset
from autoimb.profiling import neighbours, scan
from autoimb.profiling.describing import profile_dataset
from autoimb.profiling.distances import DistanceEncoder
from autoimb.profiling.measures import MEASURES, Estimate
from autoimb.profiling.neighbours import describe_neighbourhood
from autoimb.profiling.profile import Profile
from autoimb.profiling.scan import Rows

OF_NEIGHBOURS = [
    name
    for name, measure in MEASURES.items()
    if measure.group in ("neighbourhood", "local sets", "majority")
]
# Copies of rows are counted in the whole table.
SAMPLED = [name for name in OF_NEIGHBOURS if name != "label_conflict_share"]
LANDMARKERS = [name for name, measure in MEASURES.items() if measure.group == "landmarkers"]
OTHERS = [name for name in MEASURES if name not in LANDMARKERS]
# Beyond this is no rounding.
ROUNDING = 1e-9

TABLES: dict[str, Callable[[np.random.Generator, int], pd.DataFrame]] = {
    "normal": lambda rng, n: pd.DataFrame(rng.normal(size=(n, 3))),
    "long-tailed": lambda rng, n: pd.DataFrame(np.exp(4 * rng.normal(size=(n, 2)))),
    "whole numbers": lambda rng, n: pd.DataFrame(rng.integers(0, 10, (n, 3))),
    "one column of few values": lambda rng, n: pd.DataFrame(rng.integers(0, 5, (n, 1))),
    "yes or no": lambda rng, n: pd.DataFrame(rng.integers(0, 2, (n, 8))),
    "mostly zero": lambda rng, n: pd.DataFrame(draw_flags(rng, n, 3) * rng.normal(size=(n, 3))),
    "rare flags beside long tails": lambda rng, n: pd.DataFrame(
        np.column_stack([np.exp(4 * rng.normal(size=(n, 2))), draw_flags(rng, n, 7) > 0])
    ),
    "far and close": lambda rng, n: pd.DataFrame(rng.integers(0, 2, (n, 8))).assign(
        close=lambda t: t.pop(7) + 1e-6 * rng.integers(0, 2, n)
    ),
    "categories": lambda rng, n: pd.DataFrame(draw_levels(rng, n, 3, 4)),
    "five truths": lambda rng, n: pd.DataFrame(draw_levels(rng, n, 5, 2)),
    "one category": lambda rng, n: pd.DataFrame(draw_levels(rng, n, 1, 2)),
    "many levels": lambda rng, n: pd.DataFrame(draw_levels(rng, n, 2, 300)),
    "few levels beside a number": lambda rng, n: pd.DataFrame(draw_levels(rng, n, 3, 3)).assign(
        x=rng.normal(size=n).round(1)
    ),
}  # fmt: skip
each_table = pytest.mark.parametrize("kind", TABLES)


def draw_levels(rng: np.random.Generator, n: int, n_columns: int, n_levels: int) -> dict[str, Any]:
    levels = np.array([f"level {i}" for i in range(n_levels)])
    return {f"c{j}": levels[rng.integers(0, n_levels, n)] for j in range(n_columns)}


def draw_flags(rng: np.random.Generator, n: int, n_columns: int) -> FloatArray:
    return (rng.random((n, n_columns)) < 0.02).astype(float)


def profile(table: Any, y: Any, seed: int = 0) -> Profile:
    table = pd.DataFrame(table)
    return profile_dataset(make_dataset(table, y, needs_features=False), seed)


def neighbourhood(table: pd.DataFrame, y: IntArray) -> dict[str, Estimate]:
    """Describe the neighbours of class 1, and nothing else of a profile: the rest takes longer."""
    dataset = make_dataset(table, y)
    encoder = DistanceEncoder.fit(dataset)
    rows = Rows(dataset.X, encoder)
    return dict(describe_neighbourhood(rows, y == 1, 0, n_columns=encoder.n_columns).estimates)


def values(found: Profile | dict[str, Estimate], names: list[str]) -> dict[str, Any]:
    measures = found.measures if isinstance(found, Profile) else found
    return {name: measures[name].value for name in names}


def random_labels(seed: int, n: int, n_positive: int) -> IntArray:
    return (np.random.default_rng(seed + 1000).permutation(n) < n_positive).astype(int)


def normal_table(seed: int = 0, n: int = 400, shift: float = 1.0) -> tuple[pd.DataFrame, IntArray]:
    rng = np.random.default_rng(seed)
    y = (np.arange(n) < n // 8).astype(int)
    table = pd.DataFrame(rng.normal(size=(n, 3)) + shift * y[:, None], columns=["a", "b", "c"])
    return table, y


# What the measures say of labels at random, and of classes apart.


@pytest.mark.parametrize(("ratio", "n_positive"), [(1, 800), (10, 400), (50, 300), (200, 200)])
def test_random_labels_overlap_by_one_whatever_the_imbalance(ratio: int, n_positive: int) -> None:
    n = n_positive * (ratio + 1)
    table = np.random.default_rng(ratio).normal(size=(n, 3))
    found = values(profile(table, random_labels(ratio, n, n_positive)), list(MEASURES))
    assert found["density_corrected_overlap"] == pytest.approx(1, abs=0.15)
    assert found["kdn"] == pytest.approx(ratio / (ratio + 1), abs=0.04)
    assert found["n3"] == pytest.approx(ratio / (ratio + 1), abs=0.05)
    assert found["n3_majority"] == pytest.approx(1 / (ratio + 1), abs=0.03)
    assert found["auc_max"] < 0.57
    assert abs(found["lda_ap_lift"]) < 0.1


@pytest.mark.parametrize("ratio", [1, 10, 200])
def test_classes_apart_do_not_overlap_whatever_the_imbalance(ratio: int) -> None:
    n = 50 * (ratio + 1)
    y = (np.arange(n) < 50).astype(int)
    table = np.random.default_rng(0).normal(size=(n, 2)) + 100 * y[:, None]
    found = values(profile(table, y), list(MEASURES))
    of_overlap = ("density_corrected_overlap", "kdn", "n3", "n3_majority", "bi3", "lonely_share",
                  "degree_of_overlap_majority", "lsc")  # fmt: skip
    assert {name: found[name] for name in of_overlap} == dict.fromkeys(of_overlap, 0)
    assert (found["safe"], found["auc_max"], found["lda_auc"], found["tree_ap_lift"]) == (1,) * 4
    assert found["local_set_median"] == 50
    assert max(found["n2"], found["fisher_f1v"]) < 0.05


@each_table
@pytest.mark.parametrize(
    "exact_work",
    [
        pytest.param(np.inf, id="distances"),
        pytest.param(0, id="products", marks=pytest.mark.slow),
    ],
)
def test_random_labels_do_not_look_apart_in_tables_full_of_ties(
    kind: str, exact_work: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "EXACT_WORK", exact_work)
    n, n_positive = 4000, 250
    table = TABLES[kind](np.random.default_rng(0), n)
    found = values(neighbourhood(table, random_labels(0, n, n_positive)), SAMPLED)
    share = n_positive / n
    assert found["density_corrected_overlap"] == pytest.approx(1, abs=0.15)
    assert found["kdn"] == pytest.approx(1 - share, abs=0.03)
    assert found["n3"] == pytest.approx(1 - share, abs=0.05)
    assert found["n3_majority"] == pytest.approx(share, abs=0.02)
    assert found["degree_of_overlap_majority"] == pytest.approx(1 - (1 - share) ** 5, abs=0.05)


@each_table
def test_the_order_of_rows_hardly_matters_where_ties_are_dealt_out(kind: str) -> None:
    n = 1500
    table = TABLES[kind](np.random.default_rng(0), n)
    y = random_labels(0, n, 150)
    order = np.random.default_rng(1).permutation(n)
    before = neighbourhood(table, y)
    after = neighbourhood(table.iloc[order].reset_index(drop=True), y[order])
    for name in ("kdn", "n3", "safe", "outlier", "n3_majority", "degree_of_overlap_majority"):
        assert after[name].value == pytest.approx(before[name].value, abs=0.1)
    before_, after_ = (found["density_corrected_overlap"].value for found in (before, after))
    assert after_ == pytest.approx(before_, abs=0.2)


@pytest.mark.parametrize("n_positive", [20, 100])
def test_a_table_of_identical_rows_has_no_distances_to_compare(n_positive: int) -> None:
    y = random_labels(0, 400, n_positive)
    table = pd.DataFrame({"x": [0] * 400, "id": [f"{i % 2}" for i in range(400)]})
    found = profile(table, y).measures
    assert found["label_conflict_share"].value == 1
    assert found["n2"].why.startswith("every row of the class has an identical enemy")


# That they are exact.


def brute_force(table: pd.DataFrame, y: IntArray) -> dict[str, float]:
    """Compute what needs every distance, of the class 1, from the published formulas."""
    dataset = make_dataset(table, y)
    Z = DistanceEncoder.fit(dataset).encode(dataset.X)
    D = cdist(Z, Z)
    np.fill_diagonal(D, np.inf)
    is_member = y == 1
    own, enemy = np.sort(D[is_member][:, is_member]), np.sort(D[is_member][:, ~is_member])
    nearest_five = np.argsort(D[is_member], axis=1)[:, :5]
    f = is_member[nearest_five].mean(axis=1)
    before = (enemy < own[:, :1]).sum(axis=1)
    local_set = (own < enemy[:, :1]).sum(axis=1) + 1
    r = (~is_member).sum() / is_member.sum()
    f_p = np.where(f > 0, f, 1 / (before + 1))
    scatter = own[:, 0].sum() / enemy[:, 0].sum()
    return {
        "kdn": float(1 - f.mean()),
        "n3": float((before > 0).mean()),
        "bi3": float((r * f_p / (1 - f_p + r * f_p) - f_p).mean()),
        "lonely_share": float((local_set == 1).mean()),
        "local_set_median": float(np.median(local_set)),
        "lsc": float(1 - local_set.mean() / is_member.sum()),
        "n2": float(scatter / (1 + scatter)),
        "density_corrected_overlap": float((before / (before + r)).mean())
        / neighbours.overlap_of_random_labels(r),
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shift", [0.0, 1.0, 3.0])
def test_neighbourhoods_are_exact(seed: int, shift: float) -> None:
    table, y = normal_table(seed, n=300, shift=shift)
    expected = brute_force(table, y)
    found = profile(table, y)
    assert values(found, list(expected)) == pytest.approx(expected, abs=1e-9)
    assert all(found.measures[name].half_width == 0 for name in OF_NEIGHBOURS)


def test_the_shares_of_kinds_sum_to_one() -> None:
    found = values(profile(*normal_table()), ["safe", "borderline", "rare", "outlier"])
    assert sum(found.values()) == pytest.approx(1)


def test_rows_of_the_whole_table_are_looked_at() -> None:
    found = profile(*normal_table()).measures
    assert {name: found[name].n_ref for name in OF_NEIGHBOURS} == dict.fromkeys(OF_NEIGHBOURS, 399)
    assert {found[name].n_ref for name in MEASURES if name not in OF_NEIGHBOURS} == {0}
    assert (found["n3"].n_used, found["n3_majority"].n_used, found["c1"].n_used) == (50, 350, 400)


@pytest.mark.parametrize("n_conflicts", [0, 3, 50])
def test_rows_that_stand_in_both_classes_are_counted(n_conflicts: int) -> None:
    table, y = normal_table()
    table.iloc[50 : 50 + n_conflicts] = table.iloc[:n_conflicts].to_numpy()
    assert profile(table, y).measures["label_conflict_share"].value == n_conflicts / 50


# How sure they are.


@dataclass(frozen=True)
class Sampled:
    """What samples said of a table, and what all its rows say."""

    truth: dict[str, Estimate]
    samples: list[dict[str, Estimate]]


@pytest.fixture(scope="module")
def sampled() -> Sampled:
    table, y = normal_table(n=4000, shift=1.2)
    dataset = make_dataset(table, y)
    encoder = DistanceEncoder.fit(dataset)

    def look(seed: int) -> dict[str, Estimate]:
        rows = Rows(dataset.X, encoder)
        return dict(
            describe_neighbourhood(rows, y == 1, seed, n_columns=encoder.n_columns).estimates
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "MAX_MAJORITY_QUERIES", 10_000)
        truth = look(0)
        patch.setattr(neighbours, "MAX_QUERIES", 150)
        patch.setattr(neighbours, "MAX_MAJORITY_QUERIES", 150)
        return Sampled(truth, [look(seed) for seed in range(60)])


@pytest.mark.parametrize("name", SAMPLED)
def test_intervals_hold_what_all_rows_say(name: str, sampled: Sampled) -> None:
    truth, found = sampled.truth[name], [sample[name] for sample in sampled.samples]
    inside = [abs(e.value - truth.value) <= e.half_width for e in found]
    assert truth.half_width == 0
    assert {e.n_used for e in found} == {150}
    assert {e.n_ref for e in found} == {3999}
    assert np.mean(inside) >= 0.85
    # Nor are they wider than need be.
    spread = 1.96 * np.std([e.value for e in found])
    assert np.mean([e.half_width for e in found]) < 1.5 * spread + 0.01


@pytest.mark.parametrize("name", [n for n in SAMPLED if n != "local_set_median"])
def test_samples_are_right_on_average(name: str, sampled: Sampled) -> None:
    found = np.array([sample[name].value for sample in sampled.samples])
    error = abs(found.mean() - sampled.truth[name].value)
    assert error <= 4 * found.std() / np.sqrt(len(found)) + 1e-12


# That any table has a profile.


@st.composite
def any_tables(draw: Any) -> tuple[pd.DataFrame, IntArray]:
    sizes = draw(st.lists(st.integers(1, 25), min_size=2, max_size=5))
    y = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = rng.permutation(y)
    kinds = draw(st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=5))
    columns = {f"{kind} {j}": COLUMNS[kind](rng, y) for j, kind in enumerate(kinds)}
    table = pd.DataFrame(columns)
    if draw(st.booleans()):
        table = table.mask(rng.random(table.shape) < draw(st.sampled_from([0.1, 0.9])))
    return table, y


COLUMNS: dict[str, Callable[[np.random.Generator, IntArray], Any]] = {
    "number": lambda rng, y: rng.normal(size=len(y)),
    "huge": lambda rng, y: rng.normal(size=len(y)) * 1e37,
    "tiny": lambda rng, y: rng.normal(size=len(y)) * 1e-300,
    "far away": lambda rng, y: 1e12 + rng.normal(size=len(y)) * 1e-3,
    "endless": lambda rng, y: np.where(rng.random(len(y)) < 0.3, np.inf, rng.normal(size=len(y))),
    "whole": lambda rng, y: rng.integers(0, 3, len(y)),
    "constant": lambda rng, y: np.full(len(y), 3.0),
    "one row differs": lambda rng, y: (np.arange(len(y)) == 0).astype(float),
    "the label": lambda rng, y: y.astype(float),
    "level": lambda rng, y: rng.choice(["a", "b", "c"], len(y)),
    "the label as a level": lambda rng, y: np.char.add("class ", y.astype(str)),
    "truth": lambda rng, y: rng.random(len(y)) < 0.5,
    "date": lambda rng, y: (
        pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, len(y)), unit="D")
    ),
}


def assert_sound(name: str, estimate: Estimate) -> None:
    measure, value = MEASURES[name], estimate.value
    if value is None:
        assert estimate.why, name
        return
    assert np.isfinite(value), name
    assert measure.low - ROUNDING <= value <= measure.high + ROUNDING, f"{name} is {value}"
    assert np.isfinite(estimate.half_width), name
    assert estimate.half_width >= 0, name
    assert estimate.n_used > 0, name


def assert_all_sound(found: Profile) -> None:
    assert set(found.measures) == set(MEASURES)
    for measures in (found.measures, found.worst, *(one.measures for one in found.classes)):
        for name, estimate in measures.items():
            assert_sound(name, estimate)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=any_tables())
def test_any_table_has_a_profile_in_range(case: tuple[pd.DataFrame, IntArray]) -> None:
    found = profile(*case)
    assume(found.n_features)
    assert_all_sound(found)
    assert found.figures() and str(found)


@pytest.mark.parametrize("n_rare", [1, 2, 4])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_few_rows_among_very_many_have_a_profile(n_rare: int, n_classes: int) -> None:
    n = 42_000
    y = np.arange(n) % (n_classes - 1)
    y[:n_rare] = n_classes - 1
    assert_all_sound(profile(np.random.default_rng(0).normal(size=(n, 2)), y))


def test_a_class_of_one_row_can_be_sought_in_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "EXACT_WORK", 0)
    found = profile(np.random.default_rng(0).normal(size=(300, 20)), np.arange(300) == 0)
    assert_all_sound(found)
    assert (found.measures["n3"].value, found.measures["kdn"].value) == (1, 1)
    assert "one row" in found.measures["n2"].why


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_table_of_a_few_rows_has_a_profile(n: int) -> None:
    found = profile(pd.DataFrame({"x": range(n)}), np.arange(n) == 0)
    assert_all_sound(found)
    assert found.measures["safe"].why == f"the table has {n} rows, too few for 5 neighbours"


@pytest.mark.parametrize(("n", "n_positive"), [(4, 2), (5, 2), (6, 2), (8, 2), (20, 2), (100, 30)])
@pytest.mark.parametrize("column", ["one row differs", "number"])
def test_landmarkers_of_a_column_that_hardly_changes(column: str, n: int, n_positive: int) -> None:
    y = np.arange(n) < n_positive
    found = profile({column: COLUMNS[column](np.random.default_rng(0), y)}, y)
    assert_all_sound(found)


def test_without_a_column_that_tells_rows_apart_it_says_so() -> None:
    found = profile(pd.DataFrame({"x": [1] * 20}), np.arange(20) < 4)
    assert_all_sound(found)
    undefined = {name for name, estimate in found.measures.items() if estimate.value is None}
    assert {"kdn", "fisher_f1", "lda_auc", "t4"} <= undefined
    assert found.measures["kdn"].why == "no column tells rows apart"
    assert found.measures["c1"].value is not None


def test_the_front_door_gives_the_same_profile() -> None:
    table, y = normal_table()
    assert values(autoimb.profile(table, y), OTHERS) == values(profile(table, y), OTHERS)
    labelled = table.assign(label=y)
    assert values(autoimb.profile(labelled, target="label"), OTHERS) == values(
        profile(table, y), OTHERS
    )


# Several classes.


def several(sizes: dict[str, int]) -> Profile:
    y = np.repeat(list(sizes), list(sizes.values()))
    rng = np.random.default_rng(0)
    return profile(rng.normal(size=(len(y), 2)) + (y == "b")[:, None], y)


@pytest.mark.parametrize(
    ("sizes", "rare"),
    [
        ({"a": 90, "b": 30, "c": 20, "d": 60}, "cb"),
        ({"a": 20, "b": 30, "c": 90}, "ab"),
        ({"a": 60, "b": 30, "c": 60, "d": 30}, "bd"),
        ({"a": 90, "b": 10}, "b"),
        ({"a": 30, "b": 30, "c": 30}, "a"),
        ({"a": 30, "b": 30}, "b"),
    ],
)
def test_every_class_rarer_than_the_average_is_measured(sizes: dict[str, int], rare: str) -> None:
    found = several(sizes)
    assert [one.label for one in found.classes] == list(rare)
    assert [one.n_rows for one in found.classes] == [sizes[label] for label in rare]
    assert (found.minority, found.n_minority) == (rare[0], sizes[rare[0]])
    of_a_class = {name for name, measure in MEASURES.items() if measure.of_a_class}
    assert all(set(one.measures) == of_a_class for one in (*found.classes,))
    assert set(found.worst) == of_a_class


def test_of_several_classes_the_mean_and_the_hardest_are_given() -> None:
    found = several({"a": 90, "b": 30, "c": 20, "d": 60})
    for name, measure in MEASURES.items():
        if measure.of_a_class:
            of_c, of_b = (one.measures[name].value for one in found.classes)
            assert found.measures[name].value == pytest.approx((30 * of_b + 20 * of_c) / 50)
            hardest = max if measure.worse == "high" else min
            assert found.worst[name].value == hardest(of_b, of_c)


def test_a_class_is_seen_against_all_other_rows() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 2)), np.repeat(["a", "b", "c"], [180, 80, 40])
    alone = profile(X, np.where(y == "c", "c", "rest"))
    among = profile(X, y).classes[0]
    assert values(dict(among.measures), OF_NEIGHBOURS) == values(alone, OF_NEIGHBOURS)


# What must not matter.


def assert_same(found: Profile, other: Profile, names: list[str] = OTHERS) -> None:
    assert values(found, names) == pytest.approx(values(other, names), abs=1e-7)
    for name in LANDMARKERS:
        # Folds and ties of a tree follow the order of rows and columns.
        assert found.measures[name].value == pytest.approx(other.measures[name].value, abs=0.15)


def test_the_order_of_rows_does_not_matter() -> None:
    table, y = normal_table()
    order = np.random.default_rng(1).permutation(len(y))
    assert_same(profile(table, y), profile(table.iloc[order], y[order]))


def test_names_and_order_of_columns_do_not_matter() -> None:
    table, y = normal_table()
    table["level"] = np.random.default_rng(2).choice(["x", "y"], len(y))
    other = table[["level", "c", "a", "b"]].set_axis(["q", "r", "s", "t"], axis=1)
    assert_same(profile(table, y), profile(other, y))


@pytest.mark.parametrize("factor", [1000.0, 1e-20, -3.0])
def test_the_scale_of_a_column_does_not_matter(factor: float) -> None:
    table, y = normal_table()
    assert_same(profile(table, y), profile(table.assign(a=factor * table["a"] + 7 * factor), y))


def test_names_of_classes_do_not_matter() -> None:
    table, y = normal_table()
    assert_same(profile(table, y), profile(table, np.where(y == 1, "a", "b")))


@each_table
def test_equal_seeds_give_equal_profiles(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MAX_QUERIES", 60)
    table, y = TABLES[kind](np.random.default_rng(0), 600), random_labels(0, 600, 100)
    first, again, other = profile(table, y, 5), profile(table, y, 5), profile(table, y, 6)
    assert first.to_dict() == again.to_dict()
    assert first.to_dict() != other.to_dict()


# The table of measures.


def test_a_profile_holds_the_measures_of_the_table_in_its_order() -> None:
    assert list(profile(*normal_table()).measures) == list(MEASURES)


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_says_what_it_is_and_where_it_is_from(name: str) -> None:
    measure = MEASURES[name]
    assert measure.definition
    assert measure.low < measure.high
    # A share, a count or its logarithm needs no author.
    plain = ("share", "log10", "columns", "number", "rows")
    assert measure.source or any(word in measure.definition for word in plain)
    assert measure.of_a_class == (
        measure.group not in ("size and skew",) and name not in ("fisher_f1", "t4")
    )


def value_array(found: Profile) -> FloatArray:
    return np.array([e.value for e in found.measures.values()], dtype=float)


def test_harder_tables_have_harder_measures() -> None:
    easy, hard = (profile(*normal_table(shift=shift)) for shift in (3.0, 0.3))
    gaps = value_array(hard) - value_array(easy)
    for (name, measure), gap in zip(MEASURES.items(), gaps, strict=True):
        if measure.worse:
            assert (gap if measure.worse == "high" else -gap) >= -0.1, name
