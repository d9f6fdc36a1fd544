"""Past runs read back from MLflow, whoever wrote them and however they ended."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from command_line import Command
from mlflow import MlflowClient
from mlflow.entities import Metric, Param

import autoimb
from autoimb.errors import DataError, UsageError
from autoimb.past_run import PastRun
from autoimb.running import Run
from autoimb.tracking import history
from autoimb.tracking.history import find_folder, find_run, list_runs, runs

SPACE = """
[model.logistic]
class = "sklearn.linear_model.LogisticRegression"
input = "scaled"
C = {low = 0.01, high = 10, log = true, default = 1.0}
[sampler.none]
[sampler.random_under]
class = "imblearn.under_sampling.RandomUnderSampler"
input = "raw"
[weight.none]
"""
# What a folder does not tell of its run.
NOT_IN_A_FOLDER = {"id", "name", "started", "failed_trials", "pruned_trials"}
OLD = {"autoimb": "0.0.9", "metric": "f1", "profile.n_rows": "120"}
AddRun = Callable[..., str]


@pytest.fixture(scope="module")
def tracked(
    loans: pd.DataFrame, empty_store: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    folder = tmp_path_factory.mktemp("history")
    (folder / "mlflow.db").write_bytes(empty_store)
    (folder / "space.toml").write_text(SPACE)
    loans.to_csv(folder / "loans.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autoimb.decision.stability.N_RESAMPLES", 20)
        return autoimb.fit(
            folder / "loans.csv", metric="f1", time_budget=None, n_trials=3, n_folds=2,
            holdout=0.2, space=folder / "space.toml", executor="in_process",
            run_dir=folder / "run", tracking_uri=f"sqlite:///{folder}/mlflow.db",
        )  # fmt: skip


@pytest.fixture
def store(empty_store: bytes, tmp_path: Path) -> str:
    (tmp_path / "mlflow.db").write_bytes(empty_store)
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def add_run(store: str) -> AddRun:
    """Write a run as some fit may have: by default one of an older version."""
    client = MlflowClient(tracking_uri=store)

    def add(
        params: Mapping[str, str] = OLD,
        *,
        status: str | None = "FINISHED",
        experiment: str = "autoimb",
        metrics: Mapping[str, float] | None = None,
        **tags: str,
    ) -> str:
        found = client.get_experiment_by_name(experiment)
        place = found.experiment_id if found else client.create_experiment(experiment)
        start = 1000 * (1 + len(client.search_runs([place])))
        run_id = str(client.create_run(place, start, tags).info.run_id)
        client.log_batch(
            run_id,
            [Metric(name, number, start, 0) for name, number in (metrics or {}).items()],
            [Param(name, value) for name, value in params.items()],
        )
        if status is not None:
            client.set_terminated(run_id, status, start + 7000)
        return run_id

    return add


@pytest.mark.slow
def test_a_run_is_read_as_it_was_fitted(tracked: Run) -> None:
    (found,) = list_runs(tracked.tracking_uri)
    result, estimate = tracked.result, tracked.result.estimates["f1"]
    assert tracked.test is not None
    assert found.id == tracked.run_id
    assert (found.status, found.run_dir) == ("finished", str(tracked.folder))
    assert found.data == str(tracked.folder.parent / "loans.csv")
    assert (found.rows, found.target, found.positive) == (128, "default", "yes")
    assert (found.headline, found.headline_low) == (estimate.value, estimate.low)
    assert (found.headline_high, found.score) == (estimate.high, result.score)
    assert found.test == tracked.test.estimates["f1"].value
    assert found.decision == str(result.model.rule)
    assert found.strategy is not None
    assert found.strategy.startswith(str(result.exported.members[0].configuration))
    assert found.calibration_ece == result.calibration["yes"].ece
    assert (found.trials, found.budget_trials, found.budget_seconds) == (3, 3, None)
    assert found.autoimb == autoimb.__version__


@pytest.mark.slow
def test_a_run_is_the_same_wherever_it_is_read(tracked: Run) -> None:
    assert tracked.run_id is not None
    of_store = find_run(tracked.run_id[:8], tracked.tracking_uri)
    of_folder = find_run(str(tracked.folder))
    of_model = find_run(str(tracked.model_path))
    assert of_folder.id is of_folder.started is None
    assert (of_store.name, of_folder.name) == (f"loans: {of_store.strategy}", "run")
    for field in {one.name for one in fields(PastRun)} - NOT_IN_A_FOLDER:
        there, here = getattr(of_store, field), getattr(of_folder, field)
        if field == "seconds":
            there, here = round(there), round(here)
        assert there == here, field
        if field not in ("name", "seconds", "run_dir", "data", "prefer", "test", "test_low",
                         "test_high"):  # fmt: skip
            assert getattr(of_model, field) == here, field


def test_runs_come_latest_first_and_page_by_page(
    store: str, add_run: AddRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [add_run() for _ in range(5)]
    monkeypatch.setattr(history, "PAGE", 2)
    assert [run.id for run in list_runs(store)] == ids[::-1]
    assert [run.id for run in list_runs(store, limit=3)] == ids[:1:-1]


def test_trials_and_runs_of_other_tools_are_left_out(store: str, add_run: AddRun) -> None:
    parent = add_run()
    add_run({"model": "logistic"}, **{"mlflow.parentRunId": parent})
    add_run({"alpha": "0.5"})
    add_run(experiment="other")
    assert [run.id for run in list_runs(store)] == [parent]


def test_what_an_older_version_did_not_write_is_empty(store: str, add_run: AddRun) -> None:
    add_run()
    (found,) = list_runs(store)
    written = {"autoimb": "0.0.9", "metric": "f1", "rows": 120, "status": "finished"}
    known = {name: value for name, value in vars(found).items() if value is not None}
    assert known.keys() == {*written, "id", "name", "started", "seconds"}
    assert written.items() <= known.items()


@pytest.mark.parametrize(
    ("param", "value"), [("profile.n_rows", "many"), ("budget_seconds", "inf"), ("blend", "maybe")]
)
def test_what_cannot_be_read_is_empty(store: str, add_run: AddRun, param: str, value: str) -> None:
    add_run({**OLD, param: value})
    (found,) = list_runs(store)
    assert found.rows == (None if param == "profile.n_rows" else 120)
    assert found.budget_seconds is found.blend is None


@pytest.mark.parametrize("status", ["FAILED", "KILLED"])
def test_a_fit_that_was_cut_short_says_so(store: str, add_run: AddRun, status: str) -> None:
    add_run(status=status, failure="RuntimeError: no more", metrics={"trials": 2})
    (found,) = list_runs(store)
    assert (found.status, found.failure) == (status.lower(), "RuntimeError: no more")
    assert (found.trials, found.seconds, found.headline) == (2, 7.0, None)


@pytest.mark.parametrize(
    ("folder", "status"), [("locked", "running"), ("left", "stopped"), ("elsewhere", "running")]
)
def test_a_fit_whose_process_died_does_not_run_for_ever(
    store: str, add_run: AddRun, tmp_path: Path, folder: str, status: str
) -> None:
    for name in ("locked", "left"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.lock").touch()
    add_run(status=None, run_dir=str(tmp_path / folder))
    with closing(sqlite3.connect(tmp_path / "locked" / "run.lock")) as connection:
        connection.execute("begin exclusive")
        (found,) = list_runs(store)
    assert (found.status, found.seconds) == (status, None)


def test_a_metric_whose_name_mlflow_does_not_take(store: str, add_run: AddRun) -> None:
    name = "recall_at_precision_0.8"
    add_run({**OLD, "metric": "recall_at_precision@0.8"}, metrics={f"{name}_corrected": 0.4})
    assert list_runs(store)[0].headline == 0.4


def test_the_table_has_the_same_columns_whatever_the_runs(store: str, add_run: AddRun) -> None:
    MlflowClient(tracking_uri=store).create_experiment("autoimb")
    empty = runs(store)
    add_run()
    add_run({**OLD, "seed": "3", "blend": "True"}, metrics={"f1_corrected": 0.5})
    table = runs(store)
    assert (len(empty), len(table)) == (0, 2)
    assert list(table) == list(empty) == [one.name for one in fields(PastRun)]
    assert table.dtypes.to_dict() == empty.dtypes.to_dict()
    assert table["seed"].tolist() == [3, pd.NA]
    assert table["headline"].max() == 0.5
    assert table["started"].is_monotonic_decreasing


def test_the_page_on_runs_explains_every_column() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "runs.md").read_text("utf-8")
    cells = "".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
    assert [one.name for one in fields(PastRun) if f"`{one.name}`" not in cells] == []


# A run is found by what it is called, or one line says why not.


def test_the_beginning_of_an_id_is_enough(store: str, add_run: AddRun) -> None:
    ids = [add_run(), add_run(experiment="other")]
    assert [find_run(one[:8], store).id for one in ids] == ids


def test_an_id_that_begins_several_runs_is_refused(store: str, add_run: AddRun) -> None:
    ids = [add_run() for _ in range(17)]
    (twice,) = list({one[0] for one in ids if sum(other[0] == one[0] for other in ids) > 1})[:1]
    with pytest.raises(UsageError, match=f"several runs begin with '{twice}': .*Give more of it"):
        find_run(twice, store)


def test_a_trial_is_no_run(store: str, add_run: AddRun) -> None:
    parent = add_run()
    trial = add_run({"model": "logistic"}, **{"mlflow.parentRunId": parent})
    with pytest.raises(UsageError, match=f"it is a trial of {parent[:8]}"):
        find_run(trial, store)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("0", "there is no run '0' in sqlite:///.*; `autoimb runs` lists them"),
        ("nowhere", "'nowhere' is neither a folder nor the beginning of an id"),
        ("' or 1=1", "is neither a folder nor the beginning of an id"),
        ("", "is neither a folder nor the beginning of an id"),
    ],
)
def test_a_run_that_is_not_there(store: str, name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        find_run(name, store)


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no run: neither run\.json nor model\.manifest"):
        find_run(str(tmp_path))


def test_a_folder_that_was_moved(store: str, add_run: AddRun, tmp_path: Path) -> None:
    gone = add_run(run_dir=str(tmp_path / "gone"))
    with pytest.raises(UsageError, match=r"the folder of run .*/gone, is not there"):
        find_folder(gone, store)
    with pytest.raises(UsageError, match="has no folder that MLflow knows of"):
        find_folder(add_run(), store)


@pytest.mark.slow
def test_a_search_that_exported_nothing_is_read_from_its_folder(
    loans: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise RuntimeError("no more")

    monkeypatch.setattr("autoimb.fitting.build_leaderboard", stop)
    with pytest.raises(RuntimeError, match="no more"):
        autoimb.fit(
            loans, time_budget=None, n_trials=1, n_folds=2, executor="in_process", space="fast",
            tracking_uri="off", run_dir=tmp_path / "run",
        )  # fmt: skip
    found = find_run(str(tmp_path / "run"))
    assert (found.status, found.metric, found.seed) == ("stopped", "average_precision", 0)
    assert found.headline is found.strategy is found.decision is None


# Stores that are not there, or not as they should be.


def test_a_store_that_is_not_there_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no runs in sqlite:///.*/no\.db yet\. Fit a model first"):
        list_runs(f"sqlite:///{tmp_path}/no.db")
    assert not list(tmp_path.iterdir())


def test_an_experiment_that_is_not_there(store: str, add_run: AddRun) -> None:
    add_run()
    with pytest.raises(DataError, match=r"no experiment 'autoimbb' .* did you mean 'autoimb'\?"):
        list_runs(store, "autoimbb")


@pytest.mark.parametrize("uri", ["ftp://nowhere", "http://me:secret@127.0.0.1:9"])
def test_a_store_that_does_not_answer_is_one_line(uri: str) -> None:
    with pytest.raises(DataError, match=r"^the runs in .* cannot be read: ") as caught:
        list_runs(uri)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database, though long enough to be one" * 50)
    with pytest.raises(DataError, match=r"cannot be read: .*not a database"):
        list_runs(f"sqlite:///{tmp_path}/mlflow.db")


@pytest.mark.slow
def test_listing_needs_nothing_that_fits(tracked: Run, fresh_python: Command) -> None:
    code = (
        "import sys\n"
        "from autoimb.cli.app import main\n"
        "sys.argv = ['autoimb', *sys.argv[1:]]\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as ended:\n"
        "    assert not ended.code\n"
        "fitting = {'sklearn', 'lightgbm', 'imblearn', 'optuna', 'matplotlib'}\n"
        "print(sorted(fitting & {name.partition('.')[0] for name in sys.modules}))\n"
    )
    found = fresh_python(code, "runs", "--tracking-uri", tracked.tracking_uri)
    assert (found.code, found.stderr) == (0, "")
    assert found.stdout.endswith("[]\n")
