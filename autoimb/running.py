"""One run: from a file or a frame to a folder that holds all it leaves behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autoimb.artifact import FittedModel, save, set_aside
from autoimb.data.dataset import Dataset, make_dataset
from autoimb.data.reading import column_names, data_name, read_table
from autoimb.errors import DataError, UsageError, nearest_name
from autoimb.evaluation.holdout import score_holdout
from autoimb.fitting import FitResult, Plan, Watcher, fit_dataset
from autoimb.profiling.profile import Profile, profile_dataset
from autoimb.tracking import open_tracker

__all__ = ["Problem", "Run", "evaluate", "fit", "profile", "read_problem"]

# Names that a target usually has, the likeliest first.
TARGET_NAMES = ("target", "label", "class", "y", "outcome", "is_fraud", "fraud", "churn", "default")
# A last column with more distinct values than this is no class.
MAX_CLASSES = 50
# A target of numbers is a quantity, not a class, beyond this share of distinct values.
CONTINUOUS_SHARE = 0.2
CONTINUOUS_VALUES = 20


@dataclass(frozen=True)
class Problem:
    """A dataset read from a file or frame, and what had to be assumed for it.

    Attributes
    ----------
    dataset : Dataset
    notes : tuple of str
    """

    dataset: Dataset
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    result : FitResult
    folder : Path
        What the run left behind.
    model_path : Path
    tracking_uri : str or None
        The MLflow store; None if nothing was tracked.
    run_id : str or None
        Of the MLflow parent run.
    """

    result: FitResult
    folder: Path
    model_path: Path
    tracking_uri: str | None = None
    run_id: str | None = None


def read_problem(
    data: str | Path | pd.DataFrame,
    target: str | None = None,
    *,
    positive: Any = None,
    drop: Sequence[str] = (),
) -> Problem:
    """Read a table, find its target and say what was assumed.

    Parameters
    ----------
    data : str, Path or DataFrame
    target : str, optional
        By default a column with a usual name, else the last one if it looks like a class.
    positive : label, optional
        By default the rarer of two classes.
    drop : sequence of str
        Columns to leave out.

    Returns
    -------
    Problem

    Raises
    ------
    DataError
        One line that says where, what was found and what to do.
    """
    where = "the table" if isinstance(data, pd.DataFrame) else Path(data).name
    names = list(data.columns) if isinstance(data, pd.DataFrame) else column_names(Path(data))
    chosen, assumed = _find_target(names, target, where)
    if isinstance(data, pd.DataFrame):
        table, name = data, "data"
    else:
        table, name = read_table(Path(data), text_columns=[chosen]), data_name(Path(data))
    for column in drop:
        if column not in table.columns or column == chosen:
            near = nearest_name(column, [str(n) for n in names if n != chosen])
            raise DataError(f"{where}: --drop '{column}': no such feature column; {near}")
    labels, notes = _read_labels(table[chosen], where, assumed)
    features = table.loc[labels.index].drop(columns=[chosen, *drop]).reset_index(drop=True)
    if not features.shape[1]:
        raise DataError(f"{where}: no column is left beside the target '{chosen}'. Add features.")
    dataset = make_dataset(features, labels.to_numpy(), positive=positive, name=name, target=chosen)
    if assumed:
        notes.insert(0, f"target '{chosen}' assumed; --target NAME chooses another.")
    if positive is None and dataset.n_classes == 2:
        notes.append(
            f"positive class {str(dataset.labels.positive)!r} (the rarer one); "
            "--positive LABEL chooses the other."
        )
    return Problem(dataset, tuple(notes))


def _find_target(names: Sequence[Any], target: str | None, where: str) -> tuple[Any, bool]:
    """Choose the target column; also tell whether it was a guess."""
    if target is not None:
        if target not in names:
            near = nearest_name(target, [str(name) for name in names])
            raise DataError(f"{where}: no column '{target}'; {near}")
        return target, False
    by_name = {str(name).strip().lower(): name for name in names}
    for usual in TARGET_NAMES:
        if usual in by_name:
            return by_name[usual], True
    return names[-1], True


