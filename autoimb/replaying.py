"""Refit what a run exported, from the description that it left behind."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autoimb.artifact import load
from autoimb.data.dataset import Dataset
from autoimb.data.problem import read_problem
from autoimb.decision.stating import criterion_from_dict
from autoimb.errors import ArtifactError, UsageError
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level
from autoimb.evaluation.tasks import Evaluation, Task
from autoimb.exporting import make_model
from autoimb.fitted_model import FittedModel
from autoimb.fitting import make_evaluator
from autoimb.refitting import train_again
from autoimb.run_folder import MODEL_FILE, hash_dataset, read_run, read_trainings
from autoimb.search.blend import combine
from autoimb.search.executors import open_executor
from autoimb.search.records import Candidate, TrialRecord
from autoimb.search.resources import plan_resources

__all__ = ["Replay", "replay"]


@dataclass(frozen=True)
class Replay:
    """A model that was fitted once more.

    Attributes
    ----------
    model : FittedModel
    run : mapping
        What was asked, and what was exported.
    is_identical : bool or None
        Whether it gives every row of the run, to the last bit, the probabilities that the model
        of the run does; None if that model is not in the folder.
    """

    model: FittedModel
    run: Mapping[str, Any]
    is_identical: bool | None


def replay(folder: str | Path, data: str | Path | pd.DataFrame | None = None) -> Replay:
    """Fit once more what a run exported: the same rows, folds, seeds and configurations.

    Parameters
    ----------
    folder : str or Path
        Of the run.
    data : str, Path or DataFrame, optional
        With the target column; by default the file that the run was made on.

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
    with open_executor(evaluator, resources) as executor:
        level, trainings = Level(**run["exported"]["level"]), read_trainings(run["exported"])
        tasks = [Task(fits[0].configuration, level) for fits in trainings]
        futures: list[Future[Evaluation]] = [executor.submit(task, None) for task in tasks]
        members = [
            _candidate(number, task, future.result())
            for number, task, future in zip(run["exported"]["trials"], tasks, futures, strict=True)
        ]
        exported = combine(members, evaluator)
        pipeline = train_again(trainings, exported.blend, executor)
    model = make_model(pipeline, exported, evaluator, dataset, level)
    return Replay(model, run, _compare(model, folder / MODEL_FILE, dataset, evaluator))


def _read_same_data(
    run: Mapping[str, Any], folder: Path, data: str | Path | pd.DataFrame | None
) -> Dataset:
    found = run["data"] if data is None else data
    if found is None:
        raise UsageError(f"the run in {folder} was made on a frame: give the data, by --data FILE.")
    dataset = read_problem(
        found, run["target"], positive=run["positive"], drop=run["drop"],
        cost_column=run["criterion"].get("column"), groups=run.get("groups"), time=run.get("time"),
    ).dataset  # fmt: skip
    if hash_dataset(dataset) != run["data_sha256"]:
        where = "the frame" if isinstance(found, pd.DataFrame) else found
        raise UsageError(
            f"{where}: {len(dataset.y)} rows that are not the {run['rows']} rows of the run in "
            f"{folder}. Give the data that it was made on."
        )
    return dataset


def _candidate(number: int, task: Task, evaluation: Evaluation) -> Candidate:
    record = TrialRecord(
        number, task.configuration, "complete", evaluation.scores, evaluation.seconds,
        "", evaluation.fold_values, task.level,
    )  # fmt: skip
    return Candidate(record, evaluation, task.level)


def _compare(model: FittedModel, path: Path, dataset: Dataset, evaluator: Evaluator) -> bool | None:
    try:
        before = load(path)
    except ArtifactError:
        return None
    X = evaluator.X
    same = np.array_equal(before.calibrated(X), model.calibrated(X))
    return same and before.rule == model.rule
