"""A search that is killed goes on later as if it had not been."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from small_runs import (
    N_FOLDS,
    N_ROWS,
    PATIENCE,
    angle_of,
    assert_same_outcome,
    children_of,
    is_alive,
    n_told,
    order,
    read_notes,
    read_trials,
    started,
    summary,
    wait_for,
    write_space,
)

import autoimb
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.search.budget import Budget
from autoimb.search.executors import open_executor
from autoimb.search.journal import EvaluationFolder, FileJournal
from autoimb.search.records import SearchResult
from autoimb.search.resources import Resources
from autoimb.search.study import search
from autoimb.strategy.search_space import SearchSpace, load_space

pytestmark = pytest.mark.usefixtures("mainless", "few_resamples")


def assert_it_goes_on(
    data: Path, folder: Path, uninterrupted: Any, table: pd.DataFrame, *, at_once: int = 1
) -> None:
    """Resume a run that was killed and check that nothing was lost and nothing done twice."""
    before = [trial for trial in read_trials(folder / "run") if trial.state.is_finished()]
    found = autoimb.fit(**order(data, folder))
    assert_same_outcome(found, uninterrupted, table)
    records = {record.number: record for record in found.result.search.records}
    for trial in before:
        # it would take another time if it were evaluated again
        assert records[trial.number].seconds == trial.user_attrs["outcome"]["seconds"]
    fits = Counter((note["angle"], note["rows"]) for note in of_search(read_notes(folder)))
    notes = of_search(read_notes(uninterrupted.folder.parent))
    first_deal = {note["rows"] for note in notes[:N_FOLDS]}
    again = [(angle, rows) for (angle, rows), n in fits.items() if n > 1]
    assert not {angle for angle, rows in again if rows in first_deal} & set(map(angle_of, before))
    # of the further deals that leading trials earn, what was being evaluated
    assert sum(rows not in first_deal for _, rows in again) <= at_once * N_FOLDS
    # and nothing is evaluated that an uninterrupted search does not
    assert set(fits) == {(note["angle"], note["rows"]) for note in notes}


def of_search(notes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what comes after a search: the best on all rows, then without each fold."""
    left, exported = [], None
    for note in notes:
        exported = note["angle"] if note["n"] == N_ROWS else exported
        if note["angle"] != exported:
            left.append(note)
            exported = None
    return left


@pytest.mark.slow
def test_a_search_that_is_killed_at_any_of_twenty_moments_goes_on_as_if_it_were_not(
    data: Path, table: pd.DataFrame, uninterrupted: Any, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    write_space(whole, seconds=0.003)
    begun = time.monotonic()
    with started(autoimb.fit, **order(data, whole)) as process:
        process.join(PATIENCE)
        assert process.exitcode == 0
    took = time.monotonic() - begun
    delays = np.random.default_rng(0).uniform(0, took, 10)
    moments: list[tuple[int, float]] = [*((k, 0.0) for k in range(10)), *((0, s) for s in delays)]
    for number, (k, delay) in enumerate(moments):
        folder = tmp_path / f"{number}"
        write_space(folder, seconds=0.003)
        with started(autoimb.fit, **order(data, folder)) as process:
            wait_for(lambda k=k, folder=folder: n_told(folder) >= k, process)
            time.sleep(delay)
            process.kill()
        assert_it_goes_on(data, folder, uninterrupted, table)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["trial 1", "trial 5", "trial 11", *range(3)])
def test_a_search_with_workers_that_is_killed_leaves_none_of_them_and_goes_on(
    data: Path, table: pd.DataFrame, uninterrupted: Any, tmp_path: Path, moment: str | int
) -> None:
    write_space(tmp_path, seconds=0.03)
    with started(autoimb.fit, **order(data, tmp_path, executor="processes", n_jobs=2)) as process:
        if isinstance(moment, str):
            wait_for(lambda: n_told(tmp_path) >= int(moment.split()[1]), process)
        else:
            time.sleep(np.random.default_rng(moment).uniform(0, 2.5))
        workers = children_of(process.pid)
        process.kill()
        wait_for(lambda: not any(map(is_alive, workers)))
    assert_it_goes_on(data, tmp_path, uninterrupted, table, at_once=2)


@pytest.mark.slow
def test_what_was_killed_with_workers_goes_on_with_others(
    data: Path, table: pd.DataFrame, uninterrupted: Any, tmp_path: Path
) -> None:
    write_space(tmp_path, seconds=0.01)
    with started(autoimb.fit, **order(data, tmp_path)) as process:
        wait_for(lambda: n_told(tmp_path) >= 3, process)
    found = autoimb.fit(**order(data, tmp_path, executor="processes", n_jobs=3))
    assert_same_outcome(found, uninterrupted, table)


@pytest.mark.slow
def test_a_search_that_is_killed_again_and_again_comes_to_an_end(
    data: Path, table: pd.DataFrame, uninterrupted: Any, tmp_path: Path
) -> None:
    write_space(tmp_path, seconds=0.003)
    for k in (2, 5, 8):
        with started(autoimb.fit, **order(data, tmp_path)) as process:
            wait_for(lambda k=k: n_told(tmp_path) >= k, process)
    assert_same_outcome(autoimb.fit(**order(data, tmp_path)), uninterrupted, table)


