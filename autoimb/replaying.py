"""Refit what a run exported, from the description that it left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autoimb.artifact import load
from autoimb.data.dataset import Dataset
from autoimb.data.problem import read_problem
from autoimb.decision.stating import criterion_from_dict
from autoimb.errors import ArtifactError, UsageError
from autoimb.evaluation.dealing import make_evaluator
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.tasks import Evaluation, Task, Training
from autoimb.exporting import make_model
from autoimb.fitted_model import FittedModel
from autoimb.outcome import read_trainings
from autoimb.planning import Preference
from autoimb.refitting import train_again
from autoimb.run_file import MODEL_FILE, read_run
from autoimb.search.blend import combine
from autoimb.search.executors import Executor, open_executor
from autoimb.search.records import Candidate, TrialRecord
from autoimb.search.resources import plan_resources

__all__ = ["Replay", "replay"]


@dataclass(frozen=True)
class Replay:
    """A model that was fitted once more.

    Attributes
    ----------
    model : FittedModel
    n_strategies : int
        That it is made of.
    run : mapping
        What was asked, and what was exported.
    is_identical : bool or None
        Whether it gives every row of the run, to the last bit, the probabilities that the model
        of the run does; None if that model is not in the folder, or is the other one.
    """

    model: FittedModel
    n_strategies: int
    run: Mapping[str, Any]
    is_identical: bool | None


def replay(
    folder: str | Path,
    data: str | Path | pd.DataFrame | None = None,
    *,
    prefer: Preference | None = None,
) -> Replay:
    """Fit once more what a run exported: the same rows, folds, seeds and configurations.

    Parameters
    ----------
    folder : str or Path
        Of the run.
    data : str, Path or DataFrame, optional
        With the target column; by default the file that the run was made on.
    prefer : {"best", "simple"}, optional
        Fit the best-scoring strategy, or the plainest that could not be told from it, whichever
        the run exported.

    Returns
    -------
    Replay

    Raises
    ------
    UsageError
        If the folder holds no finished run, or the data are others.
    """
    folder = Path(folder)
    run = read_run(folder)
    if "exported" not in run:
        raise UsageError(f"the run in {folder} has exported nothing yet: --resume it first.")
    dataset = _read_same_data(run, folder, data)
    resources = plan_resources(dataset.X.size, n_threads=run["n_threads"])
    evaluator, _ = make_evaluator(
        dataset, run["n_folds"], run["metric"], run["seed"], resources.n_threads,
        criterion_from_dict(run["criterion"]),
    )  # fmt: skip
    wanted, is_exported = _choose(run, prefer)
    level, trainings = Level(**wanted["level"]), read_trainings(wanted)
    with open_executor(evaluator, resources) as executor:
        members = _evaluate_again(wanted, trainings, level, executor)
        exported = combine(members, evaluator, is_tuned=wanted.get("is_tuned", True))
        pipeline = train_again(trainings, exported.blend, executor)
    model = make_model(pipeline, exported, evaluator, dataset, level)
    same = _compare(model, folder / MODEL_FILE, dataset, evaluator) if is_exported else None
    return Replay(model, len(members), run, same)


def _choose(run: Mapping[str, Any], prefer: Preference | None) -> tuple[Mapping[str, Any], bool]:
    """Return what is wanted, and whether it is what the run exported."""
    exported, alternative = run["exported"], run.get("alternative")
    if alternative is None or prefer in (None, exported["prefer"]):
        return exported, True
    return alternative, False


def _evaluate_again(
    wanted: Mapping[str, Any],
    trainings: Sequence[Sequence[Training]],
    level: Level,
    executor: Executor,
) -> list[Candidate]:
    started = [
        [executor.submit(task, None) for task in _tasks(fits[0], level, wanted.get("n_repeats", 0))]
        for fits in trainings
    ]
    return [
        _candidate(number, fits[0], level, [future.result() for future in futures])
        for number, fits, futures in zip(wanted["trials"], trainings, started, strict=True)
    ]


def _read_same_data(
    run: Mapping[str, Any], folder: Path, data: str | Path | pd.DataFrame | None
) -> Dataset:
    found = run["data"] if data is None else data
    if found is None:
        raise UsageError(f"the run in {folder} was made on a frame: give the data, by --data FILE.")
    dataset = read_problem(
        found, run["target"], positive=run["positive"], drop=run["drop"],
        cost_column=run["criterion"].get("column"), groups=run.get("groups"), time=run.get("time"),
        holdout=run.get("holdout"), seed=run["seed"],
    ).dataset  # fmt: skip
    if dataset.sha256 != run["data_sha256"]:
        where = "the frame" if isinstance(found, pd.DataFrame) else found
        raise UsageError(
            f"{where}: {len(dataset.y)} rows that are not the {run['rows']} rows of the run in "
            f"{folder}. Give the data that it was made on."
        )
    return dataset


def _tasks(training: Training, level: Level, n_repeats: int) -> list[Task]:
    repeats = [replace(level, repeat=k) for k in range(1, n_repeats + 1)]
    return [Task(training.configuration, one) for one in (level, *repeats)]


def _candidate(
    number: int, training: Training, level: Level, evaluations: Sequence[Evaluation]
) -> Candidate:
    first, *repeats = evaluations
    record = TrialRecord(
        number, training.configuration, "complete", first.scores, first.seconds,
        "", first.fold_values, level,
    )  # fmt: skip
    return Candidate(record, first, level, tuple(repeats))


def _compare(model: FittedModel, path: Path, dataset: Dataset, evaluator: Evaluator) -> bool | None:
    try:
        before = load(path)
    except ArtifactError:
        return None
    X = evaluator.X
    same = np.array_equal(before.calibrated(X), model.calibrated(X))
    return same and before.rule == model.rule
