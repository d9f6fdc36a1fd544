"""Fits that are split by group and by time, from the file to the replay."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import QUICK, Command
from sklearn.base import clone

import autoimb
from autoimb import AutoImbClassifier
from autoimb.errors import DataError, UsageError
from autoimb.replaying import replay
from autoimb.running import Run

pytestmark = pytest.mark.usefixtures("few_resamples")

SPLITS: dict[str, dict[str, str]] = {
    "groups": {"groups": "who"},
    "time": {"time": "day"},
    "both": {"groups": "who", "time": "day"},
}
each_split = pytest.mark.parametrize("name", SPLITS)


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    """Hold 240 rows of 60 people, each seen in one month; one in five is positive."""
    rng = np.random.default_rng(0)
    who = rng.permutation(np.arange(240) % 60)
    x = rng.normal(size=240)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(5 * who + rng.integers(0, 30, 240), unit="D")
    return pd.DataFrame({
        "x": x,
        "z": rng.normal(size=240),
        "who": [f"00{k}" for k in who],
        "day": day.strftime("%d.%m.%Y"),
        "ill": np.where(x + rng.normal(0, 0.5, 240) > 0.9, "yes", "no"),
    })  # fmt: skip


def order(folder: Path, **changes: Any) -> dict[str, Any]:
    usual = {
        "target": "ill", "time_budget": None, "n_trials": 3, "n_folds": 3, "space": "fast",
        "executor": "in_process", "tracking_uri": "off", "run_dir": folder, "resume": True,
    }  # fmt: skip
    return {**usual, **changes}


@pytest.fixture(scope="module")
def runs(visits: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Finished runs of one file, split in each way."""
    folder = tmp_path_factory.mktemp("visits")
    visits.to_csv(folder / "visits.csv", index=False)
    return {
        name: autoimb.fit(folder / "visits.csv", **order(folder / name, **split))
        for name, split in SPLITS.items()
    }


@each_split
def test_columns_of_the_split_are_no_features(
    runs: dict[str, Run], visits: pd.DataFrame, name: str
) -> None:
    model = autoimb.load(runs[name].model_path)
    assert not set(SPLITS[name].values()) & {column.name for column in model.schema.columns}
    without = visits.drop(columns=list(SPLITS[name].values()))
    assert np.array_equal(model.predict_proba(visits), model.predict_proba(without))


@each_split
def test_a_run_is_replayed_by_its_split(runs: dict[str, Run], name: str) -> None:
    found = replay(runs[name].folder)
    assert found.is_identical
    assert {key: found.run[key] for key in ("groups", "time")} == {
        "groups": None, "time": None, **SPLITS[name],
    }  # fmt: skip


@each_split
def test_a_run_goes_on_by_its_own_split_alone(
    runs: dict[str, Run], visits: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    shutil.copytree(runs[name].folder, tmp_path / "run")
    for other, split in SPLITS.items():
        if other != name:
            with pytest.raises(UsageError, match=r"was made with (groups|time) \S+ not [^;]*") as e:
                autoimb.fit(visits, **order(tmp_path / "run", **split))
            assert "other data" not in str(e.value)
    again = autoimb.fit(visits, **order(tmp_path / "run", **SPLITS[name]))
    assert again.result.score == runs[name].result.score


@each_split
def test_a_note_says_how_rows_are_split(runs: dict[str, Run], name: str) -> None:
    notes = " ".join(runs[name].result.notes)
    told = "the rows of each 'who' (60 in all) stay on one side of every split."
    assert (told in notes) is ("groups" in SPLITS[name])
    assert ("% of the rows by 'day' are trained on but not scored" in notes) is (
        "time" in SPLITS[name]
    )
    assert ("averages fits" in notes) is ("time" not in SPLITS[name])


@each_split
def test_what_is_scored_has_its_own_rows(
    runs: dict[str, Run], visits: pd.DataFrame, name: str
) -> None:
    result = runs[name].result
    assert len(result.y) == len(result.folds) == len(result.exported.proba)
    assert (len(result.y) == len(visits)) is ("time" not in SPLITS[name])
    assert all(len(fits) == 1 or "time" not in SPLITS[name] for fits in result.trainings)
    assert all(np.isfinite(score.value) for score in result.exported.scores.values())


def test_worker_processes_split_alike(
    runs: dict[str, Run], visits: pd.DataFrame, tmp_path: Path
) -> None:
    changes = {"executor": "processes", "n_jobs": 1, **SPLITS["both"]}
    found = autoimb.fit(visits, **order(tmp_path / "run", **changes))
    assert found.result.score == runs["both"].result.score


def test_the_command_line_takes_both(cli: Command, visits: pd.DataFrame, tmp_path: Path) -> None:
    visits.to_csv(tmp_path / "visits.csv", index=False)
    asked = ("--target", "ill", "--groups", "who", "--time", "day", "--out", "model.pkl")
    found = cli("fit", "visits.csv", *QUICK, *asked)
    assert found.code == 0
    assert "note: the earliest" in found.stdout
    visits[["x", "z"]].to_csv(tmp_path / "later.csv", index=False)
    assert cli("predict", "model.pkl", "later.csv").stdout.count("\n") == 241
    assert cli("evaluate", "model.pkl", "visits.csv").code == 0


@each_split
def test_a_classifier_takes_columns_of_its_table(visits: pd.DataFrame, name: str) -> None:
    X, y = visits.drop(columns="ill"), visits["ill"]
    search = AutoImbClassifier(
        time_budget=None, n_trials=2, space="fast", n_folds=2, executor="in_process",
        tracking_uri="off", random_state=0, **SPLITS[name],
    )  # fmt: skip
    assert clone(search).get_params()["time"] == SPLITS[name].get("time")
    search.fit(X, y)
    without = X.drop(columns=list(SPLITS[name].values()))
    assert list(search.feature_names_in_) == list(without.columns)
    assert search.n_features_in_ == without.shape[1]
    assert np.array_equal(search.predict_proba(X), search.predict_proba(without))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"groups": "whom"}, "the table: --groups 'whom': no such column; did you mean 'who'?"),
        ({"time": "days"}, "the table: --time 'days': no such column; did you mean 'day'?"),
        (
            {"time": "day", "groups": "day"},
            "the table: --time 'day' is that of --groups; a column has one role. Name another.",
        ),
    ],
)
def test_a_classifier_says_which_column_is_not_there(
    visits: pd.DataFrame, split: dict[str, str], message: str
) -> None:
    search = AutoImbClassifier(executor="in_process", tracking_uri="off", **split)
    with pytest.raises(DataError) as caught:
        search.fit(visits.drop(columns="ill"), visits["ill"])
    assert str(caught.value) == message
