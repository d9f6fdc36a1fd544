"""Fits without a fold: those that are exported too, or one that is trained for the purpose."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future, wait

import numpy as np

from autoimb.errors import one_line
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.levels import ENOUGH_SCORED
from autoimb.evaluation.tasks import Training
from autoimb.explaining.subject import Subject
from autoimb.explaining.unseen import Fits
from autoimb.refitting import Refit
from autoimb.search.budget import RefitCost
from autoimb.search.executors import Executor
from autoimb.strategy.pipeline import BlendedPipeline, Pipeline, TrainedPipeline

__all__ = ["NO_TIME", "find_fits", "fits_of_folds", "plan_folds"]

NO_TIME = "importance was not measured: the time did not suffice. Give a larger budget."
# What is trained on fewer rows, of more, is another model.
MIN_TRAINED = 5000


def find_fits(
    subject: Subject,
    executor: Executor,
    seconds: float | None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Fits, str | None]:
    """Find fits of the first strategy that is exported, each with a fold that it has not seen.

    Parameters
    ----------
    subject : Subject
    executor : Executor
        Trains, where no such fit is exported.
    seconds : float or None
        That training may take; one that cannot be ended comes to its end, and is the last.
    clock : callable
        Seconds since some moment.

    Returns
    -------
    fits : mapping of int to TrainedPipeline
        By fold; empty if there are none in time.
    note : str or None
        For the user.
    """
    known = fits_of_folds(subject.trained)
    if known:
        return known, None
    folds, max_rows = plan_folds(subject, executor.n_workers, seconds)
    member = subject.trained.exported.members[0]
    orders = {fold: Training(member.configuration, fold, max_rows) for fold in folds}
    started = _start(orders, executor, seconds, clock)
    fits = {fold: future.result() for fold, future in started.items() if _error(future) is None}
    if fits and max_rows != subject.trained.exported.max_rows:
        return fits, _trained_on_fewer(max_rows)
    errors = [error for error in map(_error, started.values()) if error is not None]
    if fits or not errors:
        return fits, None if fits else NO_TIME
    return fits, _failed(errors[0])


def _failed(error: BaseException) -> str:
    if isinstance(error, TimeoutError | CancelledError):
        return NO_TIME
    return f"importance was not measured: training without a fold failed ({one_line(error)})."


def _trained_on_fewer(max_rows: int | None) -> str:
    return (
        f"importance is that of a model which was trained on {max_rows:,} rows: the time did not "
        "suffice for more. Give a larger budget."
    )


def fits_of_folds(trained: Refit) -> Fits:
    """Return what was trained without a fold for export: of a blend, its first strategy.

    Parameters
    ----------
    trained : Refit

    Returns
    -------
    mapping of int to TrainedPipeline
        By fold.
    """
    pairs = zip(trained.trainings[0], _first_strategy(trained.pipeline), strict=True)
    return {training.fold: fit for training, fit in pairs if training.fold is not None}


def _first_strategy(pipeline: Pipeline) -> tuple[TrainedPipeline, ...]:
    if isinstance(pipeline, BlendedPipeline):
        return pipeline.members[0]
    return (pipeline,) if isinstance(pipeline, TrainedPipeline) else pipeline.members


def plan_folds(
    subject: Subject, n_workers: int, seconds: float | None
) -> tuple[list[int], int | None]:
    """Choose which folds to train without, and on how many rows.

    Parameters
    ----------
    subject : Subject
    n_workers : int
        Trainings at once.
    seconds : float or None
        That they may take.

    Returns
    -------
    folds : list of int
        None if the time does not suffice for one.
    max_rows : int or None
        That are trained on at most.
    """
    evaluator, max_rows = subject.evaluator, subject.trained.exported.max_rows
    folds = _folds_enough(evaluator)
    if seconds is None:
        return folds, max_rows
    times = max(seconds, 0.0) / max(_seconds_of_one(subject), 1e-3)
    if times >= 1:
        return folds[: math.floor(times) * n_workers], max_rows
    affordable = int(times * min(len(evaluator.training_rows(folds[0])), max_rows or math.inf))
    # Every class may be cut to the size of the rarest, no further.
    least = int(np.bincount(evaluator.y).min()) * evaluator.n_classes
    return ([], max_rows) if affordable < max(MIN_TRAINED, least) else (folds[:1], affordable)


def _folds_enough(evaluator: Evaluator) -> list[int]:
    """Choose folds that hold rows enough of the rarest class, in time the latest first."""
    counts = np.zeros(evaluator.n_classes, dtype=np.intp)
    chosen: list[int] = []
    for fold in range(evaluator.n_folds)[:: -1 if evaluator.in_time else 1]:
        chosen.append(fold)
        scored = evaluator.y[evaluator.scored_rows(fold)]
        counts += np.bincount(scored, minlength=evaluator.n_classes)
        if counts.min() >= ENOUGH_SCORED:
            break
    return chosen


def _seconds_of_one(subject: Subject) -> float:
    """Estimate what training without a fold takes."""
    member, evaluator = subject.trained.exported.members[0], subject.evaluator
    known = [c for c in subject.found.candidates if c.record.number == member.number]
    if not known:
        return member.seconds
    return RefitCost.of_one(evaluator).seconds(known)[0] * (1 - 1 / evaluator.n_folds)


def _start(
    orders: Mapping[int, Training],
    executor: Executor,
    seconds: float | None,
    clock: Callable[[], float],
) -> dict[int, Future[TrainedPipeline]]:
    """Train without each fold, and end what takes too long."""
    until = clock() + (math.inf if seconds is None else seconds)
    started: dict[int, Future[TrainedPipeline]] = {}
    for fold, order in orders.items():
        # Some executors train at once, and return when that has ended.
        if started and clock() >= until:
            break
        started[fold] = executor.train(order, seconds)
    wait(started.values(), seconds)
    for future in started.values():
        future.cancel()
    return started


def _error(future: Future[TrainedPipeline]) -> BaseException | None:
    """Say why a training came to nothing, if it did."""
    is_over = future.done() and not future.cancelled()
    return future.exception() if is_over else CancelledError()