def _read_labels(
    cells: pd.Series[Any], where: str, assumed: bool
) -> tuple[pd.Series[Any], list[str]]:
    """Drop missing labels, turn whole numbers into integers, refuse what is no class."""
    notes = []
    text = cells.astype(object)
    missing = text.isna() | text.map(lambda cell: isinstance(cell, str) and not cell.strip())
    labels = text[~missing]
    if missing.any():
        notes.append(f"{int(missing.sum())} rows without a label in '{cells.name}' left out.")
    if not len(labels):
        raise DataError(f"{where}: every cell of target '{cells.name}' is empty. Fill it in.")
    labels = _whole_numbers(labels)
    n_distinct = labels.nunique()
    if n_distinct == 1:
        raise DataError(
            f"{where}: target '{cells.name}' is constant: every row is {labels.iloc[0]!r}. "
            "Choose another --target, or add rows of other classes."
        )
    hint = (
        "Name the class column with --target." if assumed else "Choose a class column, or bin it."
    )
    if _is_continuous(labels, n_distinct):
        raise DataError(
            f"{where}: target '{cells.name}' is continuous: {n_distinct} distinct numbers. {hint}"
        )
    if assumed and n_distinct > MAX_CLASSES:
        raise DataError(
            f"{where}: no column is named like a target, and the last one, '{cells.name}', has "
            f"{n_distinct} distinct values. {hint}"
        )
    return labels, notes


def _whole_numbers(labels: pd.Series[Any]) -> pd.Series[Any]:
    """Make integers of labels that are all written as such; otherwise keep them as they are."""
    if all(isinstance(label, str) for label in labels.unique()):
        written = labels.unique()
        if all(_is_integer(label) for label in written):
            return labels.map({label: int(label) for label in written})
    return labels


def _is_integer(label: str) -> bool:
    try:
        return str(int(label)) == label
    except ValueError:
        return False


def _is_continuous(labels: pd.Series[Any], n_distinct: int) -> bool:
    numbers = pd.to_numeric(labels, errors="coerce")
    if numbers.isna().any() or n_distinct <= CONTINUOUS_VALUES:
        return bool(numbers.notna().all() and (numbers % 1 != 0).any() and n_distinct > 2)
    return bool((numbers % 1 != 0).any() or n_distinct > CONTINUOUS_SHARE * len(labels))


def evaluate(model: FittedModel, data: str | Path | pd.DataFrame) -> dict[str, Any]:
    """Score a model on labelled rows.

    Parameters
    ----------
    model : FittedModel
    data : str, Path or DataFrame
        With the target column.

    Returns
    -------
    dict
        ``metrics``: every metric at the stored decision; ``classes``: rows, precision, recall
        and F1 of each; ``confusion_matrix``: rows true, columns predicted, in that order;
        ``n_rows`` and ``decision``.

    Raises
    ------
    DataError
        If the target is absent or holds a class that training never saw.
    """
    where = "the table" if isinstance(data, pd.DataFrame) else Path(data).name
    names = list(data.columns) if isinstance(data, pd.DataFrame) else column_names(Path(data))
    target, _ = _find_target(names, model.target, where)
    text = [target, *model.schema.text_columns]
    table = data if isinstance(data, pd.DataFrame) else read_table(Path(data), text_columns=text)
    labels = _known_labels(table[target], model, where)
    proba = model.proba_by_code(table.loc[labels.index].drop(columns=[target]))
    codes = model.labels.encode(labels.to_numpy())
    return score_holdout(codes, proba, model.rule, model.labels)


def _known_labels(cells: pd.Series[Any], model: FittedModel, where: str) -> pd.Series[Any]:
    """Give filled labels as training had them; refuse any that it never saw."""
    text = cells.astype(object)
    missing = text.isna() | text.map(lambda cell: isinstance(cell, str) and not cell.strip())
    by_text = {str(label): label for label in model.labels.classes}
    unknown = sorted(set(text[~missing].map(str)) - set(by_text))
    if unknown:
        raise DataError(
            f"{where}: target '{cells.name}' holds {unknown[0]!r}, which training never saw; "
            f"the classes are {', '.join(by_text)}. Correct the labels."
        )
    if missing.all():
        raise DataError(f"{where}: every cell of target '{cells.name}' is empty. Fill it in.")
    return text[~missing].map(lambda label: by_text[str(label)])


