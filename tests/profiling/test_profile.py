from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autoimb.data.dataset import make_dataset
from autoimb.profiling.neighbours import minority_overlap
from autoimb.profiling.profile import FACTS, profile_dataset

Y = np.repeat(["no", "yes"], [90, 10])
RNG = np.random.default_rng(0)


def overlap(table: pd.DataFrame, y: Any = Y) -> float:
    return minority_overlap(make_dataset(table, y))[0]


def test_a_profile_counts() -> None:
    table = pd.DataFrame(
        {
            "x": [None, *range(1, 99), 98],
            "c": ["a", "b"] * 49 + ["a", "a"],
            "many": [f"v{i % 30}" for i in range(98)] + ["v0", "v0"],
            "one": 1,
        }
    )
    profile = profile_dataset(make_dataset(table, Y))
    assert (profile.n_rows, profile.n_features, profile.n_categorical) == (100, 3, 2)
    assert (profile.n_high_cardinality, profile.n_numeric, profile.n_duplicates) == (1, 1, 1)
    assert (profile.n_classes, profile.n_minority, profile.minority) == (2, 10, "yes")
    assert (profile.imbalance_ratio, profile.missing_share) == (9.0, pytest.approx(1 / 300))
    assert profile.class_counts == {"no": 90, "yes": 10}
    assert profile.dropped == {"one": "always the same"}
    assert json.loads(json.dumps(profile.to_dict()))["n_minority"] == 10


@pytest.mark.parametrize(("n_folds", "expected"), [(2, 4), (3, 5), (5, 7), (10, 8)])
def test_the_facts_of_a_training_part(n_folds: int, expected: int) -> None:
    facts = profile_dataset(make_dataset(pd.DataFrame({"x": range(100)}), Y)).facts(n_folds)
    assert set(facts) == set(FACTS)
    assert facts["max_neighbors"] == expected


def test_with_two_rows_no_neighbour_is_left() -> None:
    y = ["no"] * 8 + ["yes"] * 2
    facts = profile_dataset(make_dataset(pd.DataFrame({"x": range(10)}), y)).facts(2)
    assert facts["max_neighbors"] == 0


def test_it_tells_itself_in_two_lines() -> None:
    profile = profile_dataset(make_dataset(pd.DataFrame({"x": [*range(90), *range(500, 510)]}), Y))
    assert str(profile) == (
        "100 rows, 1 features (0 categorical, 0.0% of the cells missing), 2 classes\n"
        "10 rows of class 'yes' (10.00%, 1 : 9); 0% of their neighbours are of another class "
        "(90% if labels were random)"
    )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_overlap_at_random_labels_is_the_share_of_the_others(n_classes: int) -> None:
    y = np.repeat(range(n_classes), [1500, 300, 300][:n_classes])
    dataset = make_dataset(pd.DataFrame(RNG.normal(size=(len(y), 3))), y)
    profile = profile_dataset(dataset)
    assert profile.overlap == pytest.approx(profile.overlap_at_random, abs=0.05)


@pytest.mark.parametrize(
    ("apart", "kind"),
    [
        (pd.Series(np.r_[np.zeros(90), np.ones(10)]), "number"),
        (pd.Series(["a"] * 90 + ["b"] * 10), "category"),
        (pd.Series([1.0, 2.0] * 45 + [None] * 10), "what is missing"),
    ],
)
def test_classes_apart_do_not_overlap(apart: pd.Series[Any], kind: str) -> None:
    assert overlap(pd.DataFrame({"x": apart})) == 0, kind


def test_copies_of_one_row_are_told_from_the_row_itself() -> None:
    x = np.r_[np.zeros(90), np.zeros(8), 1.0, 2.0]
    assert 0 <= overlap(pd.DataFrame({"x": x})) <= 1


def test_few_rows_have_few_neighbours() -> None:
    assert overlap(pd.DataFrame({"x": [1.0, 2.0, 3.0]}), ["a", "a", "b"]) == 1


def test_many_queries_are_thinned_and_say_how_sure_they_are() -> None:
    y = np.repeat([0, 1], [1500, 1400])
    dataset = make_dataset(pd.DataFrame(RNG.normal(size=(len(y), 2))), y)
    first, again = minority_overlap(dataset, seed=1), minority_overlap(dataset, seed=1)
    assert first == again
    assert 0 < first[1] < 0.04
