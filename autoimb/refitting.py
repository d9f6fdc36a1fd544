"""Train on every row what a search found worth exporting."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial

from autoimb.data.dataset import Dataset
from autoimb.decision.stacking import Blend
from autoimb.errors import one_line
from autoimb.evaluation.engine import Training
from autoimb.search.blend import Exported
from autoimb.search.budget import Budget, RefitCost
from autoimb.search.executors import Executor
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.pipeline import AveragedPipeline, BlendedPipeline, Pipeline, TrainedPipeline

__all__ = ["Refit", "assemble", "estimate_refit", "refit", "train_again"]

# Strategies in a blend at most.
BLEND_SIZE = 12
# Rows of the rarest class below which a strategy is trained on all rows and on those of each fold.
FEW_ROWS = 1000
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
    n_strategies = BLEND_SIZE if blended else 1
    trained = 1 + (n_folds - 1) * _has_few(dataset)
    n_fits = n_strategies * (1 + n_folds * _has_few(dataset))
    at_once = min(n_workers, n_fits)
    return RefitCost(n_strategies, trained, len(dataset.y), n_folds, 1 / at_once)


def _has_few(dataset: Dataset) -> bool:
    """Tell whether the fits of the folds are exported beside the one on all rows.

    Their mean varies less from sample to sample than any of them, which matters where
    positives are few; with many it is only slower.
    """
    return int(dataset.class_counts.min()) < FEW_ROWS


@dataclass(frozen=True)
class Refit:
    """What was trained for export.

    Attributes
    ----------
    pipeline : TrainedPipeline, AveragedPipeline or BlendedPipeline
    trainings : tuple of tuple of Training
        Of each strategy, those that ended in time: all that it takes to have the same again.
    notes : tuple of str
        For the user.
    """

    pipeline: Pipeline
    trainings: tuple[tuple[Training, ...], ...]
    notes: tuple[str, ...]


def refit(
    exported: Exported, executor: Executor, dataset: Dataset, n_folds: int, budget: Budget
) -> Refit:
    """Train what is exported on every row.

    Parameters
    ----------
    exported : Exported
    executor : Executor
        Runs the fits, until the budget's grace is over.
    dataset : Dataset
    n_folds : int
    budget : Budget

    Returns
    -------
    Refit
    """
    few = _has_few(dataset)
    configurations = [record.configuration for record in exported.members]
    started = [
        [
            _start(executor, Training(one, fold, exported.max_rows))
            for fold in (None, *range(n_folds if few and not one.model.single else 0))
        ]
        for one in configurations
    ]
    collect = partial(_collect, executor=executor, n_folds=n_folds, budget=budget)
    collected = [collect(one, fits) for one, fits in zip(configurations, started, strict=True)]
    notes = [note for _, note in collected if note]
    notes += _notes(exported, few and not notes)
    pipeline = assemble([[one.pipeline for one in fits] for fits, _ in collected], exported.blend)
    trainings = tuple(tuple(one.training for one in fits) for fits, _ in collected)
    return Refit(pipeline, trainings, tuple(notes))


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
    def pipeline(self) -> TrainedPipeline:
        return self.future.result()


def _start(executor: Executor, training: Training) -> _Fit:
    return _Fit(training, executor.train(training, None))


def _collect(
    configuration: Configuration,
    started: Sequence[_Fit],
    *,
    executor: Executor,
    n_folds: int,
    budget: Budget,
) -> tuple[list[_Fit], str]:
    """Wait for the fits of a configuration, the first of which is that on all rows.

    A component that worked on each fold may still fail on all rows: KMeansSMOTE finds no
    cluster, say. Then the fits of the folds have to do, so that no search is lost. Where time
    runs out, those that are done have to, or else one on fewer rows.
    """
    done, first = _await(started, budget), started[0].future
    error = first.exception() if first.done() and not first.cancelled() else None
    if error is not None and not done:
        again = [_start(executor, Training(configuration, fold)) for fold in range(n_folds)]
        done = _await(again, budget)
    if not done:
        few = _start(executor, Training(configuration, None, LAST_RESORT))
        return [few], _thinned(str(configuration), LAST_RESORT)
    if error is None:
        return done, ""
    note = (
        f"{configuration} could not be trained on all rows, only on those of each fold: "
        f"{one_line(error)}"
    )
    return done, note


def _await(started: Sequence[_Fit], budget: Budget) -> list[_Fit]:
    """Wait for fits while there is time, and end the others."""
    wait([one.future for one in started], budget.grace())
    for one in started:
        if not one.future.done():
            one.future.cancel()
    return [one for one in started if one.is_fine]
