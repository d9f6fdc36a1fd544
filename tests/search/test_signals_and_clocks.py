"""Clocks that jump, two fits at once, Ctrl-C and SIGTERM, fits in threads and pools."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_runs import (
    FORKS,
    N_FOLDS,
    N_ROWS,
    N_TRIALS,
    PATIENCE,
    assert_same_outcome,
    classifier,
    environment,
    n_told,
    order,
    read_notes,
    started,
    summary,
    wait_for,
    write_space,
)

import autoimb
import autoimb.fitting
from autoimb.errors import SearchError, UsageError

pytestmark = pytest.mark.usefixtures("mainless", "few_resamples")

# ------------------------------------------------------------------------- a clock that jumps


@pytest.mark.slow
@pytest.mark.parametrize("jump", [3600.0, -3600.0], ids=["forth", "back"])
def test_a_clock_that_is_put_forth_or_back_ends_no_trial(
    X: pd.DataFrame, y: pd.Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    space, usual, jumped = write_space(tmp_path, seconds=0.2), time.time, False

    def clock() -> float:
        # from when a trial has been told and others are running
        nonlocal jumped
        jumped = jumped or len(read_notes(tmp_path)) > 2 * N_FOLDS
        return usual() + jump * jumped

    monkeypatch.setattr(time, "time", clock)
    found = classifier(space, time_budget=PATIENCE, n_trials=12, n_folds=N_FOLDS).fit(X, y)
    reasons = [record.reason for record in found.result_.search.records]
    assert jumped
    assert len(reasons) == 12
    assert [r for r in reasons if "stopped after" not in r] == [""] * reasons.count("")


@pytest.mark.slow
def test_a_clock_that_jumps_to_and_fro_neither_ends_a_search_nor_prolongs_it(
    X: pd.DataFrame, y: pd.Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, begun, rng = time.time, time.monotonic(), np.random.default_rng(0)
    monkeypatch.setattr(time, "time", lambda: usual() + float(rng.uniform(-1e4, 1e4)))
    asked = {"time_budget": 3.0, "n_trials": None, "executor": "in_process", "n_jobs": None}
    found = classifier(write_space(tmp_path, seconds=0.01), **asked).fit(X, y)
    assert 1 < time.monotonic() - begun < 3 + PATIENCE / 2
    assert 1 < found.result_.seconds < 3 + PATIENCE / 2
    assert len(found.result_.search.records) > 4


# ------------------------------------------------------------------------- two fits at once


@pytest.mark.slow
def test_a_second_fit_in_a_folder_is_refused_and_the_first_unharmed(
    data: Path, table: pd.DataFrame, uninterrupted: Any, tmp_path: Path
) -> None:
    space = write_space(tmp_path, seconds=0.03)
    X, y = table[["a", "b"]], table["late"]
    asked = order(data, tmp_path)
    with started(autoimb.fit, **asked) as process:
        wait_for(lambda: n_told(tmp_path), process)
        with pytest.raises(UsageError, match=r"^another fit is running in .*run\. Wait for it, or"):
            autoimb.fit(**asked)
        with pytest.raises(UsageError, match=r"^another fit is running in .*run\. Wait for it, or"):
            classifier(space, resume=tmp_path / "run").fit(X, y)
        assert process.exitcode is None
        process.join(PATIENCE)
        assert process.exitcode == 0
    # nothing is left to do, so that this tells what the first one came to
    assert_same_outcome(autoimb.fit(**asked), uninterrupted, table)


@pytest.mark.slow
def test_the_death_of_a_fit_opens_its_folder(data: Path, tmp_path: Path) -> None:
    write_space(tmp_path, seconds=0.03)
    asked = order(data, tmp_path)
    with started(autoimb.fit, **asked) as process:
        wait_for(lambda: n_told(tmp_path), process)
    assert len(autoimb.fit(**asked).result.search.records) == N_TRIALS


@pytest.mark.slow
def test_two_fits_at_once_have_a_folder_each(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_space(tmp_path)
    asked = order(data, tmp_path, run_dir=None, resume=False)
    with started(autoimb.fit, **asked) as first, started(autoimb.fit, **asked) as second:
        for process in (first, second):
            process.join(PATIENCE)
            assert process.exitcode == 0
    folders = list((tmp_path / "autoimb_runs").iterdir())
    assert len(folders) == 2
    assert all((folder / "model.pkl").exists() for folder in folders)


# ------------------------------------------------------------------------- Ctrl-C and SIGTERM


@contextmanager
def command(folder: Path, data: Path, *flags: object) -> Iterator[subprocess.Popen[str]]:
    """Run `autoimb fit` as a shell does; what it started ends with the block."""
    code = "from autoimb.cli.app import main; main()"
    usual = ["--folds", N_FOLDS, "--space", "own.toml", "--run-dir", "run", "--tracking-uri", "off"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, ["fit", data, *usual, *flags])],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def wait_until(condition: Callable[[], Any], process: subprocess.Popen[str]) -> None:
    """Wait until something has come about in a process that goes on meanwhile."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


HERE, WORKERS = ("--executor", "in_process"), ("--jobs", 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "send"),
    [(HERE, os.kill), (WORKERS, os.kill), (WORKERS, os.killpg)],
    ids=["in this process", "with workers", "with workers that are told too"],
)
def test_sigterm_exports_the_best_so_far(
    data: Path, table: pd.DataFrame, tmp_path: Path, where: tuple[object, ...], send: Any
) -> None:
    write_space(tmp_path, seconds=0.02)
    with command(tmp_path, data, "--trials", 100_000, *where) as process:
        wait_until(lambda: n_told(tmp_path) > 3, process)
        send(process.pid, signal.SIGTERM)
        told, progress = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, progress
    assert "this is the best so far." in told
    assert "Traceback" not in progress
    proba = autoimb.load(tmp_path / "run" / "model.pkl").predict_proba(table)
    assert proba.shape == (N_ROWS, 2)


