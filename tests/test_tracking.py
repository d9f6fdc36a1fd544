from __future__ import annotations

import json
import os
import platform
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE
from pandas.testing import assert_frame_equal
from sklearn.metrics import confusion_matrix, roc_auc_score

from autoimb import AutoImbClassifier
from autoimb.data.dataset import make_dataset
from autoimb.errors import AutoImbWarning, UsageError
from autoimb.fitting import fit_dataset
from autoimb.manifest import card_path
from autoimb.planning import Plan
from autoimb.tracking import default_tracking_uri, open_tracker, spool, tracker
from autoimb.tracking.writer import RunWriter

pytestmark = pytest.mark.usefixtures("few_resamples")

SPACE = """
[model.logistic]
class = "sklearn.linear_model.LogisticRegression"
input = "scaled"
C = {low = 0.01, high = 10, log = true, default = 1.0}
[weight.none]
[sampler.none]
"""
# The second configuration that is tried has this sampler, and fails.
FAILING = """
[sampler.random_under]
class = "imblearn.under_sampling.RandomUnderSampler"
input = "raw"
sampling_strategy = "nonsense"
"""
N_TRIALS = 3
Quick = Callable[..., AutoImbClassifier]
Data = tuple[np.ndarray, np.ndarray]


def make_table(n: int = 120, seed: int = 0) -> tuple[pd.DataFrame, pd.Series[str]]:
    """A table as files hold them: whole numbers, gaps, words, dates, truth, a constant."""
    rng = np.random.default_rng(seed)
    y = pd.Series(np.where(rng.random(n) < 0.2, "yes", "no"))
    is_yes = (y == "yes").to_numpy()
    table = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n) + 20 * is_yes,
            "income": np.where(rng.random(n) < 0.1, np.nan, rng.normal(2.0 * is_yes, 1)),
            "city": np.where(rng.random(n) < 0.1, None, rng.choice(["Rome", "Oslo", "Bonn"], n)),
            "rooms": rng.choice(["1", "2", "3", "?"], n, p=[0.4, 0.3, 0.25, 0.05]),
            "owner": rng.random(n) < 0.5,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "always": 7,
        }
    )
    return table, y


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Quick:
    """Make a classifier that takes a fraction of a second."""
    space = tmp_path_factory.mktemp("space") / "quick.toml"
    space.write_text(SPACE)
    given = {
        "n_trials": 1,
        "time_budget": None,
        "executor": "in_process",
        "space": space,
        "n_folds": 2,
    }
    return lambda uri, **changes: AutoImbClassifier(
        **{**given, "random_state": 0, "tracking_uri": uri, **changes}
    )


@dataclass
class Tracked:
    """A fit, and what MLflow shows of it."""

    uri: str
    folder: Path
    table: pd.DataFrame
    fitted: AutoImbClassifier
    client: MlflowClient
    parent: Run
    children: list[Run]

    @property
    def model_uri(self) -> str:
        return f"runs:/{self.parent.info.run_id}/model"


def read_back(uri: str, experiment: str) -> tuple[MlflowClient, list[Run], list[Run]]:
    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    runs = client.search_runs([found.experiment_id], order_by=["attributes.start_time"])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    return client, parents, [run for run in runs if run not in parents]


@pytest.fixture(scope="module")
def tracked(quick: Quick, empty_store: bytes, tmp_path_factory: pytest.TempPathFactory) -> Tracked:
    folder = tmp_path_factory.mktemp("tracked")
    (folder / "space.toml").write_text(SPACE + FAILING)
    (folder / "runs").mkdir()
    (folder / "runs" / "mlflow.db").write_bytes(empty_store)
    uri = f"sqlite:///{folder}/runs/mlflow.db"
    table, y = make_table()
    fitted = quick(
        uri, n_trials=N_TRIALS, space=folder / "space.toml", metric="f1", experiment="loans / 2"
    ).fit(table, y)
    client, (parent,), children = read_back(uri, "loans / 2")
    return Tracked(uri, folder, table, fitted, client, parent, children)


