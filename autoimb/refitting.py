"""Train on every row what a search found worth exporting."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass

import numpy as np

from autoimb.data.dataset import Dataset
from autoimb.decision.stacking import Blend
from autoimb.errors import one_line
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import has_few
from autoimb.evaluation.tasks import Training
from autoimb.search.blend import Exported, combine
from autoimb.search.budget import Budget, RefitCost
from autoimb.search.executors import Executor
from autoimb.search.records import Candidate
from autoimb.strategy.pipeline import AveragedPipeline, BlendedPipeline, Pipeline, TrainedPipeline

__all__ = ["Refit", "assemble", "estimate_refit", "plan_trainings", "refit", "train_again"]

# Strategies in a blend at most.
BLEND_SIZE = 12
# Rows that are trained on where training on more did not end in time.
LAST_RESORT = 20_000


def estimate_refit(dataset: Dataset, n_folds: int, blended: bool, n_workers: int) -> RefitCost:
    """Estimate what refitting will take, from what cross-validating takes.

    Parameters
    ----------
    dataset : Dataset
    n_folds : int
    blended : bool
        Whether several strategies may be exported.
    n_workers : int
        Fits at once.

    Returns
    -------
    RefitCost
    """
    in_time = dataset.times is not None
    few = has_few(int(dataset.class_counts.min())) and not in_time
    return RefitCost(
        n_strategies=BLEND_SIZE if blended else 1,
        trained=1 + (n_folds - 1) * few,
        n_rows=len(dataset.y),
        # In time a fold is trained on half of the rows on average, as one of two folds is.
        n_folds=2 if in_time else n_folds,
        n_fits=1 + n_folds * few,
        n_workers=n_workers,
    )


@dataclass(frozen=True)
class Refit:
    """What was trained for export.

    Attributes
    ----------
    pipeline : TrainedPipeline, AveragedPipeline or BlendedPipeline
    exported : Exported
        Without the strategies that could not be trained in time.
    trainings : tuple of tuple of Training
        Of each strategy, those that ended in time: all that it takes to have the same again.
    notes : tuple of str
        For the user.
    """

    pipeline: Pipeline
    exported: Exported
    trainings: tuple[tuple[Training, ...], ...]
    notes: tuple[str, ...]


def plan_trainings(exported: Exported, evaluator: Evaluator) -> list[list[Training]]:
    """List the fits of each strategy that is exported, first that on all rows.

    Parameters
    ----------
    exported : Exported
    evaluator : Evaluator

    Returns
    -------
    list of list of Training
    """
    # In time the fits of folds know the past alone: no mean with them.
    few = has_few(int(np.bincount(evaluator.y).min())) and not evaluator.in_time
    folds = range(evaluator.n_folds)
    return [
        [
            Training(one, fold, exported.max_rows)
            for fold in (None, *(folds if few and not one.model.single else ()))
        ]
        for one in (record.configuration for record in exported.members)
    ]


def refit(
    exported: Exported,
    candidates: Sequence[Candidate],
    executor: Executor,
    evaluator: Evaluator,
    budget: Budget,
) -> Refit:
    """Train what is exported on every row.

    Parameters
    ----------
    exported : Exported
    candidates : sequence of Candidate
        Among them those that are exported: a blend without one of them is another.
    executor : Executor
        Runs the fits, until the budget's grace is over.
    evaluator : Evaluator
    budget : Budget

    Returns
    -------
    Refit
    """
    folds = range(evaluator.n_folds)
    at_need = folds[-1:] if evaluator.in_time else folds
    started = [
        [_start(executor, training) for training in each]
        for each in plan_trainings(exported, evaluator)
    ]
    _await([fit for fits in started for fit in fits], budget)
    collected = [_collect(fits, executor, at_need, budget) for fits in started]
    notes = [note for _, note in collected if note]
    trained = [fits for fits, _ in collected]
    if not any(trained):
        configuration = exported.members[0].configuration
        trained[0] = [_start(executor, Training(configuration, None, LAST_RESORT))]
        if len(evaluator.y) > LAST_RESORT:
            notes.append(_thinned(str(configuration), LAST_RESORT))
    if not all(trained):
        exported = _without_untrained(exported, trained, candidates, evaluator)
        trained = [fits for fits in trained if fits]
    notes += _notes(exported, any(len(fits) > 1 for fits in trained) and not notes)
    pipeline = assemble([[one.pipeline for one in fits] for fits in trained], exported.blend)
    trainings = tuple(tuple(one.training for one in fits) for fits in trained)
    return Refit(pipeline, exported, trainings, tuple(notes))


def _without_untrained(
    exported: Exported,
    trained: Sequence[Sequence[_Fit]],
    candidates: Sequence[Candidate],
    evaluator: Evaluator,
) -> Exported:
    """Combine again what is left."""
    by_number = {candidate.record.number: candidate for candidate in candidates}
    left = [
        by_number[record.number]
        for record, fits in zip(exported.members, trained, strict=True)
        if fits
    ]
    return combine(left, evaluator, exported.max_rows, is_tuned=exported.is_tuned)


def train_again(
    trainings: Sequence[Sequence[Training]], blend: Blend | None, executor: Executor
) -> Pipeline:
    """Train once more what was exported, however long it takes.

    Parameters
    ----------
    trainings : sequence of sequence of Training
        As `Refit` holds them.
    blend : Blend or None
        How the strategies are combined.
    executor : Executor

    Returns
    -------
    TrainedPipeline, AveragedPipeline or BlendedPipeline
    """
    started = [[executor.train(training, None) for training in each] for each in trainings]
    return assemble([[one.result() for one in fits] for fits in started], blend)


def assemble(members: Sequence[Sequence[TrainedPipeline]], blend: Blend | None) -> Pipeline:
    """Put the fits of each strategy together."""
    if blend is not None:
        return BlendedPipeline(tuple(map(tuple, members)), blend)
    fits = tuple(members[0])
    return fits[0] if len(fits) == 1 else AveragedPipeline(fits)


def _notes(exported: Exported, averaged: bool) -> list[str]:
    notes, n = [], len(exported.members)
    if exported.max_rows is not None:
        notes.append(_thinned("the exported model", exported.max_rows))
    if n > 1:
        notes.append(
            f"the exported model blends the best of {n} strategies; --no-blend (blend=False) "
            "exports the first alone."
        )
    if averaged and not exported.members[0].configuration.model.single:
        subject = "each of them" if n > 1 else "the exported model"
        notes.append(
            f"{subject} averages fits on all rows and on those of each fold: with few rows of a "
            "class that is steadier."
        )
    return notes


def _thinned(subject: str, max_rows: int) -> str:
    return (
        f"{subject} was trained on {max_rows:,} rows, among them all of the rarest class, and its "
        "probabilities corrected for it: the time did not suffice for more. Give a larger budget."
    )


@dataclass(frozen=True)
class _Fit:
    """A training with what comes of it."""

    training: Training
    future: Future[TrainedPipeline]

    @property
    def is_fine(self) -> bool:
        future = self.future
        return future.done() and not future.cancelled() and future.exception() is None

    @property
    def error(self) -> BaseException | None:
        future = self.future
        return future.exception() if future.done() and not future.cancelled() else None

    @property
    def pipeline(self) -> TrainedPipeline:
        return self.future.result()


def _start(executor: Executor, training: Training) -> _Fit:
    return _Fit(training, executor.train(training, None))


def _collect(
    started: Sequence[_Fit], executor: Executor, folds: Sequence[int], budget: Budget
) -> tuple[list[_Fit], str]:
    """Take the fits of a strategy that are done, the first of which is that on all rows.

    A component that worked on each fold may still fail on all rows: KMeansSMOTE finds no
    cluster, say. Then the fits of the folds have to do, so that no search is lost.
    """
    done, error = [one for one in started if one.is_fine], started[0].error
    if error is None:
        return done, ""
    configuration = started[0].training.configuration
    if not done:
        done = [_start(executor, Training(configuration, fold)) for fold in folds]
        _await(done, budget)
        done = [one for one in done if one.is_fine]
    if not done:
        return [], ""
    note = (
        f"{configuration} could not be trained on all rows, only on those of each fold: "
        f"{one_line(error)}"
    )
    return done, note


def _await(started: Sequence[_Fit], budget: Budget) -> None:
    """Wait for fits while there is time, and end the others."""
    wait([one.future for one in started], budget.grace())
    for one in started:
        if not one.future.done():
            one.future.cancel()