@pytest.mark.slow
def test_a_search_that_was_interrupted_goes_on_as_if_it_were_not(
    data: Path, table: pd.DataFrame, uninterrupted: Any, tmp_path: Path
) -> None:
    write_space(tmp_path, seconds=0.1)
    flags = ["--trials", N_TRIALS, "--target", "late", "--seed", 0, *WORKERS]
    with command(tmp_path, data, *flags) as process:
        wait_until(lambda: n_told(tmp_path) > 3, process)
        process.send_signal(signal.SIGINT)
        _, progress = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, progress
    assert n_told(tmp_path) < N_TRIALS
    assert_same_outcome(autoimb.fit(**order(data, tmp_path)), uninterrupted, table)


@pytest.mark.slow
@pytest.mark.parametrize("where", [HERE, WORKERS], ids=["in this process", "with workers"])
def test_sigterm_before_any_result_is_one_line(
    data: Path, tmp_path: Path, where: tuple[object, ...]
) -> None:
    write_space(tmp_path, seconds=60.0)
    with command(tmp_path, data, "--trials", 10, "--quiet", *where) as process:
        wait_until(lambda: read_notes(tmp_path), process)
        process.terminate()
        told, error = process.communicate(timeout=PATIENCE / 2)
    assert (process.returncode, told) == (1, "")
    assert error == (
        "error: interrupted before the first configuration was evaluated; nothing to export.\n"
    )
    assert not (tmp_path / "run" / "model.pkl").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["sigint", "sigterm"])
def test_a_signal_between_the_profile_and_the_search_is_one_line(
    X: pd.DataFrame,
    y: pd.Series,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    monkeypatch.setattr(autoimb.fitting, "list_baselines", lambda *_: os.kill(os.getpid(), number))
    with pytest.raises(SearchError, match=r"^interrupted before the first configuration"):
        classifier(write_space(tmp_path)).fit(X, y)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "number"),
    [(WORKERS, signal.SIGTERM), (WORKERS, signal.SIGINT), (HERE, signal.SIGTERM)],
    ids=["sigterm", "sigint", "in this process"],
)
def test_the_second_signal_while_the_best_is_trained_gives_it_up(
    data: Path, tmp_path: Path, where: tuple[object, ...], number: signal.Signals
) -> None:
    write_space(tmp_path, "Lingering", many=N_ROWS)
    with command(tmp_path, data, "--trials", 3, "--quiet", *where) as process:
        wait_until(lambda: any(note["n"] == N_ROWS for note in read_notes(tmp_path)), process)
        process.send_signal(number)
        time.sleep(1)
        assert process.poll() is None
        process.send_signal(number)
        told, error = process.communicate(timeout=PATIENCE / 3)
    assert process.returncode not in (0, None)
    assert told == ""
    assert "being exported; another interrupt gives it up." in error
    assert "Traceback" not in error
    assert not (tmp_path / "run" / "model.pkl").exists()
    # all that was found is still there
    assert n_told(tmp_path) == 3


def test_what_handled_signals_before_handles_them_after(
    X: pd.DataFrame, y: pd.Series, tmp_path: Path
) -> None:
    def own(number: int, frame: object) -> None:
        raise AssertionError("no signal was sent")

    before = signal.signal(signal.SIGTERM, own)
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        classifier(write_space(tmp_path), executor="in_process", n_jobs=None).fit(X, y)
        assert signal.getsignal(signal.SIGTERM) is own
        assert signal.getsignal(signal.SIGINT) is interrupt
    finally:
        signal.signal(signal.SIGTERM, before)


# ------------------------------------------------------------------------- where trials run


@pytest.mark.slow
def test_inside_a_worker_of_another_pool_trials_run_there_and_this_is_said(
    X: pd.DataFrame, y: pd.Series, tmp_path: Path
) -> None:
    space = write_space(tmp_path)
    with FORKS.Pool(1) as pool:
        found = pool.apply_async(classifier(space).fit, (X, y)).get(PATIENCE)
    assert {note["pid"] for note in read_notes(tmp_path)}.isdisjoint({os.getpid()})
    assert len({note["pid"] for note in read_notes(tmp_path)}) == 1
    (note,) = [note for note in found.result_.notes if "process" in note]
    assert note.startswith("trials ran inside this process, for a worker of another pool may start")
    expected = classifier(space, executor="in_process", n_jobs=None).fit(X, y)
    assert np.array_equal(found.predict_proba(X), expected.predict_proba(X))
    assert not [note for note in expected.result_.notes if "another pool" in note]


@pytest.mark.slow
def test_a_fit_in_a_thread_is_as_any_other(X: pd.DataFrame, y: pd.Series, tmp_path: Path) -> None:
    space, found = write_space(tmp_path), []
    thread = threading.Thread(target=lambda: found.append(classifier(space).fit(X, y)))
    thread.start()
    thread.join(PATIENCE)
    expected = classifier(space, executor="in_process", n_jobs=None).fit(X, y)
    assert summary(found[0].result_.search) == summary(expected.result_.search)
    assert np.array_equal(found[0].predict_proba(X), expected.predict_proba(X))