@pytest.fixture
def store(empty_store: bytes, tmp_path: Path) -> str:
    (tmp_path / "mlflow.db").write_bytes(empty_store)
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def numbers() -> Data:
    rng = np.random.default_rng(0)
    y = (rng.random(80) < 0.25).astype(int)
    return rng.normal(y[:, None], 1, (80, 3)), y


def test_the_fit_is_one_run(tracked: Tracked) -> None:
    run, result = tracked.parent, tracked.fitted.result_
    assert run.info.status == "FINISHED"
    assert run.info.run_name == f"data: {tracked.fitted.configuration_}"
    shown = {
        "data": "data",
        "metric": "f1",
        "n_folds": "2",
        "budget_trials": str(N_TRIALS),
        "runs_on": "in this process, 1 thread",
        "seed": "0",
        "blend": "True",
        "prefer": "best",
        "version.python": platform.python_version(),
        "version.scikit-learn": version("scikit-learn"),
        "positive": "yes",
        "decision": str(tracked.fitted.model_.rule),
        "decision_asked": "best f1",
        "calibrator": tracked.fitted.model_.calibrator.name,
        "profile.n_rows": "120",
        "profile.minority": "yes",
        "profile.kdn": f"{tracked.fitted.profile_.measures['kdn'].value:.4f}",
        "finding.few_positives": "warning",
    }
    assert shown.items() <= run.data.params.items()
    assert run.data.tags["strategy"] == str(tracked.fitted.configuration_)
    assert str(tracked.fitted.recommendation_) in run.data.tags["mlflow.note.content"]
    assert run.data.metrics["f1"] == result.score
    assert run.data.metrics["threshold"] == tracked.fitted.model_.rule.value
    for figure in ("ece", "slope", "intercept"):
        measured = getattr(result.calibration["yes"], figure)
        assert run.data.metrics[f"calibration_{figure}"] == measured
    for state in ("failed", "pruned"):
        n = sum(record.state == state for record in result.search.records)
        assert run.data.metrics[f"{state}_trials"] == n


def test_each_trial_is_a_child(tracked: Tracked) -> None:
    records = {str(record.number): record for record in tracked.fitted.result_.search.records}
    told = [trial.user_attrs["outcome"] for trial in tracked.fitted.study_.trials]
    assert sorted(run.data.tags["trial"] for run in tracked.children) == sorted(records)
    for run in tracked.children:
        record = records[run.data.tags["trial"]]
        assert run.data.tags["mlflow.parentRunId"] == tracked.parent.info.run_id
        assert run.info.run_name == str(record.configuration)
        assert run.data.params == {k: str(v) for k, v in record.configuration.flat.items()}
        gate = str(record.is_calibrated).lower() if record.state == "complete" else None
        assert run.data.tags.get("calibrated") == gate
        # as it was when the trial was told: further repeats are the leaderboard's
        expected = {"seconds": record.seconds}
        for name, score in told[record.number]["scores"].items():
            expected |= {name: score["value"], f"{name}_mean": score["mean"]}
            expected |= {f"{name}_spread": score["spread"]}
        assert run.data.metrics == expected


def test_runs_are_grouped_by_what_they_are_made_of(tracked: Tracked) -> None:
    parts = {"ensemble", "sampler", "weight", "model"}
    for run in tracked.children:
        shown = {name: run.data.tags[name] for name in parts}
        assert shown == {name: run.data.params[name] for name in parts}
        assert run.data.tags["decision"] == "best f1"
    winner = tracked.fitted.configuration_
    assert {name: tracked.parent.data.tags[name] for name in parts} == {
        name: choice.name for name, choice in winner.choices.items()
    }
    assert tracked.parent.data.tags["decision"] == "best f1"
    place = [tracked.parent.info.experiment_id]
    found = tracked.client.search_runs(place, "tags.sampler = 'random_under'")
    resampled = [one for one in tracked.children if one.data.params["sampler"] == "random_under"]
    assert {one.info.run_id for one in found} == {one.info.run_id for one in resampled} != set()


