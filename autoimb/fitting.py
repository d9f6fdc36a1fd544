"""The straight line from a dataset to a fitted model and its recommendation."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autoimb.arrays import IntArray, release_memory
from autoimb.data.dataset import Dataset
from autoimb.decision.reliability import Reliability
from autoimb.decision.scored import Scored
from autoimb.displays.plotting import Plotting
from autoimb.displays.predictions import Predictions
from autoimb.displays.strategies import StrategiesDisplay
from autoimb.errors import AutoImbWarning, one_line
from autoimb.evaluation.dealing import make_evaluator
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.estimate import Estimate
from autoimb.evaluation.holdout import reliability_by_class
from autoimb.evaluation.levels import Level
from autoimb.evaluation.tasks import Training
from autoimb.explaining.explanation import Explanation, explain
from autoimb.explaining.subject import Subject
from autoimb.exporting import calibrate_out_of_fold, make_model
from autoimb.fit_notes import note_choice, note_data, note_end
from autoimb.fitted_model import FittedModel
from autoimb.metrics import Metric
from autoimb.planning import Plan, Preference
from autoimb.profiling.describing import profile_dataset
from autoimb.profiling.profile import Profile
from autoimb.recommendation.advice import Case, Recommendation, recommend
from autoimb.recommendation.appraisal import Appraisal, settle
from autoimb.recommendation.estimation import estimate_scores
from autoimb.recommendation.gains import display_gains
from autoimb.recommendation.leaderboard import Leaderboard, Terms, build_leaderboard
from autoimb.refitting import Refit, estimate_refit, plan_trainings, refit
from autoimb.search.baselines import DO_NOTHING, list_baselines
from autoimb.search.blend import Exported, choose_export, combine
from autoimb.search.budget import Budget
from autoimb.search.executors import Executor, InProcessExecutor, open_executor
from autoimb.search.interruption import Interruption, interruptible
from autoimb.search.opening import Begun, begin
from autoimb.search.records import SearchResult, TrialRecord
from autoimb.search.study import JOURNAL, search
from autoimb.strategy.configuration import Configuration

__all__ = ["FitResult", "Watcher", "fit_dataset"]

# A profile of a million rows takes some seconds, which a fit of fewer has not: it does with part
# of the work.
FULL_PROFILE_SECONDS = 600.0


@dataclass(frozen=True)
class FitResult(Plotting):
    """Everything that a fit found.

    Attributes
    ----------
    model : FittedModel
    profile : Profile
    search : SearchResult
    exported : Exported
        The winner, or the blend that it leads; the plainest strategy if that is preferred.
    alternative : tuple of Exported and of its trainings, or None
        What was not exported of the best-scoring and the plainest; None if they are the same.
    prefer : {"best", "simple"}
        Which of the two is exported.
    asked : mapping of str to object
        What the fit was asked, in plain values, as `autoimb.run_folder.ask_of` describes it.
    explanation : Explanation or None
        What the exported model goes by, and where it errs; None of a fit that was interrupted.
    trainings : tuple of tuple of Training
        Of each strategy that is exported.
    leaderboard : Leaderboard
    recommendation : Recommendation
    appraisal : Appraisal
        Of the best-scoring strategy.
    estimates : mapping of str to Estimate
        Of every metric of what is exported, with intervals; that of the searched metric corrected
        for the choice among trials.
    metric : Metric
    calibration : mapping of str to Reliability
        Of the positive class of two, else of each; on rows that the calibrator did not see.
    calibrated : Scored
        Those rows, out of fold.
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
    trainings: tuple[tuple[Training, ...], ...]
    leaderboard: Leaderboard
    recommendation: Recommendation
    appraisal: Appraisal
    estimates: Mapping[str, Estimate]
    metric: Metric
    calibration: Mapping[str, Reliability]
    calibrated: Scored
    y: IntArray
    folds: IntArray
    seconds: float
    notes: tuple[str, ...] = ()
    alternative: tuple[Exported, Sequence[Sequence[Training]]] | None = None
    prefer: Preference = "best"
    asked: Mapping[str, Any] = field(default_factory=dict)
    explanation: Explanation | None = None

    @property
    def configuration(self) -> Configuration:
        """The winning configuration."""
        return self.search.best.configuration

    @property
    def score(self) -> float:
        """The score of what is exported."""
        return self.exported.scores[self.metric.name].value

    def predictions(self, X: Any = None, y: Any = None) -> Predictions:
        """Give the out-of-fold predictions with what is known of them, or those for given rows.

        Parameters
        ----------
        X, y : optional
            As in `FittedModel.predictions`.

        Returns
        -------
        Predictions
        """
        found = self.model.predictions(X, y)
        if X is not None:
            return found
        return replace(found, estimates=self.estimates, calibrated=self.calibrated)

    def strategies(self) -> StrategiesDisplay:
        """Give what every strategy that was compared gains over doing nothing.

        Returns
        -------
        StrategiesDisplay
        """
        found = self.appraisal
        is_best = self.prefer == "best" or self.alternative is None
        exported = found.tiers[-1] if is_best else found.plainest
        return display_gains(
            found.gains, found.tiers, exported.name, self.metric,
            found.baseline_scores.get(DO_NOTHING, math.nan),
        )  # fmt: skip


