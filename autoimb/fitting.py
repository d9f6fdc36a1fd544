"""The straight line from a dataset to a fitted model and its recommendation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from autoimb.arrays import IntArray
from autoimb.artifact import FittedModel
from autoimb.data.dataset import Dataset
from autoimb.data.splitting import assign_folds, feasible_folds
from autoimb.decision.rules import solve_rule
from autoimb.errors import AutoImbWarning, UsageError
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import Level, plan_levels
from autoimb.metrics import Metric, get_metric
from autoimb.profiling.describing import profile_dataset
from autoimb.profiling.profile import Profile
from autoimb.recommendation import Recommendation, build_leaderboard, recommend
from autoimb.refitting import estimate_refit, refit
from autoimb.search.blend import Exported, choose_export
from autoimb.search.budget import Budget
from autoimb.search.executors import open_executor
from autoimb.search.interruption import interruptible
from autoimb.search.records import SearchResult, TrialRecord
from autoimb.search.resources import ExecutorName, Resources, plan_resources
from autoimb.search.study import search
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.pipeline import Pipeline
from autoimb.strategy.search_space import SearchSpace, load_space

__all__ = ["FitResult", "Plan", "Watcher", "fit_dataset"]

MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class Plan:
    """What was asked for, checked before any work is done.

    Attributes
    ----------
    metric : Metric
    space : SearchSpace
    budget : Budget
        Its clock runs.
    n_folds : int
    n_jobs, n_threads : int or None
        Cores to use, and threads of one model.
    executor : {"processes", "in_process"}
        Where trials run.
    seed : int
    blend : bool
        Whether several strategies may be exported together.
    """

    metric: Metric
    space: SearchSpace
    budget: Budget
    n_folds: int = 5
    n_jobs: int | None = None
    n_threads: int | None = None
    executor: ExecutorName = "processes"
    seed: int = 0
    blend: bool = True

    @classmethod
    def checked(
        cls,
        *,
        metric: str,
        space: str | Path,
        time_budget: float | None,
        n_trials: int | None,
        n_folds: int,
        n_jobs: int | None,
        seed: int,
        n_threads: int | None = None,
        executor: ExecutorName = "processes",
        blend: bool = True,
    ) -> Plan:
        """Look names up and check numbers.

        Raises
        ------
        UsageError
            One line that says what is wrong and what would be right.
        """
        budget = Budget(time_budget, n_trials)
        if n_folds < 2:
            raise UsageError(f"n_folds must be at least 2, but got {n_folds}.")
        if not 0 <= seed <= MAX_SEED:
            raise UsageError(f"random_state must be from 0 to {MAX_SEED}, but got {seed}.")
        plan = cls(
            get_metric(metric), load_space(space), budget, n_folds, n_jobs, n_threads, executor,
            seed, blend,
        )  # fmt: skip
        plan.resources(0)
        return plan

    def resources(self, n_cells: int) -> Resources:
        """Choose workers and threads for a table of so many cells."""
        return plan_resources(
            n_cells, n_jobs=self.n_jobs, n_threads=self.n_threads, executor=self.executor
        )


@dataclass(frozen=True)
class FitResult:
    """Everything that a fit found.

    Attributes
    ----------
    model : FittedModel
    profile : Profile
    search : SearchResult
    exported : Exported
        The winner, or the blend that it leads.
    leaderboard : DataFrame
    recommendation : Recommendation
    metric : Metric
    y, folds : ndarray of shape (n_scored,)
        Class codes of the rows that were scored (of very many, those of the first fold), and
        the fold that scored each.
    seconds : float
    notes : tuple of str
        What was assumed or changed, each with how to have it otherwise.
    """

    model: FittedModel
    profile: Profile
    search: SearchResult
    exported: Exported
    leaderboard: pd.DataFrame
    recommendation: Recommendation
    metric: Metric
    y: IntArray
    folds: IntArray
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def configuration(self) -> Configuration:
        """The winning configuration."""
        return self.search.best.configuration

    @property
    def score(self) -> float:
        """The score of what is exported."""
        return self.exported.scores[self.metric.name].value

    def facts(self) -> dict[str, Any]:
        """Sum the fit up for the manifest of the exported model."""
        members = self.exported.members
        return {
            "score": self.score,
            "spread": self.exported.scores[self.metric.name].spread,
            "configuration": dict(self.configuration.flat),
            "blended": [dict(member.configuration.flat) for member in members[1:]],
            "recommendation": str(self.recommendation),
            "n_rows": self.profile.n_rows,
            "class_counts": dict(self.profile.class_counts),
            "n_trials": len(self.search.records),
            "seconds": round(self.seconds, 1),
        }


class Watcher(Protocol):
    """Something that follows a fit without steering it: progress, tracking."""

    def started(self, dataset: Dataset, profile: Profile, plan: Plan) -> None:
        """Take note of what is searched."""

    def told(self, record: TrialRecord) -> None:
        """Take note of a finished trial."""

    def finished(self, result: FitResult) -> None:
        """Take note of the outcome."""


@dataclass(frozen=True)
class Watchers:
    """Several watchers as one; what fails in one is a warning, never a lost fit."""

    each: Sequence[Watcher] = field(default_factory=tuple)

    def started(self, dataset: Dataset, profile: Profile, plan: Plan) -> None:
        """Pass on."""
        self._pass_on("started", dataset, profile, plan)

    def told(self, record: TrialRecord) -> None:
        """Pass on."""
        self._pass_on("told", record)

    def finished(self, result: FitResult) -> None:
        """Pass on."""
        self._pass_on("finished", result)

    def _pass_on(self, event: str, *arguments: object) -> None:
        for watcher in self.each:
            try:
                getattr(watcher, event)(*arguments)
            except Exception as error:
                name = type(watcher).__name__
                text = f"{name} failed and the fit goes on: {error}"
                warnings.warn(text, AutoImbWarning, stacklevel=2)


def fit_dataset(
    dataset: Dataset,
    plan: Plan,
    *,
    folder: Path | None = None,
    watchers: Sequence[Watcher] = (),
    notes: Sequence[str] = (),
) -> FitResult:
    """Profile, search, decide, refit, recommend.

    Parameters
    ----------
    dataset : Dataset
    plan : Plan
    folder : Path, optional
        For the journal of the search; what it already holds is taken over.
    watchers : sequence of Watcher
    notes : sequence of str
        What was assumed so far.

    Returns
    -------
    FitResult

    Raises
    ------
    DataError
        If a class has too few rows.
    SearchError
        If no configuration could be evaluated.
    """
    watching = Watchers(watchers)
    resources = plan.resources(dataset.X.size)
    n_folds = feasible_folds(dataset, plan.n_folds)
    levels = plan_levels(dataset.class_counts, n_folds)
    evaluator = _evaluator(dataset, plan, n_folds, levels, resources.n_threads)
    cost = estimate_refit(dataset, n_folds, plan.blend)
    with interruptible() as interruption:
        with open_executor(evaluator, resources) as executor:
            profile = profile_dataset(dataset, plan.seed)
            watching.started(dataset, profile, plan)
            found = search(
                executor,
                evaluator,
                plan.space.restricted_to(profile.facts(n_folds)),
                plan.budget,
                levels=levels,
                refit_cost=cost,
                folder=folder,
                watch=watching.told,
            )
            interruption.is_finishing = True
        exported = choose_export(found.candidates, evaluator, plan.budget, cost)
        pipeline, refit_notes = refit(exported, evaluator, dataset)
        notes = (*notes, *_notes(dataset, plan, n_folds, resources), *refit_notes, *_end(found))
        result = _result(dataset, plan, profile, found, exported, pipeline, evaluator, notes)
        watching.finished(result)
    return result


def _evaluator(
    dataset: Dataset, plan: Plan, n_folds: int, levels: Sequence[Level], n_threads: int
) -> Evaluator:
    """Deal the rows into folds, once for every repeat that may be needed."""
    n_repeats = max(level.repeat for level in levels) + 1
    folds = np.stack([assign_folds(dataset, n_folds, plan.seed + k) for k in range(n_repeats)])
    return Evaluator.on(dataset, folds, plan.metric.name, plan.seed, n_threads)


def _result(
    dataset: Dataset,
    plan: Plan,
    profile: Profile,
    found: SearchResult,
    exported: Exported,
    pipeline: Pipeline,
    evaluator: Evaluator,
    notes: tuple[str, ...],
) -> FitResult:
    """Solve the decision on rows not seen in training, and sum all up."""
    metric, labels = plan.metric, dataset.labels
    rows, folds = evaluator.scored(found.level)
    y = dataset.y[rows]
    rule = solve_rule(metric, y, exported.proba)
    return FitResult(
        model=FittedModel(pipeline, dataset.schema, labels, rule, metric.name, dataset.target),
        profile=profile,
        search=found,
        exported=exported,
        leaderboard=build_leaderboard(found, exported, metric, y, folds),
        recommendation=recommend(found, exported, rule, labels, metric, y, folds),
        metric=metric,
        y=y,
        folds=folds,
        seconds=plan.budget.elapsed(),
        notes=notes,
    )


def _notes(dataset: Dataset, plan: Plan, n_folds: int, resources: Resources) -> list[str]:
    notes = [resources.note] if resources.note else []
    if n_folds < plan.n_folds:
        rarest = int(dataset.class_counts.argmin())
        notes.append(
            f"{n_folds} folds instead of {plan.n_folds}: class "
            f"{dataset.labels.by_code[rarest]!r} has only {dataset.class_counts[rarest]} rows."
        )
    dropped = [c for c in dataset.schema.columns if c.kind == "dropped"]
    if dropped:
        shown = ", ".join(f"'{c.name}' ({c.why_dropped})" for c in dropped[:5])
        more = f" and {len(dropped) - 5} more" if len(dropped) > 5 else ""
        notes.append(f"left out {shown}{more}.")
    return notes


def _end(found: SearchResult) -> list[str]:
    """Say how far the search came, where that is not what was asked for."""
    notes = []
    if found.level.max_rows is not None:
        notes.append(
            f"strategies were compared by models of {found.level.max_rows:,} rows: the time did "
            "not suffice for all. Give a larger budget."
        )
    if found.interrupted:
        notes.append(f"interrupted after {len(found.records)} trials: this is the best so far.")
    return notes
