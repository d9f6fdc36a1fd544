from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autoimb
from autoimb.profiling.interpretation import CAUTION, READINGS, interpret
from autoimb.profiling.measures import MEASURES, Estimate, undefined
from autoimb.profiling.profile import Profile

Values = Mapping[str, float]
# What nothing is said of: rows enough, and every measure in the middle.
COUNTS: dict[str, Any] = {"n_minority": 500, "n_rows": 10_000, "imbalance_ratio": 19.0}
MIDDLE: Values = {
    "minority_per_column": 50,
    "safe": 0.5,
    "borderline": 0.2,
    "rare": 0.2,
    "outlier": 0.05,
    "density_corrected_overlap": 0.3,
    "kdn": 0.4,
    "bi3": 0.2,
    "lonely_share": 0.2,
    "local_set_median": 3,
    "label_conflict_share": 0,
    "lda_ap_lift": 0.4,
    "tree_ap_lift": 0.6,
    "naive_bayes_ap_lift": 0.3,
    "degree_of_overlap_majority": 0.1,
    "ovl_min": 0.6,
    "auc_max": 0.7,
}
APART: Values = {"lda_ap_lift": 0.5, "tree_ap_lift": 0.95, "safe": 0.85}


def readings(values: Values, **counts: Any) -> dict[str, str]:
    estimates = {name: Estimate(value) for name, value in values.items()}
    found = interpret({**estimates}, **{**COUNTS, **counts})
    assert all("nan" not in reading.evidence for reading in found)
    return {reading.name: reading.evidence for reading in found}


# Rule, what differs from the middle, and how it is quoted.
FIRES: list[tuple[str, Values, dict[str, Any], str]] = [
    ("few_rows", {}, {"n_minority": 49}, "49 rows of the class, minority per column 50"),
    (
        "few_rows",
        {"minority_per_column": 4.9},
        {},
        "500 rows of the class, minority per column 4.9",
    ),
    (
        "imbalance_harmless",
        APART,
        {},
        "imbalance 1 : 19, best lift of average precision 0.95, safe 0.85",
    ),
    ("mostly_safe", {"safe": 0.7}, {}, "safe 0.7"),
    ("overlap_zone", {"borderline": 0.3}, {}, "borderline 0.3"),
    (
        "sparse_and_mixed",
        {"outlier": 0.4, "density_corrected_overlap": 0.9},
        {},
        "rare + outlier 0.6, density corrected overlap 0.9, kdn 0.4, at random labels 0.95",
    ),
    (
        "sparse_not_mixed",
        {"outlier": 0.4},
        {},
        "rare + outlier 0.6, density corrected overlap 0.3, kdn 0.4, at random labels 0.95",
    ),
    ("imbalance_costs", {"bi3": 0.31}, {}, "bi3 0.31, density corrected overlap 0.3"),
    (
        "overlap_costs",
        {"bi3": 0.04, "kdn": 0.6, "density_corrected_overlap": 0.6},
        {},
        "bi3 0.04, kdn 0.6, at random labels 0.95, density corrected overlap 0.6",
    ),
    ("small_disjuncts", {"lonely_share": 0.4}, {}, "lonely share 0.4, local set median 3"),
    ("label_conflicts", {"label_conflict_share": 0.02}, {}, "label conflict share 0.02"),
    (
        "linear_enough",
        {"lda_ap_lift": 0.59},
        {},
        "lda ap lift 0.59, tree ap lift 0.6, naive bayes ap lift 0.3",
    ),
    (
        "majority_overlap",
        {"degree_of_overlap_majority": 0.21},
        {},
        "degree of overlap majority 0.21",
    ),
    ("no_single_column", {"ovl_min": 0.96, "auc_max": 0.54}, {}, "ovl min 0.96, auc max 0.54"),
]
RULES = [rule for rule, *_ in FIRES]
NEARLY: list[tuple[str, Values, dict[str, Any]]] = [
    ("few_rows", {"minority_per_column": 5}, {"n_minority": 50}),
    ("imbalance_harmless", APART, {"imbalance_ratio": 10.0}),
    ("imbalance_harmless", {**APART, "tree_ap_lift": 0.9}, {}),
    ("imbalance_harmless", {**APART, "safe": 0.8}, {}),
    ("mostly_safe", {"safe": 0.69}, {}),
    ("overlap_zone", {"borderline": 0.29}, {}),
    ("sparse_and_mixed", {"outlier": 0.8, "density_corrected_overlap": 0.5}, {}),
    ("sparse_and_mixed", {"density_corrected_overlap": 0.9}, {}),
    ("sparse_not_mixed", {"outlier": 0.8, "density_corrected_overlap": 0.51}, {}),
    ("sparse_not_mixed", {}, {}),
    ("imbalance_costs", {"bi3": 0.3}, {}),
    ("imbalance_costs", {"bi3": 0.31, "density_corrected_overlap": 0.51}, {}),
    ("overlap_costs", {"bi3": 0.05, "kdn": 0.6, "density_corrected_overlap": 0.6}, {}),
    ("overlap_costs", {"bi3": 0.04, "kdn": 0.5, "density_corrected_overlap": 0.6}, {}),
    ("overlap_costs", {"bi3": 0.04, "kdn": 0.6, "density_corrected_overlap": 0.5}, {}),
    ("small_disjuncts", {"lonely_share": 0.3}, {}),
    ("small_disjuncts", {"lonely_share": 0.9, "density_corrected_overlap": 0.6}, {}),
    ("label_conflicts", {"label_conflict_share": 0.01}, {}),
    ("linear_enough", {"lda_ap_lift": 0.57}, {}),
    ("linear_enough", {"lda_ap_lift": 0.1, "tree_ap_lift": 0.1, "naive_bayes_ap_lift": 0}, {}),
    ("majority_overlap", {"degree_of_overlap_majority": 0.2}, {}),
    ("no_single_column", {"ovl_min": 0.95, "auc_max": 0.54}, {}),
    ("no_single_column", {"ovl_min": 0.96, "auc_max": 0.55}, {}),
]