class Watcher(Protocol):
    """Something that follows a fit without steering it: progress, tracking.

    It may also have a method ``trials_ended``, without arguments, which is called when only the
    leading strategies are left to compare. That is no part of the protocol: a watcher without it
    is one too.
    """

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

    def trials_ended(self) -> None:
        """Pass on to those that care."""
        caring = [one for one in self.each if hasattr(one, "trials_ended")]
        Watchers(caring)._pass_on("trials_ended")

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
    asked: Mapping[str, Any] | None = None,
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
    asked : mapping of str to object, optional
        What the fit was asked, for its outcome to tell.

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
    plan = plan.suited_to(dataset)
    resources = plan.resources(dataset.X.size)
    evaluator, levels = make_evaluator(
        dataset, plan.n_folds, plan.metric.name, plan.seed, resources.n_threads, plan.criterion
    )
    n_folds = evaluator.n_folds
    cost = estimate_refit(dataset, n_folds, plan.blend, resources.n_workers)
    with interruptible() as interruption:
        with open_executor(evaluator, resources) as executor:
            begun = _begin(executor, plan, levels[0], folder)
            profile = _profile(dataset, plan)
            watching.started(dataset, profile, plan)
            facts = profile.facts(n_folds, _in_training(evaluator, dataset))
            space = plan.space.restricted_to(facts)
            found = search(
                executor, evaluator, space, plan.budget, levels=levels, refit_cost=cost,
                folder=folder, watch=watching.told, trials_ended=watching.trials_ended, begun=begun,
                baselines=list_baselines(space.untouched(), facts),
            )  # fmt: skip
            interruption.is_finishing = True
            chosen = choose_export(found.candidates, evaluator, plan.budget, cost, levels)
            release_memory(dataset.X)
            best, appraisal = settle(found, chosen, evaluator, resources.n_workers)
            exported, other = _prefer(plan, best, appraisal, evaluator)
            trained = refit(exported, found.candidates, executor, evaluator, plan.budget)
            model = make_model(trained.pipeline, trained.exported, evaluator, dataset, found.level)
            ends = (*trained.notes, *note_choice(chosen, best), *note_end(found, n_folds))
            notes = (*notes, *note_data(dataset, plan, evaluator, resources), *ends)
            ended = _Ended(found, appraisal, best, other, trained, model)
            result = replace(_result(plan, profile, ended, evaluator, notes), asked=asked or {})
            subject = Subject(
                dataset, evaluator, found, trained, model.calibrator, result.calibrated,
                profile.findings,
            )  # fmt: skip
            result = _explained(result, subject, executor, plan.budget, interruption)
        watching.finished(result)
    return result


