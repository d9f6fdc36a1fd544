"""The self-test of splits by group and by time: sound ones pass, planted faults are found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import Command

import autoimb
from autoimb.arrays import BoolArray
from autoimb.data.dataset import Dataset, make_dataset
from autoimb.data.splitting import Folds, deal
from autoimb.evaluation.engine import Evaluator
from autoimb.leaks.report import LeakReport
from autoimb.leaks.setup import spoil

NAMES = ("units_apart", "no_sampled_row_scored", "canary", "shuffled_labels")
SPLITS: dict[str, dict[str, str]] = {
    "groups": {"groups": "who"},
    "time": {"time": "day"},
    "both": {"groups": "who", "time": "day"},
}
each_split = pytest.mark.parametrize("split", SPLITS.values(), ids=list(SPLITS))
SPACE = """
[model.tree]
class = "sklearn.tree.DecisionTreeClassifier"
input = "numeric"
[sampler.none]
[sampler.over]
class = "imblearn.over_sampling.RandomOverSampler"
input = "raw"
[sampler.smote]
class = "imblearn.over_sampling.SMOTE"
balance = 0.5
k_neighbors = 3
"""
Plant = pytest.MonkeyPatch
Check = Callable[..., LeakReport]


@pytest.fixture
def visits() -> pd.DataFrame:
    """240 rows of 60 people, alike in all their visits and of one label, over four months."""
    rng = np.random.default_rng(0)
    who = rng.permutation(np.arange(240) % 60)
    person = rng.normal(size=(60, 2))
    ill = rng.permutation(np.arange(60) % 4 == 0)
    table = pd.DataFrame(person[who] + rng.normal(0, 0.01, (240, 2)), columns=["x", "z"])
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 120, 240), unit="D")
    table["who"], table["day"] = [f"p{k}" for k in who], day.strftime("%Y-%m-%d")
    return table.assign(target=np.where(ill[who], "yes", "no"))


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Run the checks with components that train in no time."""

    def run(data: pd.DataFrame, **given: Any) -> LeakReport:
        path = tmp_path / "small.toml"
        path.write_text(SPACE)
        return autoimb.check_leaks(data, "target", space=path, **{"n_folds": 3, **given})

    return run


def states(found: LeakReport) -> dict[str, str]:
    return {check.name: check.state for check in found.checks}


def telling(found: LeakReport, name: str = "units_apart") -> str:
    return next(f"{one.finding} {one.advice}" for one in found.checks if one.name == name)


def passed_but_for(*failed: str) -> dict[str, str]:
    return dict.fromkeys(NAMES, "passed") | dict.fromkeys(failed, "failed")


@each_split
def test_sound_splits_pass(check: Check, visits: pd.DataFrame, split: dict[str, str]) -> None:
    found = check(visits, **split)
    assert states(found) == passed_but_for(), str(found)
    told = telling(found)
    assert ("60 groups, each on one side" in told) is ("groups" in split)
    assert ("each scored later than what is trained or tuned on" in told) is ("time" in split)
    assert "shuffled 10 times" in telling(found, "shuffled_labels")
    n_scored = int(telling(found, "canary").split("rows to score predict these ")[1].split()[0])
    assert (n_scored == 240) is ("time" not in split)


def test_a_split_that_ignores_groups_is_found(
    check: Check, visits: pd.DataFrame, monkeypatch: Plant
) -> None:
    monkeypatch.setattr(
        "autoimb.evaluation.dealing.assign_folds",
        lambda data, n_folds, seed: deal(data.y, n_folds, np.random.default_rng(seed)),
    )
    found = check(visits, groups="who")
    # Labels were shuffled over people: whom a tree knows it has the label of.
    assert states(found) == passed_but_for("units_apart", "shuffled_labels")
    assert "scored rows share the group of a row that is trained on, in 3 x" in telling(found)
    assert "equal a row" not in telling(found)
    assert "a fault of the splitting" in telling(found)


