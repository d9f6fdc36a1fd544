"""A store that goes away while a fit is written to it."""

from __future__ import annotations

import shutil
import sqlite3
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow_server import Server, tracking_server

import autoimb
from autoimb.errors import AutoImbWarning

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("few_resamples")]

N_TRIALS = 6
SPACE = """
[model.logistic]
class = "sklearn.linear_model.LogisticRegression"
input = "scaled"
C = {low = 0.01, high = 10, log = true, default = 1.0}
[weight.none]
[sampler.none]
"""


class Saboteur:
    """Follows a fit and does something when its third trial was told, and others are written."""

    def __init__(self, uri: str, act: Callable[[], None]) -> None:
        self.uri = uri
        self.act = act
        self.n_told = 0

    def started(self, *_: Any) -> None:
        """Wait for nothing."""

    def told(self, _: Any) -> None:
        self.n_told += 1
        if self.n_told == 3:
            until = time.monotonic() + 60
            while not read_runs(self.uri)[1]:
                assert time.monotonic() < until
                time.sleep(0.1)
            self.act()

    def finished(self, _: Any) -> None:
        """Nothing to do."""


def read_runs(uri: str) -> tuple[list[Run], list[Run]]:
    """Read parents, the latest first, and children."""
    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name("autoimb")
    runs = client.search_runs([found.experiment_id]) if found else []
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    return [run for run in runs if run not in children], children


@pytest.fixture
def folder(empty_store: bytes, tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "mlflow.db").write_bytes(empty_store)
    (tmp_path / "space.toml").write_text(SPACE)
    return tmp_path


def fit(
    folder: Path, loans: pd.DataFrame, uri: str, *watchers: Saboteur, resume: bool = False
) -> tuple[autoimb.Run, list[str]]:
    """Fit, and return what autoimb warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = autoimb.fit(
            loans, "default", time_budget=None, n_trials=N_TRIALS, n_folds=2,
            space=folder / "space.toml", executor="in_process", tracking_uri=uri,
            run_dir=folder / "run", watchers=watchers, resume=resume,
        )  # fmt: skip
    return run, [str(one.message) for one in caught if one.category is AutoImbWarning]


def assert_whole(uri: str, run: autoimb.Run) -> None:
    """Check that a fit is in the store once, as if the store had always answered."""
    _, every_child = read_runs(uri)
    children = [one for one in every_child if one.data.tags["mlflow.parentRunId"] == run.run_id]
    assert sorted(int(one.data.tags["trial"]) for one in children) == list(range(N_TRIALS))
    assert {one.info.status for one in children} == {"FINISHED"}
    client = MlflowClient(tracking_uri=uri)
    parent = client.get_run(run.run_id)
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["average_precision"] == run.result.score
    curve = client.get_metric_history(run.run_id, "best_average_precision")
    assert sorted(point.step for point in curve) == list(range(1, N_TRIALS + 1))
    assert len(parent.inputs.dataset_inputs) == 1
    (output,) = parent.outputs.model_outputs
    assert client.get_logged_model(output.model_id).status == "READY"


@pytest.fixture
def server(folder: Path) -> Server:
    return tracking_server(folder, f"sqlite:///{folder}/store/mlflow.db")


def test_a_server_that_comes_back_gets_everything(
    folder: Path, loans: pd.DataFrame, server: Server
) -> None:
    def restart() -> None:
        server.kill()
        time.sleep(1)
        server.start()
        server.await_up()

    with server:
        run, warned = fit(folder, loans, server.url, Saboteur(server.url, restart))
        assert warned == []
        assert_whole(server.url, run)


def test_a_server_that_stays_away_costs_one_warning_and_is_made_up_for_later(
    folder: Path, loans: pd.DataFrame, server: Server
) -> None:
    with server:
        run, (warning,) = fit(folder, loans, server.url, Saboteur(server.url, server.kill))
        assert run.model_path.is_file()
        assert "trials, the outcome and the model" in warning
        assert f"--run-dir {folder / 'run'} --resume" in warning
        server.start()
        server.await_up()
        again, warned = fit(folder, loans, server.url, resume=True)
        assert warned == []
        assert again.run_id != run.run_id
        assert_whole(server.url, again)


def test_a_database_that_is_locked_for_long_gets_everything(
    folder: Path, loans: pd.DataFrame
) -> None:
    place = folder / "store" / "mlflow.db"

    def lock() -> None:
        with closing(sqlite3.connect(place, timeout=60, isolation_level=None)) as connection:
            connection.execute("begin exclusive")
            time.sleep(12)  # more than SQLite waits

    uri = f"sqlite:///{place}"
    run, warned = fit(folder, loans, uri, Saboteur(uri, lock))
    assert warned == []
    assert_whole(uri, run)


@pytest.mark.parametrize("what", ["the file", "its folder"])
def test_a_database_that_is_removed_costs_one_warning(
    folder: Path, loans: pd.DataFrame, what: str
) -> None:
    place = folder / "store"
    uri = f"sqlite:///{place}/mlflow.db"

    def remove() -> None:
        if what == "its folder":
            shutil.rmtree(place)
        for file in place.glob("mlflow.db*"):
            file.unlink()

    saboteur = Saboteur(uri, remove)
    run, (warning,) = fit(folder, loans, uri, saboteur)
    assert run.model_path.is_file()
    assert "the outcome and the model" in warning