@pytest.mark.slow
def test_what_was_evaluated_before_the_search_was_killed_is_not_evaluated_again(
    data: Path, tmp_path: Path
) -> None:
    write_space(tmp_path, seconds=0.02)
    with started(autoimb.fit, **order(data, tmp_path)) as process:
        # seven trials and a part of the eighth
        wait_for(lambda: len(read_notes(tmp_path)) > 7 * N_FOLDS, process)
    n_before = len(read_notes(tmp_path))
    autoimb.fit(**order(data, tmp_path))
    fits = Counter((note["angle"], note["rows"]) for note in read_notes(tmp_path)[:n_before])
    more = Counter((note["angle"], note["rows"]) for note in read_notes(tmp_path)[n_before:])
    again = {angle for angle, rows in fits if (angle, rows) in more}
    assert len(again) <= 1


@pytest.mark.slow
def test_a_worker_in_native_code_ends_with_its_parent(data: Path, tmp_path: Path) -> None:
    write_space(tmp_path, "Stuck")
    asked = order(data, tmp_path, executor="processes", n_jobs=1)
    with started(autoimb.fit, **asked) as process:
        wait_for(lambda: read_notes(tmp_path), process)
    worker = psutil.Process(read_notes(tmp_path)[0]["pid"])
    try:
        _, alive = psutil.wait_procs([worker], timeout=10)
        assert not any(map(is_alive, alive))
    finally:
        if is_alive(worker):
            worker.kill()


def search_here(
    evaluator: Evaluator, space: SearchSpace, folder: Path, n: int, levels: Sequence[Level]
) -> SearchResult:
    folder.mkdir(exist_ok=True)
    budget = Budget(seconds=None, trials=n)
    with open_executor(evaluator, Resources("in_process", 1, 1)) as executor:
        return search(executor, evaluator, space, budget, levels=levels, folder=folder)


def photograph(
    evaluator: Evaluator, space: SearchSpace, folder: Path, n: int, levels: Sequence[Level]
) -> tuple[SearchResult, list[Path]]:
    """Search, and copy what is on the disk before each write: what a kill there would leave."""
    images: list[Path] = []

    def before(write: Callable[..., Any]) -> Callable[..., Any]:
        def copy_and_write(*args: Any) -> Any:
            images.append(folder / f"{len(images):04}")
            shutil.copytree(folder / "run", images[-1])
            return write(*args)

        return copy_and_write

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileJournal, "append_logs", before(FileJournal.append_logs))
        patch.setattr(EvaluationFolder, "save", before(EvaluationFolder.save))
        return search_here(evaluator, space, folder / "run", n, levels), images


ALL_ROWS = (Level(N_FOLDS), Level(N_FOLDS, repeat=1))
THINNED = (Level(1, 30), Level(1), Level(N_FOLDS))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("levels", "first"), [(ALL_ROWS, 0), (THINNED, 1)], ids=["repeats", "thinned"]
)
def test_whatever_a_search_had_written_when_it_was_killed_it_goes_on_alike(
    evaluator: Evaluator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    levels: tuple[Level, ...],
    first: int,
) -> None:
    # of the metrics that are reported it is one that tells apart, and the others take long
    monkeypatch.setattr("autoimb.evaluation.scoring.REPORTED", ("average_precision",))
    space = load_space(write_space(tmp_path))
    expected, images = photograph(evaluator, space, tmp_path, 12, levels)
    first_rows = {note["rows"] for note in read_notes(tmp_path)[: levels[0].n_folds]}
    wrong: list[str] = []
    # every other one, in each case others
    for image in images[first::2]:
        told = {angle_of(t) for t in read_trials(image) if t.state.is_finished()}
        (tmp_path / "notes").unlink()
        try:
            found = search_here(evaluator, space, image, 12, levels)
        except Exception as error:
            wrong.append(f"{image.name}: {error}")
            continue
        if not is_same(found, expected):
            wrong.append(image.name)
        fitted = {note["angle"] for note in read_notes(tmp_path) if note["rows"] in first_rows}
        assert not fitted & told
    assert not wrong, f"of {len(images)} states these go on otherwise: {wrong}"


def is_same(found: SearchResult, expected: SearchResult) -> bool:
    """Compare two searches, with what their leading trials predicted."""
    pairs = list(zip(found.candidates, expected.candidates, strict=False))
    return (
        summary(found) == summary(expected)
        and len(found.candidates) == len(expected.candidates)
        and all(one.record.number == other.record.number for one, other in pairs)
        and all(
            np.array_equal(one.evaluation.proba, other.evaluation.proba, equal_nan=True)
            for one, other in pairs
        )
    )


@pytest.mark.parametrize("n_rows", [60, 6000])
def test_what_was_predicted_but_not_yet_told_when_the_search_was_killed_is_not_lost(
    tmp_path: Path, n_rows: int
) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 2))
    evaluator = Evaluator(
        X, (X[:, 0] > 1).astype(int), np.arange(n_rows) % 2, (0, 0), 2, "average_precision", seed=0
    )
    space, levels = load_space(write_space(tmp_path)), (Level(2),)
    expected, images = photograph(evaluator, space, tmp_path, 1, levels)
    image = next(one for one in images if list((one / "evaluations").glob("*.json")))
    # in a process of its own, for it may crash
    with started(search_here, evaluator, space, image, 1, levels) as process:
        process.join(PATIENCE)
        assert process.exitcode == 0
    again = search_here(evaluator, space, image, 1, levels)
    assert is_same(again, expected)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_study_that_went_on_holds_the_trials_that_were_made_and_no_other(
    evaluator: Evaluator, tmp_path: Path, n: int
) -> None:
    space = load_space(write_space(tmp_path))
    _, images = photograph(evaluator, space, tmp_path, n, ALL_ROWS[:1])
    for image in images:
        found = search_here(evaluator, space, image, n, ALL_ROWS[:1])
        assert [trial.number for trial in found.study.trials] == list(range(n)), image.name