def test_groups_that_time_takes_apart_are_found(
    check: Check, visits: pd.DataFrame, monkeypatch: Plant
) -> None:
    monkeypatch.setattr(Folds, "trained_on", lambda folds, fold: folds.number < fold)
    assert check(visits, time="day", time_budget=0.01).passed
    found = check(visits, groups="who", time="day")
    assert states(found) == passed_but_for("units_apart", "shuffled_labels")
    assert "share the group" in telling(found)
    assert "not later" not in telling(found)


def test_blocks_that_ignore_time_are_found(
    check: Check, visits: pd.DataFrame, monkeypatch: Plant
) -> None:
    def assign(data: Dataset, n_folds: int, seed: int) -> Any:
        return deal(data.y, n_folds + 1, np.random.default_rng(seed)) - 1

    monkeypatch.setattr("autoimb.evaluation.dealing.assign_folds", assign)
    found = check(visits, time="day", time_budget=0.01)
    assert states(found) == passed_but_for("units_apart")
    assert "scored rows are not later than a row that is trained or tuned on" in telling(found)


def test_training_on_what_is_to_come_is_found(
    check: Check, visits: pd.DataFrame, monkeypatch: Plant
) -> None:
    def everything_else(folds: Folds, fold: int) -> BoolArray:
        return np.asarray(folds.number != fold)

    monkeypatch.setattr(Folds, "trained_on", everything_else)
    found = check(visits, time="day", time_budget=0.01)
    assert states(found) == passed_but_for("units_apart", "no_sampled_row_scored", "canary")


def test_rows_of_one_time_on_both_sides_are_found(
    check: Check, visits: pd.DataFrame, monkeypatch: Plant
) -> None:
    sound = autoimb.data.splitting.assign_folds

    def assign(data: Dataset, n_folds: int, seed: int) -> Any:
        number = sound(data, n_folds, seed)
        assert data.times is not None
        first = np.flatnonzero(number == 1)
        same = first[data.times[first] == data.times[first].min()]
        number[same[0]] = 0
        return number

    visits["day"] = pd.to_datetime(visits["day"]).dt.isocalendar().week.astype(int)
    assert check(visits, time="day", time_budget=0.01).passed
    monkeypatch.setattr("autoimb.evaluation.dealing.assign_folds", assign)
    found = states(check(visits, time="day", time_budget=0.01))
    assert found["units_apart"] == "failed"


def test_nothing_of_what_is_to_come_is_left_as_it_is(visits: pd.DataFrame) -> None:
    data = make_dataset(visits.drop(columns="target"), visits["target"], groups="who", time="day")
    number = np.arange(240) % 4 - 1
    evaluator = Evaluator.on(data, number, "roc_auc", seed=0)
    other = spoil(evaluator, 1, seed=0)
    assert ((other.y != data.y) == (number >= 1)).all()
    np.testing.assert_array_equal(other.X[number < 1], data.X[number < 1])


def test_labels_that_cannot_be_split_once_shuffled_are_said_to_be(
    check: Check, visits: pd.DataFrame, monkeypatch: Plant
) -> None:
    # Every shuffle puts the positives of one person into one group.
    monkeypatch.setattr(
        "autoimb.leaks.chance.shuffle_labels",
        lambda y, units, rng: (units == units[0]).astype(np.intp),
    )
    found = check(visits, groups="who", time_budget=0.01)
    assert states(found)["shuffled_labels"] == "skipped"
    assert "they cannot be split as these data are" in telling(found, "shuffled_labels")


@pytest.mark.parametrize("flag", ["groups", "time"])
def test_the_command_takes_both(cli: Command, visits: pd.DataFrame, flag: str) -> None:
    visits.to_csv("visits.csv", index=False)
    quickly = ("--space", "interpretable", "--folds", "2", "--budget", "1s")
    column = SPLITS[flag][flag]
    found = cli("check-leaks", "visits.csv", f"--{flag}", column, *quickly)
    assert found.code == 0
    assert ("each on one side" if flag == "groups" else "each scored") in found.stdout
    wrong = cli("check-leaks", "visits.csv", f"--{flag}", "nothing", *quickly)
    assert (wrong.code, wrong.stdout) == (1, "")
    assert f"--{flag} 'nothing': no such column" in wrong.stderr
