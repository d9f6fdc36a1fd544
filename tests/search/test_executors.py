from __future__ import annotations

import json
import multiprocessing
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from pebble import ProcessExpired

from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.tasks import Evaluation, Task
from autoimb.search.executors import InProcessExecutor, WorkerExecutor, open_executor
from autoimb.search.resources import Resources
from autoimb.search.spawning import prepare_workers
from autoimb.strategy.configuration import Choice, Configuration


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    x = np.linspace(-2, 2, 40)
    return Evaluator(
        x.reshape(-1, 1), (x > 1).astype(int), np.arange(40) % 2, (0,), 2, "f1", seed=0
    )


HERE, WORKERS = Resources("in_process", 1, 1), Resources("processes", 2, 1)


def use(model: str, **values: object) -> Configuration:
    return Configuration(model=Choice(model, f"faulty_models.{model}", values=values))


def task(model: str, **values: object) -> Task:
    return Task(use(model, **values), Level(2))


def test_what_runs_in_process_starts_no_other(evaluator: Evaluator) -> None:
    with open_executor(evaluator, HERE) as executor:
        assert isinstance(executor, InProcessExecutor)
        evaluation = executor.submit(task("Steady"), None).result()
    assert evaluation.scores["f1"].value == evaluator.evaluate(use("Steady")).scores["f1"].value
    assert not multiprocessing.active_children()


def test_what_fails_in_this_process_is_told_by_the_future(evaluator: Evaluator) -> None:
    with open_executor(evaluator, HERE) as executor:
        future = executor.submit(task("Raising"), None)
    assert isinstance(future.exception(), ValueError)


def test_the_limit_is_looked_at_between_folds(evaluator: Evaluator) -> None:
    with open_executor(evaluator, HERE) as executor:
        future = executor.submit(task("Slow"), 0.05)
    assert isinstance(future.exception(), TimeoutError)


@pytest.mark.slow
@pytest.mark.parametrize("can_fork", [True, False])
def test_workers_score_as_this_process_does(
    evaluator: Evaluator, can_fork: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoimb.search.spawning.CAN_FORK", can_fork)
    here = evaluator.evaluate(use("Steady", slope=0.3))
    with open_executor(evaluator, WORKERS) as executor:
        assert isinstance(executor, WorkerExecutor)
        there = executor.submit(task("Steady", slope=0.3), None).result(timeout=60)
    assert np.array_equal(here.proba, there.proba)
    assert here.scores == there.scores


@pytest.mark.slow
def test_workers_are_spawned_where_no_socket_can_be_made(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError("AF_UNIX path too long")

    monkeypatch.setattr("autoimb.search.spawning.start_server", refuse)
    assert prepare_workers() is False
    _score_in_workers(evaluator)


@pytest.mark.slow
def test_workers_have_the_environment_of_their_parent_and_leave_interrupts_to_it(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _score_in_workers(evaluator)  # what they are forked from is older than what follows
    monkeypatch.setenv("AUTOIMB_TEST", "seen")
    noting = use("Confiding", notes=str(tmp_path / "notes"), variable="AUTOIMB_TEST")
    with open_executor(evaluator, WORKERS) as executor:
        executor.submit(Task(noting, Level(2)), None).result(timeout=60)
    for line in (tmp_path / "notes").read_text().splitlines():
        assert json.loads(line) == {"variable": "seen", "hears_interrupts": False, "main": False}


@pytest.mark.slow
def test_the_main_module_is_hidden_no_longer_than_a_child_is_described(
    evaluator: Evaluator,
) -> None:
    main, seen = sys.modules["__main__"], []
    with open_executor(evaluator, WORKERS) as executor:
        future = executor.submit(task("Steady"), None)
        while not future.done():
            seen.append(sys.modules["__main__"] is main)
            time.sleep(0.01)
    assert np.mean(seen) > 0.8


def _score_in_workers(evaluator: Evaluator) -> None:
    with open_executor(evaluator, WORKERS) as executor:
        assert executor.submit(task("Steady"), None).result(timeout=60).is_complete


@pytest.mark.slow
def test_a_process_that_was_forked_has_workers_of_its_own(evaluator: Evaluator) -> None:
    _score_in_workers(evaluator)
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system cannot fork")
    child = multiprocessing.get_context("fork").Process(target=_score_in_workers, args=[evaluator])
    child.start()
    child.join(60)
    assert child.exitcode == 0


@pytest.mark.slow
def test_a_worker_that_takes_too_long_is_killed_alone(evaluator: Evaluator) -> None:
    with open_executor(evaluator, WORKERS) as executor:
        executor.submit(task("Steady"), None).result(timeout=60)
        begun = time.monotonic()
        stuck = executor.submit(task("Sleeping"), 2.0)
        siblings = [executor.submit(task("Slow"), None) for _ in range(3)]
        assert [f.result(timeout=30).scores["f1"].value for f in siblings]
        assert isinstance(stuck.exception(timeout=30), TimeoutError)
        assert time.monotonic() - begun < 20
        assert executor.submit(task("Steady"), None).result(timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "kind"), [("Dying", ProcessExpired), ("Raising", ValueError)])
def test_a_worker_that_fails_leaves_the_others_working(
    evaluator: Evaluator, model: str, kind: type[Exception]
) -> None:
    with open_executor(evaluator, WORKERS) as executor:
        failing: Future[Evaluation] = executor.submit(task(model), None)
        fine = executor.submit(task("Slow"), None)
        assert fine.result(timeout=60)
        assert isinstance(failing.exception(timeout=60), kind)
        assert executor.submit(task("Steady"), None).result(timeout=60)


@pytest.mark.slow
def test_an_error_that_cannot_be_unpickled_is_an_error_and_no_standstill(
    evaluator: Evaluator,
) -> None:
    with open_executor(evaluator, WORKERS) as executor:
        failing = executor.submit(task("RaisingAwkwardly"), None)
        assert isinstance(failing.exception(timeout=20), Exception)
        assert executor.submit(task("Steady"), None).result(timeout=60)


@pytest.mark.slow
def test_closing_ends_what_still_runs_and_removes_the_data(
    evaluator: Evaluator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    begun = time.monotonic()
    with open_executor(evaluator, WORKERS) as executor:
        executor.submit(task("Sleeping"), None)
        time.sleep(1)
        assert list(tmp_path.iterdir())
    assert time.monotonic() - begun < 20
    assert not list(tmp_path.iterdir())
    assert not multiprocessing.active_children()