def _explained(
    result: FitResult,
    subject: Subject,
    executor: Executor,
    budget: Budget,
    interruption: Interruption,
) -> FitResult:
    """Add what the model goes by, in what the budget leaves; what fails is a note."""
    if subject.found.interrupted or interruption.was_told:
        return result
    try:
        with interruption.dispensable():
            explanation = explain(subject, executor, budget.left_to_explain())
    except KeyboardInterrupt:
        note = "the model was not explained: that was interrupted."
    except Exception as error:
        note = f"the model could not be explained: {one_line(error)}."
    else:
        return replace(result, explanation=explanation, seconds=budget.elapsed())
    return replace(result, notes=(*result.notes, note), seconds=budget.elapsed())


def _in_training(evaluator: Evaluator, dataset: Dataset) -> int | None:
    """Count what a class has in a training part at least, where parts are not equally large."""
    is_plain = dataset.groups is None and dataset.times is None
    return None if is_plain else evaluator.fewest_trained()


def _profile(dataset: Dataset, plan: Plan) -> Profile:
    share = min((plan.budget.seconds or math.inf) / FULL_PROFILE_SECONDS, 1.0)
    try:
        return profile_dataset(dataset, plan.seed, share=share)
    finally:
        release_memory(dataset.X)


def _begin(executor: Executor, plan: Plan, level: Level, folder: Path | None) -> Begun:
    """Have the workers, if there are any, evaluate something while the table is profiled."""
    is_resumed = folder is not None and (folder / JOURNAL).exists()
    if is_resumed or isinstance(executor, InProcessExecutor):
        return []
    return begin(executor, plan.space, plan.budget, level)


def _prefer(
    plan: Plan, best: Exported, appraisal: Appraisal, evaluator: Evaluator
) -> tuple[Exported, Exported | None]:
    """Choose between the best-scoring and the plainest strategy; also return the other one."""
    tier = appraisal.plainest
    if tier.candidate is None:
        return best, None
    simple = combine([tier.candidate], evaluator, best.max_rows, is_tuned=tier.is_tuned)
    return (best, simple) if plan.prefer == "best" else (simple, best)


@dataclass(frozen=True)
class _Ended:
    """What a fit came to, before it is summed up."""

    found: SearchResult
    appraisal: Appraisal
    best: Exported
    other: Exported | None
    trained: Refit
    model: FittedModel


def _result(
    plan: Plan,
    profile: Profile,
    ended: _Ended,
    evaluator: Evaluator,
    notes: tuple[str, ...],
) -> FitResult:
    """Sum all up."""
    metric, exported, found, model = plan.metric, ended.trained.exported, ended.found, ended.model
    rows, folds = evaluator.scored(found.level)
    scored = evaluator.select(rows, exported.proba)
    terms = Terms(metric, model.decision, scored, folds)
    is_best = ended.other is None or plan.prefer == "best"
    estimates = ended.appraisal.estimates
    if exported is not ended.best:
        optimism = ended.appraisal.optimism if is_best else None
        estimates = estimate_scores(found, exported, evaluator, optimism)
    case = Case(
        metric, ended.appraisal, ended.best, model.decision, estimates, model.labels,
        int(np.bincount(evaluator.y).min()), prefers_simple=not is_best,
    )  # fmt: skip
    other, calibrated = ended.other, calibrate_out_of_fold(scored, folds)
    return FitResult(
        model=model,
        profile=profile,
        search=found,
        exported=exported,
        trainings=ended.trained.trainings,
        leaderboard=build_leaderboard(found, exported, terms),
        recommendation=recommend(case),
        appraisal=ended.appraisal,
        estimates=estimates,
        metric=metric,
        calibration=reliability_by_class(calibrated.y, calibrated.proba, model.labels),
        calibrated=calibrated,
        y=scored.y,
        folds=folds.number,
        seconds=plan.budget.elapsed(),
        notes=notes,
        alternative=None if other is None else (other, plan_trainings(other, evaluator)),
        prefer=plan.prefer,
    )
