"""Train on every row what a search found worth exporting."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, wait
from functools import partial

from autoimb.data.dataset import Dataset
from autoimb.errors import one_line
from autoimb.evaluation.engine import Training
from autoimb.search.blend import Exported
from autoimb.search.budget import Budget, RefitCost
from autoimb.search.executors import Executor
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.pipeline import AveragedPipeline, BlendedPipeline, Pipeline, TrainedPipeline

__all__ = ["estimate_refit", "refit"]

# Strategies in a blend at most.
BLEND_SIZE = 12
# Rows of the rarest class below which a strategy is trained on all rows and on those of each fold.
FEW_ROWS = 1000
# Rows that are trained on where training on more did not end in time.
LAST_RESORT = 20_000

Fits = tuple[TrainedPipeline, ...]


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


def refit(
    exported: Exported, executor: Executor, dataset: Dataset, n_folds: int, budget: Budget
) -> tuple[Pipeline, list[str]]:
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
    TrainedPipeline, AveragedPipeline or BlendedPipeline
    list of str
        Notes for the user.
    """
    few = _has_few(dataset)
    configurations = [record.configuration for record in exported.members]
    started = [
        [
            executor.train(Training(one, fold, exported.max_rows), None)
            for fold in (None, *range(n_folds if few and not one.model.single else 0))
        ]
        for one in configurations
    ]
    collect = partial(_collect, executor=executor, n_folds=n_folds, budget=budget)
    trained = [collect(one, fits) for one, fits in zip(configurations, started, strict=True)]
    members = tuple(fits for fits, _ in trained)
    notes = [note for _, note in trained if note]
    notes += _notes(exported, few and not notes)
    if exported.blend is not None:
        return BlendedPipeline(members, exported.blend), notes
    fits = members[0]
    return fits[0] if len(fits) == 1 else AveragedPipeline(fits), notes


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


def _collect(
    configuration: Configuration,
    started: Sequence[Future[TrainedPipeline]],
    *,
    executor: Executor,
    n_folds: int,
    budget: Budget,
) -> tuple[Fits, str]:
    """Wait for the fits of a configuration, the first of which is that on all rows.

    A component that worked on each fold may still fail on all rows: KMeansSMOTE finds no
    cluster, say. Then the fits of the folds have to do, so that no search is lost. Where time
    runs out, those that are done have to, or else one on fewer rows.
    """
    wait(started, budget.grace())
    done = [one for one in started if one.done() and one.exception() is None]
    error = started[0].exception() if started[0].done() else None
    if error is not None and not done:
        started = [executor.train(Training(configuration, k), None) for k in range(n_folds)]
        wait(started, budget.grace())
        done = [one for one in started if one.done() and one.exception() is None]
    late = [one for one in started if not one.done()]
    for one in late:
        one.cancel()
    if not done:
        few = executor.train(Training(configuration, None, LAST_RESORT), None)
        return (few.result(),), _thinned(str(configuration), LAST_RESORT)
    if error is None:
        return tuple(one.result() for one in done), ""
    note = (
        f"{configuration} could not be trained on all rows, only on those of each fold: "
        f"{one_line(error)}"
    )
    return tuple(one.result() for one in done), note