def profile(X: Any, y: Any = None, *, target: str | None = None) -> Profile:
    """Profile a table: sizes, imbalance, overlap.

    Parameters
    ----------
    X : DataFrame, array, str or Path
        Features, or a file that also holds the target.
    y : array-like of shape (n_samples,), optional
        Labels; without it they are a column of `X`.
    target : str, optional
        Name of that column.

    Returns
    -------
    Profile

    Examples
    --------
    >>> profile(pd.DataFrame({"x": [1, 2, 3, 4], "label": [0, 0, 0, 1]})).imbalance_ratio
    3.0
    """
    if y is not None:
        table = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
        return profile_dataset(make_dataset(table, np.asarray(y)))
    return profile_dataset(read_problem(X, target).dataset)


def fit(
    data: str | Path | pd.DataFrame,
    target: str | None = None,
    *,
    positive: Any = None,
    metric: str = "average_precision",
    time_budget: float | None = 60.0,
    n_trials: int | None = None,
    space: str | Path = "default",
    n_folds: int = 5,
    drop: Sequence[str] = (),
    out: str | Path | None = None,
    random_state: int = 0,
    n_jobs: int | None = None,
    experiment: str | None = None,
    tracking_uri: str | None = None,
    run_dir: str | Path | None = None,
    watchers: Sequence[Watcher] = (),
) -> Run:
    """Search on a file or a frame and export the winner, as the command line does.

    Parameters
    ----------
    data : str, Path or DataFrame
    target : str, optional
    positive : label, optional
    metric, time_budget, n_trials, space, n_folds, random_state, n_jobs
        As in `AutoImbClassifier`.
    drop : sequence of str
        Columns to leave out.
    out : str or Path, optional
        Of the model; by default ``model.pkl`` in the run's folder.
    experiment, tracking_uri : str, optional
        As in `AutoImbClassifier`.
    run_dir : str or Path, optional
        Of the run; by default ``autoimb_runs/<time>-<data name>``.
    watchers : sequence of Watcher
        Follow the fit.

    Returns
    -------
    Run

    Raises
    ------
    AutoImbError
        One line that says what is wrong and what to do.
    """
    plan = Plan.checked(
        metric=metric,
        space=space,
        time_budget=time_budget,
        n_trials=n_trials,
        n_folds=n_folds,
        n_jobs=n_jobs,
        seed=random_state,
    )
    if out is not None:
        _require_writable(Path(out))
    problem = read_problem(data, target, positive=positive, drop=drop)
    folder = _make_folder(run_dir, problem.dataset.name)
    path = Path(out) if out else folder / "model.pkl"
    with open_tracker(tracking_uri, experiment, folder.name) as trackers:
        result = _fit_and_export(problem, plan, folder, path, [*watchers, *trackers])
    if not trackers:
        return Run(result, folder, path)
    return Run(result, folder, path, trackers[0].uri, trackers[0].run_id)


def _fit_and_export(
    problem: Problem, plan: Plan, folder: Path, path: Path, watchers: Sequence[Watcher]
) -> FitResult:
    """Fit, and put the model on disk before anything else can go wrong."""
    result = fit_dataset(
        problem.dataset,
        plan,
        journal=folder / "study.journal",
        watchers=watchers,
        notes=problem.notes,
    )
    aside = set_aside(path)
    save(result.model, path, result.facts())
    if aside is None:
        return result
    return replace(result, notes=(*result.notes, f"the {path} of before is kept as {aside.name}."))


def _require_writable(path: Path) -> None:
    """Find out before the search, not after, that a file cannot be written."""
    if path.is_dir():
        raise UsageError(
            f"--out {path} is a folder. Name a file in it, such as {path / 'model.pkl'}."
        )
    if not path.parent.is_dir():
        raise UsageError(f"--out {path}: folder {path.parent} does not exist. Create it first.")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent):
            return
    except OSError as error:
        raise UsageError(
            f"--out {path} cannot be written ({error.strerror}). Choose another place."
        ) from None


def _make_folder(run_dir: str | Path | None, name: str) -> Path:
    """Create the run's folder; one that already holds a run is not written into."""
    if run_dir is None:
        stem = f"{datetime.now():%Y%m%d-%H%M%S}-{name}"
        folder, number = Path("autoimb_runs") / stem, 2
        while folder.exists():
            folder, number = Path("autoimb_runs") / f"{stem}-{number}", number + 1
    else:
        folder = Path(run_dir)
        if (folder / "study.journal").exists():
            raise UsageError(f"--run-dir {folder} already holds a run. Choose another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            return folder
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise UsageError(
            f"folder {folder} cannot be written ({reason}). Choose another --run-dir."
        ) from None
