"""Train on every row what a search found worth exporting."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from autoimb.data.dataset import Dataset
from autoimb.errors import one_line
from autoimb.evaluation.engine import Evaluator
from autoimb.search.blend import Exported
from autoimb.search.budget import RefitCost
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.pipeline import (
    AveragedPipeline,
    BlendedPipeline,
    Pipeline,
    TrainedPipeline,
    TrainingPart,
    train,
)
from autoimb.strategy.thinning import thin

__all__ = ["estimate_refit", "refit"]

# Strategies in a blend at most.
BLEND_SIZE = 12
# Rows of the rarest class below which a strategy is trained on all rows and on those of each fold.
FEW_ROWS = 1000
# With every core to itself a fit takes this part of what it took in the search.
THREADED = 2 / 3
# Cells of the matrix from which threads within one model are faster than a single one.
THREADS_PAY = 1_000_000

Start = Callable[[Configuration, TrainingPart], Future[TrainedPipeline]]


def estimate_refit(dataset: Dataset, n_folds: int, blended: bool) -> RefitCost:
    """Estimate what refitting will take, from what cross-validating takes.

    Parameters
    ----------
    dataset : Dataset
    n_folds : int
    blended : bool
        Whether several strategies may be exported.

    Returns
    -------
    RefitCost
    """
    n_strategies = BLEND_SIZE if blended else 1
    trained = 1 + (n_folds - 1) * _has_few(dataset)
    n_fits = n_strategies * (1 + n_folds * _has_few(dataset))
    n_cores = os.cpu_count() or 1
    speed = THREADED if dataset.X.size > THREADS_PAY else 1 / min(n_cores, n_fits)
    return RefitCost(n_strategies, trained, len(dataset.y), n_folds, speed)


def _has_few(dataset: Dataset) -> bool:
    """Tell whether the fits of the folds are exported beside the one on all rows.

    Their mean varies less from sample to sample than any of them, which matters where
    positives are few; with many it is only slower.
    """
    return int(dataset.class_counts.min()) < FEW_ROWS


def refit(exported: Exported, evaluator: Evaluator, dataset: Dataset) -> tuple[Pipeline, list[str]]:
    """Train what is exported on every row.

    Parameters
    ----------
    exported : Exported
    evaluator : Evaluator
    dataset : Dataset

    Returns
    -------
    TrainedPipeline, AveragedPipeline or BlendedPipeline
    list of str
        Notes for the user.
    """
    everything = _all_rows(dataset, evaluator.seed, exported.max_rows)
    few = _has_few(dataset)
    with _fits_at_once(everything, evaluator) as start:
        started = [
            _start(record.configuration, evaluator, everything, few, start)
            for record in exported.members
        ]
        trained = [
            _fits(record.configuration, evaluator, futures, start)
            for record, futures in zip(exported.members, started, strict=True)
        ]
    members = tuple(fits for fits, _ in trained)
    notes = [note for _, note in trained if note]
    notes += _notes(exported, few and not notes)
    if exported.blend is not None:
        return BlendedPipeline(members, exported.blend), notes
    fits = members[0]
    return fits[0] if len(fits) == 1 else AveragedPipeline(fits), notes


@contextmanager
def _fits_at_once(everything: TrainingPart, evaluator: Evaluator) -> Iterator[Start]:
    """Start fits on every core: several at once, or of a large table one with all of them."""
    n_cores = os.cpu_count() or 1
    n_threads = n_cores if everything.X.size > THREADS_PAY else 1
    with (
        threadpool_limits(n_threads),
        warnings.catch_warnings(),
        ThreadPoolExecutor(n_cores // n_threads) as pool,
    ):
        # As in every fit; but what one thread sets and unsets is so for all.
        warnings.simplefilter("ignore")

        def start(configuration: Configuration, part: TrainingPart) -> Future[TrainedPipeline]:
            seed = evaluator.seed
            return pool.submit(train, configuration, part, n_threads=n_threads, seed=seed)

        yield start


def _all_rows(dataset: Dataset, seed: int, max_rows: int | None) -> TrainingPart:
    """Take every row, or as many as time allows."""
    X, y, rates = dataset.X, dataset.y, None
    if max_rows is not None and max_rows < len(y):
        rows, rates = thin(y, max_rows, seed)
        X, y = X[rows], y[rows]
    return TrainingPart(X, y, dataset.schema.n_levels, dataset.n_classes, seed, rates)


def _notes(exported: Exported, averaged: bool) -> list[str]:
    notes, n = [], len(exported.members)
    if exported.max_rows is not None:
        notes.append(
            f"the exported model was trained on {exported.max_rows:,} rows, among them all of the "
            "rarest class, and its probabilities corrected for it: the time did not suffice for "
            "more. Give a larger budget."
        )
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


def _start(
    configuration: Configuration,
    evaluator: Evaluator,
    everything: TrainingPart,
    few: bool,
    start: Start,
) -> list[Future[TrainedPipeline]]:
    """Start training on all rows and, where a class is small, on those of each fold."""
    averaged = few and not configuration.model.single
    parts = map(evaluator.training_part, range(evaluator.n_folds if averaged else 0))
    return [start(configuration, part) for part in (everything, *parts)]


def _fits(
    configuration: Configuration,
    evaluator: Evaluator,
    started: Sequence[Future[TrainedPipeline]],
    start: Start,
) -> tuple[tuple[TrainedPipeline, ...], str]:
    """Collect the fits of a configuration.

    A component that worked on each fold may still fail on all rows: KMeansSMOTE finds no
    cluster, say. Then the fits of the folds have to do, so that no search is lost.
    """
    whole, *folds = started
    error = whole.exception()
    if error is None:
        return tuple(one.result() for one in started), ""
    parts = map(evaluator.training_part, range(evaluator.n_folds))
    folds = folds or [start(configuration, part) for part in parts]
    note = (
        f"{configuration} could not be trained on all rows, only on those of each fold: "
        f"{one_line(error)}"
    )
    return tuple(one.result() for one in folds), note
