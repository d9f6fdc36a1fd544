"""The straight line from a dataset to a fitted model and its recommendation."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
from threadpoolctl import threadpool_limits

from autoimb.arrays import FloatArray, IntArray
from autoimb.artifact import FittedModel
from autoimb.data.dataset import Dataset
from autoimb.data.splitting import assign_folds, feasible_folds
from autoimb.decision.rules import solve_rule
from autoimb.errors import AutoImbWarning, UsageError, one_line
from autoimb.evaluation.engine import Evaluator
from autoimb.metrics import Metric, get_metric
from autoimb.profiling.profile import Profile, profile_dataset
from autoimb.recommendation import Recommendation, build_leaderboard, recommend
from autoimb.search.budget import Budget
from autoimb.search.study import SearchResult, TrialRecord, search
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.pipeline import AveragedPipeline, TrainingPart, train
from autoimb.strategy.search_space import SearchSpace, load_space

__all__ = ["FitResult", "Plan", "Watcher", "fit_dataset"]

# Cells of the matrix from which threads within one model are faster than a single one.
THREADS_PAY = 1_000_000
# Rows of the rarest class below which the models of the folds are averaged.
FEW_ROWS = 1000
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
    n_workers : int or None
    seed : int
    """

    metric: Metric
    space: SearchSpace
    budget: Budget
    n_folds: int = 5
    n_workers: int | None = None
    seed: int = 0

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
        if n_jobs is not None and (n_jobs == 0 or n_jobs < -1):
            raise UsageError(f"n_jobs must be positive, or -1 for every core, but got {n_jobs}.")
        if not 0 <= seed <= MAX_SEED:
            raise UsageError(f"random_state must be from 0 to {MAX_SEED}, but got {seed}.")
        n_workers = None if n_jobs in (None, -1) else n_jobs
        return cls(get_metric(metric), load_space(space), budget, n_folds, n_workers, seed)


@dataclass(frozen=True)
class FitResult:
    """Everything that a fit found.

    Attributes
    ----------
    model : FittedModel
    profile : Profile
    search : SearchResult
    leaderboard : DataFrame
    recommendation : Recommendation
    metric : Metric
    y, folds : ndarray of shape (n_samples,)
        Class codes, and the fold that scored each row.
    out_of_fold : ndarray of shape (n_samples, n_classes)
        Probabilities of the winner, in the order of the class codes.
    seconds : float
    notes : tuple of str
        What was assumed or changed, each with how to have it otherwise.
    """

    model: FittedModel
    profile: Profile
    search: SearchResult
    leaderboard: pd.DataFrame
    recommendation: Recommendation
    metric: Metric
    y: IntArray
    folds: IntArray
    out_of_fold: FloatArray
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def configuration(self) -> Configuration:
        """The winning configuration."""
        return self.search.best.configuration

    @property
    def score(self) -> float:
        """The winner's score."""
        return self.search.best.scores[self.metric.name].value

    def facts(self) -> dict[str, Any]:
        """Sum the fit up for the manifest of the exported model."""
        best = self.search.best
        return {
            "score": self.score,
            "spread": best.scores[self.metric.name].spread,
            "configuration": dict(self.configuration.flat),
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
    journal: Path | None = None,
    watchers: Sequence[Watcher] = (),
    notes: Sequence[str] = (),
) -> FitResult:
    """Profile, search, decide, refit, recommend.

    Parameters
    ----------
    dataset : Dataset
    plan : Plan
    journal : Path, optional
        File for the study.
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
    profile = profile_dataset(dataset, plan.seed)
    n_folds = feasible_folds(dataset, plan.n_folds)
    folds = assign_folds(dataset, n_folds, plan.seed)
    space = plan.space.restricted_to(profile.facts(n_folds))
    watching.started(dataset, profile, plan)
    evaluator = Evaluator.on(dataset, folds, plan.metric.name, plan.seed)
    found = search(
        evaluator,
        space,
        plan.budget,
        n_workers=plan.n_workers,
        journal=journal,
        watch=watching.told,
    )
    model, refit_notes = refit(evaluator, dataset, found, plan.metric)
    result = FitResult(
        model=model,
        profile=profile,
        search=found,
        leaderboard=build_leaderboard(found, plan.metric, dataset.y, folds),
        recommendation=recommend(found, model.rule, dataset.labels, plan.metric, dataset.y, folds),
        metric=plan.metric,
        y=dataset.y,
        folds=folds,
        out_of_fold=found.best_evaluation.proba.astype(float),
        seconds=plan.budget.elapsed(),
        notes=(*notes, *_notes(dataset, plan, n_folds), *refit_notes, *_interruption(found)),
    )
    watching.finished(result)
    return result


def averages(dataset: Dataset, configuration: Configuration) -> bool:
    """Tell whether the models of the folds are exported beside the one of all rows.

    Their mean varies less from sample to sample than any of them, which matters where
    positives are few; with many it is only slower.
    """
    return not configuration.model.single and int(dataset.class_counts.min()) < FEW_ROWS


def refit(
    evaluator: Evaluator, dataset: Dataset, found: SearchResult, metric: Metric
) -> tuple[FittedModel, list[str]]:
    """Train the winner on every row; its decision is the one solved on unseen rows.

    A component that worked on each fold may still fail on all rows: KMeansSMOTE finds no
    cluster, say. Then the models of the folds are exported, so that no search is lost.
    """
    configuration, seed = found.best.configuration, evaluator.seed
    levels, n_classes = dataset.schema.n_levels, dataset.n_classes
    everything = TrainingPart(dataset.X, dataset.y, levels, n_classes, seed)
    n_threads = (os.cpu_count() or 1) if dataset.X.size > THREADS_PAY else 1
    members, notes = [], []
    with threadpool_limits(n_threads):
        try:
            members.append(train(configuration, everything, n_threads=n_threads, seed=seed))
        except Exception as error:
            notes.append(f"the winner could not be trained on all rows: {one_line(error)}")
        if not members or averages(dataset, configuration):
            for part in map(evaluator.training_part, range(evaluator.n_folds)):
                members.append(train(configuration, part, n_threads=n_threads, seed=seed))
            what = "on those of each fold" if notes else "on all rows and on those of each fold"
            why = "" if notes else ": with few rows of a class that is steadier"
            notes.append(f"the exported model averages {len(members)} fits, {what}{why}.")
    pipeline = members[0] if len(members) == 1 else AveragedPipeline(tuple(members))
    rule = solve_rule(metric, dataset.y, found.best_evaluation.proba.astype(float))
    named = (dataset.schema, dataset.labels, rule, metric.name, dataset.target)
    return FittedModel(pipeline, *named), notes


def _notes(dataset: Dataset, plan: Plan, n_folds: int) -> list[str]:
    notes = []
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


def _interruption(found: SearchResult) -> list[str]:
    if not found.interrupted:
        return []
    return [f"interrupted after {len(found.records)} trials: this is the best so far."]
