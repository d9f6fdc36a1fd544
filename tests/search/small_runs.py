"""Small runs of models that note every fit, and what they leave behind."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import psutil
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

import autoimb
from autoimb import AutoImbClassifier
from autoimb.search.records import SearchResult

IMPORTABLE = [str(Path(autoimb.__file__).resolve().parents[1]), str(Path(__file__).parent)]
JOURNAL = "study.journal"
N_ROWS, N_TRIALS, N_FOLDS = 120, 14, 3
# Far more than anything here takes, for it only ends what hangs.
PATIENCE = 60.0

# Processes that start at once, with all that a fit needs imported: many can be killed in a test.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["autoimb.running", "lightgbm", "sklearn.linear_model"])

ANGLES = {
    "tilted": "angle = {low = -1.5, high = 1.5, default = 1.4}",
    "turned": "angle = {low = -3.0, high = 0.0, default = -1.0}",
}


def write_space(folder: Path, kind: str = "Tilted", **values: object) -> Path:
    """Write a space of two models that note every fit in `folder`; one of them is exported."""
    folder.mkdir(parents=True, exist_ok=True)
    given = {"notes": str(folder / "notes"), "single": True, **values}
    constants = "\n".join(f"{key} = {json.dumps(value)}" for key, value in given.items())
    path = folder / "own.toml"
    path.write_text(
        "\n".join(
            f'[model.{name}]\nclass = "faulty_models.{kind}"\n{angle}\n{constants}\n'
            for name, angle in ANGLES.items()
        )
    )
    return path


def order(data: Path, folder: Path, **changes: Any) -> dict[str, Any]:
    """Give the arguments of a fit that begins in `folder`, or goes on there."""
    usual = {
        "data": data, "target": "late", "time_budget": None, "n_trials": N_TRIALS,
        "n_folds": N_FOLDS, "space": folder / "own.toml", "run_dir": folder / "run",
        "resume": True, "executor": "in_process", "tracking_uri": "off",
    }  # fmt: skip
    return {**usual, **changes}


@contextmanager
def started(target: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Iterator[Any]:
    """Have a process of its own call a function; it does not outlive the block."""
    process = FORKS.Process(target=target, args=args, kwargs=kwargs)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def wait_for(condition: Callable[[], Any], process: Any = None) -> None:
    """Wait until something has come about, or a process has ended."""
    deadline = time.monotonic() + PATIENCE
    while not condition() and (process is None or process.exitcode is None):
        assert time.monotonic() < deadline
        time.sleep(0.002)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def children_of(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def read_notes(folder: Path) -> list[dict[str, Any]]:
    path = folder / "notes"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def n_told(folder: Path) -> int:
    path = folder / "run" / JOURNAL
    return path.read_bytes().count(b'"outcome"') if path.exists() else 0


def read_trials(folder: Path) -> list[optuna.trial.FrozenTrial]:
    """Read a journal as Optuna does, in whatever state it was left."""
    path = folder / JOURNAL
    if not path.exists():
        return []
    storage = JournalStorage(JournalFileBackend(str(path)))
    try:
        return optuna.load_study(study_name="autoimb", storage=storage).trials
    except KeyError:  # not even the study was begun
        return []


def angle_of(trial: optuna.trial.FrozenTrial) -> float:
    return next(value for name, value in trial.params.items() if name.endswith("angle"))


def summary(found: SearchResult) -> list[tuple[Any, ...]]:
    """List what a search found, but for what depends on the clock or the folder."""
    return [
        (
            record.number, record.configuration.model.name, record.state, record.fold_values,
            record.configuration.model.values["angle"], record.scores, record.step, record.reason,
        )
        for record in found.records
    ]  # fmt: skip


def assert_same_outcome(found: Any, expected: Any, table: pd.DataFrame) -> None:
    """Compare the trials, leaderboards and predictions of two runs to the last bit."""
    assert summary(found.result.search) == summary(expected.result.search)
    boards = [run.result.leaderboard.drop(columns="seconds") for run in (found, expected)]
    pd.testing.assert_frame_equal(*boards, check_exact=True)
    models = [autoimb.load(run.model_path) for run in (found, expected)]
    assert models[0].rule == models[1].rule
    assert np.array_equal(models[0].predict_proba(table), models[1].predict_proba(table))


def classifier(space: Path, **changes: Any) -> AutoImbClassifier:
    usual = {
        "time_budget": None, "n_trials": 6, "n_folds": 2, "n_jobs": 2, "tracking_uri": "off",
        "random_state": 0, "space": space,
    }  # fmt: skip
    return AutoImbClassifier(**{**usual, **changes})


def components(folder: Path, models: Sequence[str], more: str = "") -> Path:
    path = folder / "own.toml"
    tables = [f'[model.{m.lower()}]\nclass = "faulty_models.{m}"\n{STEADY}\n' for m in models]
    path.write_text("\n".join([*tables, more]))
    return path


STEADY = "slope = {low = 0.1, high = 5.0, default = 1.0}"


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(IMPORTABLE)}
