"""The folder of a run: what was asked, so that it can go on, and what came of it, to replay."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from autoimb import __version__
from autoimb.artifact import describe_decision, installed_versions
from autoimb.data.dataset import Dataset
from autoimb.data.splitting import feasible_folds
from autoimb.decision.stating import criterion_to_dict
from autoimb.errors import AutoImbWarning, UsageError
from autoimb.evaluation.levels import Level, plan_levels
from autoimb.final_test import FinalTest
from autoimb.fit_facts import sum_up
from autoimb.fitting import FitResult
from autoimb.outcome import describe_outcome
from autoimb.planning import Plan
from autoimb.run_file import LOCK_FILE, RUN_FILE, read_run
from autoimb.search.study import JOURNAL, seconds_spent

__all__ = [
    "RUNS",
    "ask_of",
    "make_folder",
    "open_run",
    "seed_of",
    "write_outcome",
    "write_test",
]

RUNS = Path("autoimb_runs")
NO_SOURCE: Mapping[str, Any] = {
    "call": "AutoImbClassifier", "data": None, "drop": [], "holdout": None, "test_data": None,
    "test_sha256": None,
}  # fmt: skip
# What must not change while a run goes on, in the words of an error.
FIXED = {
    "data_sha256": "data",
    "target": "target",
    "positive": "positive class",
    "metric": "metric",
    "criterion": "decision",
    "space_sha256": "search space",
    "n_folds": "folds",
    "groups": "groups",
    "time": "time",
    "holdout": "holdout",
    "test_sha256": "test rows",
    "seed": "seed",
    "blend": "blend",
    "n_threads": "threads of a model",
    "levels": "levels of evaluation",
}

# What test rows are read by, so that with it they change too.
TESTED_BY = {"data_sha256", "target", "positive", "groups", "time", "holdout"}


def ask_of(
    dataset: Dataset, plan: Plan, folder: str | Path | None, source: Mapping[str, Any] = NO_SOURCE
) -> dict[str, Any]:
    """Describe what a run is to do, as it is written beside its journal.

    Parameters
    ----------
    dataset : Dataset
    plan : Plan
    folder : str, Path or None
        Of the run.
    source : mapping
        Who asked: ``call``; where the data came from: ``data`` (a path, or None) and ``drop``;
        what is scored at the end: ``holdout`` (a share, or None), ``test_data`` and
        ``test_sha256``.

    Returns
    -------
    dict
    """
    labels = dataset.labels
    return {
        "autoimb": __version__,
        "run": None if folder is None else Path(folder).absolute().name,
        "name": dataset.name,
        **source,
        "rows": len(dataset.y),
        "data_sha256": dataset.sha256,
        "target": dataset.target,
        "positive": None if labels.positive is None else str(labels.positive),
        "metric": plan.metric.name,
        "space": plan.space.name,
        "space_sha256": hashlib.sha256(repr(plan.space.stages).encode()).hexdigest(),
        "decision": str(plan.criterion),
        "criterion": criterion_to_dict(plan.criterion),
        "n_folds": plan.n_folds,
        "groups": dataset.group_column,
        "time": dataset.time_column,
        "levels": [str(level) for level in _levels(dataset, plan)],
        "n_threads": plan.resources(dataset.X.size).n_threads,
        "seed": plan.seed,
        "blend": plan.blend,
        "time_budget": plan.budget.seconds,
        "n_trials": plan.budget.trials,
    }


def _levels(dataset: Dataset, plan: Plan) -> tuple[Level, ...]:
    n_folds = feasible_folds(dataset, plan.n_folds)
    return plan_levels(dataset.class_counts, n_folds, in_time=dataset.times is not None)


def _write_asked(folder: Path, asked: Mapping[str, Any]) -> None:
    """Write what is asked, or check that it is what the folder's run was made for.

    Parameters
    ----------
    folder : Path
    asked : mapping
        As `ask_of` gives it.

    Raises
    ------
    UsageError
        One line that names everything that differs.
    """
    if (folder / RUN_FILE).exists():
        before = read_run(folder)
        if differing := _name_differing(before, asked):
            raise UsageError(
                f"the run in {folder} cannot go on, for it was made with "
                f"{'; '.join(_differ(name, before, asked) for name in differing)}. "
                "Give what it was made with, or another folder."
            )
        asked = {**before, **asked}  # what it has exported stays to be replayed
    _write(folder / RUN_FILE, asked)


def _name_differing(before: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Name what differs of `FIXED`, but for what only follows from something else that does."""
    found = {name for name in FIXED if before.get(name) != asked[name]}
    if found != {"levels"}:  # by themselves they differ if another version planned them
        found -= {"levels"}
    if found & {"groups", "time", "holdout"}:  # with which go columns, or rows
        found -= {"data_sha256"}
    if found & TESTED_BY:
        found -= {"test_sha256"}
    if "metric" in found:  # which the decision follows, unless another was asked for
        found -= {"criterion"}
    return [name for name in FIXED if name in found]