def test_scores_have_their_intervals(tracked: Tracked) -> None:
    metrics, result = tracked.parent.data.metrics, tracked.fitted.result_
    assert result.estimates.keys() >= {"f1", "roc_auc", "precision", "recall"}
    for name, one in result.estimates.items():
        assert (metrics[f"{name}_ci_low"], metrics[f"{name}_ci_high"]) == (one.low, one.high)
        assert metrics[f"{name}_corrected" if name == "f1" else name] == one.value


def test_the_data_are_an_input(tracked: Tracked) -> None:
    (entered,) = tracked.parent.inputs.dataset_inputs
    assert [(tag.key, tag.value) for tag in entered.tags] == [("mlflow.data.context", "training")]
    assert entered.dataset.name == "data"
    assert tracked.parent.data.params["data_sha256"].startswith(entered.dataset.digest)
    profile = json.loads(entered.dataset.profile)
    assert (profile["num_rows"], profile["num_columns"]) == tracked.table.shape
    assert sum(profile["classes"].values()) == len(tracked.table)
    columns = json.loads(entered.dataset.schema)["mlflow_colspec"]
    assert [column["name"] for column in columns] == list(tracked.table)
    assert mlflow.data.get_source(entered).to_dict() == json.loads(entered.dataset.source)


def test_a_failed_trial_tells_why(tracked: Tracked) -> None:
    failed = [run for run in tracked.children if run.info.status == "FAILED"]
    assert failed
    assert all("nonsense" in run.data.tags["failure"] for run in failed)
    assert all(
        run.info.status == "FINISHED" and "failure" not in run.data.tags
        for run in tracked.children
        if run not in failed
    )


def test_the_best_score_is_a_curve(tracked: Tracked) -> None:
    points = tracked.client.get_metric_history(tracked.parent.info.run_id, "best_f1")
    values = [point.value for point in sorted(points, key=lambda point: point.step)]
    assert len(values) == sum(run.info.status == "FINISHED" for run in tracked.children)
    assert values == sorted(values)
    assert values[-1] == tracked.fitted.study_.best_value


def test_what_was_found_lies_with_the_run(tracked: Tracked) -> None:
    run_id = tracked.parent.info.run_id
    files = {file.path for file in tracked.client.list_artifacts(run_id)}
    assert files >= {
        "calibration.json", "configuration.json", "decision.json", "figures", "leaderboard.csv",
        "leaderboard.json", "model_card.md", "profile.html", "profile.json", "recommendation.txt",
        "report.html",
    }  # fmt: skip
    path = tracked.client.download_artifacts(run_id, "leaderboard.csv")
    assert (
        pd.read_csv(path)["strategy"].tolist() == tracked.fitted.leaderboard_["strategy"].tolist()
    )
    board = mlflow.artifacts.load_dict(f"{tracked.parent.info.artifact_uri}/leaderboard.json")
    assert "score" in board["columns"]


def test_the_card_tells_of_the_logged_model(tracked: Tracked, tmp_path: Path) -> None:
    path = tracked.client.download_artifacts(tracked.parent.info.run_id, "model_card.md")
    own = card_path(tracked.fitted.save(tmp_path / "model.pkl")).read_text("utf-8")
    logged = Path(path).read_text("utf-8")
    assert logged.splitlines()[-1].startswith("| sha256 of the model |")

    def but_for_the_time(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith("| made |")]

    assert but_for_the_time(logged) == but_for_the_time(own)


