"""The profile lies with the run before the fit has ended, and however it ends."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

import autoimb
from autoimb.tracking.contents import rehearse_model, write_profile
from autoimb.tracking.writer import RunWriter

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("few_resamples")]

SPACE = """
[model.logistic]
class = "sklearn.linear_model.LogisticRegression"
input = "scaled"
C = {low = 0.01, high = 10, log = true, default = 1.0}
[weight.none]
[sampler.none]
"""
PAGE_AND_RECORD = {"profile.html", "profile.json"}
PICTURES = {"profile_class_counts.png", "profile_feature_overlap.png", "profile_projection.png"}
CURVES = {"precision_recall.png", "roc.png", "confusion_matrix.png"}


@pytest.fixture
def folder(empty_store: bytes, tmp_path: Path) -> Path:
    """Where the store is, and all else that a fit writes."""
    (tmp_path / "mlflow.db").write_bytes(empty_store)
    (tmp_path / "space.toml").write_text(SPACE)
    return tmp_path


def fit(folder: Path, loans: Any) -> None:
    autoimb.fit(
        loans,
        "default",
        time_budget=None,
        n_trials=1,
        n_folds=2,
        space=folder / "space.toml",
        executor="in_process",
        tracking_uri=f"sqlite:///{folder}/mlflow.db",
        run_dir=folder / "run",
    )


def read_run(folder: Path) -> tuple[Run, set[str]]:
    """Read the parent run, and name the files of the profile and the pictures that it has."""
    client = MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
    found = client.get_experiment_by_name("autoimb")
    assert found is not None
    runs = client.search_runs([found.experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    paths = [
        file.path
        for place in (None, "figures")
        for file in client.list_artifacts(parent.info.run_id, place)
    ]
    names = {Path(path).name for path in paths}
    return parent, names & (PAGE_AND_RECORD | PICTURES | CURVES)


def test_the_profile_is_there_before_the_first_trial_and_stays(
    folder: Path, loans: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, set[str]]] = []
    add_trial = RunWriter.add_trial

    def look(self: RunWriter, record: Any, *, now: int) -> None:
        run, files = read_run(folder)
        seen.append((run.info.status, files))
        add_trial(self, record, now=now)

    monkeypatch.setattr(RunWriter, "add_trial", look)
    fit(folder, loans)
    assert seen == [("RUNNING", PAGE_AND_RECORD | PICTURES)]
    run, files = read_run(folder)
    assert (run.info.status, files) == ("FINISHED", PAGE_AND_RECORD | PICTURES | CURVES)


def test_a_fit_that_fails_leaves_its_profile(
    folder: Path, loans: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise RuntimeError("no more")

    monkeypatch.setattr("autoimb.fitting.build_leaderboard", stop)
    with pytest.raises(RuntimeError, match="no more"):
        fit(folder, loans)
    run, files = read_run(folder)
    assert (run.info.status, files) == ("FAILED", PAGE_AND_RECORD | PICTURES)


def test_the_page_shows_the_pictures_that_are_files(folder: Path, loans: Any) -> None:
    fit(folder, loans)
    run, _ = read_run(folder)
    client = MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
    place = Path(client.download_artifacts(run.info.run_id, ""))
    page = (place / "profile.html").read_text("utf-8")
    for name in PICTURES:
        assert base64.b64encode((place / "figures" / name).read_bytes()).decode() in page


def test_where_files_fail_at_first_trials_are_written_and_the_end_tries_again(
    folder: Path, loans: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fail_once(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 1:
            raise OSError("disk full")
        write_profile(*arguments)

    monkeypatch.setattr("autoimb.tracking.writer.write_profile", fail_once)
    fit(folder, loans)
    run, files = read_run(folder)
    assert (run.info.status, files) == ("FINISHED", PAGE_AND_RECORD | PICTURES | CURVES)
    assert "best_average_precision" in run.data.metrics


def test_an_interrupted_fit_does_not_wait_for_pictures(
    folder: Path, loans: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interruption comes while the run is still being created."""
    interrupted = threading.Event()
    start, end_by = RunWriter.start, autoimb.tracking.Tracker.ended_by

    def start_late(self: RunWriter, *arguments: Any, now: int) -> None:
        assert interrupted.wait(60)
        start(self, *arguments, now=now)

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    def note(self: Any, error: BaseException) -> None:
        end_by(self, error)
        interrupted.set()

    monkeypatch.setattr(RunWriter, "start", start_late)
    monkeypatch.setattr("autoimb.fitting.search", stop)
    monkeypatch.setattr(autoimb.tracking.Tracker, "ended_by", note)
    with pytest.raises(KeyboardInterrupt):
        fit(folder, loans)
    run, files = read_run(folder)
    assert (run.info.status, files) == ("KILLED", set())


def test_a_rehearsal_writes_nothing_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("MLFLOW_UV_AUTO_DETECT", "false")
    rehearse_model(tmp_path / "there")
    assert not list((tmp_path / "here").iterdir())
    assert (tmp_path / "there" / "model" / "MLmodel").is_file()