def test_nothing_is_said_of_measures_in_the_middle() -> None:
    assert readings(MIDDLE) == {}


@pytest.mark.parametrize(("rule", "values", "counts", "evidence"), FIRES, ids=RULES)
def test_a_reading_and_its_figures(
    rule: str, values: Values, counts: dict[str, Any], evidence: str
) -> None:
    assert readings({**MIDDLE, **values}, **counts)[rule] == evidence


@pytest.mark.parametrize(("rule", "values", "counts"), NEARLY)
def test_a_reading_that_does_not_apply(rule: str, values: Values, counts: dict[str, Any]) -> None:
    assert rule not in readings({**MIDDLE, **values}, **counts)


def test_every_rule_is_tested_both_ways() -> None:
    rules = [rule.name for rule in READINGS]
    assert len(set(rules)) == len(rules)
    assert {rule for rule, *_ in FIRES} == {rule for rule, *_ in NEARLY} == set(rules)


@pytest.mark.parametrize("nothing", [{}, {name: undefined("no column") for name in MEASURES}])
def test_measures_that_are_not_defined_say_nothing(nothing: dict[str, Estimate]) -> None:
    assert interpret(nothing, **COUNTS) == ()


def test_few_rows_are_told_without_any_measure() -> None:
    found = readings({}, n_minority=49)
    assert list(found) == ["few_rows"]
    assert found["few_rows"].startswith("49 rows of the class")


@pytest.mark.parametrize("absent", MIDDLE)
@pytest.mark.parametrize(("values", "counts"), [case[1:3] for case in FIRES], ids=RULES)
def test_a_figure_that_is_not_defined_is_never_quoted(
    values: Values, counts: dict[str, Any], absent: str
) -> None:
    known = {**MIDDLE, **values}
    del known[absent]
    assert set(readings(known, **counts)) <= set(readings({**MIDDLE, **values}, **counts))


def profile(n: int, n_rare: int, shift: float, n_columns: int = 20) -> Profile:
    y = np.repeat(["no", "yes"], [n - n_rare, n_rare])
    X = np.random.default_rng(0).normal(size=(n, n_columns)) + shift * (y == "yes")[:, None]
    return autoimb.profile(pd.DataFrame(X), y)


MIXED = {"sparse_and_mixed", "overlap_costs"}


@pytest.mark.parametrize(("n", "n_rare"), [(2000, 10), (4000, 20)])
def test_a_sparse_class_is_not_called_mixed_nor_noise(n: int, n_rare: int) -> None:
    found = profile(n, n_rare, shift=0.7)
    assert found.imbalance_ratio == 199
    assert (found.measures["outlier"].value or 0) >= 0.6
    names = {reading.name for reading in found.interpretation}
    assert "sparse_not_mixed" in names
    assert not names & MIXED
    assert "label_noise" not in {finding.check for finding in found.findings}


def test_labels_at_random_are_called_mixed_but_not_noise() -> None:
    found = profile(2000, 100, shift=0.0)
    names = {reading.name for reading in found.interpretation}
    assert names & MIXED
    assert not names & {"sparse_not_mixed", "imbalance_costs", "mostly_safe", "linear_enough"}
    assert "label_noise" not in {finding.check for finding in found.findings}


def test_classes_apart_need_no_resampling() -> None:
    names = {reading.name for reading in profile(2000, 100, shift=2.0).interpretation}
    assert {"imbalance_harmless", "mostly_safe", "linear_enough"} <= names


def test_rules_of_thumb_are_called_so() -> None:
    assert "rules of thumb" in CAUTION
    assert "not separability" in CAUTION