@pytest.mark.parametrize(
    "name",
    [
        "precision_recall",
        "roc",
        "confusion_matrix",
        "calibration",
        "profile_class_counts",
        "profile_projection",
    ],
)
def test_the_figures_are_pictures(tracked: Tracked, name: str) -> None:
    run_id = tracked.parent.info.run_id
    path = tracked.client.download_artifacts(run_id, f"figures/{name}.png")
    content = Path(path).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 10_000


def read_curve(tracked: Tracked, name: str) -> Any:
    path = tracked.client.download_artifacts(tracked.parent.info.run_id, f"curves/{name}.json")
    return json.loads(Path(path).read_text(), parse_constant=pytest.fail)


def test_each_figure_has_its_arrays(tracked: Tracked) -> None:
    run_id, client = tracked.parent.info.run_id, tracked.client
    drawn = {Path(file.path).stem for file in client.list_artifacts(run_id, "figures")}
    arrays = {Path(file.path).stem for file in client.list_artifacts(run_id, "curves")}
    assert arrays == {name for name in drawn if not name.startswith("profile_")}
    model = tracked.fitted.model_
    rows = model.out_of_fold()
    curve = read_curve(tracked, "roc")["curves"]["yes"]
    assert np.trapezoid(curve["recall"], curve["fall_out"]) == pytest.approx(
        roc_auc_score(rows.y, rows.proba[:, 1])
    )
    matrix = read_curve(tracked, "confusion_matrix")
    assert matrix["classes"] == ["no", "yes"]
    counts = confusion_matrix(rows.y, model.out_of_fold_codes())
    assert matrix["counts"] == counts.tolist()
    curve = read_curve(tracked, "precision_recall")["curves"]["yes"]
    assert len(curve["precision"]) == len(curve["recall"]) == len(curve["thresholds"]) + 1
    assert read_curve(tracked, "calibration")["reliability"]["yes"]["found"]


def test_a_report_lies_with_the_run(store: str, tmp_path: Path) -> None:
    table, y = make_table()
    (tmp_path / "space.toml").write_text(SPACE)
    plan = Plan.checked(
        metric="f1", space=tmp_path / "space.toml", time_budget=None, n_trials=1, n_folds=2,
        n_jobs=1, seed=0, executor="in_process",
    )  # fmt: skip
    with open_tracker(store, None, "until the end") as (following,):
        fit_dataset(make_dataset(table, y.to_numpy()), plan, watchers=[following])
        following.reported("<p>é</p>")
    client, (run,), _ = read_back(store, "autoimb")
    assert run.info.run_name == "data: logistic"
    path = client.download_artifacts(run.info.run_id, "report.html")
    assert Path(path).read_text("utf-8") == "<p>é</p>"


def test_artifacts_lie_beside_the_store(tracked: Tracked) -> None:
    runs = tracked.folder / "runs"
    assert (runs / "artifacts" / "loans___2" / tracked.parent.info.run_id).is_dir()