def _differ(name: str, before: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    if name == "data_sha256":
        return f"other data ({_data_words(before)}, not {_data_words(asked)})"
    if name == "test_sha256":
        first, other = (each.get("test_data") or "none" for each in (before, asked))
        return f"other test rows ({first}, not {other})" if first != other else "other test rows"
    if name == "criterion":
        return f"decision '{before.get('decision')}', not '{asked['decision']}'"
    if name == "space_sha256":
        return f"another search space ('{before.get('space')}', or its file has changed)"
    return f"{FIXED[name]} {before.get(name)!r}, not {asked[name]!r}"


def _data_words(asked: Mapping[str, Any]) -> str:
    where = f" of {asked['data']}" if asked.get("data") else ""
    return f"{asked.get('rows')} rows{where}"


def write_outcome(folder: str | Path, result: FitResult, model_path: Path | None = None) -> None:
    """Add what is exported, and where to, to the description of a run: to be replayed by."""
    folder, level = Path(folder), result.search.level
    exported = describe_outcome(result.exported, result.trainings, level, result.metric)
    outcome: dict[str, Any] = {
        "exported": {**exported, "prefer": result.prefer},
        "alternative": None,
        "model": None if model_path is None else str(model_path.absolute()),
        "facts": {
            **sum_up(result), **describe_decision(result.model), "versions": installed_versions(),
        },
        "recommendation": result.recommendation.to_dict(),
    }  # fmt: skip
    if result.alternative is not None:
        outcome["alternative"] = describe_outcome(*result.alternative, level, result.metric)
    try:
        _write(folder / RUN_FILE, {**read_run(folder), **outcome})
    except OSError as error:
        warnings.warn(
            f"{folder / RUN_FILE} cannot be written ({error.strerror}): the run cannot be "
            "replayed. Make room on the disk.",
            AutoImbWarning,
            stacklevel=2,
        )


def write_test(folder: Path, test: FinalTest) -> None:
    """Add how what is exported does on untouched rows to the description of a run."""
    with suppress(OSError):  # that it cannot be written was said when the outcome was
        _write(folder / RUN_FILE, {**read_run(folder), "test": test.to_dict()})


def seed_of(folder: str | Path | None) -> int | None:
    """Read the seed of a run; None if there is no run in the folder."""
    if folder is None or not (Path(folder) / RUN_FILE).exists():
        return None
    return int(read_run(Path(folder))["seed"])


def make_folder(run_dir: str | Path | None, name: str, *, resume: bool = False) -> Path:
    """Create the folder of a run; one that already holds a run is only gone on with.

    Parameters
    ----------
    run_dir : str or Path or None
        By default a folder of its own below `RUNS`; to resume, the latest there.
    name : str
        Of the data.
    resume : bool

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        If the folder is taken, cannot be written, or there is nothing to resume.
    """
    if run_dir is not None:
        folder = Path(run_dir)
        if (folder / JOURNAL).exists() and not resume:
            raise UsageError(
                f"--run-dir {folder} already holds a run. Choose another folder, or go on with it "
                "by --resume (resume in Python)."
            )
        return _writable(folder)
    if resume:
        return _find_latest(name)
    stem = f"{datetime.now():%Y%m%d-%H%M%S}-{name}"
    return _writable(RUNS / stem, numbered=True)


def _find_latest(name: str) -> Path:
    """Find the latest run of some data.

    Raises
    ------
    UsageError
        If there is none.
    """
    runs = [path.parent for path in RUNS.glob(f"*/{RUN_FILE}") if _name_of(path.parent) == name]
    if not runs:
        raise UsageError(
            f"there is no run of '{name}' in {RUNS} to resume. Leave --resume out, or name its "
            "folder by --run-dir."
        )
    return max(runs, key=lambda folder: (folder / RUN_FILE).stat().st_mtime)


def _name_of(folder: Path) -> str | None:
    """Read which data a run is of."""
    try:
        return str(read_run(folder).get("name"))
    except UsageError:
        return None


def _writable(folder: Path, *, numbered: bool = False) -> Path:
    """Create a folder, under the next free number if it has to be one of its own."""
    wished, number = folder, 1
    try:
        while True:
            try:
                folder.mkdir(parents=True, exist_ok=not numbered)
                break
            except FileExistsError:
                if not numbered:
                    raise
                number += 1
                folder = wished.with_name(f"{wished.name}-{number}")
        with tempfile.NamedTemporaryFile(dir=folder):
            return folder
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise UsageError(
            f"folder {folder} cannot be written ({reason}). Choose another --run-dir."
        ) from None


@contextmanager
def open_run(folder: str | Path | None, asked: Mapping[str, Any], plan: Plan) -> Iterator[Plan]:
    """Begin or go on with the run of a folder, kept from others meanwhile.

    Parameters
    ----------
    folder : str, Path or None
        None runs without one.
    asked : mapping
        As `ask_of` gives it.
    plan : Plan

    Yields
    ------
    Plan
        With what the run has spent already.

    Raises
    ------
    UsageError
        If another fit is running there, or the run was made for something else.
    """
    if folder is None:
        yield plan
        return
    place = _writable(Path(folder))
    with _locked(place):
        _write_asked(place, asked)
        yield plan.spent(seconds_spent(place, plan.metric))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other fits out of a folder; the death of this process opens it again.

    Raises
    ------
    UsageError
        If another fit is running there.
    """
    with closing(sqlite3.connect(folder / LOCK_FILE, timeout=0)) as connection:
        try:
            connection.execute("begin exclusive")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise UsageError(
                    f"folder {folder} cannot be locked ({error}). Choose another --run-dir."
                ) from None
            raise UsageError(
                f"another fit is running in {folder}. Wait for it, or choose another folder."
            ) from None
        try:
            yield
        finally:
            (folder / LOCK_FILE).unlink(missing_ok=True)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file as a whole or not at all."""
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(content, indent=1, default=str), "utf-8")
    unfinished.replace(path)
