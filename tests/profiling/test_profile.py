from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autoimb.data.dataset import make_dataset
from autoimb.profiling import neighbours
from autoimb.profiling.describing import profile_dataset
from autoimb.profiling.measures import MEASURES, Estimate, undefined
from autoimb.profiling.profile import FACTS, Profile

Y = np.repeat(["no", "yes"], [90, 10])


def profile_of(table: pd.DataFrame, y: Any = Y, seed: int = 0) -> Profile:
    return profile_dataset(make_dataset(table, y, needs_features=False), seed)


def test_a_profile_counts() -> None:
    table = pd.DataFrame({"x": [None, *range(1, 100)], "c": ["a", "b"] * 50, "one": 1})
    profile = profile_of(table)
    assert (profile.n_rows, profile.n_features, profile.n_categorical) == (100, 2, 1)
    assert (profile.n_numeric, profile.n_classes) == (1, 2)
    assert (profile.n_minority, profile.minority) == (10, "yes")
    assert (profile.imbalance_ratio, profile.missing_share) == (9.0, pytest.approx(1 / 200))
    assert profile.class_counts == {"no": 90, "yes": 10}
    assert profile.dropped == {"one": "always the same"}
    assert json.loads(json.dumps(profile.to_dict()))["n_minority"] == 10


def test_a_profile_cannot_be_changed() -> None:
    profile = profile_of(pd.DataFrame({"x": range(100)}))
    with pytest.raises(dataclasses.FrozenInstanceError):
        profile.n_rows = 1  # type: ignore[misc]


@pytest.mark.parametrize(("n_folds", "expected"), [(2, 4), (3, 5), (5, 7), (10, 8)])
def test_the_facts_of_a_training_part(n_folds: int, expected: int) -> None:
    facts = profile_of(pd.DataFrame({"x": range(100)})).facts(n_folds)
    assert set(facts) == set(FACTS)
    assert facts["max_neighbors"] == expected


def test_with_two_rows_no_neighbour_is_left() -> None:
    assert profile_of(pd.DataFrame({"x": range(10)}), ["no"] * 8 + ["yes"] * 2).facts(2)[
        "max_neighbors"
    ] == 0  # fmt: skip


def test_every_measure_is_a_fact_and_one_without_a_value_is_no_number() -> None:
    profile = profile_of(pd.DataFrame({"x": range(100)}), ["no"] * 99 + ["yes"])
    facts = profile.facts(2)
    assert facts["kdn"] == profile.measures["kdn"].value == 1.0
    assert profile.measures["bi3"].value is None
    assert math.isnan(facts["bi3"])
    assert set(MEASURES) <= set(facts)


def test_it_tells_itself_in_two_lines() -> None:
    assert str(profile_of(pd.DataFrame({"x": [*range(90), *range(500, 510)]}))) == (
        "100 rows, 1 features (0 categorical, 0.0% of the cells missing), 2 classes\n"
        "10 rows of class 'yes' (10%, 1 : 9); 0% of their neighbours are of another class "
        "(90% if labels were random)"
    )


def test_rare_classes_come_in_order_with_their_mean_and_their_worst() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], [200, 40, 10])
    x = np.r_[rng.normal(size=240), rng.normal(8, 1, size=10)]
    profile = profile_of(pd.DataFrame({"x": x}), y)
    assert [(one.label, one.n_rows) for one in profile.classes] == [("c", 10), ("b", 40)]
    c, b = (one.measures["kdn"].value or 0.0 for one in profile.classes)
    assert profile.worst["kdn"].value == max(b, c) == b
    assert profile.measures["kdn"].value == pytest.approx((10 * c + 40 * b) / 50)


def test_of_two_equal_classes_the_positive_one_is_looked_at() -> None:
    profile = profile_of(pd.DataFrame({"x": range(100)}), np.repeat(["no", "yes"], 50))
    assert (profile.minority, profile.imbalance_ratio) == ("yes", 1.0)
    assert profile.measures["imbalance_degree"].value == 0.0


def test_the_same_seed_gives_the_same_profile() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.integers(0, 3, size=(400, 3)))
    y = np.repeat([0, 1], [300, 100])
    assert profile_of(table, y, seed=3) == profile_of(table, y, seed=3)


def test_figures_sort_as_text_as_their_numbers_do() -> None:
    profile = profile_of(pd.DataFrame({"x": [*range(90), *range(500, 510)]}))
    assert profile.figures()["kdn"] == "0.0000"
    assert profile.figures()["n_rows"] == "100"
    assert all(profile.figures().values())


def test_the_worst_severity_of_a_check_is_recorded() -> None:
    table = pd.DataFrame({"x": [*range(90), *range(500, 510)], "one": 1})
    assert profile_of(table).severities() == {
        "leak_suspect": "critical",
        "identifier": "warning",
        "few_positives": "warning",
        "constant": "note",
    }


@pytest.mark.parametrize(
    ("estimate", "shown"),
    [
        (Estimate(0.12345), "0.123"),
        (Estimate(0.5, 0.0123), "0.5 ± 0.012"),
        (undefined("there is one row"), "not defined: there is one row"),
    ],
)
def test_an_estimate_shows_how_sure_it_is(estimate: Estimate, shown: str) -> None:
    assert str(estimate) == shown


def test_with_part_of_the_work_fewer_rows_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, y = np.random.default_rng(0), np.repeat(["no", "yes"], [3000, 1000])
    table = pd.DataFrame({"x": rng.normal(size=4000) + (y == "yes"), "z": rng.normal(size=4000)})
    dataset = make_dataset(table, y)
    monkeypatch.setattr(neighbours, "WORK", 2.0 * 1000 * 4000 * 2)
    whole, part = profile_dataset(dataset), profile_dataset(dataset, share=0.6)
    assert whole.measures["kdn"].n_used == 1000
    assert part.measures["kdn"].n_used == 600
    assert whole.measures["kdn"].half_width == 0 < part.measures["kdn"].half_width
    assert part.facts(5)["n_minority"] == whole.facts(5)["n_minority"]