def open_model(tracked: Tracked, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracked.uri)
    return mlflow.pyfunc.load_model(tracked.model_uri)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table,
        lambda table: table[table.columns[::-1]],
        lambda table: table.drop(columns="always"),
        lambda table: table.assign(more=1),
        lambda table: table.assign(age=table["age"] + 0.5),
        lambda table: table.assign(income=table["income"].round().astype("Int64")),
        lambda table: table.assign(income=None),
        lambda table: table.assign(rooms=2),
        lambda table: table.assign(city="Paris", owner=None),
        lambda table: table.assign(since=table["since"].astype(str), age=table["age"].astype(str)),
        lambda table: table.astype({"city": "category", "income": "float32"}),
        lambda table: table.iloc[5:6],
    ],
    ids=[
        "as trained", "other order", "without what is dropped", "another column", "fractions",
        "nullable", "all missing", "number for word", "unseen", "words", "other types", "one row",
    ],
)  # fmt: skip
def test_the_logged_model_answers_what_predict_does(
    tracked: Tracked,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    rows = change(tracked.table)
    answer = open_model(tracked, monkeypatch).predict(rows)
    assert_frame_equal(answer, tracked.fitted.model_.predict_table(rows))


def test_the_logged_model_reads_a_file(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tracked.table.to_csv(tmp_path / "rows.csv", index=False)
    rows = pd.read_csv(tmp_path / "rows.csv")
    answer = open_model(tracked, monkeypatch).predict(rows)
    assert_frame_equal(answer, tracked.fitted.model_.predict_table(tracked.table))


def test_the_logged_model_says_what_it_takes(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_model(tracked, monkeypatch)
    assert model.metadata.signature.inputs.input_names() == list(tracked.table)
    assert model.metadata.signature.inputs.optional_input_names() == ["always"]
    assert model.metadata.signature.outputs.input_names() == [
        "label", "probability_no", "probability_yes",
    ]  # fmt: skip
    assert len(model.predict(model.input_example)) == 5
    (output,) = model.metadata.signature.params
    assert (output.name, output.default) == ("output", "table")


@pytest.mark.parametrize("output", ["label", "proba", "decision"])
def test_the_logged_model_answers_parts_of_it(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    model, own = open_model(tracked, monkeypatch), tracked.fitted.model_
    answer = model.predict(tracked.table, params={"output": output})
    if output == "proba":
        assert np.array_equal(answer.to_numpy(), own.predict_proba(tracked.table))
        return
    assert answer["label"].tolist() == own.predict(tracked.table).tolist()
    wanted = {"label": ["label"], "decision": ["label", "rule", "asked", "threshold"]}
    assert list(answer) == wanted[output]


def test_the_logged_model_tells_of_its_decision(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, own = open_model(tracked, monkeypatch), tracked.fitted.model_
    assert model.metadata.metadata["threshold"] == own.rule.value
    assert model.metadata.metadata["decided"]["asked"] == str(own.decision.criterion)
    assert model.get_raw_model().decision == own.decision


def test_an_output_that_does_not_exist(tracked: Tracked, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_model(tracked, monkeypatch)
    with pytest.raises(UsageError, match="there is no output 'probs'; did you mean 'proba'"):
        model.predict(tracked.table, params={"output": "probs"})


def test_the_logged_model_names_what_it_needs(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracked.uri)
    wanted = Path(mlflow.pyfunc.get_model_dependencies(tracked.model_uri)).read_text()
    for name in ("autoimb", "scikit-learn", "lightgbm", "pandas", "numpy"):
        assert f"{name}==" in wanted


def test_scores_are_linked_to_the_model(tracked: Tracked) -> None:
    (output,) = tracked.parent.outputs.model_outputs
    model = tracked.client.get_logged_model(output.model_id)
    assert model.status == "READY"
    assert {metric.key: metric.value for metric in model.metrics}["f1"] == (
        tracked.fitted.result_.score
    )


@pytest.mark.slow
def test_several_classes_in_an_array(
    quick: Quick, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b $x$", "_東"], [60, 25, 15])
    X = rng.normal(np.repeat([0, 1, 2], [60, 25, 15])[:, None], 1, (100, 3))
    fitted = quick(store, metric="f1_macro").fit(X, y)
    client, (run,), _ = read_back(store, "autoimb")
    assert run.info.status == "FINISHED"
    assert "threshold" not in run.data.metrics
    assert len(client.list_artifacts(run.info.run_id, "figures")) == 7
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    model = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    for rows in (X, pd.DataFrame(X)):
        assert_frame_equal(model.predict(rows), fitted.model_.predict_table(rows))


@pytest.mark.slow
def test_fits_share_an_experiment_under_names_that_mlflow_takes(
    quick: Quick, store: str, numbers: Data
) -> None:
    for _ in range(2):
        quick(store, metric="recall_at_precision@0.8").fit(*numbers)
    _, parents, children = read_back(store, "autoimb")
    assert len(parents) == 2
    assert len(children) == 2
    assert "best_recall_at_precision_0.8" in parents[0].data.metrics
    assert "recall_at_precision_0.8_spread" in children[0].data.metrics


@pytest.mark.slow
def test_what_the_user_does_with_mlflow_goes_on(
    quick: Quick,
    store: str,
    empty_store: bytes,
    numbers: Data,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "of_the_user.db").write_bytes(empty_store)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/of_the_user.db")
    before, environment = mlflow.get_tracking_uri(), dict(os.environ)
    with mlflow.start_run() as mine:
        quick(store).fit(*numbers)
        assert mlflow.active_run().info.run_id == mine.info.run_id
        mlflow.log_metric("mine", 1.0)
    assert mlflow.get_tracking_uri() == before
    assert dict(os.environ) == environment
    found = mlflow.get_run(mine.info.run_id)
    assert found.data.metrics == {"mine": 1.0}
    assert not found.data.params
    assert not found.outputs.model_outputs if found.outputs else True


def test_off_writes_nothing(
    quick: Quick, numbers: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    quick("off").fit(*numbers)
    assert not list(tmp_path.iterdir())


def test_the_store_is_found_where_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert default_tracking_uri() == f"sqlite:///{tmp_path}/autoimb_runs/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert default_tracking_uri() == "http://127.0.0.1:5000"


@pytest.mark.slow
def test_by_default_runs_go_to_one_folder_without_a_word(tmp_path: Path) -> None:
    """Two at once, so that both find no store and want to create it."""
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np\n"
        "from autoimb import AutoImbClassifier\n"
        "y = np.repeat([0, 1], [50, 20])\n"
        "X = np.random.default_rng(0).normal(y[:, None], 1, (70, 2))\n"
        "here = dict(executor='in_process')\n"
        "AutoImbClassifier(time_budget=None, n_trials=1, n_folds=2, **here).fit(X, y)\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW")}
    both = [
        subprocess.Popen(
            [sys.executable, str(script)],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        output, _ = process.communicate(timeout=300)
        assert (process.returncode, output) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == {"script.py", "autoimb_runs"}
    store = tmp_path / "autoimb_runs" / "mlflow.db"
    _, parents, children = read_back(f"sqlite:///{store}", "autoimb")
    assert len(parents) == len(children) == 2
    # in the mode in which commits are fast
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)


# What goes wrong in tracking is one warning, and the fit goes on.


def fit_with_one_warning(classifier: AutoImbClassifier, data: Data) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = classifier.fit(*data)
    assert len(fitted.predict(data[0])) == len(data[1])
    (text,) = [str(w.message) for w in caught if w.category is AutoImbWarning]
    assert text.startswith("MLflow tracking failed and the fit goes on: ")
    assert "\n" not in text
    return text


@pytest.fixture
def dead_server() -> Iterator[str]:
    """A port that nobody listens on."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{reserved.getsockname()[1]}"


def test_a_store_that_cannot_be_written(quick: Quick, tmp_path: Path, numbers: Data) -> None:
    (tmp_path / "file").write_text("in the way")
    text = fit_with_one_warning(quick(f"sqlite:///{tmp_path}/file/mlflow.db"), numbers)
    assert str(tmp_path / "file") in text


def test_a_store_that_is_none(quick: Quick, tmp_path: Path, numbers: Data) -> None:
    (tmp_path / "mlflow.db").write_text("no database, though long enough to be one" * 50)
    text = fit_with_one_warning(quick(f"sqlite:///{tmp_path}/mlflow.db"), numbers)
    assert "not a database" in text


@pytest.mark.parametrize("uri", ["ftp://nowhere", "./runs", "postgresql://me:secret@127.0.0.1/x"])
def test_a_store_of_a_kind_that_is_not_there(
    quick: Quick, uri: str, numbers: Data, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "secret" not in fit_with_one_warning(quick(uri), numbers)


def test_a_dead_server_is_noticed_soon(
    quick: Quick, dead_server: str, numbers: Data, capfd: pytest.CaptureFixture[str]
) -> None:
    begun = time.monotonic()
    text = fit_with_one_warning(quick(dead_server), numbers)
    assert time.monotonic() - begun < 20
    assert dead_server in text
    assert capfd.readouterr() == ("", "")


def test_mlflow_missing(
    quick: Quick, store: str, numbers: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert "mlflow" in fit_with_one_warning(quick(store), numbers)


def test_a_failure_on_the_way_ends_the_run(
    quick: Quick, store: str, numbers: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(RunWriter, "add_trial", fail)
    assert "disk full" in fit_with_one_warning(quick(store), numbers)
    _, (run,), children = read_back(store, "autoimb")
    assert run.info.status == "FAILED"
    assert "disk full" in run.data.tags["tracking_failure"]
    assert not children


@pytest.mark.parametrize(
    ("method", "lost"),
    [
        ("create_run", {2, 3, 5}),
        ("log_batch", {1, 2, 4, 7, 9}),
        ("log_inputs", {1, 2}),
        ("set_terminated", {1, 3}),
    ],
)
def test_what_was_written_when_the_answer_got_lost_is_not_doubled(
    quick: Quick,
    store: str,
    numbers: Data,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    lost: set[int],
) -> None:
    """The first run is the parent, which there is no second attempt for."""
    do, n_calls = getattr(MlflowClient, method), 0

    def lose_the_answer(self: MlflowClient, *arguments: Any, **options: Any) -> Any:
        nonlocal n_calls
        n_calls += 1
        found = do(self, *arguments, **options)
        if n_calls in lost:
            raise MlflowException("no answer", TEMPORARILY_UNAVAILABLE)
        return found

    monkeypatch.setattr(spool, "PAUSE", 0.01)
    monkeypatch.setattr(spool, "GRACE", 30.0)
    monkeypatch.setattr(MlflowClient, method, lose_the_answer)
    quick(store, n_trials=N_TRIALS, metric="f1").fit(*numbers)
    monkeypatch.undo()
    client, (run,), children = read_back(store, "autoimb")
    assert {one.info.status for one in (run, *children)} == {"FINISHED"}
    assert sorted(one.data.tags["trial"] for one in children) == ["0", "1", "2"]
    points = client.get_metric_history(run.info.run_id, "best_f1")
    assert sorted(point.step for point in points) == [1, 2, 3]
    assert len(run.inputs.dataset_inputs) == len(run.outputs.model_outputs) == 1


def test_a_slow_store_is_not_waited_for_without_end(
    quick: Quick, store: str, numbers: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr(RunWriter, "start", lambda *_, **__: released.wait(60))
    monkeypatch.setattr(tracker, "PATIENCE", 0.1)
    begun = time.monotonic()
    assert "not done" in fit_with_one_warning(quick(store), numbers)
    assert time.monotonic() - begun < 30
    released.set()


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("no more"), "FAILED"), (KeyboardInterrupt(), "KILLED")]
)
def test_a_fit_that_is_cut_short_does_not_run_for_ever(
    quick: Quick,
    store: str,
    numbers: Data,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: str,
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("autoimb.fitting.build_leaderboard", stop)
    with pytest.raises(type(error)):
        quick(store).fit(*numbers)
    _, (run,), _ = read_back(store, "autoimb")
    assert run.info.status == status
    assert run.data.tags["failure"].startswith(type(error).__name__)
    assert run.data.metrics["trials"] == 1


def test_nothing_is_written_before_a_fit_starts(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    with pytest.raises(ValueError, match="bad data"), open_tracker(uri, None) as (tracker,):
        raise ValueError("bad data")
    assert tracker.run_id is tracker.uri is tracker.experiment_id is None
    assert not list(tmp_path.iterdir())
