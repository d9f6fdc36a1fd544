"""One run: from a file or a frame to a folder that holds all it leaves behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from autoimb.arrays import release_memory
from autoimb.artifact import add_facts, save
from autoimb.data.problem import Problem, pair_problem, read_labelled, read_problem
from autoimb.data.splitting import feasible_folds
from autoimb.data.untouched import check_share
from autoimb.decision.criteria import Criterion
from autoimb.decision.scored import Scored
from autoimb.errors import DataError, UsageError
from autoimb.evaluation.holdout import score_holdout
from autoimb.final_test import FinalTest, UntouchedRows, read_untouched, run_final_test
from autoimb.fit_facts import sum_up
from autoimb.fitted_model import FittedModel
from autoimb.fitting import FitResult, Watcher, fit_dataset
from autoimb.manifest import (
    card_path,
    findings_path,
    manifest_path,
    report_path,
    require_writable,
    set_aside,
)
from autoimb.planning import Plan, Preference
from autoimb.profiling.describing import profile_dataset
from autoimb.profiling.profile import Profile
from autoimb.reporting.findings import attempt_findings
from autoimb.reporting.report import attempt_report, report_on
from autoimb.run_file import MODEL_FILE, origin_of
from autoimb.run_folder import (
    ask_of,
    make_folder,
    open_run,
    write_outcome,
    write_test,
)
from autoimb.search.interruption import interruptible
from autoimb.search.resources import ExecutorName
from autoimb.tracking import Tracker, open_tracker
from autoimb.tracking.registry import RegisteredModel, check_registration

__all__ = ["Run", "evaluate", "fit", "profile"]


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
    test : FinalTest or None
        How the model does on rows that nothing of the fit has seen, if there are any;
        `result.estimates` is what the cross-validation promised.
    registered : RegisteredModel or None
        Name and version in MLflow's registry, if that was asked for and done.
    """

    result: FitResult
    folder: Path
    model_path: Path
    tracking_uri: str | None = None
    run_id: str | None = None
    test: FinalTest | None = None
    registered: RegisteredModel | None = None

    @property
    def card_path(self) -> Path:
        """What people read of the model."""
        return card_path(self.model_path)

    @property
    def report_path(self) -> Path:
        """The page that explains the choice."""
        return report_path(self.model_path)


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
        ``n_rows``, ``decision``, and ``notes`` on rows left out.

    Raises
    ------
    DataError
        If the target is absent or holds a class that training never saw.
    """
    rows, y, notes = read_labelled(data, model.target, model.schema, model.labels)
    scored = Scored(y, model.proba_by_code(rows), model.row_costs(rows))
    return {**score_holdout(scored, model.decision, model.labels), "notes": notes}


def profile(X: Any, y: Any = None, *, target: str | None = None, random_state: int = 0) -> Profile:
    """Say what makes a table hard: imbalance, overlap, faults of rows and columns.

    Parameters
    ----------
    X : DataFrame, array, str or Path
        Features, or a file that also holds the target.
    y : array-like of shape (n_samples,), optional
        Labels; without it they are a column of `X`.
    target : str, optional
        Name of that column.
    random_state : int
        For the choice of rows where not all are looked at, and for ties.

    Returns
    -------
    Profile
        With its measures, findings, and what they suggest. A notebook shows it with pictures.

    Raises
    ------
    DataError
        If the target has one class, or cannot be found.

    Examples
    --------
    >>> profile(pd.DataFrame({"x": [1, 2, 3, 4], "label": [0, 0, 0, 1]})).imbalance_ratio
    3.0
    """
    given = read_problem(X, target, needs_features=False) if y is None else pair_problem(X, y)
    return profile_dataset(given.dataset, random_state)


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
    blend: bool = True,
    n_threads: int | None = None,
    executor: ExecutorName = "processes",
    resume: bool = False,
    decision: str | Criterion | None = None,
    groups: str | None = None,
    time: str | None = None,
    prefer: Preference = "best",
    test: str | Path | pd.DataFrame | None = None,
    holdout: float | None = None,
    register: str | None = None,
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
    blend, n_threads, executor
        As in `AutoImbClassifier`.
    resume : bool
        Go on with the run in `run_dir`, or with the latest one of these data, as if it had never
        stopped: what it has spent counts. In a folder without a run, one begins.
    decision : str or Criterion, optional
    groups, time : str, optional
        As in `AutoImbClassifier`.
    prefer : {"best", "simple"}
        As in `AutoImbClassifier`.
    test : str, Path or DataFrame, optional
        Labelled rows that the exported model is scored on, once, at the end.
    holdout : float, optional
        Share of the rows of `data` to keep aside from all that is fitted, for the same purpose:
        of each class, whole groups and copies, in time the latest.
    register : str, optional
        Name under which MLflow's registry gets the model, as a further version if it knows it.
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
        metric=metric, space=space, time_budget=time_budget, n_trials=n_trials, n_folds=n_folds,
        n_jobs=n_jobs, n_threads=n_threads, executor=executor, seed=random_state, blend=blend,
        decision=decision, prefer=prefer,
    )  # fmt: skip
    check_share(holdout)
    check_registration(register, tracking_uri)
    if test is not None and holdout is not None:
        raise UsageError("--test and --holdout both say what is scored at the end. Give one.")
    problem, plan = _read(
        data, target, plan, positive, out, drop=drop, groups=groups, time=time, holdout=holdout
    )
    untouched = _read_untouched(problem, plan, test, holdout)
    folder = make_folder(run_dir, problem.dataset.name, resume=resume)
    source = _source(data, drop, holdout, untouched)
    asked = ask_of(problem.dataset, plan, folder, source)
    tags = {"run_dir": str(folder.absolute())}
    tags |= {} if source["data"] is None else {"data_file": source["data"]}
    with (
        open_run(folder, asked, plan) as plan,
        open_tracker(tracking_uri, experiment, folder.name, tags, register) as trackers,
    ):
        path = Path(out) if out else folder / MODEL_FILE
        result, tested = _fit_and_export(
            problem, plan, asked, folder, path, [*watchers, *trackers], untouched
        )
        if tested is not None and trackers:
            trackers[0].tested(tested, card_path(path))
        if attempt_report(path, report_path(path)) and trackers:
            trackers[0].reported(report_on(path, shows_rows=False))
    return Run(result, folder, path, test=tested, **_tracked(trackers))


def _tracked(trackers: Sequence[Tracker]) -> dict[str, Any]:
    """Say where a run is tracked, if it is, and as what."""
    if not trackers:
        return {}
    one = trackers[0]
    return {"tracking_uri": one.uri, "run_id": one.run_id, "registered": one.registered}


def _source(
    data: str | Path | pd.DataFrame,
    drop: Sequence[str],
    holdout: float | None,
    untouched: UntouchedRows | None,
) -> dict[str, Any]:
    """Describe where the data come from, for a run to be replayed."""
    path = None if isinstance(data, pd.DataFrame) else str(Path(data).absolute())
    return {
        "call": "fit",
        "data": path,
        "drop": list(drop),
        "holdout": holdout,
        "test_data": None if untouched is None else untouched.source,
        "test_sha256": None if untouched is None else untouched.sha256,
    }


def _read(
    data: str | Path | pd.DataFrame,
    target: str | None,
    plan: Plan,
    positive: Any,
    out: str | Path | None,
    **columns: Any,
) -> tuple[Problem, Plan]:
    """Read the table, and find out before a folder is made whether what is asked can be had."""
    require_writable(out)
    plan.prepare()
    problem = read_problem(
        data, target, positive=positive, cost_column=plan.cost_column, seed=plan.seed, **columns
    )
    _require_folds(problem, plan)
    plan = plan.suited_to(problem.dataset)
    release_memory()
    if positive is None and problem.dataset.n_classes == 2:
        problem = _note_positive(problem)
    return problem, plan


def _require_folds(problem: Problem, plan: Plan) -> None:
    try:
        feasible_folds(problem.dataset, plan.n_folds)
    except DataError as error:
        if problem.aside is None:
            raise
        raise DataError(
            f"{error} That is of the rows that --holdout leaves: a smaller share leaves more."
        ) from None


def _read_untouched(
    problem: Problem, plan: Plan, test: str | Path | pd.DataFrame | None, holdout: float | None
) -> UntouchedRows | None:
    """Read what is scored at the end, so that what is wrong with it shows at the beginning."""
    if problem.aside is not None:
        source = f"{100 * (holdout or 0):g} % kept aside"
        return read_untouched(problem.aside, problem.dataset, plan.cost_column, source)
    return None if test is None else read_untouched(test, problem.dataset, plan.cost_column)


def _note_positive(problem: Problem) -> Problem:
    note = (
        f"positive class {str(problem.dataset.labels.positive)!r} (the rarer one); "
        "--positive LABEL chooses the other."
    )
    return replace(problem, notes=(*problem.notes, note))


def _fit_and_export(
    problem: Problem,
    plan: Plan,
    asked: Mapping[str, Any],
    folder: Path,
    path: Path,
    watchers: Sequence[Watcher],
    untouched: UntouchedRows | None,
) -> tuple[FitResult, FinalTest | None]:
    """Fit, and put the model on disk before anything else can go wrong, or is looked at."""
    tested = None
    result = fit_dataset(
        problem.dataset,
        plan,
        folder=folder,
        watchers=watchers,
        notes=problem.notes,
        asked=asked,
    )
    with interruptible() as interruption:
        interruption.is_finishing = True
        aside = set_aside(path, manifest_path(path), card_path(path), findings_path(path))
        save(result.model, path, {**sum_up(result), "origin": origin_of(folder)})
        write_outcome(folder, result, path)
        if untouched is not None:
            tested = run_final_test(result.model, untouched, plan.seed)
            write_test(folder, tested)
            with suppress(OSError):  # the model is there, and the run tells of the test
                add_facts(result.model, path, {"test": tested.to_dict()})
        attempt_findings(result, path)
    if aside is not None:
        note = f"the {path} of before is kept as {aside.name}."
        result = replace(result, notes=(*result.notes, note))
    return result, tested
