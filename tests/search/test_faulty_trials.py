"""A trial that kills its process, hangs or predicts nonsense is one failed trial."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from small_runs import (
    N_FOLDS,
    PATIENCE,
    classifier,
    components,
    is_alive,
    read_notes,
    wait_for,
)

from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.tasks import Task
from autoimb.search.executors import open_executor
from autoimb.search.resources import Resources
from autoimb.strategy.configuration import Choice, Configuration

pytestmark = pytest.mark.usefixtures("mainless")


@pytest.mark.slow
def test_a_worker_that_is_killed_takes_one_trial_along(
    X: pd.DataFrame, y: pd.Series, tmp_path: Path
) -> None:
    notes = json.dumps(str(tmp_path / "notes"))
    waiting = f'[model.waiting]\nclass = "faulty_models.Waiting"\nnotes = {notes}\n'

    def kill_the_first() -> None:
        wait_for(lambda: read_notes(tmp_path))
        os.kill(read_notes(tmp_path)[0]["pid"], signal.SIGKILL)

    killer = threading.Thread(target=kill_the_first)
    killer.start()
    found = classifier(components(tmp_path, ["Steady"], waiting), n_trials=12).fit(X, y)
    killer.join()
    records = found.result_.search.records
    failed = [record for record in records if record.state == "failed"]
    assert len(records) == 12
    assert [record.configuration.model.name for record in failed] == ["waiting"]
    assert "ProcessExpired" in failed[0].reason


@pytest.mark.slow
@pytest.mark.parametrize("when", ["starts", "has nothing to do"])
@pytest.mark.parametrize("whose", ["its own", "that of the process it was forked from"])
def test_the_death_of_a_worker_that_evaluates_nothing_is_no_failure(
    evaluator: Evaluator, when: str, whose: str
) -> None:
    before = set(psutil.Process().children(recursive=True))
    steady = Task(Configuration(Choice("steady", "faulty_models.Steady")), Level(N_FOLDS))

    def workers() -> list[psutil.Process]:
        new = set(psutil.Process().children(recursive=True)) - before
        return [one for one in new if one.ppid() != os.getpid()]

    with open_executor(evaluator, Resources("processes", 2, 1)) as executor:
        if when == "starts":
            wait_for(workers)
        else:
            for future in [executor.submit(steady, None) for _ in range(4)]:
                future.result(timeout=PATIENCE)
        for worker in workers() if whose == "its own" else workers()[:1]:
            (worker if whose == "its own" else worker.parent()).kill()
        time.sleep(1)
        assert executor.submit(steady, None).result(timeout=PATIENCE).is_complete


@pytest.mark.slow
def test_a_trial_that_needs_too_much_memory_fails_alone(
    X: pd.DataFrame, y: pd.Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoimb.search.resources._free_memory", lambda: 2**30)
    found = classifier(components(tmp_path, ["Steady", "Hungry"])).fit(X, y)
    told = {record.configuration.model.name: record for record in found.result_.search.records}
    assert (told["hungry"].state, told["steady"].state) == ("failed", "complete")
    assert "memory" in told["hungry"].reason
    assert found.configuration_.model.name == "steady"


FAULTS = {
    "unsure": "ValueError: Unsure predicts probabilities that are not finite",
    "beyond": "ValueError: Beyond predicts probabilities outside [0, 1]",
    "dying": "ProcessExpired: Abnormal termination",
    "aborting": "ProcessExpired: Abnormal termination",
    "leaving": "ProcessExpired: it ended by itself",
    "exiting": "RuntimeError: SystemExit: 2",
    "steady + smote": "ValueError: OneSided left a class without rows",
}


@pytest.mark.slow
def test_whatever_a_component_does_it_is_one_failed_trial(
    X: pd.DataFrame, y: pd.Series, tmp_path: Path
) -> None:
    # a sampler of this name is tried first
    sampler = '[sampler.none]\n[sampler.smote]\nclass = "faulty_models.OneSided"\n'
    models = ["Steady", "Unsure", "Beyond", "Dying", "Aborting", "Leaving", "Exiting"]
    found = classifier(components(tmp_path, models, sampler), n_trials=8).fit(X, y)
    first = {str(r.configuration): r for r in reversed(found.result_.search.records)}
    assert {name: record.reason for name, record in first.items() if record.reason} == FAULTS
    assert all(first[name].state == "failed" for name in FAULTS)
    assert first["steady"].state == "complete"
    assert len(found.result_.search.records) == 8


@pytest.mark.slow
def test_a_trial_that_hangs_in_native_code_is_killed_and_its_sibling_is_not(
    evaluator: Evaluator, tmp_path: Path
) -> None:
    def tilted(kind: str, seconds: float) -> Task:
        values = {"seconds": seconds, "notes": str(tmp_path / kind)}
        model = Choice(kind, f"faulty_models.{kind}", values=values)
        return Task(Configuration(model), Level(N_FOLDS))

    with open_executor(evaluator, Resources("processes", 2, 1)) as executor:
        stuck = executor.submit(tilted("Stuck", 0.0), 1.0)
        sibling = executor.submit(tilted("Tilted", 1.0), None)
        assert isinstance(stuck.exception(timeout=PATIENCE), TimeoutError)
        assert sibling.result(timeout=PATIENCE).is_complete
        pid = json.loads((tmp_path / "Stuck").read_text())["pid"]
        assert not psutil.pid_exists(pid) or not is_alive(psutil.Process(pid))
        assert executor.submit(tilted("Tilted", 0.0), None).result(timeout=PATIENCE)
    siblings = {json.loads(line)["pid"] for line in (tmp_path / "Tilted").read_text().splitlines()}
    assert pid not in siblings


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_a_model_that_changes_the_rows_it_is_given_changes_those_of_no_other_trial(
    X: pd.DataFrame, y: pd.Series, tmp_path: Path, n_jobs: int | None
) -> None:
    where: dict[str, Any] = {"n_jobs": n_jobs} if n_jobs else {"executor": "in_process"}
    models = ["Steady", "Scribbling"]
    found = classifier(components(tmp_path, models), n_trials=6, n_folds=2, **where).fit(X, y)
    values = {
        record.fold_values
        for record in found.result_.search.records
        if record.configuration.model.name == "steady"
    }
    assert len(values) == 1
